// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Counts what a benchmark allocates, and what it keeps: defining operator new once, in allocations.cpp, covers the whole program.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>

namespace conclave_bench {

/// allocations(): calls of operator new by this thread so far.
[[nodiscard]] std::uint64_t allocations() noexcept;

/// bytes_held(): what this thread has allocated and not given back, rounded up as malloc does.
[[nodiscard]] std::uint64_t bytes_held() noexcept;

/// high_water: the most that this thread has held at a time since it was made, beyond what it held then. One at a time.
class high_water {
 public:
  high_water() noexcept;
  [[nodiscard]] std::uint64_t bytes() const noexcept;

 private:
  std::uint64_t before_;
};

/// report_allocations(state, count): the counter "allocations" of a benchmark, per operation.
inline void report_allocations(benchmark::State& state, std::uint64_t count) {
  state.counters["allocations"] = benchmark::Counter(static_cast<double>(count), benchmark::Counter::kAvgIterations);
}

}  // namespace conclave_bench

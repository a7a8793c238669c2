// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What one input from a peer may cost: measured at growing sizes, and held against a bound for its memory, the number of
/// its allocations and the blocks it makes us hash. Time, that of the CPU, is shown and judges nothing.
#pragma once

#include "support.hpp"

#include <cmath>
#include <ctime>
#include <utility>
#include <vector>

namespace faults {

/// bound: `per_byte` bytes of memory for each byte of the input, beside `fixed` ones that no input changes, and no faster
/// growth than by this power of the size. Where one input is as good as another, `per_byte` is 0.
struct bound {
  double per_byte = 0;
  double fixed = 65'536;
  double power = 1.1;
};

/// large(): sizes up to the limits, for the table (./dev bounds); the ordinary test makes do with the smaller ones.
[[nodiscard]] inline bool large() { return std::getenv("CONCLAVE_TABLE") != nullptr; }

/// up_to(n): n / 16, n / 8, n / 4, and with large() n / 2 and n.
[[nodiscard]] inline std::vector<std::size_t> up_to(std::size_t n) {
  std::vector<std::size_t> out{n / 16, n / 8, n / 4};
  if (large()) out.insert(out.end(), {n / 2, n});
  return out;
}

/// growth(of): the exponent of a power law through its first and last value; nothing grows that stays small.
[[nodiscard]] inline double growth(const std::vector<std::size_t>& inputs, const std::vector<double>& of,
                                   double small) {
  if (of.back() <= small || of.front() <= 0 || inputs.back() == inputs.front()) return 0;
  return std::log(of.back() / of.front()) / std::log(double(inputs.back()) / double(inputs.front()));
}

/// costs(entrance, input, sizes, bound, prepare): prepare(n) gives the number of bytes of an input of size n, and what to
/// do with it. A row of the table for each size.
template <class Prepare>
void costs(const char* entrance, const char* input, const std::vector<std::size_t>& sizes, const bound& allowed,
           Prepare&& prepare) {
  std::vector<std::size_t> inputs;
  std::vector<double> seconds, peaks, counts, hashed;
  for (const std::size_t n : sizes) {
    auto [bytes, work] = prepare(n);
    const std::clock_t start = std::clock();
    const usage used = measure(work);
    seconds.push_back(double(std::clock() - start) / CLOCKS_PER_SEC);
    inputs.push_back(bytes);
    peaks.push_back(double(used.peak));
    counts.push_back(double(used.allocations));
    hashed.push_back(double(used.hashed));
    INFO(entrance << ", " << input << ", " << n << ": " << bytes << " bytes, peak " << used.peak);
    CHECK(double(used.peak) <= allowed.fixed + allowed.per_byte * double(bytes));
  }
  const double memory = growth(inputs, peaks, allowed.fixed), allocations = growth(inputs, counts, 256),
               work = growth(inputs, hashed, 4096), time = growth(inputs, seconds, 0.001);
  INFO(entrance << ", " << input);
  CHECK(memory <= allowed.power);
  CHECK(allocations <= allowed.power);
  CHECK(work <= allowed.power);
  if (!large()) return;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const bool last = i + 1 == sizes.size();
    std::printf("| %s | %s | %zu | %zu | %.2f | %.0f | %.0f | %.0f |", i == 0 ? entrance : "", i == 0 ? input : "",
                sizes[i], inputs[i], seconds[i] * 1000, peaks[i] / 1024, counts[i], hashed[i]);
    if (last)
      std::printf(" %.2f / %.2f / %.2f / %.2f |\n", time, memory, allocations, work);
    else
      std::printf(" |\n");
  }
}

/// fails(outcome, code), succeeds(outcome): for work that is measured, where nothing else may allocate.
template <class T>
void fails(const result<T>& outcome, errc code) {
  if (failed(outcome) == code) return;
  std::fprintf(stderr, "%s instead of %s\n", outcome ? "success" : outcome.error().message(),
               code == success ? "success" : text(code));
  std::abort();
}
template <class T>
void succeeds(const result<T>& outcome) {
  fails(outcome, success);
}

}  // namespace faults

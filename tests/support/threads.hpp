// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The plainest executor: threads that are started for each piece of work.
#pragma once

#include <conclave/executor.hpp>

#include <atomic>
#include <thread>
#include <vector>

namespace conclave_test {

/// threads: as many as it is told, the caller's among them. A part that throws ends the program.
class threads final : public conclave::executor {
 public:
  explicit threads(unsigned count) noexcept : count_{count} {}

  void run(conclave::divided_work& work, std::size_t parts) override {
    parts_run_ += parts;
    std::atomic<std::size_t> next = 0;
    const auto take_parts = [&] {
      for (std::size_t i = 0; (i = next++) < parts;) work.part(i);
    };
    std::vector<std::jthread> others;
    for (unsigned i = 1; i < count_; ++i) others.emplace_back(take_parts);
    take_parts();
  }
  /// parts_run(): how many so far.
  [[nodiscard]] std::size_t parts_run() const noexcept { return parts_run_; }

 private:
  unsigned count_;
  std::size_t parts_run_ = 0;
};

}  // namespace conclave_test

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// crowd: does something for many people at once, on the cores there are, and says how far it is.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace demo {

using clock = std::chrono::steady_clock;

[[nodiscard]] inline double seconds_since(clock::time_point start) {
  return std::chrono::duration<double>(clock::now() - start).count();
}

/// for_all(n, what, task): runs task(i) for each i below n, on all cores; task returns an error text, empty for
/// success. On stderr it says every two seconds how many are done. Returns the first error.
template <class Task>
[[nodiscard]] std::string for_all(std::size_t n, const std::string& what, Task&& task) {
  std::atomic<std::size_t> next{0}, done{0};
  std::mutex mutex;
  std::string error;
  auto last_said = clock::now();
  const auto work = [&] {
    for (std::size_t i = next++; i < n; i = next++) {
      std::string failed = task(i);
      ++done;
      const std::scoped_lock lock(mutex);
      if (!failed.empty()) {
        if (error.empty()) error = std::move(failed);
        next = n;
      } else if (seconds_since(last_said) > 2) {
        last_said = clock::now();
        std::fprintf(stderr, "      %s: %zu of %zu\n", what.c_str(), done.load(), n);
      }
    }
  };
  const std::size_t threads = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, 8);
  std::vector<std::thread> others;
  for (std::size_t i = 1; i < std::min(threads, n); ++i) others.emplace_back(work);
  work();
  for (auto& t : others) t.join();
  return error;
}

}  // namespace demo

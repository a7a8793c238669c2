// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Every kernel that this CPU can run, one after the other.
#pragma once

#include <conclave/simd/dispatch.hpp>

#include <stdexcept>
#include <string>

namespace conclave_test {

/// forced_kernel: objects that are made while it lives use this kernel (see simd::force), and then those of before.
class forced_kernel {
  template <class Kernels>
  struct saved {
    const Kernels* table = conclave::simd::detail::chosen<Kernels>.load();
    ~saved() { conclave::simd::detail::chosen<Kernels>.store(table); }
  };

 public:
  explicit forced_kernel(std::string_view name) {
    if (!conclave::simd::force(name)) throw std::runtime_error("no such kernel here: " + std::string(name));
  }
  forced_kernel(const forced_kernel&) = delete;
  forced_kernel& operator=(const forced_kernel&) = delete;

 private:
  saved<conclave::simd::aes_kernels> aes_;
  saved<conclave::simd::hash_kernels> hash_;
  saved<conclave::simd::curve_kernels> curve_;
};

/// for_each_kernel<Kernels>(work): work(table) for each table of the family, forced meanwhile; how many there were.
template <class Kernels, class F>
int for_each_kernel(F&& work) {
  int count = 0;
  for (const Kernels* const table : conclave::simd::all<Kernels>()) {
    if (!conclave::simd::cpu_can_run(table->needs)) continue;
    const forced_kernel here(table->name);
    work(*table);
    ++count;
  }
  return count;
}

}  // namespace conclave_test

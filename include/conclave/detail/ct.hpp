// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Constant-time helpers: their running time and memory accesses depend on lengths only.
#pragma once

#include <conclave/bytes.hpp>

/// Whether valgrind watches the program; only the tests of constant time say so.
#ifndef CONCLAVE_WITH_VALGRIND
#define CONCLAVE_WITH_VALGRIND 0
#endif
#if CONCLAVE_MEMORY_SANITIZER
#include <sanitizer/msan_interface.h>
#elif CONCLAVE_WITH_VALGRIND
#include <valgrind/memcheck.h>
#endif

namespace conclave::inline CONCLAVE_ABI::detail {

/// value_barrier(x): x, but the optimiser no longer knows anything about it, so it cannot turn masks into branches.
template <std::unsigned_integral T>
[[nodiscard]] inline T value_barrier(T x) noexcept {
#if CONCLAVE_MEMORY_SANITIZER  // it takes operands of asm for decisions
  return x;
#elif CONCLAVE_WITH_GNU
  __asm__("" : "+r"(x));
  return x;
#else
  volatile T hidden = x;
  return hidden;
#endif
}

/// ct_equal(a, b): true where lengths and bytes agree. The lengths are public, the bytes are not.
[[nodiscard]] inline bool ct_equal(byte_view a, byte_view b) noexcept {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned>(a[i] ^ b[i]);
  return value_barrier(difference) == 0;
}

/// ct_is_zero(a): true where every byte is zero.
[[nodiscard]] inline bool ct_is_zero(byte_view a) noexcept {
  unsigned any = 0;
  for (const std::uint8_t b : a) any |= b;
  return value_barrier(any) == 0;
}

/// poison(memory, size): from here on, whoever watches for uninitialised memory reports every branch and every address
/// that depends on these bytes. unpoison(memory, size): they are public from here on. poisoned(memory, size): whether any
/// of them is secret. Without valgrind and MemorySanitizer they do nothing, and nothing is poisoned.
inline void poison([[maybe_unused]] const void* memory, [[maybe_unused]] std::size_t size) noexcept {
#if CONCLAVE_MEMORY_SANITIZER
  __msan_allocated_memory(memory, size);
#elif CONCLAVE_WITH_VALGRIND
  (void)VALGRIND_MAKE_MEM_UNDEFINED(memory, size);
#endif
}
inline void unpoison([[maybe_unused]] const void* memory, [[maybe_unused]] std::size_t size) noexcept {
#if CONCLAVE_MEMORY_SANITIZER
  __msan_unpoison(memory, size);
#elif CONCLAVE_WITH_VALGRIND
  (void)VALGRIND_MAKE_MEM_DEFINED(memory, size);
#endif
}
[[nodiscard]] inline bool poisoned([[maybe_unused]] const void* memory, [[maybe_unused]] std::size_t size) noexcept {
#if CONCLAVE_MEMORY_SANITIZER
  return __msan_test_shadow(memory, size) >= 0;
#elif CONCLAVE_WITH_VALGRIND
  for (std::size_t i = 0; i < size; ++i) {
    std::uint8_t secret_bits = 0;
    if (VALGRIND_GET_VBITS(static_cast<const std::uint8_t*>(memory) + i, &secret_bits, 1) == 1 && secret_bits != 0)
      return true;
  }
  return false;
#else
  return false;
#endif
}

}  // namespace conclave::detail

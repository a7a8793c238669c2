// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Erasing memory in a way no optimiser removes, and containers that do so by themselves.
#pragma once

#include <conclave/bytes.hpp>

#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <type_traits>

namespace conclave::inline CONCLAVE_ABI {
namespace detail {

/// secure_wipe(memory): sets every byte to zero. The empty asm claims to read the memory, so the stores stay even under
/// link-time optimisation, where a call through a volatile pointer could be seen through.
inline void secure_wipe(void* memory, std::size_t size) noexcept {
  if (size == 0) return;
#if CONCLAVE_WITH_GNU
  std::memset(memory, 0, size);
  __asm__ __volatile__("" : : "r"(memory) : "memory");
#else
  auto* p = static_cast<volatile unsigned char*>(memory);
  while (size-- > 0) *p++ = 0;
#endif
}
inline void secure_wipe(byte_span memory) noexcept { secure_wipe(memory.data(), memory.size()); }

/// wipe_guard: wipes a buffer when the scope ends, by whichever path.
class [[nodiscard]] wipe_guard {
 public:
  explicit wipe_guard(byte_span memory) noexcept : memory_{memory} {}
  wipe_guard(const wipe_guard&) = delete;
  wipe_guard& operator=(const wipe_guard&) = delete;
  ~wipe_guard() { secure_wipe(memory_); }

 private:
  byte_span memory_;
};

/// wiped<T>: a plain T, such as the state of a keyed hash, that moves and does not copy and is erased wherever it was.
template <class T>
  requires std::is_trivially_copyable_v<T>
struct wiped {
  T value{};

  wiped() noexcept = default;
  wiped(wiped&& other) noexcept : value{other.value} { secure_wipe(&other.value, sizeof(T)); }
  wiped& operator=(wiped&& other) noexcept {
    if (this == &other) return *this;
    value = other.value;
    secure_wipe(&other.value, sizeof(T));
    return *this;
  }
  wiped(const wiped&) = delete;
  wiped& operator=(const wiped&) = delete;
  ~wiped() { secure_wipe(&value, sizeof(T)); }
};

/// wiping_allocator: wipes every block before it is given back, so that growing a vector leaves no copy behind.
template <class T>
struct wiping_allocator {
  static_assert(std::is_trivially_destructible_v<T>);
  using value_type = T;

  wiping_allocator() = default;
  template <class U>
  constexpr wiping_allocator(const wiping_allocator<U>&) noexcept {}

  [[nodiscard]] T* allocate(std::size_t n) { return std::allocator<T>{}.allocate(n); }
  void deallocate(T* p, std::size_t n) noexcept {
    secure_wipe(p, n * sizeof(T));
    std::allocator<T>{}.deallocate(p, n);
  }
  friend constexpr bool operator==(const wiping_allocator&, const wiping_allocator&) noexcept { return true; }
};

}  // namespace detail

/// secret_bytes: owned bytes of any length that are wiped whenever their memory is released.
using secret_bytes = std::vector<std::uint8_t, detail::wiping_allocator<std::uint8_t>>;

}  // namespace conclave

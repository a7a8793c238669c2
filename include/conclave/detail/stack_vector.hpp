// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// stack_vector: a few values where they are declared.
#pragma once

#include <conclave/config.hpp>

#include <cstddef>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

namespace conclave::inline CONCLAVE_ABI::detail {

/// stack_vector<T, N>: up to N values, made one by one: unlike an array, it writes nothing before. Adding to one that is
/// full() is undefined.
template <class T, std::size_t N>
  requires std::is_trivially_destructible_v<T>
class stack_vector {
 public:
  stack_vector() noexcept {}
  stack_vector(const stack_vector&) = delete;
  stack_vector& operator=(const stack_vector&) = delete;

  /// add(members...): T{members...} behind the others.
  T& add(auto&&... members) { return *::new (&items_[size_++]) T{std::forward<decltype(members)>(members)...}; }
  /// next(): a T at the place of the one that comes next. keep() adds it; without, it makes way for another.
  [[nodiscard]] T& next() noexcept { return *::new (&items_[size_]) T; }
  void keep() noexcept { ++size_; }
  void clear() noexcept { size_ = 0; }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] bool full() const noexcept { return size_ == N; }
  [[nodiscard]] T& operator[](std::size_t i) noexcept { return items_[i]; }
  [[nodiscard]] std::span<T> all() noexcept { return {items_, size_}; }
  [[nodiscard]] T* begin() noexcept { return items_; }
  [[nodiscard]] T* end() noexcept { return items_ + size_; }

 private:
  union {
    T items_[N];  // not initialised
  };
  std::size_t size_ = 0;
};

}  // namespace conclave::detail

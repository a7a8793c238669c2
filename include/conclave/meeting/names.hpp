// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Enumerators by the names that files and command lines call them. An enum whose values count up from 0 takes part by
/// declaring `constexpr std::span<const std::string_view> names(E)` beside it, one name for each value.
#pragma once

#include <conclave/bytes.hpp>

#include <optional>

namespace conclave::inline CONCLAVE_ABI {

/// named: an enum with names.
template <class E>
concept named = std::is_enum_v<E> && requires(E e) {
  { names(e) } -> std::convertible_to<std::span<const std::string_view>>;
};

/// count<E>(): how many values have a name.
template <named E>
[[nodiscard]] constexpr std::size_t count() noexcept {
  return names(E{}).size();
}

/// known(e): a value that has a name; from the wire there may be others.
template <named E>
[[nodiscard]] constexpr bool known(E e) noexcept {
  return static_cast<std::size_t>(e) < count<E>();
}

/// name(e): the name; empty where there is none.
template <named E>
[[nodiscard]] constexpr std::string_view name(E e) noexcept {
  return known(e) ? names(e)[static_cast<std::size_t>(e)] : std::string_view{};
}

/// from_name<E>(text): the value of that name, if there is one.
template <named E>
[[nodiscard]] constexpr std::optional<E> from_name(std::string_view text) noexcept {
  const std::span<const std::string_view> all = names(E{});
  const auto at = std::ranges::find(all, text);
  if (at == all.end()) return std::nullopt;
  return static_cast<E>(at - all.begin());
}

}  // namespace conclave

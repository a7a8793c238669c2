// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// How a vector is checked: every check throws a mismatch that says what differed, which ends its case.
#pragma once

#include "support/hex.hpp"

#include <conclave/result.hpp>

#include <nlohmann/json.hpp>

namespace conclave_vectors {

using namespace conclave;
using conclave_test::from_hex, conclave_test::to_hex;
using nlohmann::json;

struct mismatch : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline void expect(bool holds, const std::string& what) {
  if (!holds) throw mismatch(what);
}

inline std::string shortened(byte_view view) {
  return view.size() <= 40 ? to_hex(view) : to_hex(view.first(40)) + "... (" + std::to_string(view.size()) + " bytes)";
}
inline void expect_equal(byte_view got, byte_view wanted, const std::string& what) {
  if (equal(got, wanted)) return;
  throw mismatch(what + ": got " + shortened(got) + ", the vector says " + shortened(wanted));
}
template <std::size_t N>
void expect_equal(const inline_bytes<N>& got, byte_view wanted, const std::string& what) {
  expect_equal(got.view(), wanted, what);
}
template <class T>
  requires std::integral<T> || std::is_enum_v<T>
void expect_equal(T got, T wanted, const std::string& what) {
  const auto text = [](T x) { return std::to_string(static_cast<std::uint64_t>(x)); };
  if (got != wanted) throw mismatch(what + ": got " + text(got) + ", the vector says " + text(wanted));
}

/// succeeds(result, what): the value, where there is one.
template <class T>
T succeeds(result<T>&& r, const std::string& what) {
  if (!r) throw mismatch(what + ": " + r.error().message());
  if constexpr (!std::is_void_v<T>) return *std::move(r);
}
/// fails(result, code, what): it does, and for this reason.
template <class T>
void fails(const result<T>& r, errc code, const std::string& what) {
  if (r) throw mismatch(what + " succeeds");
  if (r.error().code() != code) throw mismatch(what + " fails otherwise: " + r.error().message());
}

/// hex(object, name): the bytes of a field that has to be there.
inline bytes hex(const json& object, const char* name) {
  return from_hex(object.at(name).get_ref<const std::string&>());
}

}  // namespace conclave_vectors

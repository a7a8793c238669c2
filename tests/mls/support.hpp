// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What all tests of the group share. The group is instantiated once, in instantiation.cpp.
#pragma once

#include <support/mls_party.hpp>

#include <catch2/catch.hpp>

extern template class conclave::mls::basic_group<conclave::default_provider>;

namespace mls_test {

/// check_fails(outcome, code, rule): it failed, with this code and for this reason.
template <class T>
void check_fails(const result<T>& outcome, errc code, const rule& broken) {
  REQUIRE_FALSE(outcome.has_value());
  INFO("expected: " << text(code) << ": " << broken.name);
  INFO("got:      " << describe(outcome.error()));
  CHECK(outcome.error().code() == code);
  CHECK(outcome.error().broken_rule() == &broken);
}
template <class T>
void check_fails(const result<T>& outcome, errc code) {
  REQUIRE_FALSE(outcome.has_value());
  INFO("expected: " << text(code));
  INFO("got:      " << describe(outcome.error()));
  CHECK(outcome.error().code() == code);
}

/// as<T>(event): the alternative it must be.
template <class T>
[[nodiscard]] T as(event&& e) {
  REQUIRE(std::holds_alternative<T>(e));
  return std::get<T>(std::move(e));
}

[[nodiscard]] inline std::string text_of(const application_message& m) { return std::string(as_text(m.plaintext)); }

}  // namespace mls_test

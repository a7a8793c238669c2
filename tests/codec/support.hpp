// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <support/hex.hpp>

#include <conclave/result.hpp>

#include <catch2/catch.hpp>

namespace codec_test {

using namespace conclave;
using conclave_test::from_hex, conclave_test::to_hex;

/// check_fails(outcome, rule): it is malformed, and for this reason.
template <class T>
void check_fails(const result<T>& outcome, const rule& broken) {
  REQUIRE_FALSE(outcome.has_value());
  INFO("expected: " << broken.name << "; got: " << outcome.error().message());
  CHECK(outcome.error().code() == errc::malformed);
  CHECK(outcome.error().broken_rule() == &broken);
}

}  // namespace codec_test

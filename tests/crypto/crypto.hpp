// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What the tests of this folder share. The standards' vectors are run by tests/vectors; here are the contracts.
#pragma once

#include "support/providers.hpp"
#include "support/scripted_environment.hpp"

#include <catch2/catch.hpp>

namespace conclave_test {

using namespace conclave;

/// in_every_provider(work): work<P>() for each provider; how many returned true.
template <class F>
int in_every_provider(F&& work) {
  return for_each_provider([&]<class P>(const char* name) -> bool {
    INFO("provider " << name);
    REQUIRE(P::ready());
    return work.template operator()<P>();
  });
}

/// dirty(size): an output that nobody has written to, so that it does not look zeroed.
[[nodiscard]] inline bytes dirty(std::size_t size) { return bytes(size, 0xa5); }

[[nodiscard]] inline bool all_zero(byte_view view) {
  return std::ranges::all_of(view, [](std::uint8_t b) { return b == 0; });
}

}  // namespace conclave_test

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <catch2/catch.hpp>
#include <conclave/sas/code.hpp>

#include <numeric>

using namespace conclave;

// Expected digits: Python, '%05d' % (int.from_bytes(a[5*g:5*g+5], 'big') % 100000) for g in 0..5.
TEST_CASE("thirty digits are six groups of five bytes, big-endian, modulo 100000") {
  bytes counting(32);
  std::iota(counting.begin(), counting.end(), std::uint8_t{1});
  CHECK(sas::security_code::make(counting, 0)->digits() == "19365 70890 22415 73940 25465 76990");
  CHECK(sas::security_code::make(bytes(32, 0xff), 0)->digits() == "27775 27775 27775 27775 27775 27775");
  CHECK(sas::security_code::make(bytes(30), 0)->digits() == "00000 00000 00000 00000 00000 00000");
}

TEST_CASE("a code belongs to its epoch") {
  const bytes authenticator(32, 7);
  CHECK(*sas::security_code::make(authenticator, 3) == *sas::security_code::make(authenticator, 3));
  CHECK_FALSE(*sas::security_code::make(authenticator, 3) == *sas::security_code::make(authenticator, 4));
  CHECK_FALSE(*sas::security_code::make(authenticator, 3) == *sas::security_code::make(bytes(32, 8), 3));
}

TEST_CASE("an authenticator too short for thirty digits is misuse") {
  CHECK(sas::security_code::make(bytes(29), 0).error() == errc::misuse);
  CHECK(sas::security_code::make({}, 0).error() == errc::misuse);
}

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support.hpp"

#include <conclave/codec/varint.hpp>

using namespace codec_test;

namespace {

std::string encoded(std::uint32_t value) {
  std::array<std::uint8_t, 4> out{};
  return to_hex(byte_view{out}.first(store_varint(value, out)));
}

}  // namespace

TEST_CASE("the examples of RFC 9420 2.1.2") {
  const bytes four = from_hex("9d7f3e7d"), two = from_hex("7bbd"), one = from_hex("25");
  CHECK(load_varint(four)->value == 494878333);
  CHECK(load_varint(two)->value == 15293);
  CHECK(load_varint(one)->value == 37);
}

TEST_CASE("a length takes the shortest of its three forms") {
  const std::pair<std::uint32_t, const char*> known[] = {
      {0, "00"},           {1, "01"},           {63, "3f"},
      {64, "4040"},        {65, "4041"},        {16383, "7fff"},
      {16384, "80004000"}, {16385, "80004001"}, {(1U << 30U) - 1, "bfffffff"},
  };
  for (const auto& [value, form] : known) {
    INFO(value);
    CHECK(encoded(value) == form);
    CHECK(varint_size(value) == from_hex(form).size());
    const bytes input = from_hex(std::string(form) + "ff");  // what follows does not matter
    const auto decoded = load_varint(input);
    REQUIRE(decoded);
    CHECK(decoded->value == value);
    CHECK(decoded->size == input.size() - 1);
  }
}

TEST_CASE("a length in a longer form than it needs is malformed") {
  for (const char* form : {"4000", "4001", "403f", "80000000", "80000001", "8000003f", "80000040", "80003fff"}) {
    INFO(form);
    check_fails(load_varint(from_hex(form)), conclave::rules::minimal_length_header);
  }
}

TEST_CASE("the prefix 11 is malformed") {
  for (const char* form : {"c0", "c000", "c0000000", "ff", "ffffffff", "c000000000000001"}) {
    INFO(form);
    check_fails(load_varint(from_hex(form)), conclave::rules::known_length_prefix);
  }
}

TEST_CASE("a length that is cut is malformed") {
  for (const char* form : {"", "40", "7f", "80", "8000", "800040", "bfffff"}) {
    INFO(form);
    check_fails(load_varint(from_hex(form)), conclave::rules::complete_field);
  }
}

TEST_CASE("every two-byte input decodes to what encodes to it, or not at all") {
  for (unsigned input = 0; input < 0x10000; ++input) {
    const std::array raw{static_cast<std::uint8_t>(input >> 8U), static_cast<std::uint8_t>(input)};
    const auto decoded = load_varint(raw);
    if (!decoded) continue;
    if (encoded(decoded->value) != to_hex(byte_view{raw}.first(decoded->size))) FAIL("input " << input);
  }
  SUCCEED();
}

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support.hpp"

#include <conclave/codec/wire.hpp>

using namespace codec_test;

namespace {

enum class colour : std::uint16_t { red = 1 };

struct inner {
  std::uint8_t small = 0;
  byte_view data;
  static constexpr auto fields(auto& self) { return std::tie(self.small, self.data); }
};

struct outer {
  colour shade{};
  std::uint64_t big = 0;
  std::array<std::uint8_t, 3> fixed{};
  std::optional<inner> maybe;
  wire::list<inner> items;
  static constexpr auto fields(auto& self) {
    return std::tie(self.shade, self.big, self.fixed, self.maybe, self.items);
  }
};

// written by hand from the presentation language
constexpr const char* both =
    "0001"
    "0102030405060708"
    "aabbcc"
    "01"
    "0702beef"
    "06"
    "0800"
    "0902cafe";
constexpr const char* neither =
    "ffff"
    "0000000000000000"
    "000000"
    "00"
    "00";

}  // namespace

TEST_CASE("a structure is its fields in order, numbers big-endian") {
  const bytes input = from_hex(both);
  const auto v = wire::decode<outer>(input);
  REQUIRE(v);
  CHECK(v->shade == colour::red);
  CHECK(v->big == 0x0102030405060708);
  CHECK(to_hex(v->fixed) == "aabbcc");
  REQUIRE(v->maybe);
  CHECK(v->maybe->small == 7);
  CHECK(to_hex(v->maybe->data) == "beef");
  REQUIRE(v->items.size() == 2);
  std::vector<std::string> items;
  for (const inner i : v->items) items.push_back(std::to_string(i.small) + to_hex(i.data));
  CHECK(items == std::vector<std::string>{"8", "9cafe"});
  CHECK(wire::encode(*v) == input);
  CHECK(overlaps(v->maybe->data, input));  // nothing was copied
}

TEST_CASE("unknown numbers of an enum and absent values are legal") {
  const bytes input = from_hex(neither);
  const auto v = wire::decode<outer>(input);
  REQUIRE(v);
  CHECK(v->shade == colour{0xffff});
  CHECK_FALSE(v->maybe);
  CHECK(v->items.empty());
  CHECK(v->items.begin() == v->items.end());
  CHECK(wire::encode(*v) == input);
}

TEST_CASE("every cut is malformed, and so is a byte too many") {
  for (const char* form : {both, neither}) {
    bytes input = from_hex(form);
    for (std::size_t n = 0; n < input.size(); ++n) {
      INFO(n);
      check_fails(wire::decode<outer>(byte_view{input}.first(n)), conclave::rules::complete_field);
    }
    input.push_back(0);
    check_fails(wire::decode<outer>(input), conclave::rules::no_trailing_bytes);
  }
}

TEST_CASE("a presence octet is 0 or 1") {
  using maybe = std::optional<std::uint8_t>;
  CHECK(wire::decode<maybe>(from_hex("00")).has_value());
  CHECK(wire::decode<maybe>(from_hex("0105")).has_value());
  for (unsigned octet = 2; octet < 256; ++octet) {
    const std::array input{static_cast<std::uint8_t>(octet), std::uint8_t{5}};
    check_fails(wire::decode<maybe>(input), conclave::rules::presence_octet);
  }
}

TEST_CASE("a vector ends where an element ends") {
  const bytes good = from_hex("0400010002"), half = from_hex("03000100");
  CHECK(wire::decode<wire::list<std::uint16_t>>(good)->size() == 2);
  check_fails(wire::decode<wire::list<std::uint16_t>>(half), conclave::rules::complete_field);
}

TEST_CASE("a failed read leaves the reader where it was") {
  const bytes input = from_hex("05aabb");
  reader in{input};
  CHECK_FALSE(in.opaque().has_value());
  CHECK(in.rest().size() == 3);
  CHECK_FALSE(in.number<std::uint32_t>().has_value());
  CHECK(in.rest().size() == 3);
  CHECK(*in.number<std::uint8_t>() == 5);
  CHECK(*in.number<std::uint16_t>() == 0xaabb);
  CHECK(in.finish().has_value());
}

TEST_CASE("a located value knows its bytes among others") {
  const bytes input = from_hex("ee0702beefdd");
  reader in{byte_view{input}.subspan(1)};
  const auto v = wire::located<inner>::read(in);
  REQUIRE(v);
  CHECK(to_hex(v->encoded) == "0702beef");
  CHECK(v->encoded.data() == input.data() + 1);
  CHECK(to_hex(in.rest()) == "dd");
}

TEST_CASE("a written vector has the header of its length") {
  for (const auto& [size, header] :
       {std::pair{std::size_t{0}, "00"}, {63, "3f"}, {64, "4040"}, {16383, "7fff"}, {16384, "80004000"}}) {
    INFO(size);
    const bytes content(size, 0x5a);
    bytes whole, nested = from_hex("01");
    writer{whole}.opaque(content);
    writer w{nested};
    w.vector([&] { w.raw(content); });
    CHECK(to_hex(byte_view{whole}.first(whole.size() - size)) == header);
    CHECK(std::equal(content.begin(), content.end(), whole.end() - static_cast<std::ptrdiff_t>(size), whole.end()));
    CHECK(equal(byte_view{nested}.subspan(1), whole));
    CHECK(nested[0] == 1);
  }
}

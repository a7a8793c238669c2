// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <sframe/support.hpp>

using namespace sframe_test;
using sframe::header;

namespace {

bytes encoded(const header& head) {
  bytes out(sframe::max_header_size, 0xee);
  const byte_span written = head.encode(out);
  CHECK(written.size() == head.size());
  for (std::size_t i = written.size(); i < out.size(); ++i) CHECK(out[i] == 0xee);
  return to_bytes(written);
}

/// The decoding of RFC 9605 4.3 written down a second time, number by number: empty where it is malformed.
std::optional<std::tuple<std::uint64_t, std::uint64_t, std::size_t>> slow_decode(byte_view in) {
  if (in.empty()) return std::nullopt;
  std::uint64_t value[2];
  std::size_t used = 1;
  for (int field = 0; field < 2; ++field) {
    const bool extended = (in[0] & (field == 0 ? 0x80 : 0x08)) != 0;
    const unsigned three_bits = field == 0 ? in[0] / 16U % 8 : in[0] % 8U;
    value[field] = three_bits;
    if (!extended) continue;
    const std::size_t length = three_bits + 1;
    if (in.size() - used < length) return std::nullopt;
    if (in[used] == 0 || (length == 1 && in[used] < 8)) return std::nullopt;
    value[field] = 0;
    for (std::size_t i = 0; i < length; ++i) value[field] = value[field] * 256 + in[used++];
  }
  return std::tuple{value[0], value[1], used};
}

}  // namespace

static_assert(sframe::max_header_size == 17);
static_assert(sframe::header_size(0, 0) == 1 && sframe::header_size(7, 7) == 1);
static_assert(sframe::header_size(8, 7) == 2 && sframe::header_size(7, 8) == 2 && sframe::header_size(8, 8) == 3);
static_assert(sframe::header_size(255, 256) == 4);
static_assert(sframe::header_size(~std::uint64_t{0}, ~std::uint64_t{0}) == sframe::max_header_size);
static_assert(sframe::sealed_size(1200) == 1200 + 17 + 16);

TEST_CASE("headers of the vectors encode and decode") {
  std::size_t cases = 0;
  for (const auto& file : vector_files()) {
    const auto vectors = load(file);
    for (const auto& v : vectors.value("header", nlohmann::json::array())) {
      const header head{v.at("kid").get<std::uint64_t>(), v.at("ctr").get<std::uint64_t>()};
      const std::string expected = v.at("encoded");
      CHECK(to_hex(encoded(head)) == expected);
      const auto decoded = header::decode(from_hex(expected + "abcd"));
      REQUIRE(decoded);
      CHECK(*decoded == head);
      CHECK(decoded->size() == expected.size() / 2);
      ++cases;
    }
  }
  CHECK(cases >= 289);
}

TEST_CASE("a header value moves out of the config byte at 8") {
  CHECK(to_hex(encoded({7, 7})) == "77");
  CHECK(to_hex(encoded({7, 8})) == "7808");
  CHECK(to_hex(encoded({8, 7})) == "8708");
  CHECK(to_hex(encoded({8, 8})) == "880808");
}

TEST_CASE("a header that is not minimal is malformed") {
  for (const char* text : {"0807", "0800", "8007", "8000", "0900ff", "9000ff", "0a000100", "0f00ffffffffffffff",
                           "f000ffffffffffffff", "880708", "880807", "8f080000000000000001"}) {
    INFO(text);
    const auto decoded = header::decode(from_hex(text));
    REQUIRE_FALSE(decoded);
    CHECK(decoded.error() == errc::malformed);
    CHECK(decoded.error().broken_rule() == &sframe::rules::minimal_header);
  }
}

TEST_CASE("a header that ends too early is malformed") {
  const bytes longest = encoded({~std::uint64_t{0}, ~std::uint64_t{0} - 1});
  REQUIRE(longest.size() == sframe::max_header_size);
  for (std::size_t n = 0; n < longest.size(); ++n) {
    const auto decoded = header::decode(byte_view{longest}.first(n));
    REQUIRE_FALSE(decoded);
    CHECK(decoded.error() == errc::malformed);
    CHECK(decoded.error().broken_rule() == &sframe::rules::complete_header);
  }
}

TEST_CASE("decoding agrees with a second decoder, and what decodes encodes to the same bytes") {
  std::size_t good = 0;
  std::size_t bad = 0;
  for (std::uint64_t round = 0; round < 64 * 256; ++round) {
    bytes input = noise(1 + round / 256 % 20, round);
    input[0] = static_cast<std::uint8_t>(round);
    if (round % 3 == 0 && input.size() > 1) input[1] = static_cast<std::uint8_t>(round / 256 % 10);
    const auto decoded = header::decode(input);
    const auto expected = slow_decode(input);
    REQUIRE(decoded.has_value() == expected.has_value());
    if (!decoded) {
      ++bad;
      continue;
    }
    ++good;
    REQUIRE(std::tuple{decoded->kid, decoded->ctr, decoded->size()} == *expected);
    REQUIRE(equal(encoded(*decoded), byte_view{input}.first(decoded->size())));
  }
  CHECK(good > 1000);
  CHECK(bad > 1000);
}

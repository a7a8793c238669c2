// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "crypto.hpp"

#include <conclave/crypto/hkdf.hpp>

#include <numeric>

using namespace conclave_test;

namespace {

constexpr std::array all_hashes{hash_id::sha1, hash_id::sha256, hash_id::sha384, hash_id::sha512};

bytes counting(std::size_t size) {
  bytes out(size);
  std::iota(out.begin(), out.end(), std::uint8_t{0});
  return out;
}

}  // namespace

TEST_CASE("Hash, HMAC: providers agree at every length around a block, however the message is cut") {
  const bytes data = counting(300);
  for (const hash_id hash : all_hashes) {
    std::vector<bytes> digests, macs;
    in_every_provider([&]<class P>() {
      if (!P::supports(hash)) return false;
      for (std::size_t n = 0; n <= data.size(); ++n) {
        const byte_view message = byte_view{data}.first(n);
        bytes whole = dirty(hash_size(hash)), cut = whole, mac = whole;
        P::hash(hash, std::array{message}, whole);
        P::hash(hash, std::array{message.first(n / 3), byte_view{}, message.subspan(n / 3)}, cut);
        CHECK(cut == whole);
        P::hmac(hash, message, std::array{message.first(n / 2), message.subspan(n / 2)}, mac);  // also as the key
        if (digests.size() == n) digests.push_back(whole), macs.push_back(mac);
        CHECK(whole == digests[n]);
        CHECK(mac == macs[n]);
      }
      bytes none = dirty(hash_size(hash));
      P::hash(hash, {}, none);
      CHECK(none == digests[0]);
      return true;
    });
  }
}

TEST_CASE("HMAC: the output may be where the key or the message is") {
  for (const hash_id hash : all_hashes) {
    in_every_provider([&]<class P>() {
      if (!P::supports(hash)) return false;
      const bytes key = counting(hash_size(hash)), message(hash_size(hash), 9);
      bytes expected(hash_size(hash)), at_key = key, at_message = message;
      P::hmac(hash, key, std::array{byte_view{message}}, expected);
      P::hmac(hash, at_key, std::array{byte_view{message}}, at_key);
      CHECK(at_key == expected);
      P::hmac(hash, key, std::array{byte_view{at_message}}, at_message);
      CHECK(at_message == expected);
      return true;
    });
  }
}

TEST_CASE("HKDF: blocks follow the definition, up to the 255th, and shorter outputs are prefixes") {
  for (const hash_id hash : all_hashes) {
    in_every_provider([&]<class P>() {
      if (!P::supports(hash)) return false;
      const std::size_t size = hash_size(hash);
      const bytes prk(size, 1), info = counting(20);
      bytes out(255 * size), block;
      hkdf_expand<P>(hash, prk, std::array{byte_view{info}}, out);
      for (unsigned n = 1; n <= 255; ++n) {  // RFC 5869 2.3: T(n) = HMAC(PRK, T(n-1) || info || n)
        const bytes previous = block;
        const std::array counter{static_cast<std::uint8_t>(n)};
        block.resize(size);
        P::hmac(hash, prk, std::array<byte_view, 3>{previous, info, counter}, block);
        CHECK(equal(block, byte_view{out}.subspan(size * (n - 1), size)));
      }
      for (const std::size_t n : {std::size_t{0}, std::size_t{1}, size - 1, size, size + 1, 3 * size, 255 * size - 1}) {
        bytes part = dirty(n);
        hkdf_expand<P>(hash, prk, std::array{byte_view{info}.first(7), byte_view{info}.subspan(7)}, part);
        CHECK(equal(part, byte_view{out}.first(n)));
      }
      return true;
    });
  }
}

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What every consumer builds: an answer from each library that conclave was set up with, and a type that travelled
// through a header which knows its name alone.
#include "call.hpp"

#include <conclave/crypto/provider.hpp>

#include <cstdio>

namespace cv = conclave;
using provider = cv::default_provider;

namespace {

// RFC 7748 6.1: the public key of Alice
constexpr std::uint8_t private_key[32] = {0x77, 0x07, 0x6d, 0x0a, 0x73, 0x18, 0xa5, 0x7d, 0x3c, 0x16, 0xc1,
                                          0x72, 0x51, 0xb2, 0x66, 0x45, 0xdf, 0x4c, 0x2f, 0x87, 0xeb, 0xc0,
                                          0x99, 0x2a, 0xb1, 0x77, 0xfb, 0xa5, 0x1d, 0xb9, 0x2c, 0x2a};
constexpr std::uint8_t public_key[4] = {0x85, 0x20, 0xf0, 0x09};
// FIPS 180-4: SHA-384 of "abc"
constexpr std::uint8_t digest[4] = {0xcb, 0x00, 0x75, 0x3f};

bool sodium_answers() {
  std::uint8_t out[32];
  return provider::dh_public_key(cv::kem_id::dhkem_x25519_sha256, private_key, out) &&
         std::equal(public_key, public_key + 4, out);
}

template <class Library>
bool answers() {
  std::uint8_t out[48];
  const cv::byte_view part = cv::as_bytes("abc");
  Library::hash(cv::hash_id::sha384, {&part, 1}, out);
  return std::equal(digest, digest + 4, out);
}

}  // namespace

int main() {
  bool good = provider::ready() && sodium_answers();
#if CONCLAVE_WITH_BOTAN
  good = good && answers<cv::botan>();
#endif
#if CONCLAVE_WITH_OPENSSL
  good = good && answers<cv::openssl>();
#endif
  cv::system_environment env;
  good = good && fill(env);
  std::printf("conclave %d.%d.%d, Botan %d, OpenSSL %d, kernels %d: %s\n", CONCLAVE_VERSION_MAJOR,
              CONCLAVE_VERSION_MINOR, CONCLAVE_VERSION_PATCH, CONCLAVE_WITH_BOTAN, CONCLAVE_WITH_OPENSSL,
              CONCLAVE_WITH_NATIVE, good ? "good" : "BAD");
  return good ? 0 : 1;
}

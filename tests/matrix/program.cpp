// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The frame of RFC 9605 C.3 for AES_128_GCM_SHA256_128, sealed and opened by a function whose name the row of the matrix
// chooses, so that several of them fit into one program.
#include <conclave/crypto/provider.hpp>
#include <conclave/sframe/sender_keys.hpp>

#include <string_view>

#ifndef PROGRAM
#define PROGRAM first
#endif

bool PROGRAM();

namespace {
namespace cv = conclave;

constexpr std::string_view metadata = "IETF SFrame WG", plaintext = "draft-ietf-sframe-enc";
constexpr std::uint8_t base[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
constexpr std::uint8_t frame[] = {0x99, 0x01, 0x23, 0x45, 0x67, 0xb7, 0x41, 0x2c, 0x25, 0x13, 0xa1, 0xb6, 0x6d, 0xbb,
                                  0x48, 0x84, 0x1b, 0xba, 0xf1, 0x7f, 0x59, 0x87, 0x51, 0x17, 0x6a, 0xd8, 0x47, 0x68,
                                  0x1a, 0x69, 0xc6, 0xd0, 0xb0, 0x91, 0xc0, 0x70, 0x18, 0xce, 0x4a, 0xdb, 0x34, 0xeb};

cv::status exchange() {
  constexpr auto suite = cv::sframe::cipher_suite::aes_128_gcm_sha256_128;
  CONCLAVE_TRY(auto key, cv::sframe::base_key::copy_of(base));
  CONCLAVE_TRY(auto mic, cv::sframe::sealer<cv::default_provider>::make(suite, 0x123, key, 0x4567));
  CONCLAVE_TRY(auto ear, cv::sframe::sender_key_opener<cv::default_provider>::make(suite, 8));
  CONCLAVE_CHECK(ear.add_key(0x123, std::move(key), cv::steady_time::max()));

  std::uint8_t out[sizeof frame], heard[sizeof frame];
  CONCLAVE_TRY(const auto sealed, mic.seal(cv::as_bytes(plaintext), cv::as_bytes(metadata), out));
  if (!std::ranges::equal(sealed, frame)) return cv::errc::unauthentic;
  CONCLAVE_TRY(const auto got, ear.open(sealed, cv::as_bytes(metadata), heard, cv::steady_time{}));
  return cv::as_text(got.bytes) == plaintext ? cv::status{} : cv::errc::malformed;
}
}  // namespace

bool PROGRAM() { return exchange().has_value(); }

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// SFrame cipher suites and their constants (RFC 9605 4.5, and the IANA registry "SFrame Cipher Suites").
#pragma once

#include <conclave/crypto/concepts.hpp>

namespace conclave::inline CONCLAVE_ABI::sframe {

namespace rules {
inline constexpr rule known_suite{"the SFrame cipher suite is not one that is served here", "RFC 9605 8.1"};
}  // namespace rules

/// cipher_suite: a number of the registry. Any 16-bit value can be held; parameters() says which are known.
enum class cipher_suite : std::uint16_t {
  aes_128_ctr_hmac_sha256_80 = 1,
  aes_128_ctr_hmac_sha256_64 = 2,
  aes_128_ctr_hmac_sha256_32 = 3,
  aes_128_gcm_sha256_128 = 4,
  aes_256_gcm_sha512_128 = 5,
  aes_256_ctr_hmac_sha512_80 = 6,
  aes_256_ctr_hmac_sha512_64 = 7,
  aes_256_ctr_hmac_sha512_32 = 8,
};

/// suite_parameters: the constants of RFC 9605 4.4, in bytes; Nka is 0 where the AEAD is not compound.
struct suite_parameters {
  hash_id hash;
  std::uint8_t Nh, Nka, Nk, Nn, Nt;
};

/// The largest of each over all suites, for buffers.
inline constexpr std::size_t max_Nh = 64;
inline constexpr std::size_t max_Nk = 96;
inline constexpr std::size_t max_Nt = 16;
inline constexpr std::size_t Nn = 12;  ///< the same for every suite

/// parameters(suite): the row of the registry. unsupported for a number that is not in it.
[[nodiscard]] constexpr result<suite_parameters> parameters(cipher_suite suite) noexcept {
  switch (suite) {
    case cipher_suite::aes_128_ctr_hmac_sha256_80: return suite_parameters{hash_id::sha256, 32, 16, 48, Nn, 10};
    case cipher_suite::aes_128_ctr_hmac_sha256_64: return suite_parameters{hash_id::sha256, 32, 16, 48, Nn, 8};
    case cipher_suite::aes_128_ctr_hmac_sha256_32: return suite_parameters{hash_id::sha256, 32, 16, 48, Nn, 4};
    case cipher_suite::aes_128_gcm_sha256_128: return suite_parameters{hash_id::sha256, 32, 0, 16, Nn, 16};
    case cipher_suite::aes_256_gcm_sha512_128: return suite_parameters{hash_id::sha512, 64, 0, 32, Nn, 16};
    case cipher_suite::aes_256_ctr_hmac_sha512_80: return suite_parameters{hash_id::sha512, 64, 32, 96, Nn, 10};
    case cipher_suite::aes_256_ctr_hmac_sha512_64: return suite_parameters{hash_id::sha512, 64, 32, 96, Nn, 8};
    case cipher_suite::aes_256_ctr_hmac_sha512_32: return suite_parameters{hash_id::sha512, 64, 32, 96, Nn, 4};
  }
  return failure{errc::unsupported, rules::known_suite};
}

/// aead_of(suite): the AEAD of a suite that uses a registered one; empty for the compound ones of RFC 9605 4.5.1.
[[nodiscard]] constexpr std::optional<aead_id> aead_of(cipher_suite suite) noexcept {
  switch (suite) {
    case cipher_suite::aes_128_gcm_sha256_128: return aead_id::aes_128_gcm;
    case cipher_suite::aes_256_gcm_sha512_128: return aead_id::aes_256_gcm;
    default: return std::nullopt;
  }
}

/// ctr_of(suite): the cipher of a compound one; empty for the others.
[[nodiscard]] constexpr std::optional<ctr_id> ctr_of(cipher_suite suite) noexcept {
  const auto row = parameters(suite);
  if (!row || row->Nka == 0) return std::nullopt;
  return row->Nka == ctr_key_size(ctr_id::aes_128_ctr) ? ctr_id::aes_128_ctr : ctr_id::aes_256_ctr;
}

/// supports<P>(suite): true where sealers and openers of this suite can be made over P.
template <crypto_provider P>
[[nodiscard]] bool supports(cipher_suite suite) noexcept {
  const auto row = parameters(suite);
  if (!row || !P::supports(row->hash)) return false;
  const auto aead = aead_of(suite);
  return aead ? P::supports(*aead) : P::supports(*ctr_of(suite));
}

}  // namespace conclave::sframe

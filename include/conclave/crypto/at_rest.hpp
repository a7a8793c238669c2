// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Small records at rest, sealed under a key of the host's that may seal any number of them: every record has a key of
/// its own, so that no nonce can meet twice.
///
/// Format: the AEAD (uint16, its HPKE number), 32 random bytes, the ciphertext with its tag. Key and nonce are
/// HKDF-Expand(HKDF-Extract(random bytes, host's key), label || " key") and the same with " nonce", with SHA-256; label
/// says what the record is. What stands in the clear is authenticated before the caller's additional data.
#pragma once

#include <conclave/crypto/hkdf.hpp>

#include <string_view>

namespace conclave::inline CONCLAVE_ABI {

namespace rules {
inline constexpr rule record_is_sealed{"a record is cut short, or sealed with what is not served here", "at rest"};
inline constexpr rule record_opens{"a record is damaged, in another's place, or sealed under another key", "at rest"};
}  // namespace rules

/// at_rest_key: 32 bytes that only the host has.
using at_rest_key = secret<struct at_rest_key_tag>;

namespace detail {

inline constexpr std::size_t at_rest_salt_size = 32;
inline constexpr std::size_t at_rest_header_size = 2 + at_rest_salt_size;

template <crypto_provider P>
struct at_rest_sealing {
  typename P::aead_key key;
  std::array<std::uint8_t, aead_nonce_size> nonce;

  [[nodiscard]] static result<at_rest_sealing> derive(const at_rest_key& host, std::string_view label, aead_id aead,
                                                      byte_view salt) {
    if (host.size() != 32) return errc::misuse;
    secret<struct at_rest_prk_tag> prk(hash_size(hash_id::sha256));
    hkdf_extract<P>(hash_id::sha256, salt, std::array{host.reveal()}, prk.writable());
    secret<struct at_rest_record_key_tag> key(aead_key_size(aead));
    hkdf_expand<P>(hash_id::sha256, prk.reveal(), std::array{as_bytes(label), as_bytes(" key")}, key.writable());
    CONCLAVE_TRY(auto ready, P::aead_key::make(aead, key.reveal()));
    at_rest_sealing out{std::move(ready), {}};
    hkdf_expand<P>(hash_id::sha256, prk.reveal(), std::array{as_bytes(label), as_bytes(" nonce")}, out.nonce);
    return out;
  }
};

[[nodiscard]] inline bytes at_rest_aad(byte_view header, byte_view aad) {
  bytes out;
  out.reserve(header.size() + aad.size());
  append(out, header);
  append(out, aad);
  return out;
}

}  // namespace detail

/// at_rest_overhead: how many bytes more than the plaintext a sealed record has.
inline constexpr std::size_t at_rest_overhead = detail::at_rest_header_size + aead_tag_size;

/// seal_at_rest<P>(env, key, label, aad, plaintext): `aad` says whose record it is, and which. Errors: misuse (key
/// size), no_entropy, unsupported.
template <crypto_provider P>
[[nodiscard]] result<bytes> seal_at_rest(environment& env, const at_rest_key& host, std::string_view label,
                                         byte_view aad, byte_view plaintext) {
  const aead_id aead = P::supports(aead_id::chacha20_poly1305) ? aead_id::chacha20_poly1305 : aead_id::aes_256_gcm;
  bytes out(at_rest_overhead + plaintext.size());
  const byte_span header = byte_span{out}.first(detail::at_rest_header_size);
  store_be(static_cast<std::uint16_t>(aead), header);
  CONCLAVE_CHECK(env.random(header.subspan(2)));
  CONCLAVE_TRY(auto sealing, detail::at_rest_sealing<P>::derive(host, label, aead, header.subspan(2)));
  CONCLAVE_CHECK(sealing.key.seal(sealing.nonce, detail::at_rest_aad(header, aad), plaintext,
                                  byte_span{out}.subspan(header.size())));
  return out;
}

/// open_at_rest<P>(key, label, aad, sealed): Errors: malformed (too short), unsupported (the AEAD), unauthentic
/// (damaged, or sealed with another key, label or aad), misuse (key size).
template <crypto_provider P>
[[nodiscard]] result<secret_bytes> open_at_rest(const at_rest_key& host, std::string_view label, byte_view aad,
                                                byte_view sealed) {
  if (sealed.size() < at_rest_overhead) return failure{errc::malformed, rules::record_is_sealed};
  const byte_view header = sealed.first(detail::at_rest_header_size);
  const auto aead = static_cast<aead_id>(load_be<std::uint16_t>(header));
  const bool known = aead == aead_id::chacha20_poly1305 || aead == aead_id::aes_256_gcm;
  if (!known || !P::supports(aead)) return failure{errc::unsupported, rules::record_is_sealed};
  CONCLAVE_TRY(auto sealing, detail::at_rest_sealing<P>::derive(host, label, aead, header.subspan(2)));
  secret_bytes out(sealed.size() - at_rest_overhead);
  if (!sealing.key.open(sealing.nonce, detail::at_rest_aad(header, aad), sealed.subspan(header.size()), out))
    return failure{errc::unauthentic, rules::record_opens};
  return out;
}

}  // namespace conclave

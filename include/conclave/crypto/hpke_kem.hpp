// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The KEM half of HPKE (RFC 9180 4): key pairs, and a shared secret between a fresh key and a recipient's.
#pragma once

#include <conclave/crypto/hkdf.hpp>
#include <conclave/detail/output_guard.hpp>

namespace conclave::inline CONCLAVE_ABI::hpke {

/// key_pair: a private KEM key and its own public key.
struct key_pair {
  kem_private_key secret;
  public_key pub;
};

namespace detail {

using namespace conclave::detail;

struct shared_secret_tag;
struct prk_tag;
struct dh_tag {
  static constexpr std::size_t capacity = max_private_key_size;
};
using shared_secret = secret<shared_secret_tag>;

// RFC 9180 4: LabeledExtract and LabeledExpand. `out` of extract has Nh bytes.
template <crypto_provider P>
void labeled_extract(hash_id hash, byte_view suite_id, byte_view salt, std::string_view label, byte_view ikm,
                     byte_span out) {
  hkdf_extract<P>(hash, salt, std::array{as_bytes("HPKE-v1"), suite_id, as_bytes(label), ikm}, out);
}
template <crypto_provider P>
void labeled_expand(hash_id hash, byte_view suite_id, byte_view prk, std::string_view label, byte_view info,
                    byte_span out) {
  std::array<std::uint8_t, 2> length;
  store_be(static_cast<std::uint16_t>(out.size()), length);
  hkdf_expand<P>(hash, prk, std::array{byte_view{length}, as_bytes("HPKE-v1"), suite_id, as_bytes(label), info}, out);
}

// RFC 9180 7.1: the hash below each KEM, and Ndh, which is Nsk for all of them
[[nodiscard]] constexpr hash_id kem_hash(kem_id kem) noexcept {
  switch (kem) {
    case kem_id::dhkem_p256_sha256:
    case kem_id::dhkem_x25519_sha256: return hash_id::sha256;
    case kem_id::dhkem_p384_sha384: return hash_id::sha384;
    case kem_id::dhkem_p521_sha512:
    case kem_id::dhkem_x448_sha512: break;
  }
  return hash_id::sha512;
}
[[nodiscard]] constexpr std::size_t dh_size(kem_id kem) noexcept { return kem_sizes(kem).private_key; }

[[nodiscard]] constexpr bool is_montgomery(kem_id kem) noexcept {
  return kem == kem_id::dhkem_x25519_sha256 || kem == kem_id::dhkem_x448_sha512;
}

// RFC 9180 4.1: suite_id = "KEM" || I2OSP(kem_id, 2)
[[nodiscard]] constexpr std::array<std::uint8_t, 5> kem_suite_id(kem_id kem) noexcept {
  std::array<std::uint8_t, 5> out{'K', 'E', 'M'};
  store_be(static_cast<std::uint16_t>(kem), byte_span{out}.subspan(3));
  return out;
}

template <crypto_provider P>
[[nodiscard]] bool supports(kem_id kem) noexcept {
  return P::supports(kem) && P::supports(kem_hash(kem));
}

}  // namespace detail

/// derive_key_pair<P>(kem, ikm): the key pair that belongs to `ikm`, always the same one. `ikm` holds at least as much
/// entropy as a private key has bytes. Errors: unsupported. Source: RFC 9180 7.1.3.
template <crypto_provider P>
[[nodiscard]] result<key_pair> derive_key_pair(kem_id kem, byte_view ikm) {
  if (!detail::supports<P>(kem)) return errc::unsupported;
  const hash_id hash = detail::kem_hash(kem);
  const auto suite_id = detail::kem_suite_id(kem);
  key_pair out{kem_private_key(kem_sizes(kem).private_key), public_key(kem_sizes(kem).public_key)};
  const byte_span sk = out.secret.writable();

  secret<detail::prk_tag> dkp_prk(hash_size(hash));
  detail::labeled_extract<P>(hash, suite_id, {}, "dkp_prk", ikm, dkp_prk.writable());
  if (detail::is_montgomery(kem)) {
    detail::labeled_expand<P>(hash, suite_id, dkp_prk.reveal(), "sk", {}, sk);
    CONCLAVE_CHECK(P::dh_public_key(kem, sk, out.pub.writable()));
    return out;
  }
  const std::uint8_t bitmask = kem == kem_id::dhkem_p521_sha512 ? 0x01 : 0xff;
  for (unsigned counter = 0; counter <= 255; ++counter) {
    const std::array info{static_cast<std::uint8_t>(counter)};
    detail::labeled_expand<P>(hash, suite_id, dkp_prk.reveal(), "candidate", info, sk);
    sk[0] &= bitmask;
    const status in_range = P::dh_public_key(kem, sk, out.pub.writable());
    if (in_range) return out;
    if (in_range.error() != errc::malformed) return in_range.error();
  }
  return errc::malformed;  // DeriveKeyPairError: one in 2^8192 seeds
}

/// derive_many<P>(kem, ikms, out): derive_key_pair for every element; `out` is as long as `ikms` and good only on
/// success. A provider that has a faster way for many at once offers P::derive_many with this signature.
/// Errors: unsupported, misuse for different lengths.
template <crypto_provider P>
[[nodiscard]] status derive_many(kem_id kem, std::span<const byte_view> ikms, std::span<key_pair> out) {
  if (ikms.size() != out.size()) return errc::misuse;
  if (!detail::supports<P>(kem)) return errc::unsupported;
  if constexpr (requires { P::derive_many(kem, ikms, out); }) {
    return P::derive_many(kem, ikms, out);
  } else {
    for (std::size_t i = 0; i < ikms.size(); ++i) {
      CONCLAVE_TRY(out[i], derive_key_pair<P>(kem, ikms[i]));
    }
    return {};
  }
}

/// generate_key_pair<P>(env, kem): a fresh key pair, derived from Nsk random bytes. Errors: no_entropy, unsupported.
/// Source: RFC 9180 4 (GenerateKeyPair).
template <crypto_provider P>
[[nodiscard]] result<key_pair> generate_key_pair(environment& env, kem_id kem) {
  kem_private_key ikm(kem_sizes(kem).private_key);
  CONCLAVE_CHECK(env.random(ikm.writable()));
  return derive_key_pair<P>(kem, ikm.reveal());
}

/// import_key_pair<P>(kem, private_key): the pair of a private key made elsewhere; computes the public key.
/// Errors: malformed (wrong length, out of range), unsupported. Source: RFC 9180 7.1.2.
template <crypto_provider P>
[[nodiscard]] result<key_pair> import_key_pair(kem_id kem, byte_view private_key) {
  if (!detail::supports<P>(kem)) return errc::unsupported;
  if (private_key.size() != kem_sizes(kem).private_key) return errc::malformed;
  key_pair out;
  CONCLAVE_TRY(out.secret, kem_private_key::copy_of(private_key));
  out.pub = public_key(kem_sizes(kem).public_key);
  CONCLAVE_CHECK(P::dh_public_key(kem, out.secret.reveal(), out.pub.writable()));
  return out;
}

namespace detail {

// RFC 9180 4.1: ExtractAndExpand(DH(sk, pk), enc || pkRm)
template <crypto_provider P>
[[nodiscard]] result<shared_secret> dh_shared_secret(kem_id kem, byte_view sk, byte_view pk, byte_view enc,
                                                     byte_view recipient) {
  secret<dh_tag> dh(dh_size(kem));
  CONCLAVE_CHECK(P::dh(kem, sk, pk, dh.writable()));

  std::array<std::uint8_t, 2 * max_public_key_size> kem_context;
  std::ranges::copy(recipient, std::ranges::copy(enc, kem_context.begin()).out);
  const hash_id hash = kem_hash(kem);
  const auto suite_id = kem_suite_id(kem);
  secret<prk_tag> eae_prk(hash_size(hash));
  labeled_extract<P>(hash, suite_id, {}, "eae_prk", dh.reveal(), eae_prk.writable());
  shared_secret out(kem_sizes(kem).secret);
  labeled_expand<P>(hash, suite_id, eae_prk.reveal(), "shared_secret",
                    byte_view{kem_context}.first(enc.size() + recipient.size()), out.writable());
  return out;
}

// RFC 9180 4.1: Encap(pkR), writing enc
template <crypto_provider P>
[[nodiscard]] result<shared_secret> encap(environment& env, kem_id kem, byte_view recipient, byte_span enc) {
  if (recipient.size() != kem_sizes(kem).public_key) return errc::malformed;
  CONCLAVE_TRY(const key_pair ephemeral, generate_key_pair<P>(env, kem));
  std::ranges::copy(ephemeral.pub.view(), enc.begin());
  return dh_shared_secret<P>(kem, ephemeral.secret.reveal(), recipient, enc, recipient);
}

// RFC 9180 4.1: Decap(enc, skR)
template <crypto_provider P>
[[nodiscard]] result<shared_secret> decap(kem_id kem, const key_pair& recipient, byte_view enc) {
  if (enc.size() != kem_sizes(kem).public_key) return errc::malformed;
  return dh_shared_secret<P>(kem, recipient.secret.reveal(), enc, enc, recipient.pub.view());
}

}  // namespace detail

}  // namespace conclave::hpke

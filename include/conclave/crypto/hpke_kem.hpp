// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The KEM half of HPKE (RFC 9180 4): key pairs, and a shared secret between a fresh key and a recipient's.
#pragma once

#include <conclave/crypto/batch.hpp>
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

/// seed_key: dkp_prk of DeriveKeyPair (RFC 9180 7.1.3), and what is expanded from it.
template <crypto_provider P>
class seed_key {
 public:
  seed_key(kem_id kem, byte_view ikm) : hash_{kem_hash(kem)}, suite_id_{kem_suite_id(kem)}, prk_(hash_size(hash_)) {
    labeled_extract<P>(hash_, suite_id_, {}, "dkp_prk", ikm, prk_.writable());
  }
  void expand(std::string_view label, byte_view info, byte_span out) const {
    labeled_expand<P>(hash_, suite_id_, prk_.reveal(), label, info, out);
  }

 private:
  hash_id hash_;
  std::array<std::uint8_t, 5> suite_id_;
  secret<prk_tag> prk_;
};

// RFC 9180 7.1.3, for NIST curves: the first candidate in range
template <crypto_provider P>
[[nodiscard]] status find_key_pair(kem_id kem, const seed_key<P>& seed, key_pair& out) {
  const byte_span sk = out.secret.writable();
  const std::uint8_t bitmask = kem == kem_id::dhkem_p521_sha512 ? 0x01 : 0xff;
  for (unsigned counter = 0; counter <= 255; ++counter) {
    const std::array info{static_cast<std::uint8_t>(counter)};
    seed.expand("candidate", info, sk);
    sk[0] &= bitmask;
    const status in_range = P::dh_public_key(kem, sk, out.pub.writable());
    if (in_range || in_range.error() != errc::malformed) return in_range;
  }
  return errc::malformed;  // DeriveKeyPairError: one in 2^8192 seeds
}

// RFC 9180 7.1.3: DeriveKeyPair of each; the public keys of Montgomery curves are computed together
template <crypto_provider P>
[[nodiscard]] status derive_each(kem_id kem, std::span<const byte_view> ikms, std::span<key_pair> out) {
  if (!supports<P>(kem)) return errc::unsupported;
  std::vector<dh_public_key_job> jobs;
  jobs.reserve(ikms.size());
  for (std::size_t i = 0; i < ikms.size(); ++i) {
    out[i] = {kem_private_key(kem_sizes(kem).private_key), public_key(kem_sizes(kem).public_key)};
    const seed_key<P> seed(kem, ikms[i]);
    if (is_montgomery(kem)) {
      seed.expand("sk", {}, out[i].secret.writable());
      jobs.push_back({out[i].secret.reveal(), out[i].pub.writable()});
    } else {
      CONCLAVE_CHECK(find_key_pair(kem, seed, out[i]));
    }
  }
  dh_public_key_many<P>(kem, jobs);
  for (const dh_public_key_job& job : jobs) CONCLAVE_CHECK(job.done);
  return {};
}

}  // namespace detail

/// derive_key_pair<P>(kem, ikm): the key pair that belongs to `ikm`, always the same one. `ikm` holds at least as much
/// entropy as a private key has bytes. Errors: unsupported. Source: RFC 9180 7.1.3.
template <crypto_provider P>
[[nodiscard]] result<key_pair> derive_key_pair(kem_id kem, byte_view ikm) {
  key_pair out;
  CONCLAVE_CHECK(detail::derive_each<P>(kem, {&ikm, 1}, {&out, 1}));
  return out;
}

/// derive_many<P>(kem, ikms, out): derive_key_pair for every element; `out` is as long as `ikms` and good only on
/// success. A provider that has a faster way for many at once offers P::derive_many with this signature.
/// Errors: unsupported, misuse for different lengths.
template <crypto_provider P>
[[nodiscard]] status derive_many(kem_id kem, std::span<const byte_view> ikms, std::span<key_pair> out) {
  if (ikms.size() != out.size()) return errc::misuse;
  if (!detail::supports<P>(kem)) return errc::unsupported;
  if constexpr (requires { P::derive_many(kem, ikms, out); })
    return P::derive_many(kem, ikms, out);
  else
    return detail::derive_each<P>(kem, ikms, out);
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

using dh_output = secret<dh_tag>;

// RFC 9180 4.1: ExtractAndExpand(dh, enc || pkRm)
template <crypto_provider P>
[[nodiscard]] shared_secret extract_and_expand(kem_id kem, const dh_output& dh, byte_view enc, byte_view recipient) {
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

/// encap_job: a recipient's public key, room for enc (Npk bytes), what the ephemeral key is derived from and, afterwards,
/// the secret shared with them.
struct encap_job {
  byte_view recipient;
  byte_span enc;
  kem_private_key random{};
  shared_secret shared{};
};

/// draw(env, kem, jobs): the random members, in their order. Errors: malformed (length of a recipient's key), no_entropy.
[[nodiscard]] inline status draw(environment& env, kem_id kem, std::span<encap_job> jobs) {
  for (encap_job& job : jobs) {
    if (job.recipient.size() != kem_sizes(kem).public_key) return errc::malformed;
    job.random = kem_private_key(kem_sizes(kem).private_key);
    CONCLAVE_CHECK(env.random(job.random.writable()));
  }
  return {};
}

// RFC 9180 4.1: Encap(pkR) for each, with what draw() has drawn. Errors: malformed (a recipient).
template <crypto_provider P>
[[nodiscard]] status encap_many(kem_id kem, std::span<encap_job> jobs) {
  std::vector<byte_view> ikms;
  for (const encap_job& job : jobs) ikms.push_back(job.random.reveal());
  std::vector<key_pair> ephemeral(jobs.size());
  CONCLAVE_CHECK(derive_many<P>(kem, ikms, ephemeral));

  std::vector<dh_output> outputs;
  std::vector<dh_job> dhs;
  outputs.reserve(jobs.size());
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    outputs.emplace_back(dh_size(kem));
    dhs.push_back({ephemeral[i].secret.reveal(), jobs[i].recipient, outputs[i].writable()});
  }
  dh_many<P>(kem, dhs);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    CONCLAVE_CHECK(dhs[i].done);
    std::ranges::copy(ephemeral[i].pub.view(), jobs[i].enc.begin());
    jobs[i].shared = extract_and_expand<P>(kem, outputs[i], jobs[i].enc, jobs[i].recipient);
  }
  return {};
}

// RFC 9180 4.1: Encap(pkR), writing enc
template <crypto_provider P>
[[nodiscard]] result<shared_secret> encap(environment& env, kem_id kem, byte_view recipient, byte_span enc) {
  encap_job job{recipient, enc};
  CONCLAVE_CHECK(draw(env, kem, {&job, 1}));
  CONCLAVE_CHECK(encap_many<P>(kem, {&job, 1}));
  return std::move(job.shared);
}

// RFC 9180 4.1: Decap(enc, skR)
template <crypto_provider P>
[[nodiscard]] result<shared_secret> decap(kem_id kem, const key_pair& recipient, byte_view enc) {
  if (enc.size() != kem_sizes(kem).public_key) return errc::malformed;
  dh_output dh(dh_size(kem));
  CONCLAVE_CHECK(P::dh(kem, recipient.secret.reveal(), enc, dh.writable()));
  return extract_and_expand<P>(kem, dh, enc, recipient.pub.view());
}

}  // namespace detail

}  // namespace conclave::hpke

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Many short operations under many keys at once, for implementations that work on several side by side: a key type, or
/// for dh and hashes a provider, may have a static member of the name and arguments of a function below, and otherwise the jobs run
/// one after the other. The outcome of each job is what the key's own function gives, failures included. No output
/// overlaps an input or output of another job; one key may stand in several jobs.
#pragma once

#include <conclave/crypto/concepts.hpp>

namespace conclave::inline CONCLAVE_ABI {

/// seal_job, open_job: an aead_key's seal and open with the tag apart.
template <class K>
struct seal_job {
  K* key;
  byte_view nonce, aad, plaintext;
  byte_span out, tag;
  status done{};
};
template <class K>
struct open_job {
  K* key;
  byte_view nonce, aad, ciphertext, tag;
  byte_span out;
  status done{};
};

/// ctr_job: a ctr_key's xor_keystream. mac_job: an hmac_key's mac.
template <class K>
struct ctr_job {
  K* key;
  byte_view counter, in;
  byte_span out;
  status done{};
};
template <class K>
struct mac_job {
  K* key;
  byte_parts message;
  byte_span out;
};

/// hash_job: a provider's hash.
struct hash_job {
  byte_parts message;
  byte_span out;
};

/// dh_job, dh_public_key_job: a provider's dh and dh_public_key.
struct dh_job {
  byte_view private_key, public_key;
  byte_span out;
  status done{};
};
struct dh_public_key_job {
  byte_view private_key;
  byte_span out;
  status done{};
};

template <aead_key_type K>
void seal_many(std::span<seal_job<K>> jobs) {
  if constexpr (requires { K::seal_many(jobs); })
    K::seal_many(jobs);
  else
    for (seal_job<K>& j : jobs) j.done = j.key->seal(j.nonce, j.aad, j.plaintext, j.out, j.tag);
}

template <aead_key_type K>
void open_many(std::span<open_job<K>> jobs) {
  if constexpr (requires { K::open_many(jobs); })
    K::open_many(jobs);
  else
    for (open_job<K>& j : jobs) j.done = j.key->open(j.nonce, j.aad, j.ciphertext, j.tag, j.out);
}

template <ctr_key_type K>
void xor_keystream_many(std::span<ctr_job<K>> jobs) {
  if constexpr (requires { K::xor_keystream_many(jobs); })
    K::xor_keystream_many(jobs);
  else
    for (ctr_job<K>& j : jobs) j.done = j.key->xor_keystream(j.counter, j.in, j.out);
}

template <hmac_key_type K>
void mac_many(std::span<mac_job<K>> jobs) {
  if constexpr (requires { K::mac_many(jobs); })
    K::mac_many(jobs);
  else
    for (mac_job<K>& j : jobs) j.key->mac(j.message, j.out);
}

template <crypto_provider P>
void hash_many(hash_id id, std::span<const hash_job> jobs) {
  if constexpr (requires { P::hash_many(id, jobs); })
    P::hash_many(id, jobs);
  else
    for (const hash_job& j : jobs) P::hash(id, j.message, j.out);
}

template <crypto_provider P>
void dh_many(kem_id kem, std::span<dh_job> jobs) {
  if constexpr (requires { P::dh_many(kem, jobs); })
    P::dh_many(kem, jobs);
  else
    for (dh_job& j : jobs) j.done = P::dh(kem, j.private_key, j.public_key, j.out);
}

template <crypto_provider P>
void dh_public_key_many(kem_id kem, std::span<dh_public_key_job> jobs) {
  if constexpr (requires { P::dh_public_key_many(kem, jobs); })
    P::dh_public_key_many(kem, jobs);
  else
    for (dh_public_key_job& j : jobs) j.done = P::dh_public_key(kem, j.private_key, j.out);
}

}  // namespace conclave

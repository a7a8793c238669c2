// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The default provider and a random source, with an ear for everything that is used as a key.
#pragma once

#include "ledger.hpp"

#include <conclave/crypto/provider.hpp>
#include <conclave/environment.hpp>

namespace secrets_test {

using namespace conclave;

inline void note(const char* kind, byte_view secret) { ledger::instance().note(kind, secret); }

/// spy: default_provider, whose keys are entered into the ledger. The keys' own types are those of production.
struct spy : default_provider {
  struct aead_key : default_provider::aead_key {
    [[nodiscard]] static result<aead_key> make(aead_id id, byte_view raw) {
      note("AEAD key", raw);
      CONCLAVE_TRY(auto key, default_provider::aead_key::make(id, raw));
      return aead_key{std::move(key)};
    }
    static void seal_many(std::span<seal_job<aead_key>> jobs) {
      for (auto& j : jobs) j.done = j.key->seal(j.nonce, j.aad, j.plaintext, j.out, j.tag);
    }
    static void open_many(std::span<open_job<aead_key>> jobs) {
      for (auto& j : jobs) j.done = j.key->open(j.nonce, j.aad, j.ciphertext, j.tag, j.out);
    }
  };
  struct extended_nonce_key : default_provider::extended_nonce_key {
    [[nodiscard]] static result<extended_nonce_key> make(byte_view raw) {
      note("XChaCha20 key", raw);
      CONCLAVE_TRY(auto key, default_provider::extended_nonce_key::make(raw));
      return extended_nonce_key{std::move(key)};
    }
  };
  struct ctr_key : default_provider::ctr_key {
    [[nodiscard]] static result<ctr_key> make(ctr_id id, byte_view raw) {
      note("AES-CTR key", raw);
      CONCLAVE_TRY(auto key, default_provider::ctr_key::make(id, raw));
      return ctr_key{std::move(key)};
    }
    static void xor_keystream_many(std::span<ctr_job<ctr_key>> jobs) {
      for (auto& j : jobs) j.done = j.key->xor_keystream(j.counter, j.in, j.out);
    }
  };
  struct hmac_key : default_provider::hmac_key {
    [[nodiscard]] static result<hmac_key> make(hash_id id, byte_view raw) {
      note("HMAC key", raw);
      CONCLAVE_TRY(auto key, default_provider::hmac_key::make(id, raw));
      return hmac_key{std::move(key)};
    }
    static void mac_many(std::span<mac_job<hmac_key>> jobs) {
      for (auto& j : jobs) j.key->mac(j.message, j.out);
    }
  };

  static void hmac(hash_id id, byte_view key, byte_parts parts, byte_span out) {
    note("HMAC or HKDF key", key);
    default_provider::hmac(id, key, parts, out);
  }
  [[nodiscard]] static status dh(kem_id kem, byte_view priv, byte_view pub, byte_span out) {
    note("DH private key", priv);
    CONCLAVE_CHECK(default_provider::dh(kem, priv, pub, out));
    note("DH output", out);
    return {};
  }
  [[nodiscard]] static status dh_public_key(kem_id kem, byte_view priv, byte_span out) {
    note("DH private key", priv);
    return default_provider::dh_public_key(kem, priv, out);
  }
  static void dh_many(kem_id kem, std::span<dh_job> jobs) {
    for (dh_job& j : jobs) note("DH private key", j.private_key);
    conclave::dh_many<default_provider>(kem, jobs);
    for (const dh_job& j : jobs) note("DH output", j.out);
  }
  static void dh_public_key_many(kem_id kem, std::span<dh_public_key_job> jobs) {
    for (dh_public_key_job& j : jobs) note("DH private key", j.private_key);
    conclave::dh_public_key_many<default_provider>(kem, jobs);
  }
  [[nodiscard]] static result<std::size_t> sign(environment& env, signature_scheme scheme, byte_view priv,
                                                byte_view pub, byte_view message, byte_span out) {
    note("signature key", priv);
    return default_provider::sign(env, scheme, priv, pub, message, out);
  }
  [[nodiscard]] static status signature_public_key(signature_scheme scheme, byte_view priv, byte_span out) {
    note("signature key", priv);
    return default_provider::signature_public_key(scheme, priv, out);
  }
};
static_assert(crypto_provider<spy>);

/// noted_randomness: the same on every machine; what it gives is entered into the ledger, and kept nowhere else.
class noted_randomness final : public environment {
 public:
  [[nodiscard]] status random(byte_span out) noexcept override {
    for (std::uint8_t& b : out) {
      state_ += 0x9e37'79b9'7f4a'7c15;
      std::uint64_t z = (state_ ^ (state_ >> 30U)) * 0xbf58'476d'1ce4'e5b9;
      z = (z ^ (z >> 27U)) * 0x94d0'49bb'1331'11eb;
      b = static_cast<std::uint8_t>(z >> 56U);
    }
    if (out.size() > 16) note("random bytes", out);  // the shorter ones are keys of hash tables, which open nothing
    return {};
  }
  [[nodiscard]] unix_time wall() noexcept override { return unix_time{std::chrono::seconds{1'750'000'000}} + passed_; }
  [[nodiscard]] steady_time steady() noexcept override { return steady_time{1'000'000} + passed_; }
  void advance(std::chrono::seconds by) noexcept { passed_ += by; }

 private:
  std::uint64_t state_ = 1;
  std::chrono::seconds passed_{0};
};

}  // namespace secrets_test

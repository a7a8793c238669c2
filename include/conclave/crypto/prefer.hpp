// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// prefer<First, Second>: two providers as one.
#pragma once

#include <conclave/crypto/concepts.hpp>

#include <variant>

namespace conclave::inline CONCLAVE_ABI {

/// prefer<First, Second>: a crypto_provider that asks First for what First supports, and Second for the rest.
template <crypto_provider First, crypto_provider Second>
struct prefer {
  [[nodiscard]] static status ready() noexcept {
    CONCLAVE_CHECK(First::ready());
    return Second::ready();
  }
  [[nodiscard]] static bool supports(hash_id id) noexcept { return First::supports(id) || Second::supports(id); }
  [[nodiscard]] static bool supports(aead_id id) noexcept { return First::supports(id) || Second::supports(id); }
  [[nodiscard]] static bool supports(kem_id id) noexcept { return First::supports(id) || Second::supports(id); }
  [[nodiscard]] static bool supports(signature_scheme id) noexcept {
    return First::supports(id) || Second::supports(id);
  }

  static void hash(hash_id id, byte_parts parts, byte_span out) {
    First::supports(id) ? First::hash(id, parts, out) : Second::hash(id, parts, out);
  }
  static void hmac(hash_id id, byte_view key, byte_parts parts, byte_span out) {
    First::supports(id) ? First::hmac(id, key, parts, out) : Second::hmac(id, key, parts, out);
  }
  [[nodiscard]] static std::uint64_t short_hash(byte_view key, byte_view data) { return First::short_hash(key, data); }

  /// aead_key: the key of whichever library serves the algorithm.
  class aead_key {
   public:
    [[nodiscard]] static result<aead_key> make(aead_id id, byte_view key) {
      if (First::supports(id)) {
        CONCLAVE_TRY(auto made, First::aead_key::make(id, key));
        return aead_key(std::in_place_index<0>, std::move(made));
      }
      CONCLAVE_TRY(auto made, Second::aead_key::make(id, key));
      return aead_key(std::in_place_index<1>, std::move(made));
    }
    [[nodiscard]] status seal(byte_view nonce, byte_view aad, byte_view plaintext, byte_span out) {
      if (auto* first = std::get_if<0>(&key_)) return first->seal(nonce, aad, plaintext, out);
      return std::get_if<1>(&key_)->seal(nonce, aad, plaintext, out);
    }
    [[nodiscard]] status open(byte_view nonce, byte_view aad, byte_view ciphertext, byte_span out) {
      if (auto* first = std::get_if<0>(&key_)) return first->open(nonce, aad, ciphertext, out);
      return std::get_if<1>(&key_)->open(nonce, aad, ciphertext, out);
    }

   private:
    template <std::size_t I, class K>
    aead_key(std::in_place_index_t<I> which, K key) noexcept : key_{which, std::move(key)} {}

    std::variant<typename First::aead_key, typename Second::aead_key> key_;
  };

  [[nodiscard]] static status dh(kem_id kem, byte_view sk, byte_view pk, byte_span out) {
    return First::supports(kem) ? First::dh(kem, sk, pk, out) : Second::dh(kem, sk, pk, out);
  }
  [[nodiscard]] static status dh_public_key(kem_id kem, byte_view sk, byte_span out) {
    return First::supports(kem) ? First::dh_public_key(kem, sk, out) : Second::dh_public_key(kem, sk, out);
  }
  [[nodiscard]] static status dh_check_public_key(kem_id kem, byte_view pk) {
    return First::supports(kem) ? First::dh_check_public_key(kem, pk) : Second::dh_check_public_key(kem, pk);
  }

  [[nodiscard]] static result<std::size_t> sign(environment& env, signature_scheme scheme, byte_view sk, byte_view pk,
                                                byte_view message, byte_span out) {
    return First::supports(scheme) ? First::sign(env, scheme, sk, pk, message, out)
                                   : Second::sign(env, scheme, sk, pk, message, out);
  }
  [[nodiscard]] static status verify(signature_scheme scheme, byte_view pk, byte_view message, byte_view signature) {
    return First::supports(scheme) ? First::verify(scheme, pk, message, signature)
                                   : Second::verify(scheme, pk, message, signature);
  }
  [[nodiscard]] static status signature_public_key(signature_scheme scheme, byte_view sk, byte_span out) {
    return First::supports(scheme) ? First::signature_public_key(scheme, sk, out)
                                   : Second::signature_public_key(scheme, sk, out);
  }
};

}  // namespace conclave

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// prefer<First, Second>: two providers as one.
#pragma once

#include <conclave/crypto/checked_ctr.hpp>

#include <variant>

namespace conclave::inline CONCLAVE_ABI {

namespace detail {

/// either<A, B>: a key of one library or of the other.
template <class A, class B>
class either {
 public:
  either(either&&) noexcept = default;
  either& operator=(either&&) noexcept = default;
  // out of line: GCC 12 loses track of which key is there, and warns that the other is not
  CONCLAVE_NOINLINE ~either() {}

  /// make(first, arguments...): A::make(arguments...) or B::make(arguments...).
  [[nodiscard]] static result<either> make(bool first, auto... arguments) {
    if (first) {
      CONCLAVE_TRY(auto made, A::make(arguments...));
      return either(std::in_place_index<0>, std::move(made));
    }
    CONCLAVE_TRY(auto made, B::make(arguments...));
    return either(std::in_place_index<1>, std::move(made));
  }
  /// with(work): what work(key) returns, for the key that is there.
  auto with(auto work) {
    if (auto* const first = std::get_if<0>(&key_)) return work(*first);
    return work(*std::get_if<1>(&key_));
  }
  /// first(): the key of A, or nullptr where it is one of B.
  [[nodiscard]] const A* first() const noexcept { return std::get_if<0>(&key_); }

 private:
  template <std::size_t I, class K>
  either(std::in_place_index_t<I> which, K key) noexcept : key_{which, std::move(key)} {}

  std::variant<A, B> key_;
};

}  // namespace detail

/// prefer<First, Second>: a crypto_provider that asks First for what First supports, and Second for the rest.
template <crypto_provider First, crypto_provider Second>
struct prefer {
  [[nodiscard]] static status ready() noexcept {
    CONCLAVE_CHECK(First::ready());
    return Second::ready();
  }
  [[nodiscard]] static bool supports(hash_id id) noexcept { return First::supports(id) || Second::supports(id); }
  [[nodiscard]] static bool supports(aead_id id) noexcept { return First::supports(id) || Second::supports(id); }
  [[nodiscard]] static bool supports(ctr_id id) noexcept { return First::supports(id) || Second::supports(id); }
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

  /// aead_key, ctr_key, hmac_key: the key of whichever library serves the algorithm.
  class aead_key {
   public:
    [[nodiscard]] static result<aead_key> make(aead_id id, byte_view raw) {
      CONCLAVE_TRY(auto made, keys::make(First::supports(id), id, raw));
      return aead_key(std::move(made));
    }
    [[nodiscard]] status seal(byte_view nonce, byte_view aad, byte_view plaintext, byte_span out) {
      return key_.with([&](auto& key) { return key.seal(nonce, aad, plaintext, out); });
    }
    [[nodiscard]] status open(byte_view nonce, byte_view aad, byte_view ciphertext, byte_span out) {
      return key_.with([&](auto& key) { return key.open(nonce, aad, ciphertext, out); });
    }
    [[nodiscard]] status seal(byte_view nonce, byte_view aad, byte_view plaintext, byte_span out, byte_span tag) {
      return key_.with([&](auto& key) { return key.seal(nonce, aad, plaintext, out, tag); });
    }
    [[nodiscard]] status open(byte_view nonce, byte_view aad, byte_view ciphertext, byte_view tag, byte_span out) {
      return key_.with([&](auto& key) { return key.open(nonce, aad, ciphertext, tag, out); });
    }

   private:
    using keys = detail::either<typename First::aead_key, typename Second::aead_key>;
    explicit aead_key(keys key) noexcept : key_{std::move(key)} {}

    keys key_;
  };

  class either_ctr_key {
   public:
    [[nodiscard]] static result<either_ctr_key> make(ctr_id id, byte_view raw) {
      CONCLAVE_TRY(auto made, keys::make(First::supports(id), id, raw));
      return either_ctr_key(std::move(made));
    }
    [[nodiscard]] status xor_keystream(byte_view counter, byte_view in, byte_span out) {
      return key_.with([&](auto& key) { return key.xor_keystream(counter, in, out); });
    }

   private:
    using keys = detail::either<typename First::ctr_key, typename Second::ctr_key>;
    explicit either_ctr_key(keys key) noexcept : key_{std::move(key)} {}

    keys key_;
  };

  using ctr_key = std::conditional_t<std::is_same_v<typename First::ctr_key, detail::checked_ctr<detail::no_ctr>>,
                                     typename Second::ctr_key, either_ctr_key>;

  class hmac_key {
   public:
    [[nodiscard]] static result<hmac_key> make(hash_id id, byte_view raw) {
      CONCLAVE_TRY(auto made, keys::make(First::supports(id), id, raw));
      return hmac_key(std::move(made));
    }
    void mac(byte_parts parts, byte_span out) {
      key_.with([&](auto& key) { key.mac(parts, out); });
    }

   private:
    using keys = detail::either<typename First::hmac_key, typename Second::hmac_key>;
    explicit hmac_key(keys key) noexcept : key_{std::move(key)} {}

    keys key_;
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

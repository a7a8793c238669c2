// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// libsodium as a provider: X25519, Ed25519, ChaCha20-Poly1305 and XChaCha20-Poly1305, AES-256-GCM where the CPU has it,
/// SHA-256, SHA-512, SipHash.
#pragma once

#include <conclave/crypto/checked_aead.hpp>
#include <conclave/crypto/checked_ctr.hpp>
#include <conclave/crypto/small_order.hpp>

#include <sodium.h>

namespace conclave::inline CONCLAVE_ABI {
namespace detail {

/// non_null(view): where it starts, never nullptr: libsodium declares its pointers so, also for no bytes.
[[nodiscard]] inline const std::uint8_t* non_null(byte_view view) noexcept {
  static constexpr std::uint8_t none = 0;
  return view.empty() ? &none : view.data();
}

/// sodium_cipher: a key; libsodium schedules it on every call.
class sodium_cipher {
 public:
  [[nodiscard]] static bool supports(aead_id aead) noexcept {
    return aead == aead_id::chacha20_poly1305 ||
           (aead == aead_id::aes_256_gcm && crypto_aead_aes256gcm_is_available() == 1);
  }
  [[nodiscard]] static result<sodium_cipher> make(aead_id aead, byte_view key) noexcept {
    sodium_cipher out;
    CONCLAVE_TRY(out.key_, secret<key_tag>::copy_of(key));
    out.gcm_ = aead == aead_id::aes_256_gcm;
    return out;
  }

  [[nodiscard]] status seal(byte_view nonce, byte_view aad, byte_view plaintext, byte_span out,
                            byte_span tag) noexcept {
    const auto encrypt =
        gcm_ ? crypto_aead_aes256gcm_encrypt_detached : crypto_aead_chacha20poly1305_ietf_encrypt_detached;
    std::uint8_t none;
    const int rc = encrypt(out.empty() ? &none : out.data(), tag.data(), nullptr, non_null(plaintext), plaintext.size(),
                           non_null(aad), aad.size(), nullptr, nonce.data(), key_.reveal().data());
    return rc == 0 ? status{} : errc::misuse;
  }
  [[nodiscard]] status open(byte_view nonce, byte_view aad, byte_view ciphertext, byte_view tag,
                            byte_span out) noexcept {
    const auto decrypt =
        gcm_ ? crypto_aead_aes256gcm_decrypt_detached : crypto_aead_chacha20poly1305_ietf_decrypt_detached;
    std::uint8_t none;
    const int rc = decrypt(out.empty() ? &none : out.data(), nullptr, non_null(ciphertext), ciphertext.size(),
                           tag.data(), non_null(aad), aad.size(), nonce.data(), key_.reveal().data());
    return rc == 0 ? status{} : errc::unauthentic;
  }

 private:
  struct key_tag {
    static constexpr std::size_t capacity = 32;
  };
  secret<key_tag> key_;
  bool gcm_ = false;
};

/// sodium_xchacha: an extended_nonce_key_type, XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03, section 2).
class sodium_xchacha {
 public:
  [[nodiscard]] static result<sodium_xchacha> make(byte_view key) noexcept {
    static_assert(crypto_aead_xchacha20poly1305_ietf_NPUBBYTES == extended_nonce_size &&
                  crypto_aead_xchacha20poly1305_ietf_ABYTES == aead_tag_size);
    if (key.size() != crypto_aead_xchacha20poly1305_ietf_KEYBYTES) return errc::misuse;
    sodium_xchacha out;
    CONCLAVE_TRY(out.key_, secret<key_tag>::copy_of(key));
    return out;
  }

  [[nodiscard]] status seal(byte_view nonce, byte_view aad, byte_view plaintext, byte_span out,
                            byte_span tag) noexcept {
    output_guard guard(out), tag_guard(tag);
    if (nonce.size() != extended_nonce_size || tag.size() != aead_tag_size || overlaps(plaintext, tag) ||
        overlaps(out, tag) || !fits(plaintext, out))
      return errc::misuse;
    std::uint8_t none;
    if (crypto_aead_xchacha20poly1305_ietf_encrypt_detached(
            out.empty() ? &none : out.data(), tag.data(), nullptr, non_null(plaintext), plaintext.size(), non_null(aad),
            aad.size(), nullptr, nonce.data(), key_.reveal().data()) != 0)
      return errc::misuse;
    guard.keep();
    tag_guard.keep();
    return {};
  }
  [[nodiscard]] status open(byte_view nonce, byte_view aad, byte_view ciphertext, byte_view tag,
                            byte_span out) noexcept {
    output_guard guard(out);
    if (nonce.size() != extended_nonce_size || tag.size() != aead_tag_size || overlaps(tag, out) ||
        !fits(ciphertext, out))
      return errc::misuse;
    std::uint8_t none;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt_detached(
            out.empty() ? &none : out.data(), nullptr, non_null(ciphertext), ciphertext.size(), tag.data(),
            non_null(aad), aad.size(), nonce.data(), key_.reveal().data()) != 0)
      return errc::unauthentic;
    guard.keep();
    return {};
  }

 private:
  [[nodiscard]] static bool fits(byte_view in, byte_view out) noexcept {
    return out.size() == in.size() && in.size() <= max_aead_plaintext && may_share(in, out);
  }

  struct key_tag {
    static constexpr std::size_t capacity = 32;
  };
  secret<key_tag> key_;
};

/// sodium_hmac: the two states of HMAC after its key; each message works on a copy.
class sodium_hmac {
 public:
  sodium_hmac(hash_id hash, byte_view key) noexcept : hash_{hash} {
    if (hash == hash_id::sha256)
      crypto_auth_hmacsha256_init(&keyed_.value.sha256, non_null(key), key.size());
    else
      crypto_auth_hmacsha512_init(&keyed_.value.sha512, non_null(key), key.size());
  }
  void mac(byte_parts parts, byte_span out) noexcept {
    if (out.size() != hash_size(hash_)) CONCLAVE_PANIC();
    wiped<states> work;
    work.value = keyed_.value;
    if (hash_ == hash_id::sha256) {
      for (const byte_view part : parts) crypto_auth_hmacsha256_update(&work.value.sha256, non_null(part), part.size());
      crypto_auth_hmacsha256_final(&work.value.sha256, out.data());
    } else {
      for (const byte_view part : parts) crypto_auth_hmacsha512_update(&work.value.sha512, non_null(part), part.size());
      crypto_auth_hmacsha512_final(&work.value.sha512, out.data());
    }
  }

 private:
  union states {
    crypto_auth_hmacsha512_state sha512;
    crypto_auth_hmacsha256_state sha256;
  };
  wiped<states> keyed_;
  hash_id hash_;
};

}  // namespace detail

/// sodium: a crypto_provider on libsodium alone. It needs neither exceptions nor run-time types.
/// Ed25519 verification is libsodium's: cofactorless, S below the group order, the key canonical and of large order,
/// and R of large order. Every member of a group has to agree on who is authentic, so another verifier keeps these
/// rules.
struct sodium {
  [[nodiscard]] static status ready() noexcept {
    static const bool initialised = sodium_init() >= 0;
    return initialised ? status{} : errc::unsupported;
  }
  [[nodiscard]] static bool supports(hash_id hash) noexcept {
    return hash == hash_id::sha256 || hash == hash_id::sha512;
  }
  [[nodiscard]] static bool supports(aead_id aead) noexcept { return detail::sodium_cipher::supports(aead); }
  [[nodiscard]] static bool supports(ctr_id ctr) noexcept { return detail::no_ctr::supports(ctr); }
  [[nodiscard]] static bool supports(kem_id kem) noexcept { return kem == kem_id::dhkem_x25519_sha256; }
  [[nodiscard]] static bool supports(signature_scheme scheme) noexcept { return scheme == signature_scheme::ed25519; }

  static void hash(hash_id hash, byte_parts parts, byte_span out) noexcept {
    if (!supports(hash) || out.size() != hash_size(hash)) CONCLAVE_PANIC();
    if (hash == hash_id::sha256) {
      crypto_hash_sha256_state state;
      crypto_hash_sha256_init(&state);
      for (const byte_view part : parts) crypto_hash_sha256_update(&state, detail::non_null(part), part.size());
      crypto_hash_sha256_final(&state, out.data());  // wipes the state
    } else {
      crypto_hash_sha512_state state;
      crypto_hash_sha512_init(&state);
      for (const byte_view part : parts) crypto_hash_sha512_update(&state, detail::non_null(part), part.size());
      crypto_hash_sha512_final(&state, out.data());
    }
  }
  static void hmac(hash_id hash, byte_view key, byte_parts parts, byte_span out) noexcept {
    if (!supports(hash)) CONCLAVE_PANIC();
    detail::sodium_hmac(hash, key).mac(parts, out);
  }
  [[nodiscard]] static std::uint64_t short_hash(byte_view key, byte_view data) noexcept {
    static_assert(crypto_shorthash_BYTES == sizeof(std::uint64_t));
    if (key.size() != crypto_shorthash_KEYBYTES) CONCLAVE_PANIC();
    std::array<std::uint8_t, crypto_shorthash_BYTES> out{};
    crypto_shorthash(out.data(), detail::non_null(data), data.size(), key.data());
    std::ranges::reverse(out);  // SipHash gives its number little-endian
    return load_be<std::uint64_t>(out);
  }

  /// memory_hard_hash(passes, memory_bytes, salt, input, out): Argon2id 1.3, one lane (RFC 9106); the salt has 16 bytes,
  /// `out` 16 or more. It takes that much memory, and a good part of a second. Errors: misuse (sizes); unsupported where
  /// there is not enough memory. On failure `out` is zeroed.
  [[nodiscard]] static status memory_hard_hash(unsigned passes, std::size_t memory_bytes, byte_view salt,
                                               byte_view input, byte_span out) noexcept {
    detail::output_guard guard(out);
    CONCLAVE_CHECK(ready());
    if (salt.size() != crypto_pwhash_argon2id_SALTBYTES || out.size() < crypto_pwhash_argon2id_BYTES_MIN ||
        passes < crypto_pwhash_argon2id_OPSLIMIT_MIN || memory_bytes < crypto_pwhash_argon2id_MEMLIMIT_MIN)
      return errc::misuse;
    const auto* text = reinterpret_cast<const char*>(detail::non_null(input));
    if (crypto_pwhash_argon2id(out.data(), out.size(), text, input.size(), salt.data(), passes, memory_bytes,
                               crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0)
      return errc::unsupported;
    guard.keep();
    return {};
  }

  using aead_key = detail::checked_aead<detail::sodium_cipher>;
  using extended_nonce_key = detail::sodium_xchacha;
  using ctr_key = detail::checked_ctr<detail::no_ctr>;

  class hmac_key {
   public:
    [[nodiscard]] static result<hmac_key> make(hash_id hash, byte_view key) noexcept {
      if (!supports(hash)) return errc::unsupported;
      return hmac_key(hash, key);
    }
    void mac(byte_parts parts, byte_span out) noexcept { key_.mac(parts, out); }

   private:
    hmac_key(hash_id hash, byte_view key) noexcept : key_{hash, key} {}

    detail::sodium_hmac key_;
  };

  // RFC 7748 6.1; libsodium clamps the scalar and refuses the all-zero output
  [[nodiscard]] static status dh(kem_id kem, byte_view sk, byte_view pk, byte_span out) noexcept {
    detail::output_guard guard(out);
    if (!supports(kem)) return errc::unsupported;
    if (out.size() != crypto_scalarmult_BYTES) return errc::misuse;
    if (sk.size() != crypto_scalarmult_SCALARBYTES) return errc::malformed;
    CONCLAVE_CHECK(dh_check_public_key(kem, pk));
    if (crypto_scalarmult(out.data(), sk.data(), pk.data()) != 0) return errc::malformed;
    guard.keep();
    return {};
  }
  [[nodiscard]] static status dh_public_key(kem_id kem, byte_view sk, byte_span out) noexcept {
    detail::output_guard guard(out);
    if (!supports(kem)) return errc::unsupported;
    if (out.size() != crypto_scalarmult_BYTES) return errc::misuse;
    if (sk.size() != crypto_scalarmult_SCALARBYTES) return errc::malformed;
    if (crypto_scalarmult_base(out.data(), sk.data()) != 0) return errc::malformed;
    guard.keep();
    return {};
  }
  [[nodiscard]] static status dh_check_public_key(kem_id kem, byte_view pk) noexcept {
    if (!supports(kem)) return errc::unsupported;
    if (pk.size() != crypto_scalarmult_BYTES || detail::is_small_order(kem, pk)) return errc::malformed;
    return {};
  }

  // RFC 8032 5.1; libsodium's private key is the seed followed by the public key
  [[nodiscard]] static result<std::size_t> sign(environment&, signature_scheme scheme, byte_view sk, byte_view pk,
                                                byte_view message, byte_span out) noexcept {
    detail::output_guard guard(out);
    if (!supports(scheme)) return errc::unsupported;
    if (sk.size() != crypto_sign_SEEDBYTES || pk.size() != crypto_sign_PUBLICKEYBYTES) return errc::misuse;
    if (out.size() < crypto_sign_BYTES) return errc::misuse;
    std::array<std::uint8_t, crypto_sign_SECRETKEYBYTES> expanded;
    const detail::wipe_guard wipe(expanded);
    std::ranges::copy(pk, std::ranges::copy(sk, expanded.begin()).out);
    if (crypto_sign_detached(out.data(), nullptr, detail::non_null(message), message.size(), expanded.data()) != 0)
      return errc::misuse;
    guard.keep();
    return std::size_t{crypto_sign_BYTES};
  }
  [[nodiscard]] static status verify(signature_scheme scheme, byte_view pk, byte_view message,
                                     byte_view signature) noexcept {
    if (!supports(scheme)) return errc::unsupported;
    if (pk.size() != crypto_sign_PUBLICKEYBYTES || signature.size() != crypto_sign_BYTES) return errc::unauthentic;
    const int rc = crypto_sign_verify_detached(signature.data(), detail::non_null(message), message.size(), pk.data());
    return rc == 0 ? status{} : errc::unauthentic;
  }
  [[nodiscard]] static status signature_public_key(signature_scheme scheme, byte_view sk, byte_span out) noexcept {
    detail::output_guard guard(out);
    if (!supports(scheme)) return errc::unsupported;
    if (out.size() != crypto_sign_PUBLICKEYBYTES) return errc::misuse;
    if (sk.size() != crypto_sign_SEEDBYTES) return errc::malformed;
    std::array<std::uint8_t, crypto_sign_SECRETKEYBYTES> expanded;
    const detail::wipe_guard wipe(expanded);
    if (crypto_sign_seed_keypair(out.data(), expanded.data(), sk.data()) != 0) return errc::misuse;
    guard.keep();
    return {};
  }
};

static_assert(crypto_provider<sodium> && extended_nonce_key_type<sodium::extended_nonce_key>);

}  // namespace conclave

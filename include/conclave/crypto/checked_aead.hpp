// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The contract of aead_key_type, written once around the cipher of any library.
#pragma once

#include <conclave/crypto/concepts.hpp>
#include <conclave/detail/output_guard.hpp>

namespace conclave::inline CONCLAVE_ABI::detail {

/// aead_cipher: what a library has to bring: the form with the tag apart. Sizes are right when these are called, and
/// outputs need no care on failure.
template <class C>
concept aead_cipher = std::movable<C> && requires(C& c, byte_view in, byte_span out) {
  { C::supports(aead_id{}) } noexcept -> std::same_as<bool>;
  { C::make(aead_id{}, in) } -> std::same_as<result<C>>;
  { c.seal(in, in, in, out, out) } -> std::same_as<status>;
  { c.open(in, in, in, in, out) } -> std::same_as<status>;
};

/// The longest plaintext of AES-GCM (NIST SP 800-38D 5.2.1.1), which ChaCha20-Poly1305 allows too.
inline constexpr std::uint64_t max_aead_plaintext = (std::uint64_t{1} << 36U) - 32;

/// checked_aead<Cipher>: Cipher behind the checks that aead_key_type promises.
template <aead_cipher Cipher>
class checked_aead {
 public:
  [[nodiscard]] static result<checked_aead> make(aead_id aead, byte_view key) {
    if (!Cipher::supports(aead)) return errc::unsupported;
    if (key.size() != aead_key_size(aead)) return errc::misuse;
    CONCLAVE_TRY(Cipher cipher, Cipher::make(aead, key));
    return checked_aead(std::move(cipher));
  }

  [[nodiscard]] status seal(byte_view nonce, byte_view aad, byte_view plaintext, byte_span out) {
    if (out.size() != plaintext.size() + aead_tag_size) return misuse(out);
    return seal(nonce, aad, plaintext, out.first(plaintext.size()), out.subspan(plaintext.size()));
  }
  [[nodiscard]] status seal(byte_view nonce, byte_view aad, byte_view plaintext, byte_span out, byte_span tag) {
    output_guard guard(out), tag_guard(tag);
    CONCLAVE_CHECK(check_seal(nonce, plaintext, out, tag));
    CONCLAVE_CHECK(cipher_.seal(nonce, aad, plaintext, out, tag));
    guard.keep();
    tag_guard.keep();
    return {};
  }

  [[nodiscard]] status open(byte_view nonce, byte_view aad, byte_view ciphertext, byte_span out) {
    if (nonce.size() != aead_nonce_size) return misuse(out);
    if (ciphertext.size() < aead_tag_size) {
      secure_wipe(out);
      return errc::unauthentic;
    }
    const std::size_t size = ciphertext.size() - aead_tag_size;
    if (out.size() != size) return misuse(out);
    return open(nonce, aad, ciphertext.first(size), ciphertext.subspan(size), out);
  }
  [[nodiscard]] status open(byte_view nonce, byte_view aad, byte_view ciphertext, byte_view tag, byte_span out) {
    output_guard guard(out);
    CONCLAVE_CHECK(check_open(nonce, ciphertext, tag, out));
    CONCLAVE_CHECK(cipher_.open(nonce, aad, ciphertext, tag, out));
    guard.keep();
    return {};
  }

  /// check_seal, check_open: what is wrong with the arguments, for those who seal and open with cipher() directly.
  [[nodiscard]] static status check_seal(byte_view nonce, byte_view plaintext, byte_view out, byte_view tag) noexcept {
    if (nonce.size() != aead_nonce_size || plaintext.size() > max_aead_plaintext) return errc::misuse;
    if (out.size() != plaintext.size() || !may_share(plaintext, out)) return errc::misuse;
    if (tag.size() != aead_tag_size || overlaps(plaintext, tag) || overlaps(out, tag)) return errc::misuse;
    return {};
  }
  [[nodiscard]] static status check_open(byte_view nonce, byte_view ciphertext, byte_view tag, byte_view out) noexcept {
    if (nonce.size() != aead_nonce_size || tag.size() != aead_tag_size) return errc::misuse;
    if (out.size() != ciphertext.size() || !may_share(ciphertext, out) || overlaps(tag, out)) return errc::misuse;
    if (out.size() > max_aead_plaintext) return errc::unauthentic;
    return {};
  }
  [[nodiscard]] const Cipher& cipher() const noexcept { return cipher_; }

 private:
  explicit checked_aead(Cipher cipher) noexcept : cipher_{std::move(cipher)} {}

  [[nodiscard]] static status misuse(byte_span out) noexcept {
    secure_wipe(out);
    return errc::misuse;
  }

  Cipher cipher_;
};

}  // namespace conclave::detail

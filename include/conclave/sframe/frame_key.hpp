// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The AEAD of one key id, with nonce and additional data formed as SFrame forms them.
#pragma once

#include <conclave/sframe/header.hpp>
#include <conclave/sframe/keys.hpp>

#include <cstring>

namespace conclave::inline CONCLAVE_ABI::sframe {

/// frame_key<P>: AEAD.Encrypt and AEAD.Decrypt under sframe_key and sframe_salt of one key id. Only this class knows
/// what kind of AEAD a suite has. It does not watch counters: the sealer and the opener do.
/// Threads: one at a time. Source: RFC 9605 4.4.
template <crypto_provider P>
class frame_key {
 public:
  /// make(suite, kid, secret): derives the key. unsupported for a suite extract() refuses.
  [[nodiscard]] static result<frame_key> make(cipher_suite suite, std::uint64_t kid, const sframe_secret& secret) {
    const auto aead = aead_of(suite);
    if (!aead) return failure{errc::unsupported, rules::known_suite};
    CONCLAVE_TRY(key_and_salt derived, derive_key_salt<P>(suite, kid, secret));
    CONCLAVE_TRY(auto key, P::aead_key::make(*aead, derived.key.reveal()));
    return frame_key(std::move(key), std::move(derived.salt));
  }

  /// seal(ctr, head, metadata, plaintext, out): ciphertext || tag, exactly plaintext.size() + Nt bytes. `head` is the
  /// encoded header; metadata has at most limits::frame_metadata_bytes. `out` may start where the plaintext does;
  /// nothing else overlaps it. On failure `out` is zeroed.
  [[nodiscard]] status seal(std::uint64_t ctr, byte_view head, byte_view metadata, byte_view plaintext, byte_span out) {
    const additional_data aad(head, metadata);
    return key_.seal(form_nonce(salt_, ctr), aad.view(), plaintext, out);
  }

  /// open(ctr, head, metadata, sealed, out): the plaintext of ciphertext || tag. Sizes and overlaps as for seal, the
  /// other way round. unauthentic for a wrong tag.
  [[nodiscard]] status open(std::uint64_t ctr, byte_view head, byte_view metadata, byte_view sealed, byte_span out) {
    const additional_data aad(head, metadata);
    return key_.open(form_nonce(salt_, ctr), aad.view(), sealed, out);
  }

 private:
  frame_key(typename P::aead_key key, sframe_salt salt) noexcept : key_{std::move(key)}, salt_{std::move(salt)} {}

  /// aad = header + metadata (RFC 9605 4.4.3) in one piece; without metadata it is the header where it stands.
  class additional_data {
   public:
    additional_data(byte_view head, byte_view metadata) noexcept : view_{head} {
      if (metadata.empty()) return;
      std::memcpy(joined_, head.data(), head.size());
      std::memcpy(joined_ + head.size(), metadata.data(), metadata.size());
      view_ = {joined_, head.size() + metadata.size()};
    }
    additional_data(const additional_data&) = delete;
    additional_data& operator=(const additional_data&) = delete;
    [[nodiscard]] byte_view view() const noexcept { return view_; }

   private:
    std::uint8_t
        joined_[max_header_size + limits::frame_metadata_bytes];  // not initialised: it is in every frame's path
    byte_view view_;
  };

  typename P::aead_key key_;
  sframe_salt salt_;
};

}  // namespace conclave::sframe

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The AEAD of one key id, with nonce and additional data formed as SFrame forms them.
#pragma once

#include <conclave/sframe/ctr_hmac.hpp>
#include <conclave/sframe/header.hpp>
#include <conclave/sframe/keys.hpp>

#include <cstring>
#include <variant>

namespace conclave::inline CONCLAVE_ABI::sframe {

/// frame_key<P>: AEAD.Encrypt and AEAD.Decrypt under sframe_key and sframe_salt of one key id. Only this class knows
/// what kind of AEAD a suite has. It does not watch counters: the sealer and the opener do.
/// Threads: one at a time. Source: RFC 9605 4.4.
template <crypto_provider P>
class frame_key {
 public:
  /// make(suite, kid, secret): derives the key. unsupported for a suite extract() refuses.
  [[nodiscard]] static result<frame_key> make(cipher_suite suite, std::uint64_t kid, const sframe_secret& secret) {
    CONCLAVE_TRY(key_and_salt derived, derive_key_salt<P>(suite, kid, secret));
    if (const auto aead = aead_of(suite)) {
      CONCLAVE_TRY(auto key, P::aead_key::make(*aead, derived.key.reveal()));
      return frame_key(std::move(key), std::move(derived.salt));
    }
    CONCLAVE_TRY(auto key, compound::make(suite, derived.key.reveal()));
    return frame_key(std::move(key), std::move(derived.salt));
  }

  /// seal_work, open_work: a frame to seal or to open. `header` is encoded and carries `ctr`; metadata has at most
  /// limits::frame_metadata_bytes; `out` is as long as the input and may start where it does, nothing else overlaps;
  /// `tag` has Nt bytes.
  struct seal_work {
    frame_key* key;
    std::uint64_t ctr;
    byte_view header, metadata, plaintext;
    byte_span out, tag;
    status done{};
  };
  struct open_work {
    frame_key* key;
    std::uint64_t ctr;
    byte_view header, metadata, ciphertext, tag;
    byte_span out;
    status done{};
  };

  /// seal(work): ciphertext and tag. On failure both are zeroed.
  [[nodiscard]] status seal(const seal_work& work) {
    const nonce n = form_nonce(salt_, work.ctr);
    if (auto* const aead = std::get_if<single>(&key_)) {
      additional_data aad;
      return aead->seal(n, aad.join(work.header, work.metadata), work.plaintext, work.out, work.tag);
    }
    return std::get_if<compound>(&key_)->seal(
        {nullptr, n, work.header, work.metadata, work.plaintext, work.out, work.tag});
  }

  /// open(work): the plaintext. unauthentic for a wrong tag; on failure it is zeroed.
  [[nodiscard]] status open(const open_work& work) {
    const nonce n = form_nonce(salt_, work.ctr);
    if (auto* const aead = std::get_if<single>(&key_)) {
      additional_data aad;
      return aead->open(n, aad.join(work.header, work.metadata), work.ciphertext, work.tag, work.out);
    }
    return std::get_if<compound>(&key_)->open(
        {nullptr, n, work.header, work.metadata, work.ciphertext, work.tag, work.out});
  }

  /// seal_many(frames), open_many(frames): as work.key->seal(work) of each, at most batch_frames of them. Frames of
  /// equal and of different keys and suites may stand together; no output overlaps another frame.
  template <std::derived_from<seal_work> Work>
  static void seal_many(std::span<Work> frames) {
    std::array<nonce, batch_frames> nonces;
    std::array<additional_data, batch_frames> aads;
    conclave::detail::stack_vector<seal_job<single>, batch_frames> singles;
    conclave::detail::stack_vector<sealing<compound>, batch_frames> compounds;
    for (std::size_t i = 0; i < frames.size(); ++i) {
      const seal_work& f = frames[i];
      nonces[i] = form_nonce(f.key->salt_, f.ctr);
      if (auto* const aead = std::get_if<single>(&f.key->key_))
        singles.add(aead, nonces[i], aads[i].join(f.header, f.metadata), f.plaintext, f.out, f.tag);
      else
        compounds.add(std::get_if<compound>(&f.key->key_), nonces[i], f.header, f.metadata, f.plaintext, f.out, f.tag);
    }
    if (!singles.empty()) conclave::seal_many(singles.all());
    if (!compounds.empty()) compound::seal_many(compounds.all());
    collect(frames, singles.begin(), compounds.begin());
  }
  template <std::derived_from<open_work> Work>
  static void open_many(std::span<Work> frames) {
    std::array<nonce, batch_frames> nonces;
    std::array<additional_data, batch_frames> aads;
    conclave::detail::stack_vector<open_job<single>, batch_frames> singles;
    conclave::detail::stack_vector<opening<compound>, batch_frames> compounds;
    for (std::size_t i = 0; i < frames.size(); ++i) {
      const open_work& f = frames[i];
      nonces[i] = form_nonce(f.key->salt_, f.ctr);
      if (auto* const aead = std::get_if<single>(&f.key->key_))
        singles.add(aead, nonces[i], aads[i].join(f.header, f.metadata), f.ciphertext, f.tag, f.out);
      else
        compounds.add(std::get_if<compound>(&f.key->key_), nonces[i], f.header, f.metadata, f.ciphertext, f.tag, f.out);
    }
    if (!singles.empty()) conclave::open_many(singles.all());
    if (!compounds.empty()) compound::open_many(compounds.all());
    collect(frames, singles.begin(), compounds.begin());
  }

 private:
  using single = typename P::aead_key;
  using compound = ctr_hmac_key<P>;

  frame_key(std::variant<single, compound> key, sframe_salt salt) noexcept
      : key_{std::move(key)}, salt_{std::move(salt)} {}

  /// aad = header + metadata (RFC 9605 4.4.3) in one piece; without metadata it is the header where it stands.
  class additional_data {
   public:
    additional_data() noexcept {}
    additional_data(const additional_data&) = delete;
    additional_data& operator=(const additional_data&) = delete;
    [[nodiscard]] byte_view join(byte_view head, byte_view metadata) noexcept {
      if (metadata.empty()) return head;
      std::memcpy(joined_, head.data(), head.size());
      std::memcpy(joined_ + head.size(), metadata.data(), metadata.size());
      return {joined_, head.size() + metadata.size()};
    }

   private:
    std::uint8_t
        joined_[max_header_size + limits::frame_metadata_bytes];  // not initialised: it is in every frame's path
  };

  /// The outcomes, back in the order of the frames.
  static void collect(auto frames, const auto* next_single, const auto* next_compound) noexcept {
    for (auto& f : frames)
      f.done = std::holds_alternative<single>(f.key->key_) ? (next_single++)->done : (next_compound++)->done;
  }

  std::variant<single, compound> key_;
  sframe_salt salt_;
};

}  // namespace conclave::sframe

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// AES-CTR with HMAC as one AEAD, for the suites with short tags (RFC 9605 4.5.1).
#pragma once

#include <conclave/crypto/batch.hpp>
#include <conclave/detail/ct.hpp>
#include <conclave/detail/output_guard.hpp>
#include <conclave/detail/stack_vector.hpp>
#include <conclave/sframe/suite.hpp>

#include <cstring>

namespace conclave::inline CONCLAVE_ABI::sframe {

/// batch_frames: as many frames are worked on side by side; more are worked on in turns.
inline constexpr std::size_t batch_frames = 16;

/// sealing, opening: what seal() and open() of a key are asked for one frame, and `done`, how it went. The additional
/// data is `header` and behind it `metadata`; the rest is as for aead_key_type.
template <class Key>
struct sealing {
  Key* key;
  byte_view nonce, header, metadata, plaintext;
  byte_span out, tag;
  status done{};
};
template <class Key>
struct opening {
  Key* key;
  byte_view nonce, header, metadata, ciphertext, tag;
  byte_span out;
  status done{};
};

/// ctr_hmac_key<P>: AEAD.Encrypt and AEAD.Decrypt of RFC 9605 4.5.1 under one key. It checks no sizes but those that
/// P's keys check: its callers have done so. Threads: one at a time.
template <crypto_provider P>
class ctr_hmac_key {
 public:
  /// make(suite, key): derive_subkeys. unsupported where the suite is no compound one or P lacks a part of it; misuse
  /// for a key that has not Nk bytes.
  [[nodiscard]] static result<ctr_hmac_key> make(cipher_suite suite, byte_view key) {
    CONCLAVE_TRY(const auto row, parameters(suite));
    const auto ctr = ctr_of(suite);
    if (!ctr) return failure{errc::unsupported, rules::known_suite};
    if (key.size() != row.Nk) return errc::misuse;
    CONCLAVE_TRY(auto enc_key, P::ctr_key::make(*ctr, key.first(row.Nka)));
    CONCLAVE_TRY(auto auth_key, P::hmac_key::make(row.hash, key.subspan(row.Nka)));
    return ctr_hmac_key(std::move(enc_key), std::move(auth_key), row);
  }

  /// seal(frame): encrypts, then computes the tag over the ciphertext. A failure leaves zeros.
  [[nodiscard]] status seal(const sealing<ctr_hmac_key>& frame) {
    conclave::detail::output_guard guard(frame.out);
    CONCLAVE_CHECK(enc_key_.xor_keystream(initial_counter(frame.nonce), frame.plaintext, frame.out));
    authentication mac(frame.nonce, frame.header, frame.metadata, frame.out, Nt_);
    auth_key_.mac(mac.data, mac.out(Nh_));
    std::ranges::copy(mac.out(Nt_), frame.tag.begin());
    guard.keep();
    return {};
  }

  /// open(frame): nothing is decrypted before the tag has verified. unauthentic for a wrong tag.
  [[nodiscard]] status open(const opening<ctr_hmac_key>& frame) {
    conclave::detail::output_guard guard(frame.out);
    authentication mac(frame.nonce, frame.header, frame.metadata, frame.ciphertext, Nt_);
    auth_key_.mac(mac.data, mac.out(Nh_));
    if (!conclave::detail::ct_equal(mac.out(Nt_), frame.tag)) return errc::unauthentic;
    CONCLAVE_CHECK(enc_key_.xor_keystream(initial_counter(frame.nonce), frame.ciphertext, frame.out));
    guard.keep();
    return {};
  }

  /// seal_many(frames): as seal() for each, at most batch_frames of them; no frame's output overlaps another frame.
  static void seal_many(std::span<sealing<ctr_hmac_key>> frames) {
    encrypt(frames);
    batch work;
    for (const auto& f : frames) work.add(*f.key, f.nonce, f.header, f.metadata, f.out);
    work.run();
    for (std::size_t i = 0; i < frames.size(); ++i)
      if (frames[i].done) std::ranges::copy(work.macs[i].out(frames[i].key->Nt_), frames[i].tag.begin());
  }

  /// open_many(frames): as open() for each, likewise.
  static void open_many(std::span<opening<ctr_hmac_key>> frames) {
    batch work;
    for (const auto& f : frames) work.add(*f.key, f.nonce, f.header, f.metadata, f.ciphertext);
    work.run();
    for (std::size_t i = 0; i < frames.size(); ++i) {
      auto& f = frames[i];
      f.done = conclave::detail::ct_equal(work.macs[i].out(f.key->Nt_), f.tag) ? status{} : errc::unauthentic;
      if (!f.done) conclave::detail::secure_wipe(f.out);
    }
    decrypt(frames);
  }

 private:
  using enc_key = typename P::ctr_key;
  using auth_key = typename P::hmac_key;
  using counter_block = std::array<std::uint8_t, counter_block_size>;

  ctr_hmac_key(enc_key enc, auth_key auth, const suite_parameters& row) noexcept
      : enc_key_{std::move(enc)}, auth_key_{std::move(auth)}, Nh_{row.Nh}, Nt_{row.Nt} {}

  /// The nonce and four zero bytes.
  [[nodiscard]] static counter_block initial_counter(byte_view n) noexcept {
    counter_block out;
    std::memcpy(out.data(), n.data(), 8);  // halves, as kernels read them
    store_be(std::uint64_t{load_be<std::uint32_t>(n.subspan(8))} << 32U, byte_span{out}.subspan(8));
    return out;
  }

  /// auth_data of compute_tag, piece by piece, and room for its MAC. It points into itself.
  struct authentication {
    std::array<std::uint8_t, 24 + Nn> lengths_and_nonce;  // not initialised: it is in every frame's path
    std::array<byte_view, 4> data;
    std::array<std::uint8_t, max_Nh> mac;

    authentication(byte_view n, byte_view head, byte_view metadata, byte_view ciphertext, std::size_t Nt) noexcept
        : data{lengths_and_nonce, head, metadata, ciphertext} {
      const byte_span out{lengths_and_nonce};
      store_be<std::uint64_t>(head.size() + metadata.size(), out);
      store_be<std::uint64_t>(ciphertext.size(), out.subspan(8));
      store_be<std::uint64_t>(Nt, out.subspan(16));
      std::ranges::copy(n, out.subspan(24).begin());
    }
    authentication(const authentication&) = delete;
    authentication& operator=(const authentication&) = delete;

    [[nodiscard]] byte_span out(std::size_t size) noexcept { return byte_span{mac}.first(size); }
  };

  template <class T>
  using of_each = conclave::detail::stack_vector<T, batch_frames>;

  /// The MACs of several frames.
  struct batch {
    of_each<authentication> macs;
    of_each<mac_job<auth_key>> jobs;

    void add(ctr_hmac_key& key, byte_view n, byte_view head, byte_view metadata, byte_view ciphertext) noexcept {
      authentication& mac = macs.add(n, head, metadata, ciphertext, key.Nt_);
      jobs.add(&key.auth_key_, mac.data, mac.out(key.Nh_));
    }
    void run() { mac_many(jobs.all()); }
  };

  static void encrypt(std::span<sealing<ctr_hmac_key>> frames) {
    of_each<counter_block> counters;
    of_each<ctr_job<enc_key>> jobs;
    for (const auto& f : frames) jobs.add(&f.key->enc_key_, counters.add(initial_counter(f.nonce)), f.plaintext, f.out);
    xor_keystream_many(jobs.all());
    for (std::size_t i = 0; i < frames.size(); ++i) frames[i].done = jobs[i].done;
  }

  /// Those that are authentic.
  static void decrypt(std::span<opening<ctr_hmac_key>> frames) {
    of_each<counter_block> counters;
    of_each<ctr_job<enc_key>> jobs;
    for (const auto& f : frames)
      if (f.done) jobs.add(&f.key->enc_key_, counters.add(initial_counter(f.nonce)), f.ciphertext, f.out);
    xor_keystream_many(jobs.all());
    const ctr_job<enc_key>* job = jobs.begin();
    for (auto& f : frames)
      if (f.done) f.done = (job++)->done;
  }

  enc_key enc_key_;
  auth_key auth_key_;
  std::size_t Nh_, Nt_;
};

}  // namespace conclave::sframe

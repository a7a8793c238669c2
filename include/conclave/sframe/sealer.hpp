// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Sealing frames (RFC 9605 4.4.3).
#pragma once

#include <conclave/detail/output_guard.hpp>
#include <conclave/sframe/frame_key.hpp>

#include <utility>

namespace conclave::inline CONCLAVE_ABI::sframe {

namespace rules {
inline constexpr rule frames_left{"as many frames were sealed under this key as is safe",
                                  "RFC 9605 9.1, RFC 9420 15.2"};
}  // namespace rules

/// sealed_size(n): a buffer of this size holds any sealed frame of n bytes, of any suite, key id and counter.
[[nodiscard]] constexpr std::size_t sealed_size(std::size_t n) noexcept { return n + max_header_size + max_Nt; }

/// sealer<P>: the only one that seals under its key id. It owns the counter: it moves and does not copy, and a
/// moved-from sealer is exhausted. That no second sealer is ever made for the same base key and key id with counters
/// this one has used is its maker's duty (RFC 9605 9.1); inbound frames have no way to touch a sealer.
/// Threads: one at a time.
/// Lifetime: it keeps no reference to what it was made from.
template <crypto_provider P>
class sealer {
 public:
  /// make(suite, kid, base, first_counter): a sealer whose first frame carries `first_counter`: 0 for a key id that was
  /// never used under this base key, else a counter that lies above all that were.
  /// Errors: unsupported; misuse for an empty base key; exhausted where no counter is left.
  [[nodiscard]] static result<sealer> make(cipher_suite suite, std::uint64_t kid, const base_key& base,
                                           std::uint64_t first_counter) {
    if (first_counter >= limits::frames_per_key) return failure{errc::exhausted, rules::frames_left};
    CONCLAVE_TRY(const sframe_secret secret, extract<P>(suite, base));
    CONCLAVE_TRY(auto key, frame_key<P>::make(suite, kid, secret));
    CONCLAVE_TRY(const auto row, parameters(suite));
    return sealer(std::move(key), kid, first_counter, row.Nt);
  }

  sealer(sealer&& other) noexcept
      : key_{std::move(other.key_)},
        kid_{other.kid_},
        counter_{std::exchange(other.counter_, limits::frames_per_key)},
        blocks_{other.blocks_},
        tag_size_{other.tag_size_} {}
  sealer& operator=(sealer&& other) noexcept {
    if (this == &other) return *this;
    key_ = std::move(other.key_);
    kid_ = other.kid_;
    counter_ = std::exchange(other.counter_, limits::frames_per_key);
    blocks_ = other.blocks_;
    tag_size_ = other.tag_size_;
    return *this;
  }

  /// seal(plaintext, metadata, out): writes header || ciphertext || tag at the front of `out` and returns that part of
  /// it.
  /// metadata is authenticated and not sent: the receiver has to know it, byte for byte.
  /// Errors: no_space where `out` is shorter than header_size() + plaintext.size() + Nt (sealed_size() is always
  /// enough); over_limit for more than limits::frame_bytes or limits::frame_metadata_bytes; exhausted after
  /// limits::frames_per_key frames or limits::blocks_per_key blocks, counted from 0 and from the making of this sealer;
  /// misuse for a forbidden overlap.
  /// None of these uses a counter or touches `out`. What the provider refuses beyond that costs the counter, which is
  /// spent before anything is sealed, and leaves the frame's part of `out` zeroed.
  /// Aliasing: to seal in place, the plaintext starts exactly header_size() bytes after the start of `out`. Otherwise
  /// neither plaintext nor metadata overlaps the part of `out` that is written.
  /// It allocates nothing of its own and takes no lock. Source: RFC 9605 4.4.3.
  [[nodiscard]] result<byte_span> seal(byte_view plaintext, byte_view metadata, byte_span out) {
    if (plaintext.size() > limits::frame_bytes || metadata.size() > limits::frame_metadata_bytes)
      return errc::over_limit;
    const header head{kid_, counter_};
    const std::size_t body = head.size();
    const std::size_t size = body + plaintext.size() + tag_size_;
    if (out.size() < size) return errc::no_space;
    const byte_span frame = out.first(size);
    const bool in_place = plaintext.data() == frame.data() + body;
    if (overlaps(metadata, frame) || (overlaps(plaintext, frame) && !in_place)) return errc::misuse;
    const std::uint64_t blocks = (plaintext.size() + 15) / 16 + 1;
    if (counter_ >= limits::frames_per_key || blocks > limits::blocks_per_key - blocks_)
      return failure{errc::exhausted, rules::frames_left};

    ++counter_;
    blocks_ += blocks;
    conclave::detail::output_guard guard(frame);
    const byte_view encoded = head.encode(frame);
    CONCLAVE_CHECK(key_.seal(head.ctr, encoded, metadata, plaintext, frame.subspan(body)));
    guard.keep();
    return frame;
  }

  [[nodiscard]] std::uint64_t kid() const noexcept { return kid_; }
  /// counter(): what the next frame will carry, and so the first counter of a sealer that continues this one.
  [[nodiscard]] std::uint64_t counter() const noexcept { return counter_; }
  /// header_size(): bytes of the next frame's header; where its plaintext lies to be sealed in place.
  [[nodiscard]] std::size_t header_size() const noexcept { return sframe::header_size(kid_, counter_); }

 private:
  sealer(frame_key<P> key, std::uint64_t kid, std::uint64_t counter, std::size_t tag_size) noexcept
      : key_{std::move(key)}, kid_{kid}, counter_{counter}, tag_size_{tag_size} {}

  frame_key<P> key_;
  std::uint64_t kid_;
  std::uint64_t counter_;
  std::uint64_t blocks_ = 0;
  std::size_t tag_size_;
};

}  // namespace conclave::sframe

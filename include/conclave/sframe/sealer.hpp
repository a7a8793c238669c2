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

template <crypto_provider P>
class sealer;

/// seal_request<P>: one frame of seal_many, with what sealer::seal takes and, afterwards, what it would have returned.
template <crypto_provider P>
struct seal_request {
  sealer<P>* by;
  byte_view plaintext, metadata;
  byte_span out;
  result<byte_span> frame = errc::misuse;
};

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
  /// Errors: no_space where `out` is shorter than header_size() + plaintext.size() + tag_size() (sealed_size() is always
  /// enough); over_limit for more than limits::frame_bytes or limits::frame_metadata_bytes; exhausted after
  /// limits::frames_per_key frames or limits::blocks_per_key blocks, counted from 0 and from the making of this sealer;
  /// misuse for a forbidden overlap.
  /// None of these uses a counter or touches `out`. What the provider refuses beyond that costs the counter, which is
  /// spent before anything is sealed, and leaves the frame's part of `out` zeroed.
  /// Aliasing: to seal in place, the plaintext starts exactly header_size() bytes after the start of `out`. Otherwise
  /// neither plaintext nor metadata overlaps the part of `out` that is written.
  /// It allocates nothing of its own and takes no lock. Source: RFC 9605 4.4.3.
  [[nodiscard]] result<byte_span> seal(byte_view plaintext, byte_view metadata, byte_span out) {
    work w;
    CONCLAVE_TRY(const byte_span frame, begin(plaintext, metadata, out, w));
    conclave::detail::output_guard guard(frame);
    CONCLAVE_CHECK(key_.seal(w));
    guard.keep();
    return frame;
  }

  /// seal_in_place(buffer, at, size, metadata): seals the `size` bytes at buffer[at] where they stand. The header goes
  /// right before them and the tag right behind; with max_header_size bytes of head room and max_Nt of tail room there
  /// is always space. Returns the frame, which starts somewhere in the head room. Errors as seal.
  [[nodiscard]] result<byte_span> seal_in_place(byte_span buffer, std::size_t at, std::size_t size,
                                                byte_view metadata) {
    if (at < header_size() || at > buffer.size() || size > buffer.size() - at) return errc::no_space;
    return seal(buffer.subspan(at, size), metadata, buffer.subspan(at - header_size()));
  }

  /// seal_scattered(plaintext, metadata, out): writes header, ciphertext and tag at the fronts of three spans, for
  /// transports that gather, and returns those parts. Errors as seal, no_space for any of the three. Aliasing: the
  /// ciphertext may start where the plaintext does; nothing else overlaps.
  [[nodiscard]] result<frame_span> seal_scattered(byte_view plaintext, byte_view metadata, const frame_span& out) {
    CONCLAVE_CHECK(within_limits(plaintext, metadata));
    if (out.header.size() < header_size() || out.body.size() < plaintext.size() || out.tag.size() < tag_size_)
      return errc::no_space;
    const frame_span frame{out.header.first(header_size()), out.body.first(plaintext.size()), out.tag.first(tag_size_)};
    if (overlaps(frame.header, frame.body) || overlaps(frame.body, frame.tag) || overlaps(frame.tag, frame.header))
      return errc::misuse;
    for (const byte_view part : {frame.header, frame.body, frame.tag})
      if (overlaps(metadata, part) || (overlaps(plaintext, part) && plaintext.data() != part.data()))
        return errc::misuse;
    if (overlaps(plaintext, frame.header) || overlaps(plaintext, frame.tag)) return errc::misuse;
    work w;
    CONCLAVE_CHECK(take_counter(plaintext, metadata, frame, w));
    conclave::detail::output_guard head(frame.header), body(frame.body), tag(frame.tag);
    CONCLAVE_CHECK(key_.seal(w));
    head.keep();
    body.keep();
    tag.keep();
    return frame;
  }

  [[nodiscard]] std::uint64_t kid() const noexcept { return kid_; }
  /// counter(): what the next frame will carry, and so the first counter of a sealer that continues this one.
  [[nodiscard]] std::uint64_t counter() const noexcept { return counter_; }
  /// header_size(): bytes of the next frame's header; where its plaintext lies to be sealed in place.
  [[nodiscard]] std::size_t header_size() const noexcept { return sframe::header_size(kid_, counter_); }
  /// tag_size(): Nt of its suite.
  [[nodiscard]] std::size_t tag_size() const noexcept { return tag_size_; }

 private:
  using work = typename frame_key<P>::seal_work;
  template <crypto_provider Q>
  friend void seal_many(std::span<seal_request<Q>> frames);

  sealer(frame_key<P> key, std::uint64_t kid, std::uint64_t counter, std::size_t tag_size) noexcept
      : key_{std::move(key)}, kid_{kid}, counter_{counter}, tag_size_{tag_size} {}

  [[nodiscard]] static status within_limits(byte_view plaintext, byte_view metadata) noexcept {
    const bool within = plaintext.size() <= limits::frame_bytes && metadata.size() <= limits::frame_metadata_bytes;
    return within ? status{} : errc::over_limit;
  }

  /// All of seal() but the sealing: the checks, the counter and the header. Returns the frame's part of `out`.
  [[nodiscard]] result<byte_span> begin(byte_view plaintext, byte_view metadata, byte_span out, work& w) {
    CONCLAVE_CHECK(within_limits(plaintext, metadata));
    const std::size_t head = header_size();
    const std::size_t size = head + plaintext.size() + tag_size_;
    if (out.size() < size) return errc::no_space;
    const byte_span frame = out.first(size);
    const bool in_place = plaintext.data() == frame.data() + head;
    if (overlaps(metadata, frame) || (overlaps(plaintext, frame) && !in_place)) return errc::misuse;
    const frame_span parts{frame.first(head), frame.subspan(head, plaintext.size()), frame.last(tag_size_)};
    CONCLAVE_CHECK(take_counter(plaintext, metadata, parts, w));
    return frame;
  }

  [[nodiscard]] status take_counter(byte_view plaintext, byte_view metadata, const frame_span& frame, work& w) {
    const std::uint64_t blocks = (plaintext.size() + 15) / 16 + 1;
    if (counter_ >= limits::frames_per_key || blocks > limits::blocks_per_key - blocks_)
      return failure{errc::exhausted, rules::frames_left};
    const header head{kid_, counter_++};
    blocks_ += blocks;
    w = {&key_, head.ctr, head.encode(frame.header), metadata, plaintext, frame.body, frame.tag};
    return {};
  }

  frame_key<P> key_;
  std::uint64_t kid_;
  std::uint64_t counter_;
  std::uint64_t blocks_ = 0;
  std::size_t tag_size_;
};

/// seal_many(frames): request.frame = request.by->seal(plaintext, metadata, out) for every request in order, worked on
/// side by side where the provider can (crypto/batch.hpp). A sealer may stand in several requests. No output overlaps
/// anything of another request. Threads: as if it were used by each sealer. Allocates nothing of its own.
template <crypto_provider P>
void seal_many(std::span<seal_request<P>> frames) {
  struct waiting : frame_key<P>::seal_work {
    seal_request<P>* request;
  };
  while (!frames.empty()) {
    const auto some = frames.first(std::min(frames.size(), batch_frames));
    frames = frames.subspan(some.size());
    conclave::detail::stack_vector<waiting, batch_frames> works;
    for (seal_request<P>& r : some) {
      waiting& w = works.next();
      w.request = &r;
      r.frame = r.by->begin(r.plaintext, r.metadata, r.out, w);
      if (r.frame) works.keep();
    }
    frame_key<P>::seal_many(works.all());
    for (const waiting& w : works) {
      if (w.done) continue;
      conclave::detail::secure_wipe(*w.request->frame);
      w.request->frame = w.done.error();
    }
  }
}

}  // namespace conclave::sframe

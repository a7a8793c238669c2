// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Sender keys (RFC 9605 5.1), where no MLS group gives the keys: each sender makes a base key of its own, hands it to
/// the receivers by a channel of theirs, and moves it forward by a ratchet.
#pragma once

#include <conclave/detail/ct.hpp>
#include <conclave/environment.hpp>
#include <conclave/sframe/receiving_key.hpp>
#include <conclave/sframe/sealer.hpp>

#include <vector>

namespace conclave::inline CONCLAVE_ABI::sframe {

namespace rules {
inline constexpr rule open_step{"the key id names a ratchet step or key generation that is over", "RFC 9605 5.1"};
inline constexpr rule known_step{"the key id names a ratchet step too far ahead", "RFC 9605 5.1"};
inline constexpr rule known_generation{"the key id names a key generation that was not given", "RFC 9605 5.1"};
}  // namespace rules

/// ratchet<P>(suite, base): base_key[i+1]. Errors as extract. Source: RFC 9605 5.1.
template <crypto_provider P>
[[nodiscard]] result<base_key> ratchet(cipher_suite suite, const base_key& base) {
  CONCLAVE_TRY(const auto row, parameters(suite));
  CONCLAVE_TRY(const sframe_secret extracted, extract<P>(suite, base));
  base_key next(row.Nh);
  const byte_view label[] = {as_bytes("SFrame 1.0 Ratchet")};
  hkdf_expand<P>(row.hash, extracted.reveal(), label, next.writable());
  return next;
}

/// sender_kid_layout: how a key generation and the low R bits of a ratchet step share a key id.
class sender_kid_layout {
 public:
  /// make(R): over_limit for 64 and more.
  [[nodiscard]] static constexpr result<sender_kid_layout> make(unsigned ratchet_bits) noexcept {
    if (ratchet_bits >= 64) return errc::over_limit;
    return sender_kid_layout(ratchet_bits);
  }

  /// encode(generation, step): over_limit where the generation does not fit 64 - R bits.
  [[nodiscard]] constexpr result<std::uint64_t> encode(std::uint64_t generation, std::uint64_t step) const noexcept {
    if (generation > ~std::uint64_t{0} >> R_) return errc::over_limit;
    return (generation << R_) + (step & mask());
  }
  [[nodiscard]] constexpr std::uint64_t generation(std::uint64_t kid) const noexcept { return kid >> R_; }
  [[nodiscard]] constexpr std::uint64_t step_bits(std::uint64_t kid) const noexcept { return kid & mask(); }

  [[nodiscard]] constexpr std::uint64_t mask() const noexcept { return (std::uint64_t{1} << R_) - 1; }
  /// ahead(), behind(): of the 2^R values, half name the next steps, and the rest the current one and those before it.
  [[nodiscard]] constexpr std::uint64_t ahead() const noexcept { return mask() / 2 + (mask() & 1U); }
  [[nodiscard]] constexpr std::uint64_t behind() const noexcept { return mask() - ahead(); }

 private:
  explicit constexpr sender_kid_layout(unsigned ratchet_bits) noexcept : R_{ratchet_bits} {}
  unsigned R_;
};

/// sender_key_sealer<P>: a sender with its own base key. It moves and does not copy. Threads: one at a time.
template <crypto_provider P>
class sender_key_sealer {
 public:
  /// make(suite, R, generation, base): at ratchet step 0, for a base key that was never used. The generation is one
  /// more than that of this sender's key before, or 0. Errors: unsupported; misuse for an empty base key; over_limit
  /// where R or the generation is too large.
  [[nodiscard]] static result<sender_key_sealer> make(cipher_suite suite, unsigned ratchet_bits,
                                                      std::uint64_t generation, base_key base) {
    CONCLAVE_TRY(const auto layout, sender_kid_layout::make(ratchet_bits));
    CONCLAVE_TRY(const auto kid, layout.encode(generation, 0));
    CONCLAVE_TRY(auto first, sealer<P>::make(suite, kid, base, 0));
    return sender_key_sealer(suite, layout, generation, std::move(base), std::move(first));
  }

  /// frames(): seals under the current step, by any of sealer's functions.
  [[nodiscard]] sealer<P>& frames() noexcept { return frames_; }

  /// step_forward(): the next ratchet step, with fresh counters; whoever is given its key cannot open what was sealed
  /// before. To shut somebody out, make a sealer of the next generation instead. misuse where R is 0: receivers could
  /// not tell.
  [[nodiscard]] status step_forward() {
    if (layout_.mask() == 0) return errc::misuse;
    CONCLAVE_TRY(base_key next, ratchet<P>(suite_, base_));
    CONCLAVE_TRY(const auto kid, layout_.encode(generation_, step_ + 1));
    CONCLAVE_TRY(auto frames, sealer<P>::make(suite_, kid, next, 0));
    frames_ = std::move(frames);
    base_ = std::move(next);
    ++step_;
    return {};
  }

  /// kid(), base(): what a receiver has to be given to follow from here on.
  [[nodiscard]] std::uint64_t kid() const noexcept { return frames_.kid(); }
  [[nodiscard]] const base_key& base() const noexcept { return base_; }

 private:
  sender_key_sealer(cipher_suite suite, sender_kid_layout layout, std::uint64_t generation, base_key base,
                    sealer<P> frames) noexcept
      : suite_{suite}, layout_{layout}, generation_{generation}, base_{std::move(base)}, frames_{std::move(frames)} {}

  cipher_suite suite_;
  sender_kid_layout layout_;
  std::uint64_t generation_;
  std::uint64_t step_ = 0;
  base_key base_;
  sealer<P> frames_;
};

/// sender_opened: a frame that was authentic: sealed by the sender or by somebody else who was given its key.
struct sender_opened {
  byte_span bytes;  ///< the plaintext, at the front of the output buffer
  std::uint64_t kid;
  std::uint64_t counter;
};

/// sender_key_opener<P>: receives from one sender; which one a frame comes from, the caller knows from elsewhere. A
/// frame of one of the next ratchet steps moves the ratchet forward, once its tag has verified; forged frames cost time
/// and change nothing but failure counters, which stop them as in opener.
/// Threads: one at a time.
template <crypto_provider P>
class sender_key_opener {
 public:
  /// make(suite, R): without a key. unsupported; over_limit for an R of 64 and more.
  [[nodiscard]] static result<sender_key_opener> make(cipher_suite suite, unsigned ratchet_bits) {
    CONCLAVE_CHECK(P::ready());
    CONCLAVE_TRY(const auto row, parameters(suite));
    if (!supports<P>(suite)) return failure{errc::unsupported, rules::known_suite};
    CONCLAVE_TRY(const auto layout, sender_kid_layout::make(ratchet_bits));
    return sender_key_opener(suite, layout, row.Nt);
  }

  /// add_key(kid, base, deadline): the sender's key, as sender_key_sealer::kid() and base() give it. Frames of earlier
  /// generations open until the deadline. misuse for an empty key, or a generation that is not newer than all before:
  /// a key in use is never replaced.
  [[nodiscard]] status add_key(std::uint64_t kid, base_key base, steady_time deadline) {
    if (!keys_.empty() && layout_.generation(kid) <= newest().generation) return errc::misuse;
    CONCLAVE_TRY(const sframe_secret secret, extract<P>(suite_, base));
    CONCLAVE_TRY(auto key, frame_key<P>::make(suite_, kid, secret));
    keys_.reserve(2 * limits::sframe_open_steps);
    const std::uint64_t before = keys_.empty() ? 0 : newest().generation;
    std::erase_if(keys_, [&](const step_key& k) { return k.generation != before; });
    retire(deadline);
    keys_.push_back({layout_.generation(kid), layout_.step_bits(kid), std::move(key)});
    base_ = std::move(base);
    first_step_ = newest().step;
    failures_ahead_ = 0;
    return {};
  }

  /// purge(now): wipes the keys whose deadline has come; open() refuses their frames in any case. Returns the next
  /// deadline; steady_time::max() where there is none.
  steady_time purge(steady_time now) {
    std::erase_if(keys_, [&](const step_key& k) { return k.closes <= now; });
    steady_time next = steady_time::max();
    for (const step_key& k : keys_) next = std::min(next, k.closes);
    return next;
  }

  /// open(frame, metadata, out, now): as opener::open, with these differences: unknown_key for a generation that was not
  /// given or a step too far ahead (limits::sframe_ratchet_forward), early for a generation that is one of the next;
  /// stale_epoch for a step or generation that is over. After a frame of a new step, those before it open for
  /// limits::sframe_overlap, the last limits::sframe_open_steps of them. Source: RFC 9605 4.4.4, 5.1.
  [[nodiscard]] result<sender_opened> open(byte_view frame, byte_view metadata, byte_span out, steady_time now) {
    out = out.first(std::min(out.size(), frame.size()));
    auto done = open_checked(frame, metadata, out, now);
    if (!done && done.error() != errc::misuse && !overlaps(frame, out)) std::ranges::fill(out, std::uint8_t{0});
    return done;
  }

  /// keys(): receiving keys held. failures(): wrong tags under key ids of steps ahead.
  [[nodiscard]] std::size_t keys() const noexcept { return keys_.size(); }
  [[nodiscard]] std::uint64_t failures() const noexcept { return failures_ahead_; }

 private:
  using open_work = typename frame_key<P>::open_work;

  struct step_key {
    std::uint64_t generation, step;
    frame_key<P> key;
    frame_history history{};
    steady_time closes = steady_time::max();
  };

  sender_key_opener(cipher_suite suite, sender_kid_layout layout, std::size_t tag_size) noexcept
      : suite_{suite}, layout_{layout}, tag_size_{tag_size} {}

  /// The key of the current step: it never closes, so it is always there once a key was given.
  [[nodiscard]] const step_key& newest() const noexcept { return keys_.back(); }

  void retire(steady_time deadline) noexcept {
    for (step_key& k : keys_) k.closes = std::min(k.closes, deadline);
  }

  [[nodiscard]] result<sender_opened> open_checked(byte_view frame, byte_view metadata, byte_span out,
                                                   steady_time now) {
    CONCLAVE_TRY(const header head, header::decode(frame));
    const byte_view sealed = frame.subspan(head.size());
    if ((overlaps(frame, out) && out.data() != sealed.data()) || overlaps(metadata, out)) return errc::misuse;
    if (sealed.size() < tag_size_) return errc::malformed;
    const std::size_t size = sealed.size() - tag_size_;
    if (size > limits::frame_bytes || metadata.size() > limits::frame_metadata_bytes) return errc::over_limit;
    if (out.size() < size) return errc::no_space;
    const open_work work{nullptr,        head.ctr,           frame.first(head.size()),
                         metadata,       sealed.first(size), sealed.subspan(size),
                         out.first(size)};
    CONCLAVE_CHECK(open_under(head.kid, work, now));
    return sender_opened{work.out, head.kid, head.ctr};
  }

  [[nodiscard]] status open_under(std::uint64_t kid, open_work work, steady_time now) {
    if (keys_.empty()) return failure{errc::unknown_key, rules::known_generation};
    const std::uint64_t generation = layout_.generation(kid);
    for (step_key& k : keys_) {
      if (k.generation != generation || layout_.step_bits(k.step) != layout_.step_bits(kid)) continue;
      if (k.closes <= now) return failure{errc::stale_epoch, rules::open_step};
      CONCLAVE_CHECK(k.history.admits(work.ctr, tag_size_));
      work.key = &k.key;
      const status done = k.key.open(work);
      k.history.settle(work.ctr, done);
      return done;
    }
    if (generation < newest().generation) return failure{errc::stale_epoch, rules::open_step};
    if (generation > newest().generation) {
      const bool soon = generation - newest().generation <= limits::sframe_early_epochs;
      return failure{soon ? errc::early : errc::unknown_key, rules::known_generation};
    }
    const std::uint64_t ahead = (kid - newest().step) & layout_.mask();
    if (ahead <= std::min(layout_.ahead(), limits::sframe_ratchet_forward)) return open_ahead(ahead, work, now);
    const std::uint64_t behind = (newest().step - kid) & layout_.mask();
    if (behind <= newest().step - first_step_) return failure{errc::stale_epoch, rules::open_step};
    return failure{errc::unknown_key, rules::known_step};
  }

  /// A frame `steps` ahead of the ratchet, which moves only where the frame opens. The steps it passes over stay open
  /// like the one it leaves, for frames that come late.
  [[nodiscard]] status open_ahead(std::uint64_t steps, open_work work, steady_time now) {
    CONCLAVE_CHECK(few_forgeries(failures_ahead_, tag_size_));
    CONCLAVE_TRY(base_key base, ratchet<P>(suite_, base_));
    for (std::uint64_t i = 1; i < steps; ++i) {
      CONCLAVE_TRY(base, ratchet<P>(suite_, base));
    }
    const std::uint64_t step = newest().step + steps;
    CONCLAVE_TRY(step_key target, key_of(step, base));
    work.key = &target.key;
    if (const status done = target.key.open(work); !done) {
      ++failures_ahead_;
      return done;
    }
    target.history.settle(work.ctr, {});

    conclave::detail::output_guard guard(work.out);
    const std::uint64_t kept = std::min<std::uint64_t>(limits::sframe_open_steps - 1, layout_.behind());
    const steady_time deadline = now + limits::sframe_overlap;
    std::vector<step_key> passed;
    base_key between = base_.clone();
    for (std::uint64_t i = 1; i < steps; ++i) {
      CONCLAVE_TRY(between, ratchet<P>(suite_, between));
      if (steps - i > kept) continue;
      CONCLAVE_TRY(step_key late, key_of(newest().step + i, between));
      passed.push_back(std::move(late));
    }
    keys_.reserve(keys_.size() + passed.size() + 1);  // nothing fails from here on
    retire(deadline);
    for (step_key& k : passed) {
      k.closes = deadline;
      keys_.push_back(std::move(k));
    }
    keys_.push_back(std::move(target));
    const std::uint64_t current = newest().generation;
    std::erase_if(keys_, [&](const step_key& k) { return k.generation == current && step - k.step > kept; });
    base_ = std::move(base);
    guard.keep();
    return {};
  }

  [[nodiscard]] result<step_key> key_of(std::uint64_t step, const base_key& base) const {
    CONCLAVE_TRY(const auto kid, layout_.encode(newest().generation, step));
    CONCLAVE_TRY(const sframe_secret secret, extract<P>(suite_, base));
    CONCLAVE_TRY(auto key, frame_key<P>::make(suite_, kid, secret));
    return step_key{newest().generation, step, std::move(key)};
  }

  cipher_suite suite_;
  sender_kid_layout layout_;
  std::size_t tag_size_;
  std::vector<step_key> keys_;  // oldest first
  base_key base_;               // of the newest
  std::uint64_t first_step_ = 0;
  std::uint64_t failures_ahead_ = 0;
};

}  // namespace conclave::sframe

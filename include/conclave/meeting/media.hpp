// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Sending and receiving frames of a meeting. Both follow the meeting's epochs by themselves.
#pragma once

#include <conclave/meeting/media_keys.hpp>
#include <conclave/sframe/opener.hpp>
#include <conclave/sframe/sealer.hpp>

namespace conclave::inline CONCLAVE_ABI {

namespace rules {
inline constexpr rule fresh_epoch{"frames may have been sealed in this epoch before a crash: refresh() first",
                                  "meeting/media.hpp"};
}  // namespace rules

// however far behind a receiver is within these bounds, no key id means two epochs to it
static_assert(limits::sframe_open_epochs + limits::sframe_early_epochs < (1U << limits::sframe_epoch_bits_least));

/// sealed_size(n): a buffer of this size holds any sealed frame of n bytes.
[[nodiscard]] constexpr std::size_t sealed_size(std::size_t n) noexcept { return sframe::sealed_size(n); }

/// basic_media_sender<P>: the one sender of one stream. Move-only; it owns the stream's counter. Threads: one at a
/// time, not necessarily the meeting's. Lifetime: independent of the meeting; it stops when the member leaves, or the
/// meeting object ends.
template <class P>
class basic_media_sender {
  static_assert(crypto_provider<P>);

 public:
  /// open(keys, stream): Errors: misuse (the stream has a sender), over_limit (stream number), refused (not in the
  /// meeting, or not in an epoch that is fresh).
  [[nodiscard]] static result<basic_media_sender> open(std::shared_ptr<media_keys> keys, std::uint32_t stream) {
    CONCLAVE_TRY(const auto mark, keys->claim(stream));
    basic_media_sender out(std::move(keys), stream, mark);
    CONCLAVE_CHECK(out.follow());
    return out;
  }

  basic_media_sender(basic_media_sender&&) noexcept = default;
  basic_media_sender& operator=(basic_media_sender&& other) noexcept {
    if (this != &other) {
      release();
      keys_ = std::move(other.keys_);
      stream_ = other.stream_;
      mark_ = other.mark_;
      version_ = other.version_;
      sealer_ = std::move(other.sealer_);
    }
    return *this;
  }
  ~basic_media_sender() { release(); }

  /// seal(frame, metadata, out): the part of `out` that was written. The newest epoch's key is used. metadata is
  /// authenticated and not sent: only what no relay rewrites. Errors: refused after the member left; no_space,
  /// exhausted, over_limit, misuse as sframe::sealer::seal. No lock and no allocation of its own while the epoch stays
  /// the same.
  [[nodiscard]] result<byte_span> seal(byte_view frame, byte_view metadata, byte_span out) {
    if (!keys_) return errc::misuse;
    if (keys_->version() != version_) CONCLAVE_CHECK(follow());
    if (!sealer_) return errc::refused;
    return sealer_->seal(frame, metadata, out);
  }

  /// header_size(): where a frame lies in `out` to be sealed in place.
  [[nodiscard]] std::size_t header_size() const noexcept { return sealer_ ? sealer_->header_size() : 0; }
  /// epoch(): the epoch the last frame was sealed in.
  [[nodiscard]] std::uint64_t epoch() const noexcept { return mark_.epoch; }

 private:
  basic_media_sender(std::shared_ptr<media_keys> keys, std::uint32_t stream,
                     const media_keys::counter_mark& mark) noexcept
      : keys_{std::move(keys)}, stream_{stream}, mark_{mark} {}

  /// Moves to the newest epoch. Within one epoch the counter goes on from where any earlier sender stopped.
  [[nodiscard]] status follow() {
    const std::uint64_t version = keys_->version();
    const auto now = keys_->current();
    if (!now) {
      remember();
      sealer_.reset();
      version_ = version;
      return errc::refused;
    }
    if (!now->fresh) return failure{errc::refused, rules::fresh_epoch};  // and so no sender has been opened
    const auto& p = now->parameters;
    if (!sealer_ || mark_.epoch != p.epoch) {
      CONCLAVE_TRY(const auto layout, sframe::kid_layout::make(keys_->epoch_bits(), p.leaves));
      CONCLAVE_TRY(const auto kid, layout.encode(p.epoch, p.own_index, stream_));
      const std::uint64_t first = mark_.epoch == p.epoch ? mark_.counter : 0;
      CONCLAVE_TRY(auto next, sframe::sealer<P>::make(p.suite, kid, now->base, first));
      sealer_ = std::move(next);
      mark_ = {p.epoch, first};
    }
    version_ = version;
    return {};
  }

  void remember() noexcept {
    if (sealer_) mark_.counter = sealer_->counter();
  }
  void release() noexcept {
    remember();
    if (keys_) keys_->release(stream_, mark_);
    keys_.reset();
  }

  std::shared_ptr<media_keys> keys_;
  std::uint32_t stream_ = 0;
  media_keys::counter_mark mark_;
  std::uint64_t version_ = 0;
  std::optional<sframe::sealer<P>> sealer_;
};

/// basic_media_receiver<P>: opens the frames of all members. Threads: one at a time, not necessarily the meeting's;
/// several receivers of one meeting each keep their own replay windows. Lifetime: independent of the meeting; `env`
/// outlives it.
template <class P>
class basic_media_receiver {
  static_assert(crypto_provider<P>);

 public:
  [[nodiscard]] static result<basic_media_receiver> open(environment& env, std::shared_ptr<media_keys> keys) {
    CONCLAVE_TRY(auto opener, sframe::opener<P>::make(keys->epoch_bits()));
    basic_media_receiver out(env, std::move(keys), std::move(opener));
    CONCLAVE_CHECK(out.take_up(env.steady()));
    return out;
  }

  /// follow(): takes up the epochs that the meeting has reached and wipes the keys of those that have closed, as every
  /// call of open() does by itself: for a thread that has nothing to open just now. The newest epoch's number. Errors:
  /// those of sframe::opener::add_epoch.
  [[nodiscard]] result<std::uint64_t> follow() {
    CONCLAVE_CHECK(keep_up(env_->steady()));
    return newest_.value_or(0);
  }

  /// open(frame, metadata, out): what it proves is that a member of got.epoch sealed the frame; got.sender is that
  /// member's claim (RFC 9605 has no per-sender authentication). Errors: early (the frame overtook a commit: keep it,
  /// see early_frames), stale_epoch, unknown_key, unauthentic, replayed, malformed, no_space, over_limit, misuse, as
  /// sframe::opener::open.
  [[nodiscard]] result<sframe::opened> open(byte_view frame, byte_view metadata, byte_span out) {
    const steady_time now = env_->steady();
    CONCLAVE_CHECK(keep_up(now));
    return opener_.open(frame, metadata, out, now);
  }

  /// open_many(frames): request.got = open(frame, metadata, out) for every request, in order; cheaper than one by one
  /// where many people speak. No output overlaps anything of another request. Errors of its own: where following an
  /// epoch failed, none was opened.
  [[nodiscard]] status open_many(std::span<sframe::open_request> frames) {
    const steady_time now = env_->steady();
    CONCLAVE_CHECK(keep_up(now));
    opener_.open_many(frames, now);
    return {};
  }

 private:
  basic_media_receiver(environment& env, std::shared_ptr<media_keys> keys, sframe::opener<P>&& opener)
      : env_{&env}, keys_{std::move(keys)}, opener_{std::move(opener)} {}

  /// New epochs come in and old ones close, without a lock where nothing has changed.
  [[nodiscard]] status keep_up(steady_time now) {
    if (keys_->version() != version_) CONCLAVE_CHECK(take_up(now));
    if (now >= purge_at_) close_old(now);
    return {};
  }

  void close_old(steady_time now) {
    purge_at_ = opener_.purge(now);
    keys_->forget(now);
  }

  [[nodiscard]] status take_up(steady_time now) {
    const std::uint64_t version = keys_->version();
    for (const auto& next : keys_->after(newest_)) {
      CONCLAVE_CHECK(opener_.add_epoch(next->parameters, next->base));
      newest_ = next->parameters.epoch;
      opener_.retire_before(*newest_, next->began + next->overlap);
    }
    if (keys_->closed()) opener_.end(now + limits::sframe_overlap);
    close_old(now);
    version_ = version;
    return {};
  }

  environment* env_;
  std::shared_ptr<media_keys> keys_;
  sframe::opener<P> opener_;
  std::uint64_t version_ = 0;
  std::optional<std::uint64_t> newest_;
  steady_time purge_at_ = steady_time::max();
};

}  // namespace conclave

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// media_keys: how epochs travel from the thread that speaks MLS to the threads that seal and open frames.
#pragma once

#include <conclave/environment.hpp>
#include <conclave/sframe/epochs.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace conclave::inline CONCLAVE_ABI {

/// media_epoch: what media needs of one epoch. Immutable once published.
struct media_epoch {
  sframe::epoch_parameters parameters;
  sframe::base_key base;
  std::chrono::milliseconds overlap;  ///< how long frames of older epochs open from `began` on
  steady_time began;
  bool fresh = true;  ///< no life of this member before a crash can have sealed in it; only then it seals
};

/// media_keys: shared by a meeting with its senders and receivers. Threads: every function from any thread; version()
/// takes no lock and is what a media thread looks at for every frame.
class media_keys {
 public:
  using epoch_ptr = std::shared_ptr<const media_epoch>;

  /// media_keys(E): of RFC 9605 5.2, the same in all epochs of a meeting.
  explicit media_keys(unsigned epoch_bits = limits::sframe_epoch_bits) noexcept : epoch_bits_{epoch_bits} {}
  [[nodiscard]] unsigned epoch_bits() const noexcept { return epoch_bits_; }

  [[nodiscard]] std::uint64_t version() const noexcept { return version_.load(std::memory_order_acquire); }

  /// publish(epoch): media moves to this epoch. Epochs whose overlap is over are forgotten, and the oldest one from
  /// limits::sframe_open_epochs on.
  void publish(media_epoch&& next) {
    auto shared = std::make_shared<const media_epoch>(std::move(next));
    const std::scoped_lock lock(mutex_);
    erase_over(shared->began);
    if (epochs_.size() == limits::sframe_open_epochs) epochs_.erase(epochs_.begin());
    epochs_.push_back(std::move(shared));
    version_.fetch_add(1, std::memory_order_release);
  }

  /// forget(now): forgets the epochs whose overlap is over, with their keys. Receivers do so when theirs close.
  void forget(steady_time now) noexcept {
    const std::scoped_lock lock(mutex_);
    erase_over(now);
  }

  /// close(): this member has left; nothing is sealed or newly learned any more, and receivers forget what they have.
  void close() noexcept {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
    epochs_.clear();
    version_.fetch_add(1, std::memory_order_release);
  }

  /// closed(): true after close(), for good.
  [[nodiscard]] bool closed() const {
    const std::scoped_lock lock(mutex_);
    return closed_;
  }

  /// current(): the newest epoch; empty after close().
  [[nodiscard]] epoch_ptr current() const {
    const std::scoped_lock lock(mutex_);
    return epochs_.empty() ? nullptr : epochs_.back();
  }

  /// after(epoch): the epochs published after this one, oldest first; all of them for no epoch.
  [[nodiscard]] std::vector<epoch_ptr> after(std::optional<std::uint64_t> epoch) const {
    const std::scoped_lock lock(mutex_);
    std::vector<epoch_ptr> out;
    for (const epoch_ptr& e : epochs_)
      if (!epoch || e->parameters.epoch > *epoch) out.push_back(e);
    return out;
  }

  // ---- who may seal ----------------------------------------------------------------------------------------------

  /// counter_mark: the first counter that is unused in an epoch.
  struct counter_mark {
    std::uint64_t epoch = 0;
    std::uint64_t counter = 0;
  };

  /// claim(stream): the right to be the one sender of a stream, and where its counters stand. misuse where another
  /// sender is alive, over_limit from limits::streams on.
  [[nodiscard]] result<counter_mark> claim(std::uint32_t stream) {
    if (stream >= limits::streams) return errc::over_limit;
    const std::scoped_lock lock(mutex_);
    stream_state& s = streams_[stream];
    if (s.claimed) return errc::misuse;
    s.claimed = true;
    return s.mark;
  }
  /// release(stream, mark): the sender is gone; its counters stay used.
  void release(std::uint32_t stream, const counter_mark& mark) noexcept {
    const std::scoped_lock lock(mutex_);
    const auto at = streams_.find(stream);  // claim() made the entry
    if (at != streams_.end()) at->second = {mark, false};
  }

 private:
  struct stream_state {
    counter_mark mark;
    bool claimed = false;
  };

  /// An epoch is over when a newer one has begun and its overlap has passed, whatever lies in between: a removal closes
  /// all epochs before it.
  void erase_over(steady_time now) noexcept {
    for (std::size_t i = epochs_.size(); i-- > 1;) {
      if (epochs_[i]->began + epochs_[i]->overlap > now) continue;
      epochs_.erase(epochs_.begin(), epochs_.begin() + static_cast<std::ptrdiff_t>(i));
      return;
    }
  }

  unsigned epoch_bits_;
  mutable std::mutex mutex_;
  std::atomic<std::uint64_t> version_{0};
  std::vector<epoch_ptr> epochs_;  // oldest first
  bool closed_ = false;
  std::unordered_map<std::uint32_t, stream_state> streams_;
};

/// live_media_keys: a meeting's hold on its keys: where the meeting ends, nothing is sealed for it any more. Move-only.
class live_media_keys {
 public:
  explicit live_media_keys(unsigned epoch_bits) : keys_{std::make_shared<media_keys>(epoch_bits)} {}
  live_media_keys(live_media_keys&&) noexcept = default;
  live_media_keys& operator=(live_media_keys&& other) noexcept {
    if (this != &other) {
      if (keys_) keys_->close();
      keys_ = std::move(other.keys_);
    }
    return *this;
  }
  ~live_media_keys() {
    if (keys_) keys_->close();
  }

  [[nodiscard]] media_keys* operator->() const noexcept { return keys_.get(); }
  [[nodiscard]] const std::shared_ptr<media_keys>& shared() const noexcept { return keys_; }

 private:
  std::shared_ptr<media_keys> keys_;
};

}  // namespace conclave

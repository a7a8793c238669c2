// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// early_frames: a place to wait for frames that overtook the Commit of their epoch.
#pragma once

#include <conclave/meeting/media.hpp>

#include <list>
#include <map>

namespace conclave::inline CONCLAVE_ABI {

/// early_frames: frames that a receiver called errc::early, until it can open them. One belongs beside each receiver.
/// Bounds: limits::early_bytes, early_frames and early_age.
///
/// Nothing that waits here is authentic, so everybody whom the transport lets through can fill the place. It is shared
/// by source, a number by which the host tells where a packet came from: the relayed stream (SSRC) it subscribed to,
/// or the connection. Where there is no room, the newest frame of the source that takes up most gives way. So with k
/// sources waiting, one that stays below a k-th of the place loses nothing, whatever the others send; a flood
/// displaces itself. That holds as far as sources cannot be made up: no field of the frame is fit for one, the key id
/// least of all, since every member can write any other's.
///
/// Threads: one at a time, the receiver's.
class early_frames {
 public:
  /// keep(source, frame, metadata, now): copies a frame that is early. Errors: over_limit where there is no room for
  /// it.
  [[nodiscard]] status keep(std::uint64_t source, byte_view frame, byte_view metadata, steady_time now) {
    expire(now);
    const std::size_t wanted = cost_of(frame.size() + metadata.size());
    while (cost_ + wanted > limits::early_bytes) {
      const auto largest = std::ranges::max_element(costs_, {}, [](const auto& held) noexcept { return held.second; });
      const std::size_t most = largest == costs_.end() ? 0 : largest->second;
      const auto own = costs_.find(source);
      const std::size_t after = wanted + (own == costs_.end() ? 0 : own->second);
      if (after >= most) {
        ++dropped_;
        return errc::over_limit;
      }
      drop_newest_of(largest->first);
    }
    // what needs memory comes first, or what is counted would be more or less than what is here
    std::list<entry> kept;
    kept.push_back({source, now, frame.size(), {}});
    kept.front().bytes.reserve(frame.size() + metadata.size());
    kept.front().bytes.insert(kept.front().bytes.end(), frame.begin(), frame.end());
    kept.front().bytes.insert(kept.front().bytes.end(), metadata.begin(), metadata.end());
    costs_.try_emplace(source, 0).first->second += wanted;
    frames_.splice(frames_.end(), kept);
    cost_ += wanted;
    return {};
  }

  /// retry(ear, now, use): where new epochs have come since, opens what they open, in the order of arrival, with
  /// use(source, const sframe::opened&) for each; the plaintext lives until `use` returns. Frames that are early still
  /// go on waiting, those that do not open are gone. Call it when the meeting has received a commit, before later
  /// frames are opened, and now and then, because what waits gets old. Returns how many were opened. Errors: as
  /// follow() of the receiver; nothing has changed then.
  template <class Ear, class Use>
  [[nodiscard]] result<std::size_t> retry(Ear& ear, steady_time now, Use&& use) {
    expire(now);
    CONCLAVE_TRY(const std::uint64_t epoch, ear.follow());
    if (epoch == tried_) return std::size_t{0};
    std::size_t opened = 0;
    for (auto at = frames_.begin(); at != frames_.end();) {
      const byte_span frame = byte_span{at->bytes}.first(at->frame_size);
      const byte_view metadata = byte_view{at->bytes}.subspan(at->frame_size);
      const auto head = sframe::header::decode(frame);
      const auto got = ear.open(frame, metadata, head ? frame.subspan(head->size()) : byte_span{});
      const auto next = std::next(at);
      if (got || got.error() != errc::early) {
        std::list<entry> done;
        done.splice(done.begin(), frames_, at);
        give_back(done.front());
        if (got) {
          ++opened;
          use(done.front().source, *got);
        }
      }
      at = next;
    }
    tried_ = epoch;
    return opened;
  }

  [[nodiscard]] std::size_t size() const noexcept { return frames_.size(); }
  /// dropped(): frames that found no room, lost it to another source, or waited in vain.
  [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }

 private:
  struct entry {
    std::uint64_t source;
    steady_time arrived;
    std::size_t frame_size;
    secret_bytes bytes;  // the frame, then its metadata; the frame is opened in place
  };

  /// A frame takes up its size, and at least so much that no more than limits::early_frames have room.
  [[nodiscard]] static constexpr std::size_t cost_of(std::size_t size) noexcept {
    return std::max(size, limits::early_bytes / limits::early_frames);
  }

  void expire(steady_time now) {
    while (!frames_.empty() && frames_.front().arrived + limits::early_age <= now) {
      give_back(frames_.front());
      frames_.pop_front();
      ++dropped_;
    }
  }

  void drop_newest_of(std::uint64_t source) {
    const auto newest = std::ranges::find(frames_.rbegin(), frames_.rend(), source, &entry::source);
    give_back(*newest);
    frames_.erase(std::next(newest).base());
    ++dropped_;
  }

  void give_back(const entry& gone) {
    const std::size_t cost = cost_of(gone.bytes.size());
    const auto held = costs_.find(gone.source);
    held->second -= cost;
    if (held->second == 0) costs_.erase(held);
    cost_ -= cost;
  }

  std::list<entry> frames_;                     // oldest first
  std::map<std::uint64_t, std::size_t> costs_;  // by source, of those that have frames here
  std::size_t cost_ = 0;
  std::uint64_t tried_ = 0;  // the newest epoch of the last retry
  std::uint64_t dropped_ = 0;
};

}  // namespace conclave

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Who may do what in a meeting, judged by what it was before a commit and is after, and not by the commit.
#pragma once

#include "oracle.hpp"

#include <conclave/meeting/meeting.hpp>

#include <map>

namespace conclave_fuzz {

using namespace conclave;

/// facts: a meeting between two commits, as far as rights depend on it.
struct facts {
  bytes encoded;  // the parameters
  std::map<mls::leaf_index, bytes> keys;

  explicit facts(const meeting& room) {
    encoded = wire::encode(room.parameters());
    room.tree().for_each_leaf([&](mls::leaf_index i) { keys[i] = to_bytes(room.tree().leaf(i)->signature_key); });
  }
  [[nodiscard]] meeting_parameters parameters() const { return *meeting_parameters::decode(encoded); }
  [[nodiscard]] role of(mls::leaf_index i) const {
    return keys.contains(i) ? parameters().role_of(keys.at(i)) : role{};
  }
  [[nodiscard]] bool hosted() const {
    return std::ranges::any_of(keys, [&](const auto& seat) { return of(seat.first) == role::host; });
  }
};

/// judge(before, room, effect, most, leaving): what became of a meeting, as `room` sees it, by a commit in which nobody of
/// more than role `most` had a hand; `leaving` had asked to go.
inline void judge(const facts& before, const meeting& room, const mls::epoch_change& effect, role most,
                  std::span<const mls::leaf_index> leaving) {
  const bool from_outside = std::ranges::find(effect.added, *effect.committer) != effect.added.end();
  const meeting_parameters p = before.parameters();
  std::optional<bytes> came_back;
  for (const mls::leaf_index gone : effect.removed) {
    if (from_outside) {
      came_back = before.keys.at(gone);
      require(p.door <= door::locked, "somebody came back through a sealed door");
      continue;
    }
    if (std::ranges::find(leaving, gone) != leaving.end()) continue;
    require(most >= p.removes && before.of(gone) <= most, "somebody was removed without the right to");
  }
  if (!room.active()) return;
  const facts after(room);
  const meeting_parameters q = after.parameters();
  require(after.hosted(), "nobody who is in is a host any more");
  for (const mls::leaf_index is_new : effect.added) {
    if (from_outside && came_back) {
      require(after.keys.at(is_new) == *came_back, "somebody came back as somebody else");
      require(q.role_of(*came_back) == p.role_of(*came_back), "who came back has another role");
      continue;
    }
    require(from_outside ? p.door == door::open : p.door <= door::lobby, "somebody came in through a closed door");
    require(from_outside || most >= p.admits, "somebody was brought in without the right to");
    require(after.of(is_new) == role::participant, "somebody came in with a role");
  }
  require(effect.added.size() <= effect.removed.size() || room.size() <= p.capacity, "more than there is room for");
  require(p.media == q.media && p.epoch_bits == q.epoch_bits, "media is another one");
  if (most == role::host) return;
  require(p.version == q.version && p.capacity == q.capacity && p.admits == q.admits && p.removes == q.removes &&
              p.locks == q.locks && p.code_bits == q.code_bits,
          "the meeting was changed without the right to");
  require(p.door == q.door || most >= p.locks, "the door was moved without the right to");
  for (const auto& [leaf, key] : after.keys)
    if (before.keys.contains(leaf) && before.keys.at(leaf) == key)
      require(p.role_of(key) == q.role_of(key), "a role was changed without the right to");
}

}  // namespace conclave_fuzz

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Coming back to a meeting that one remembers: whether an entrance leads on from there, and who came and went meanwhile.
#pragma once

#include <conclave/meeting/events.hpp>
#include <conclave/mls/group.hpp>

namespace conclave::inline CONCLAVE_ABI {

namespace rules {
inline constexpr rule leads_on{"this leads to an epoch that is over here", "meeting/coming_back.hpp"};
inline constexpr rule same_course{"the entrance is of this epoch, and of another course of the meeting",
                                  "meeting/coming_back.hpp"};
inline constexpr rule shown_by_member{"the entrance is signed by nobody who is a member here",
                                      "meeting/coming_back.hpp"};
}  // namespace rules

/// same_client(a, b): the same key, under the same credential.
[[nodiscard]] inline bool same_client(const mls::client& a, const mls::client& b) {
  return equal(a.signer.public_view(), b.signer.public_view()) && a.credential_type == b.credential_type &&
         equal(a.credential, b.credential);
}

/// signer_of(info): the signature key of who has signed a GroupInfo, by the tree in it; nothing is verified. Errors:
/// malformed, refused (no tree, no such leaf).
[[nodiscard]] inline result<byte_view> signer_of(const mls::group_info& info) {
  CONCLAVE_TRY(const auto items, mls::tree_items(info));
  if (!items) return failure{errc::refused, mls::rules::tree_available};
  CONCLAVE_TRY(const auto nodes, wire::list<std::optional<mls::node>>::check(*items));
  std::uint64_t at = 0;
  for (const std::optional<mls::node> n : nodes)
    if (at++ == std::uint64_t{2} * number(info.signer) && n) {
      CONCLAVE_TRY(const auto leaf, wire::decode<mls::located_leaf>(n->content));
      return leaf->signature_key;
    }
  return failure{errc::refused, mls::rules::sender_is_member};
}

/// leads_on(group, entrance): an external Commit by this GroupInfo, which joining verifies, goes on from where the group
/// is, as far as its member can know: who was removed here has not made it. Errors: unknown_key (another group),
/// stale_epoch (an epoch before), refused (another course of the same epoch; a signer who is no member), malformed.
template <crypto_provider P>
[[nodiscard]] status leads_on(const mls::basic_group<P>& group, byte_view entrance) {
  CONCLAVE_TRY(const auto received, mls::message::decode(entrance));
  if (received.format != mls::wire_format::group_info) return failure{errc::misuse, mls::rules::known_wire_format};
  const mls::group_info& info = received.group_info.value;
  if (!equal(info.context.group_id, group.group_id())) return failure{errc::unknown_key, mls::rules::known_group};
  if (info.context.epoch < group.epoch_number()) return failure{errc::stale_epoch, rules::leads_on};
  if (info.context.epoch == group.epoch_number() && !equal(wire::encode(info.context), group.group_context()))
    return failure{errc::refused, rules::same_course};
  CONCLAVE_TRY(const byte_view signer, signer_of(info));
  if (!group.tree().find_member(signer)) return failure{errc::refused, rules::shown_by_member};
  return {};
}

/// meanwhile: what became of the people of a meeting while one of them was lost. Who is who, the signature keys say: who
/// has another one has left, and somebody has joined.
struct meanwhile {
  std::vector<meeting_event> news;       ///< left, joined and identity_changed
  std::vector<mls::leaf_index> vacated;  ///< places of before, whose owners have none now, or another one
  attendance::entries stayed;            ///< those who were there before, in their places now

  /// between(before, known, after, present, epoch): two trees, and what was seen of the people in each.
  template <crypto_provider P>
  [[nodiscard]] static meanwhile between(const mls::ratchet_tree<P>& before, const attendance& known,
                                         const mls::ratchet_tree<P>& after, const attendance& present,
                                         std::uint64_t epoch) {
    using enum meeting_event::kind;
    meanwhile out;
    before.for_each_leaf([&](mls::leaf_index leaf) {
      const auto now = after.find_member(before.signature_key(leaf));
      const auto* who = known.find(leaf);
      if (now != leaf) out.vacated.push_back(leaf);
      if (!now && who != nullptr) out.news.push_back({left, epoch, leaf, who->name, who->identity, {}});
    });
    after.for_each_leaf([&](mls::leaf_index leaf) {
      const auto then = before.find_member(after.signature_key(leaf));
      const auto* earlier = then ? known.find(*then) : nullptr;
      const auto* who = present.find(leaf);
      if (who == nullptr) return;
      if (earlier == nullptr) {
        out.news.push_back({joined, epoch, leaf, who->name, who->identity, {}});
        return;
      }
      if (earlier->identity != who->identity || !(before.leaf(*then)->credential == after.leaf(leaf)->credential))
        out.news.push_back({identity_changed, epoch, leaf, who->name, who->identity, {}});
      out.stayed.insert_or_assign(leaf, attendance::entry{earlier->since, who->name, who->identity});
    });
    return out;
  }
};

}  // namespace conclave

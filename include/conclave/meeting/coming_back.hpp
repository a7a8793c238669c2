// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Coming back to a meeting that one remembers: whether an entrance leads on from there, and who came and went meanwhile.
#pragma once

#include <conclave/mls/group.hpp>

namespace conclave::inline CONCLAVE_ABI {

namespace rules {
inline constexpr rule leads_on{"this leads to an epoch that is over here", "meeting/coming_back.hpp"};
inline constexpr rule same_course{"the entrance is of this epoch, and of another course of the meeting",
                                  "meeting/coming_back.hpp"};
inline constexpr rule shown_by_member{"the entrance is signed by nobody who is a member here",
                                      "meeting/coming_back.hpp"};
}  // namespace rules

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

}  // namespace conclave

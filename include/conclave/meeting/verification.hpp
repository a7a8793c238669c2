// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// verification_epoch: an epoch of MLS as a spoken verification sees it.
#pragma once

#include <conclave/mls/group.hpp>
#include <conclave/sas/verification.hpp>

namespace conclave::inline CONCLAVE_ABI {

/// verification_epoch(group): what sas::basic_verification::enter_epoch() wants to know. misuse for a group that is over.
template <crypto_provider P>
[[nodiscard]] result<sas::epoch_view> verification_epoch(const mls::basic_group<P>& group) {
  if (!group.active()) return errc::misuse;
  CONCLAVE_TRY(const auto context, wire::decode<mls::group_context>(group.group_context()));
  sas::view v{context.group_id,
              context.epoch,
              static_cast<std::uint16_t>(context.suite),
              context.tree_hash,
              context.confirmed_transcript_hash,
              group.authenticator().reveal()};
  std::vector<sas::member> members;
  members.reserve(group.tree().member_count());
  group.tree().for_each_leaf([&](mls::leaf_index i) {
    const auto leaf = group.tree().leaf(i);
    const auto& who = leaf->credential;
    members.push_back({number(i), leaf->signature_key, static_cast<std::uint16_t>(who.type), who.data});
  });
  const hash_id hash = group.suite().hash_algorithm();
  return sas::epoch_view{context.epoch, hash, number(group.own_leaf()), sas::view_hash<P>(hash, v),
                         sas::members_hash<P>(hash, members)};
}

}  // namespace conclave

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// When a validator is asked, and what becomes of its verdicts (RFC 9420, section 5.3.1): strict for whom this member
/// brings in, shown and no more for what others commit.
#pragma once

#include <conclave/mls/group_policy.hpp>
#include <conclave/mls/public_epoch.hpp>
#include <conclave/mls/sender_rules.hpp>

namespace conclave::inline CONCLAVE_ABI::mls {

/// present(scheme, credential, key): as a validator sees it. Points into the credential.
[[nodiscard]] inline presented_identity present(signature_scheme scheme, const credential& shown, byte_view key) {
  presented_identity out{shown.type, shown.data, {}, key, scheme};
  if (shown.type == credential_type::x509)
    if (const auto chain = wire::list<byte_view>::check(shown.data))
      for (const byte_view certificate : *chain) out.certificates.push_back(certificate);
  return out;
}

/// judge: a validator and the time it is asked at. Without a validator everybody is unverified.
class judge {
 public:
  judge(identity_validator* validator, signature_scheme scheme, unix_time now) noexcept
      : validator_{validator}, scheme_{scheme}, now_{now} {}

  [[nodiscard]] identity_state member(const leaf_node& who) const {
    if (validator_ == nullptr) return identity_state::unverified;
    return validator_->member(present(scheme_, who.credential, who.signature_key), now_);
  }
  /// successor(before, after): nothing where a leaf presents what it has presented before.
  [[nodiscard]] std::optional<identity_state> successor(const leaf_node& before, const leaf_node& after) const {
    if (before.credential == after.credential && equal(before.signature_key, after.signature_key)) return std::nullopt;
    if (validator_ == nullptr) return identity_state::unverified;
    return validator_->successor(present(scheme_, before.credential, before.signature_key),
                                 present(scheme_, after.credential, after.signature_key), now_);
  }
  /// external_senders(before, after): each of a list of external senders that is new, in its order; none where it is
  /// the same as before. Errors: malformed.
  [[nodiscard]] result<std::vector<identity_state>> external_senders(const extension_list& before,
                                                                     const extension_list& after) const {
    std::vector<identity_state> out;
    const auto old_list = find(before, extension_type::external_senders);
    const auto new_list = find(after, extension_type::external_senders);
    if (!new_list || (old_list && equal(*old_list, *new_list))) return out;
    CONCLAVE_TRY(const auto senders, wire::decode<wire::list<external_sender>>(*new_list));
    for (const external_sender s : senders)
      out.push_back(validator_ == nullptr
                        ? identity_state::unverified
                        : validator_->external_sender(present(scheme_, s.credential, s.signature_key), now_));
    return out;
  }

 private:
  identity_validator* validator_;
  signature_scheme scheme_;
  unix_time now_;
};

/// judge_of(policy, epoch, now): this member's, for this group.
template <crypto_provider P>
[[nodiscard]] judge judge_of(const group_policy& policy, const public_epoch<P>& e, unix_time now) noexcept {
  return {policy.identities, e.suite().signature(), now};
}

/// identity_brought_by(judge, epoch, proposal, sender): the state of what a valid proposal would introduce, at the
/// worst; nothing where it introduces no credential.
template <crypto_provider P>
[[nodiscard]] std::optional<identity_state> identity_brought_by(const judge& j, const public_epoch<P>& e,
                                                                const proposal& p, const sender& from) {
  switch (p.type) {
    case proposal_type::add: return j.member(p.add->leaf.value);
    case proposal_type::update: return j.successor(e.tree.leaf(leaf_index{from.index}).value, p.update.value);
    case proposal_type::group_context_extensions: {
      const auto states = j.external_senders(e.extension_items(), p.group_context_extensions);
      if (!states || states->empty()) return std::nullopt;  // a list that does not decode entitles nobody
      return std::ranges::min(*states);
    }
    default: return std::nullopt;
  }
}

/// admit(policy, epoch, proposal, now): this member may bring in what the proposal does. Updates are not its to refuse.
/// Errors: refused.
template <crypto_provider P>
[[nodiscard]] status admit(const group_policy& policy, const public_epoch<P>& e, const proposal& p, unix_time now) {
  if (p.type == proposal_type::update) return {};
  if (p.type == proposal_type::add && !p.add->leaf->lifetime.lasts_at_most(policy.admits_lifetime))
    return failure{errc::refused, rules::lifetime_not_too_long};
  const auto state = identity_brought_by(judge_of(policy, e, now), e, p, {});
  if (state && *state < policy.admits) return failure{errc::refused, rules::identity_admitted};
  return {};
}

/// judge_change(judge, before, after, change): fills in what a commit did to identities.
template <crypto_provider P>
void judge_change(const judge& j, const public_epoch<P>& before, const public_epoch<P>& after, epoch_change& change) {
  for (const leaf_index i : change.added) change.identities.push_back({i, j.member(after.tree.leaf(i).value)});
  const auto renewed = [&](leaf_index i) {
    if (const auto state = j.successor(before.tree.leaf(i).value, after.tree.leaf(i).value))
      change.identities.push_back({i, *state});
  };
  for (const leaf_index i : change.updated) renewed(i);
  const bool joined = std::ranges::find(change.added, *change.committer) != change.added.end();
  if (!joined) renewed(*change.committer);
  if (auto states = j.external_senders(before.extension_items(), after.extension_items()))
    change.external_senders = *std::move(states);
}

/// judge_members(judge, tree): everybody.
template <crypto_provider P>
[[nodiscard]] std::vector<judged_identity> judge_members(const judge& j, const ratchet_tree<P>& tree) {
  std::vector<judged_identity> out;
  out.reserve(tree.member_count());
  tree.for_each_leaf([&](leaf_index i) { out.push_back({i, j.member(tree.leaf(i).value)}); });
  return out;
}

}  // namespace conclave::mls

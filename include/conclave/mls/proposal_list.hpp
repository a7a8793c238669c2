// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Validating and applying the proposals of a commit (RFC 9420, sections 12.2 and 12.3).
#pragma once

#include <conclave/mls/group_policy.hpp>
#include <conclave/mls/public_epoch.hpp>
#include <conclave/mls/tree_validation.hpp>

#include <string>
#include <utility>

namespace conclave::inline CONCLAVE_ABI::mls {

/// applied_proposals: what a list did.
struct applied_proposals {
  std::vector<leaf_index> added;  ///< ascending, in the order of the Adds
  std::vector<leaf_index> updated;
  std::vector<leaf_index> removed;
  std::vector<pre_shared_key_id> psks;       ///< in order
  std::optional<extension_list> extensions;  ///< of a GroupContextExtensions
  std::optional<mls::reinit> reinit;
  std::optional<byte_view> external_init;  ///< kem_output
  bool path_required = false;
};

/// valid_proposal(epoch, proposal, sender, extensions, max_lifetime, signatures): one proposal on its own (RFC 9420
/// 12.1). Its signatures are added to the batch, which the caller verifies. `extensions` are those of the epoch to
/// come.
template <crypto_provider P>
[[nodiscard]] status valid_proposal(const public_epoch<P>& current, const proposal& p, const sender& from,
                                    const extension_list& extensions, std::chrono::seconds max_lifetime,
                                    signature_batch<P>& signatures) {
  const auto& s = current.suite();
  switch (p.type) {
    case proposal_type::add:
      CONCLAVE_CHECK(valid_key_package(s, p.add.value, extensions, max_lifetime));
      signatures.add_key_package(p.add);
      return {};
    case proposal_type::update: {
      if (from.type != sender_type::member) return failure{errc::refused, rules::update_sender};
      const leaf_index i{from.index};
      if (!current.tree.contains(i)) return failure{errc::refused, rules::sender_is_member};
      if (equal(p.update->encryption_key, current.tree.encryption_key(to_node(i))))
        return failure{errc::refused, rules::leaf_key_is_new};
      CONCLAVE_CHECK(valid_leaf(s, p.update.value, leaf_node_source::update, extensions, max_lifetime));
      signatures.add_leaf(p.update, current.group_id, i);
      return {};
    }
    case proposal_type::remove:
      if (!current.tree.contains(p.remove)) return failure{errc::refused, rules::remove_target};
      return {};
    case proposal_type::psk: {
      if (p.psk.psk_nonce.size() != s.nh()) return failure{errc::malformed, rules::psk_nonce_length};
      // reinit and branch belong to the commit by which a creator, still alone, sets up a successor group
      const bool setting_up = current.number == 0 && current.tree.member_count() == 1;
      if (p.psk.type == psk_type::resumption && p.psk.usage != resumption_psk_usage::application && !setting_up)
        return failure{errc::refused, rules::psk_usage};
      return {};
    }
    case proposal_type::reinit:
      if (p.reinit.version < protocol_version::mls10) return failure{errc::refused, rules::reinit_version};
      return valid_group_extensions(p.reinit.extensions);
    case proposal_type::external_init: return {};
    case proposal_type::group_context_extensions: return valid_group_extensions(p.group_context_extensions);
    case proposal_type::self_remove:
      if (from.type != sender_type::member) return failure{errc::refused, rules::self_remove_by_reference};
      if (!current.tree.contains(leaf_index{from.index})) return failure{errc::refused, rules::sender_is_member};
      return {};
  }
  return {};  // custom: the application's rules decide
}

/// facts_of: an epoch as the application's rules see it.
template <crypto_provider P>
class facts_of final : public group_facts {
 public:
  explicit facts_of(const public_epoch<P>& e) noexcept : epoch_{&e} {}
  [[nodiscard]] byte_view context() const override { return epoch_->context; }
  [[nodiscard]] std::size_t members() const override { return epoch_->tree.member_count(); }
  [[nodiscard]] std::optional<leaf_node> leaf(leaf_index i) const override {
    if (!epoch_->tree.contains(i)) return std::nullopt;
    return epoch_->tree.leaf(i).value;
  }
  [[nodiscard]] std::optional<leaf_index> find_member(byte_view signature_key) const override {
    return epoch_->tree.find_member(signature_key);
  }

 private:
  const public_epoch<P>* epoch_;
};

/// by_rules(verdict): what the application's rules say, with the rule they name, or the one that there are such rules.
[[nodiscard]] inline status by_rules(const status& verdict) {
  if (verdict || verdict.error().broken_rule() != nullptr) return verdict;
  return failure{verdict.error().code(), rules::commit_rules};
}

/// supported_by_remaining(tree, types, removed): every member that will process the commit supports these non-default
/// proposal types (RFC 9420 12.2). Looks at all members, but only where there is such a type.
template <crypto_provider P>
[[nodiscard]] status supported_by_remaining(const ratchet_tree<P>& tree, std::span<const proposal_type> types,
                                            std::span<const leaf_index> removed) {
  if (types.empty()) return {};
  std::vector<leaf_index> leaving(removed.begin(), removed.end());
  std::ranges::sort(leaving);
  bool all = true;
  tree.for_each_leaf([&](leaf_index i) {
    if (!all || std::ranges::binary_search(leaving, i)) return;
    const auto leaf = tree.leaf(i);
    all = std::ranges::all_of(types, [&](proposal_type t) { return leaf->capabilities.supports(t); });
  });
  if (!all) return failure{errc::refused, rules::proposal_supported_by_all};
  return {};
}

/// check_proposal(epoch, proposal, sender, policy): the same with its signatures and the application's rules, before it
/// is known in which commit it will stand.
template <crypto_provider P>
[[nodiscard]] status check_proposal(const public_epoch<P>& current, const proposal& p, const sender& from,
                                    const group_policy& policy) {
  if (policy.rules != nullptr)
    CONCLAVE_CHECK(by_rules(policy.rules->allow_proposal(facts_of<P>(current), {p, from, true})));
  signature_batch<P> signatures(current.suite());
  CONCLAVE_CHECK(valid_proposal(current, p, from, current.extension_items(), policy.max_lifetime, signatures));
  return signatures.verify(policy.workers);
}

/// valid_combination(list, committer): the rules of section 12.2 about the list as a whole that need no tree.
[[nodiscard]] inline status valid_combination(std::span<const listed_proposal> list, const sender& committer) {
  const bool external = committer.type == sender_type::new_member_commit;
  if (std::cmp_greater(std::ranges::count_if(list, &listed_proposal::counts), limits::commit_proposals))
    return errc::over_limit;
  std::vector<std::uint32_t> changed;   // sorted at the end: whoever commits chooses them, against a hash table too
  std::vector<std::string_view> added;  // signature keys: one Add by a thousand references is signed a thousand times
  std::vector<std::string> psk_ids;
  std::size_t group_context_extensions = 0, external_inits = 0, removes = 0;
  for (const auto& [p, from, by_reference] : list) {
    switch (p.type) {
      case proposal_type::update:
        if (from.type == committer.type && from.index == committer.index)
          return failure{errc::refused, rules::update_by_committer};
        changed.push_back(from.index);
        break;
      case proposal_type::remove:
        if (!external && number(p.remove) == committer.index) return failure{errc::refused, rules::removes_committer};
        changed.push_back(number(p.remove));
        ++removes;
        break;
      case proposal_type::psk:
        if (psk_ids.size() == limits::preshared_keys) return failure{errc::over_limit, rules::psk_count};
        psk_ids.emplace_back(as_text(wire::encode(p.psk)));
        break;
      case proposal_type::reinit:
        if (list.size() != 1) return failure{errc::refused, rules::reinit_alone};
        break;
      case proposal_type::group_context_extensions:
        if (++group_context_extensions > 1) return failure{errc::refused, rules::one_group_context_extensions};
        break;
      case proposal_type::external_init: ++external_inits; break;
      case proposal_type::add: added.push_back(as_text(p.add->leaf->signature_key)); break;
      case proposal_type::self_remove:
        if (!by_reference) return failure{errc::refused, rules::self_remove_by_reference};
        if (!external && from.index == committer.index) return failure{errc::refused, rules::removes_committer};
        changed.push_back(from.index);
        break;
    }
    const bool may_be_external = p.type == proposal_type::external_init || p.type == proposal_type::remove ||
                                 p.type == proposal_type::psk || p.type == proposal_type::self_remove;
    if (external && !may_be_external) return failure{errc::refused, rules::external_commit_proposals};
  }
  std::ranges::sort(changed);
  if (std::ranges::adjacent_find(changed) != changed.end()) return failure{errc::refused, rules::one_change_per_leaf};
  std::ranges::sort(added);
  if (std::ranges::adjacent_find(added) != added.end()) return failure{errc::refused, rules::unique_keys};
  std::ranges::sort(psk_ids);
  if (std::ranges::adjacent_find(psk_ids) != psk_ids.end()) return failure{errc::refused, rules::unique_psk_ids};
  if (!external && external_inits != 0) return failure{errc::refused, rules::no_external_init};
  if (external && (external_inits != 1 || removes > 1)) return failure{errc::refused, rules::external_commit_proposals};
  return {};
}

/// apply_proposals(epoch, commit, policy, tree): checks the list and applies it to `tree`, a copy of the epoch's tree,
/// in the order of RFC 9420 12.3. What involves the finished tree is left to valid_members.
/// Errors: refused, malformed, unauthentic, over_limit, each with its rule; `tree` is then to be dropped.
template <crypto_provider P>
[[nodiscard]] result<applied_proposals> apply_proposals(const public_epoch<P>& current, const commit_facts& commit,
                                                        const group_policy& policy, ratchet_tree<P>& tree) {
  const std::span<const listed_proposal> list = commit.proposals;
  CONCLAVE_CHECK(valid_combination(list, commit.committer));
  if (policy.rules != nullptr) CONCLAVE_CHECK(by_rules(policy.rules->allow(facts_of<P>(current), commit)));
  applied_proposals out;
  out.path_required = list.empty();
  for (const auto& [p, from, by_reference] : list)
    if (p.type == proposal_type::group_context_extensions) out.extensions = p.group_context_extensions;
  const extension_list extensions = out.extensions ? *out.extensions : current.extension_items();

  signature_batch<P> signatures(current.suite());
  std::vector<byte_view> added;
  std::vector<proposal_type> optional_types;
  for (const auto& [p, from, by_reference] : list) {
    if (!is_default(p.type)) optional_types.push_back(p.type);
    CONCLAVE_CHECK(valid_proposal(current, p, from, extensions, policy.max_lifetime, signatures));
    out.path_required = out.path_required || path_required(p.type);
    switch (p.type) {
      case proposal_type::add: added.push_back(p.add->leaf.encoded); break;
      case proposal_type::update: out.updated.push_back(leaf_index{from.index}); break;
      case proposal_type::remove: out.removed.push_back(p.remove); break;
      case proposal_type::psk: out.psks.push_back(p.psk); break;
      case proposal_type::reinit: out.reinit = p.reinit; break;
      case proposal_type::external_init: out.external_init = p.external_init; break;
      case proposal_type::group_context_extensions: break;
      case proposal_type::self_remove: out.removed.push_back(leaf_index{from.index}); break;
    }
  }
  std::ranges::sort(optional_types);
  optional_types.erase(std::unique(optional_types.begin(), optional_types.end()),
                       optional_types.end());  // asked of everybody
  CONCLAVE_CHECK(supported_by_remaining(current.tree, optional_types, out.removed));
  CONCLAVE_CHECK(signatures.verify(policy.workers));

  for (const auto& [p, from, by_reference] : list)
    if (p.type == proposal_type::update) tree.update_leaf(leaf_index{from.index}, p.update.encoded);
  for (const leaf_index i : out.removed) tree.remove_leaf(i);
  if (!out.removed.empty()) tree.truncate();
  CONCLAVE_TRY(out.added, tree.add_leaves(added));
  return out;
}

/// valid_members(before, after, changed, extensions): what RFC 9420 7.3 asks of leaves together: keys are unique, every
/// credential type is supported by all, and, where the GroupContext's extensions changed, everybody supports them.
template <crypto_provider P>
[[nodiscard]] status valid_members(const ratchet_tree<P>& before, const ratchet_tree<P>& after,
                                   std::span<const leaf_index> changed,
                                   const std::optional<extension_list>& new_extensions) {
  if (after.duplicate_keys() != 0) return failure{errc::refused, rules::unique_keys};
  for (const leaf_index i : changed) {
    const auto leaf = after.leaf(i);
    if (!after.all_credential_types([&](credential_type t) { return leaf->capabilities.supports(t); }))
      return failure{errc::refused, rules::credential_supported_by_all};
  }
  // types that were in use before are supported by the members of before; a new one needs a look at everybody, once
  const bool known_types =
      after.all_credential_types([&](credential_type t) { return before.credential_in_use(t) != 0; });
  if (known_types && !new_extensions) return {};
  status verdict;
  after.for_each_leaf([&](leaf_index i) {
    if (!verdict) return;
    const auto leaf = after.leaf(i);
    if (!after.all_credential_types([&](credential_type t) { return leaf->capabilities.supports(t); }))
      verdict = failure{errc::refused, rules::credential_supported_by_all};
    else if (new_extensions)
      verdict = supports_group(leaf->capabilities, *new_extensions);
  });
  return verdict;
}

}  // namespace conclave::mls

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What a Commit says to everybody who can read it, with secrets or without (RFC 9420, section 12.4.2).
#pragma once

#include <conclave/mls/proposal_list.hpp>
#include <conclave/mls/treekem.hpp>

namespace conclave::inline CONCLAVE_ABI::mls {

/// merge_received_path(next, update, committer, replaced_key): checks an UpdatePath against the tree that the proposals
/// left and merges it. `replaced_key` is the committer's encryption key so far, empty for an external commit. The
/// signature of a member's leaf was verified with that of the Commit.
template <crypto_provider P>
[[nodiscard]] status merge_received_path(public_epoch<P>& next, const update_path& update, leaf_index committer,
                                         byte_view replaced_key, std::span<const path_step> path,
                                         const extension_list& extensions, std::chrono::seconds max_lifetime) {
  const auto& s = next.suite();
  CONCLAVE_CHECK(valid_leaf(s, update.leaf.value, leaf_node_source::commit, extensions, max_lifetime));
  if (equal(update.leaf->encryption_key, replaced_key)) return failure{errc::refused, rules::leaf_key_is_new};
  if (update.nodes.size() != path.size()) return failure{errc::refused, rules::path_length};
  if (next.tree.has_encryption_key(update.leaf->encryption_key))
    return failure{errc::refused, rules::path_keys_are_new};

  std::vector<byte_view> keys;
  for (const update_path_node node : update.nodes) {
    if (!P::dh_check_public_key(s.hpke_suite().kem, node.encryption_key))
      return failure{errc::malformed, rules::valid_public_key};
    if (next.tree.has_encryption_key(node.encryption_key)) return failure{errc::refused, rules::path_keys_are_new};
    keys.push_back(node.encryption_key);
  }
  const digest expected = merge_path(next.tree, committer, path, keys);
  if (!equal(expected.view(), update.leaf->parent_hash)) return failure{errc::refused, rules::leaf_parent_hash};
  next.tree.set_leaf(committer, update.leaf.encoded);

  if (!replaced_key.empty()) return {};  // verify_content() has seen to it
  if (!s.verify_with_label(update.leaf->signature_key, "LeafNodeTBS",
                           leaf_node_tbs(update.leaf, next.group_id, committer), update.leaf->signature))
    return failure{errc::unauthentic, rules::leaf_signature};
  return {};
}

/// valid_ciphertexts(tree, path, update, added): each node of a merged UpdatePath has one ciphertext for each node that
/// is to learn its secret (RFC 9420 7.6).
template <crypto_provider P>
[[nodiscard]] status valid_ciphertexts(const ratchet_tree<P>& tree, std::span<const path_step> path,
                                       const update_path& update, std::span<const leaf_index> added) {
  auto step = path.begin();
  for (const update_path_node node : update.nodes)
    if (node.encrypted_path_secret.size() != path_resolution(tree, *step++, added).size())
      return failure{errc::refused, rules::ciphertext_per_resolution};
  return {};
}

/// change_of(next, applied, committer, external): what a commit did, as the owner of a group is told.
template <crypto_provider P>
[[nodiscard]] epoch_change change_of(const public_epoch<P>& next, applied_proposals&& applied, leaf_index committer,
                                     bool external) {
  epoch_change out;
  out.epoch = next.number;
  out.committer = committer;
  out.added = std::move(applied.added);
  out.updated = std::move(applied.updated);
  out.removed = std::move(applied.removed);
  if (external) out.added.push_back(committer);
  out.reinit = reinit_parameters::of(applied.reinit);
  return out;
}

/// followed_commit: the epoch that a commit leads to, but for its confirmation tag, and what leads to its secrets.
/// Points into the message.
template <crypto_provider P>
struct followed_commit {
  public_epoch<P> next;
  epoch_change change;
  std::vector<leaf_index> added;  ///< by Adds: they learn nothing from the path
  std::vector<path_step> path;
  std::vector<pre_shared_key_id> psks;
  std::optional<byte_view> external_init;
};

/// follow_commit(epoch, message, list, policy): verify_content() has approved `message`, of the current epoch; `list` are
/// its proposals in order, resolved. Errors: refused, malformed, unauthentic, over_limit, each with its rule; `current`
/// is never changed.
template <crypto_provider P>
[[nodiscard]] result<followed_commit<P>> follow_commit(const public_epoch<P>& current,
                                                       const authenticated_content& message,
                                                       std::span<const listed_proposal> list,
                                                       const group_policy& policy) {
  const sender& from = message.content.sender;
  const commit& received = message.content.body.commit;
  const bool external = from.type == sender_type::new_member_commit;

  followed_commit<P> out{public_epoch<P>(current.tree), {}, {}, {}, {}, {}};
  public_epoch<P>& next = out.next;
  const byte_view committer_key = received.path ? received.path->leaf->signature_key : byte_view{};
  CONCLAVE_TRY(auto applied, apply_proposals(current, {from, committer_key, list}, policy, next.tree));
  if (applied.path_required && !received.path) return failure{errc::refused, rules::path_required};
  CONCLAVE_CHECK(next.succeed(current, applied.extensions));

  const leaf_index committer = external ? next.tree.first_blank() : leaf_index{from.index};
  std::vector<leaf_index> changed = applied.added;
  changed.insert(changed.end(), applied.updated.begin(), applied.updated.end());
  if (received.path) {
    if (external) next.tree.extend_for(committer);
    out.path = next.tree.filtered_direct_path(committer);
    const byte_view replaced = external ? byte_view{} : current.tree.encryption_key(to_node(committer));
    CONCLAVE_CHECK(merge_received_path(next, *received.path, committer, replaced, out.path, next.extension_items(),
                                       policy.max_lifetime));
    changed.push_back(committer);
  }
  CONCLAVE_CHECK(valid_members(current.tree, next.tree, changed, applied.extensions));
  // a resync replaces the joiner's own former leaf and nobody else's
  if (external)
    for (const auto& [p, who, by_reference] : list)
      if (p.type == proposal_type::remove &&
          !(current.tree.leaf(p.remove)->credential == received.path->leaf->credential))
        return failure{errc::refused, rules::external_commit_proposals};
  if (received.path) CONCLAVE_CHECK(valid_ciphertexts(next.tree, out.path, *received.path, applied.added));

  next.record(current, message.format(), message.encoded_content(), message.auth.signature);
  out.added = applied.added;
  out.psks = std::move(applied.psks);
  out.external_init = applied.external_init;
  out.change = change_of(next, std::move(applied), committer, external);
  return out;
}

}  // namespace conclave::mls

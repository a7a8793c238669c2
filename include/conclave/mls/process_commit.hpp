// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The recipient's side of a Commit (RFC 9420, section 12.4.2). Works on a new epoch beside the current one.
#pragma once

#include <conclave/detail/ct.hpp>
#include <conclave/mls/group_policy.hpp>
#include <conclave/mls/proposal_list.hpp>

namespace conclave::inline CONCLAVE_ABI::mls {

/// next_epoch: an epoch that is ready to take its place, and what changed on the way.
template <crypto_provider P>
struct next_epoch {
  epoch<P> state;
  epoch_change change;
};

/// find_psks(suite, ids, source): psk_secret of the listed keys. Errors: what the source says; unknown_key without a
/// source.
template <crypto_provider P>
[[nodiscard]] result<psk_secret> find_psks(const basic_suite<P>& s, std::span<const pre_shared_key_id> ids,
                                           psk_source* source) {
  if (ids.size() > limits::preshared_keys) return failure{errc::over_limit, rules::psk_count};
  std::vector<secret_bytes> keys;
  std::vector<psk_value> values;
  for (const auto& id : ids) {
    if (source == nullptr) return failure{errc::unknown_key, rules::psk_available};
    auto key =
        id.type == psk_type::external ? source->external(id.psk_id) : source->resumption(id.psk_group_id, id.psk_epoch);
    if (!key) return failure{key.error().code(), rules::psk_available};
    keys.push_back(*std::move(key));
    values.push_back({id, keys.back()});
  }
  return derive_psk_secret(s, values);
}

/// external_init_secret(suite, external_secret, kem_output): RFC 9420 section 8.3.
template <crypto_provider P>
[[nodiscard]] result<init_secret> external_init_secret(const basic_suite<P>& s, const external_secret& external,
                                                       byte_view kem_output) {
  CONCLAVE_TRY(const auto key, hpke::derive_key_pair<P>(s.hpke_suite().kem, external.reveal()));
  init_secret out(s.nh());
  CONCLAVE_CHECK(hpke::receive_export<P>(s.hpke_suite(), key, kem_output, {}, as_bytes("MLS 1.0 external init secret"),
                                         out.writable()));
  return out;
}

/// merge_received_path(next, update, committer, replaced_key): checks an UpdatePath against the tree that the proposals
/// left and merges it. `replaced_key` is the committer's encryption key so far, empty for an external commit.
template <crypto_provider P>
[[nodiscard]] status merge_received_path(epoch<P>& next, const update_path& update, leaf_index committer,
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

  if (!s.verify_with_label(update.leaf->signature_key, "LeafNodeTBS",
                           leaf_node_tbs(update.leaf, next.group_id, committer), update.leaf->signature))
    return failure{errc::unauthentic, rules::leaf_signature};
  return {};
}

/// process_commit(epoch, message, list, own_update, policy): `message` is authentic, of the current epoch, not by this
/// member; `list` are its proposals in order, resolved; `own_update` is the key of this member's Update where the list
/// has it. Errors: refused, malformed, unauthentic, unknown_key, each with its rule; `current` is never changed.
template <crypto_provider P>
[[nodiscard]] result<next_epoch<P>> process_commit(const epoch<P>& current, const authenticated_content& message,
                                                   std::span<const listed_proposal> list,
                                                   const hpke::key_pair* own_update, const group_policy& policy) {
  const auto& s = current.suite();
  const sender& from = message.content.sender;
  const commit& received = message.content.body.commit;
  const bool external = from.type == sender_type::new_member_commit;

  next_epoch<P> out{epoch<P>(current.tree), {}};
  epoch<P>& next = out.state;
  CONCLAVE_TRY(auto applied, apply_proposals(current, list, from, policy, next.tree));
  if ((applied.path_required || external) && !received.path) return failure{errc::refused, rules::path_required};

  next.group_id = current.group_id;
  next.number = current.number + 1;
  next.extensions = applied.extensions ? to_bytes(applied.extensions->encoded()) : current.extensions;
  next.own = current.own;
  const extension_list extensions = next.extension_items();

  const leaf_index committer = external ? next.tree.first_blank() : leaf_index{from.index};
  std::vector<leaf_index> changed = applied.added;
  changed.insert(changed.end(), applied.updated.begin(), applied.updated.end());
  std::vector<path_step> path;
  if (received.path) {
    if (external) next.tree.extend_for(committer);
    path = next.tree.filtered_direct_path(committer);
    const byte_view replaced = external ? byte_view{} : current.tree.encryption_key(to_node(committer));
    CONCLAVE_CHECK(
        merge_received_path(next, *received.path, committer, replaced, path, extensions, policy.max_lifetime));
    changed.push_back(committer);
  }
  CONCLAVE_CHECK(valid_members(current.tree, next.tree, changed, applied.extensions));

  out.change = {next.number,
                committer,
                std::move(applied.added),
                std::move(applied.updated),
                std::move(applied.removed),
                false,
                reinit_parameters::of(applied.reinit)};
  if (external) {
    out.change.added.push_back(committer);
    // a resync replaces the joiner's own former leaf and nobody else's
    for (const auto& [p, who, by_reference] : list)
      if (p.type == proposal_type::remove &&
          !(current.tree.leaf(p.remove)->credential == received.path->leaf->credential))
        return failure{errc::refused, rules::external_commit_proposals};
  }
  if (std::ranges::find(out.change.removed, current.own) != out.change.removed.end()) {
    out.change.removed_me = true;
    return out;
  }

  private_path keys = current.keys.clone_current(next.tree);
  if (own_update != nullptr) keys.set(to_node(current.own), {own_update->secret.clone(), own_update->pub});
  commit_secret committed(s.nh());
  if (received.path) {
    const std::span<const leaf_index> added =
        external ? std::span<const leaf_index>{} : std::span<const leaf_index>{out.change.added};
    CONCLAVE_TRY(auto opened, decrypt_path(next.tree, path, *received.path, current.own, keys, added,
                                           next.encode_context(current.confirmed_transcript_hash.view())));
    keys = std::move(opened.keys);
    committed = std::move(opened.commit_secret);
  }
  next.keys = std::move(keys);

  CONCLAVE_TRY(const auto psk, find_psks(s, applied.psks, policy.psks));
  init_secret init = current.secrets.init.clone();
  if (applied.external_init) {
    CONCLAVE_TRY(init, external_init_secret(s, current.secrets.external, *applied.external_init));
  }
  next.confirmed_transcript_hash = confirmed_transcript_hash(
      s, current.interim_transcript_hash.view(), message.format(), message.encoded_content(), message.auth.signature);
  next.context = next.encode_context(next.confirmed_transcript_hash.view());
  next.enter(derive_joiner_secret(s, init, committed, next.context), psk);
  if (!detail::ct_equal(next.confirmation_tag.view(), message.auth.confirmation_tag))
    return failure{errc::unauthentic, rules::confirmation_tag};
  return out;
}

}  // namespace conclave::mls

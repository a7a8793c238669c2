// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The committer's side of a Commit, and the Welcome that goes with it (RFC 9420, sections 12.4.1 and 12.4.3).
#pragma once

#include <conclave/mls/client.hpp>
#include <conclave/mls/identities.hpp>
#include <conclave/mls/process_commit.hpp>
#include <conclave/mls/welcome.hpp>

namespace conclave::inline CONCLAVE_ABI::mls {

/// prepared_commit: a commit that is ready to be sent, and the epoch it leads to.
template <crypto_provider P>
struct prepared_commit {
  next_epoch<P> next;
  bytes message;                    ///< MLSMessage with the commit
  std::vector<bytes> welcomes;      ///< MLSMessages: one for all who were added, or one each in their order, or none
  std::optional<client> becomes{};  ///< what the committer is from then on, where it changes
};

/// commit_plan: what create_commit is to do.
struct commit_plan {
  std::span<const listed_proposal> list;
  byte_view encoded_proposals;  ///< the ProposalOrRef items of `list`, in the same order
  byte_view authenticated_data;
  bool path = true;                            ///< include a path even where none is required
  const init_secret* external_init = nullptr;  ///< of an external commit: the committer is not a member yet
  const client* becomes = nullptr;             ///< what the committer's new leaf shows; nullptr: the same as before
};

/// group_info_content: which extensions a GroupInfo gets.
struct group_info_content {
  bool ratchet_tree = true;
  bool external_pub = false;  ///< so that outsiders can join by external commit
};

/// make_group_info(env, epoch, signer, content): a signed GroupInfo, encoded, of the epoch's own member. A GREASE
/// extension keeps joiners tolerant (RFC 9420 13.5); which one follows from the epoch, because a commit without a path
/// that is made once more has the same welcome_key, and must have nothing else to encrypt.
template <crypto_provider P>
[[nodiscard]] result<bytes> make_group_info(environment& env, const epoch<P>& e, const signature_key& signer,
                                            const group_info_content& content) {
  bytes tree_data, external_data, items;
  std::vector<extension> extensions;
  if (content.ratchet_tree) {
    writer w{tree_data};
    e.tree.write_items(w);
    extensions.push_back({extension_type::ratchet_tree, tree_data});
  }
  if (content.external_pub) {
    CONCLAVE_TRY(const auto key, hpke::derive_key_pair<P>(e.suite().hpke_suite().kem, e.secrets.external.reveal()));
    writer w{external_data};
    w.opaque(key.pub.view());
    extensions.push_back({extension_type::external_pub, external_data});
  }
  extensions.push_back({extension_type{grease(e.confirmation_tag.view()[0])}, {}});
  items = wire::encode_items(extensions);
  bytes out = e.context;
  writer w{out};
  w.opaque(items);
  w.opaque(e.confirmation_tag.view());
  w.number(number(e.own));
  CONCLAVE_TRY(const auto signature, e.suite().sign_with_label(env, signer, "GroupInfoTBS", out));
  w.opaque(signature);
  return out;
}

/// new_member: what a Welcome needs of one joiner.
struct new_member {
  digest reference;  ///< KeyPackageRef
  byte_view init_key;
  std::optional<path_secret> secret;
};

/// make_welcome(...): an MLSMessage with a Welcome for all of `members`. Errors: no_entropy, malformed (an init key).
template <crypto_provider P>
[[nodiscard]] result<bytes> make_welcome(environment& env, const basic_suite<P>& s, byte_view group_info,
                                         const joiner_secret& joiner, const psk_secret& psk,
                                         std::span<const pre_shared_key_id> psks, std::span<const new_member> members,
                                         executor* workers = nullptr) {
  const welcome_key key = derive_welcome_key(s, derive_welcome_secret(s, joiner, psk));
  bytes encrypted_group_info(group_info.size() + aead_tag_size);
  CONCLAVE_TRY(auto aead, P::aead_key::make(s.hpke_suite().aead, key.key.reveal()));
  CONCLAVE_CHECK(aead.seal(key.nonce, {}, group_info, encrypted_group_info));

  const bytes psk_items = wire::encode_items(psks);
  const std::size_t enc_size = kem_sizes(s.hpke_suite().kem).public_key;
  std::vector<secret_bytes> secrets;
  std::vector<bytes> sealed;
  std::vector<hpke::seal_request> requests;
  secrets.reserve(members.size());
  sealed.reserve(members.size());
  requests.reserve(members.size());
  for (const new_member& m : members) {
    group_secrets out{joiner.reveal(), {}, wire::list<pre_shared_key_id>::of(psk_items, psks.size())};
    if (m.secret) out.path_secret = {m.secret->reveal()};
    secrets.push_back(wire::encode_secret(out));
    sealed.emplace_back(enc_size + secrets.back().size() + aead_tag_size);
    requests.push_back({m.init_key, secrets.back(), byte_span{sealed.back()}.first(enc_size),
                        byte_span{sealed.back()}.subspan(enc_size)});
  }
  CONCLAVE_CHECK(hpke::seal_many<P>(env, s.hpke_suite(), s.encrypt_context("Welcome", encrypted_group_info), {},
                                    requests, workers));

  bytes out;
  std::size_t size = encrypted_group_info.size() + 64;
  for (const bytes& each : sealed) size += each.size() + 64;
  out.reserve(size);
  writer w{out};
  write_message_header(w, wire_format::welcome);
  wire::write(w, s.id());
  w.vector([&] {
    for (std::size_t i = 0; i < members.size(); ++i)
      wire::write(w, encrypted_group_secrets{members[i].reference.view(), {requests[i].enc, requests[i].ciphertext}});
  });
  w.opaque(encrypted_group_info);
  return out;
}

/// protect_content(...): wraps signed content of this member as the policy says. A PrivateMessage takes the
/// next generation of the member's ratchet, which stays used whatever becomes of the message.
template <crypto_provider P>
[[nodiscard]] result<bytes> protect_content(environment& env, epoch<P>& current, wire_format format,
                                            const framed_content& content, const content_auth& auth, byte_view tbs,
                                            const group_policy& policy) {
  const auto& s = current.suite();
  if (format == wire_format::private_message) {
    const auto kind =
        content.body.type == content_type::application ? ratchet_kind::application : ratchet_kind::handshake;
    CONCLAVE_TRY(auto key, current.message_secrets.next(s, current.own, kind));
    bytes auth_bytes;
    writer w{auth_bytes};
    auth.write(w, content.body.type);
    return protect_private(env, s, current.secrets.sender_data, content, auth, std::move(key),
                           policy.padding.bytes_for(content.body.encoded.size() + auth_bytes.size()));
  }
  const digest tag = membership_tag(s, current.secrets.membership, tbs, auth, content.body.type);
  bytes out;
  writer w{out};
  write_message_header(w, wire_format::public_message);
  content.write(w);
  auth.write(w, content.body.type);
  if (content.sender.type == sender_type::member) w.opaque(tag.view());
  return out;
}

/// create_commit(...): `current` changes in one way only: a PrivateMessage uses up a generation. For an external commit
/// `current` is the epoch as its GroupInfo describes it. Errors: as process_commit, no_entropy, exhausted.
template <crypto_provider P>
[[nodiscard]] result<prepared_commit<P>> create_commit(environment& env, epoch<P>& current, const client& me,
                                                       const commit_plan& plan, const group_policy& policy) {
  const auto& s = current.suite();
  const bool external = plan.external_init != nullptr;
  const sender from =
      external ? sender{sender_type::new_member_commit, 0} : sender{sender_type::member, number(current.own)};
  const wire_format format = external ? wire_format::public_message : policy.handshakes;
  for (const auto& [p, who, by_reference] : plan.list) CONCLAVE_CHECK(admit(policy, current, p, env.wall()));
  prepared_commit<P> out{{epoch<P>(current.tree), {}}, {}, {}, {}};
  if (plan.becomes != nullptr) out.becomes = plan.becomes->clone();
  epoch<P>& next = out.next.state;
  const client& becomes = plan.becomes == nullptr ? me : *plan.becomes;
  CONCLAVE_TRY(auto applied,
               apply_proposals(current, {from, becomes.signer.public_view(), plan.list}, policy, next.tree));
  CONCLAVE_CHECK(next.succeed(current, applied.extensions));
  next.own = external ? next.tree.first_blank() : current.own;

  // the path: new keys from the leaf to the root, then their secrets to everybody but the new members
  commit_secret committed(s.nh());
  std::vector<path_step> path;
  derived_path derived;
  bytes update_path_bytes;
  std::vector<leaf_index> changed = applied.added;
  changed.insert(changed.end(), applied.updated.begin(), applied.updated.end());
  if (applied.path_required || plan.path || plan.becomes != nullptr) {
    if (external) next.tree.extend_for(next.own);
    path = next.tree.filtered_direct_path(next.own);
    path_secret first(s.nh());
    CONCLAVE_CHECK(env.random(first.writable()));
    CONCLAVE_TRY(derived, derive_path(s, std::move(first), path.size()));
    CONCLAVE_TRY(auto leaf_key, hpke::generate_key_pair<P>(env, s.hpke_suite().kem));
    std::vector<byte_view> keys;
    for (const auto& key : derived.keys) keys.push_back(key.pub.view());
    const digest leaf_parent_hash = merge_path(next.tree, next.own, path, keys);
    CONCLAVE_TRY(const auto leaf,
                 make_leaf(env, s, becomes, leaf_key.pub.view(),
                           {leaf_node_source::commit, {}, leaf_parent_hash.view(), next.group_id, next.own}));
    next.tree.set_leaf(next.own, leaf);
    changed.push_back(next.own);
    CONCLAVE_TRY(const auto nodes,
                 encrypt_path(env, next.tree, path, derived, applied.added,
                              next.encode_context(current.confirmed_transcript_hash.view()), policy.workers));
    update_path_bytes = leaf;
    writer w{update_path_bytes};
    w.opaque(nodes);
    committed = std::move(derived.commit_secret);
    next.keys = current.keys.clone_current(next.tree);
    for (std::size_t i = 0; i < path.size(); ++i) {
      auto& key = derived.keys[i];
      next.keys.set(path[i].node, std::move(key));
    }
    next.keys.set(to_node(next.own), std::move(leaf_key));
  } else {
    next.keys = current.keys.clone_current(next.tree);
  }
  CONCLAVE_CHECK(valid_members(current.tree, next.tree, changed, applied.extensions));
  if (external || plan.becomes != nullptr)  // nobody has checked this leaf yet
    CONCLAVE_CHECK(valid_leaf(s, next.tree.leaf(next.own).value, leaf_node_source::commit, next.extension_items(),
                              policy.max_lifetime));

  if (plan.becomes != nullptr) {
    const auto state = judge_of(policy, current, env.wall())
                           .successor(current.tree.leaf(current.own).value, next.tree.leaf(current.own).value);
    if (state && *state < policy.admits) return failure{errc::refused, rules::identity_admitted};
  }

  // the commit itself, signed in the old epoch
  bytes body;
  writer w{body};
  w.opaque(plan.encoded_proposals);
  w.number(static_cast<std::uint8_t>(!update_path_bytes.empty()));
  w.raw(update_path_bytes);
  framed_content content{current.group_id, current.number, from, plan.authenticated_data, {}};
  content.body.type = content_type::commit;
  content.body.encoded = body;
  const bytes content_bytes = wire::encode(content);
  const bytes tbs = framed_content_tbs(format, content_bytes, current.context);
  CONCLAVE_TRY(const auto signature, s.sign_with_label(env, me.signer, "FramedContentTBS", tbs));

  // the new epoch
  CONCLAVE_TRY(const auto psk, find_psks(s, applied.psks, policy.psks));
  next.record(current, format, content_bytes, signature);
  const joiner_secret joiner =
      derive_joiner_secret(s, external ? *plan.external_init : current.secrets.init, committed, next.context);
  next.enter(joiner, psk);
  if (!applied.added.empty()) {
    std::vector<new_member> members;
    members.reserve(applied.added.size());
    auto leaf = applied.added.begin();
    for (const auto& [p, who, by_reference] : plan.list) {
      if (p.type != proposal_type::add) continue;
      members.push_back({key_package_ref(s, p.add.encoded), p.add->init_key, {}});
      const node_index meeting_point = common_ancestor(current.own, *leaf++);
      for (std::size_t i = 0; i < path.size(); ++i)
        if (path[i].node == meeting_point) members.back().secret = derived.secrets[i].clone();
    }
    CONCLAVE_TRY(const auto info, make_group_info(env, next, becomes.signer, {policy.tree_in_welcome, false}));
    const std::span<const new_member> all{members};
    const std::size_t batch = policy.one_welcome_for_all ? all.size() : 1;
    for (std::size_t i = 0; i < all.size(); i += batch) {
      CONCLAVE_TRY(auto sealed,
                   make_welcome(env, s, info, joiner, psk, applied.psks, all.subspan(i, batch), policy.workers));
      out.welcomes.push_back(std::move(sealed));
    }
  }

  out.next.change = change_of(next, std::move(applied), next.own, external);
  judge_change(judge_of(policy, current, env.wall()), current, next, out.next.change);

  // last, because it uses up a generation of the current epoch
  CONCLAVE_TRY(out.message,
               protect_content(env, current, format, content, {signature, next.confirmation_tag.view()}, tbs, policy));
  return out;
}

}  // namespace conclave::mls

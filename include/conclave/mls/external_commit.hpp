// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Joining by external Commit, for a newcomer or for a member who lost the thread (RFC 9420, section 12.4.3.2).
#pragma once

#include <conclave/mls/create_commit.hpp>
#include <conclave/mls/join.hpp>
#include <conclave/mls/proposal_cache.hpp>
#include <conclave/mls/sender_rules.hpp>

namespace conclave::inline CONCLAVE_ABI::mls {

/// external_join_options: what an external joiner brings besides the GroupInfo.
struct external_join_options {
  join_options join{};
  std::optional<leaf_index> replaces{};  ///< resync: this client's own former leaf
  bool resync = false;                   ///< the same for who does not know its leaf: it is found by the client's key
  std::span<const byte_view> self_removes{};  ///< MLSMessages with the pending SelfRemoves, all of them
  std::span<const pre_shared_key_id> psks{};
  byte_view authenticated_data{};
};

/// join_by_external_commit(env, me, group_info_message, options, policy): the commit to send and the epoch it leads to.
/// Nothing is joined before the delivery service accepts the commit. Errors: malformed, unauthentic, refused (no
/// external_pub, what the GroupInfo and tree break), unknown_key (resync: not a member), unsupported, no_entropy.
template <crypto_provider P>
[[nodiscard]] result<prepared_commit<P>> join_by_external_commit(environment& env, const client& me,
                                                                 byte_view group_info_message,
                                                                 const external_join_options& options,
                                                                 const group_policy& policy) {
  CONCLAVE_TRY(const auto received, message::decode(group_info_message));
  if (received.format != wire_format::group_info) return failure{errc::misuse, rules::known_wire_format};
  const group_info& info = received.group_info.value;
  CONCLAVE_TRY(const auto s, basic_suite<P>::make(info.context.suite));
  CONCLAVE_TRY(const auto tree, import_verified_tree(env, s, received.group_info, options.join, policy));
  const auto external_data = find(info.extensions, extension_type::external_pub);
  if (!external_data) return failure{errc::refused, rules::external_pub_present};
  CONCLAVE_TRY(const auto external_pub, wire::decode<byte_view>(*external_data));

  CONCLAVE_TRY(auto known, public_epoch<P>::described_by(info, tree));
  epoch<P> current(std::move(known));

  const sender from{sender_type::new_member_commit, 0};
  std::vector<listed_proposal> list;
  bytes encoded;
  writer w{encoded};
  bytes kem_output(kem_sizes(s.hpke_suite().kem).public_key);
  init_secret init(s.nh());
  CONCLAVE_CHECK(hpke::send_export<P>(env, s.hpke_suite(), external_pub, {}, as_bytes("MLS 1.0 external init secret"),
                                      kem_output, init.writable()));
  listed_proposal entry{{}, from};
  entry.proposal.type = proposal_type::external_init;
  entry.proposal.external_init = kem_output;
  append_item(w, list, entry);
  auto former = options.replaces;
  if (options.resync) {
    former = tree.find_member(me.signer.public_view());
    if (!former) return failure{errc::unknown_key, rules::sender_is_member};
    if (!(tree.leaf(*former)->credential == credential{me.credential_type, me.credential}))  // others will say so
      return failure{errc::refused, rules::external_commit_proposals};
  }
  if (former) {
    entry.proposal = {};
    entry.proposal.type = proposal_type::remove;
    entry.proposal.remove = *former;
    append_item(w, list, entry);
  }
  for (const auto& id : options.psks) {
    entry.proposal = {};
    entry.proposal.type = proposal_type::psk;
    entry.proposal.psk = id;
    append_item(w, list, entry);
  }
  std::vector<authenticated_content> leaving;  // keeps what `list` points into
  leaving.reserve(options.self_removes.size());
  for (const byte_view m : options.self_removes) {
    CONCLAVE_TRY(const auto wish, message::decode(m));
    const framed_content& content = wish.public_message.content.value;
    if (wish.format != wire_format::public_message || content.body.type != content_type::proposal ||
        content.body.proposal.type != proposal_type::self_remove || content.sender.type != sender_type::member ||
        !equal(content.group_id, current.group_id) || content.epoch != current.number)
      return failure{errc::refused, rules::self_remove_by_reference};
    CONCLAVE_TRY(const auto key, signature_key_of(tree, current.extension_items(), content));
    if (!s.verify_with_label(key, "FramedContentTBS",
                             framed_content_tbs(wish.format, wish.public_message.content.encoded, current.context),
                             wish.public_message.auth.signature))
      return failure{errc::unauthentic, rules::content_signature};
    CONCLAVE_TRY(auto authenticated, authenticated_content_of(wish.public_message));
    leaving.push_back(std::move(authenticated));
    const digest reference = s.ref_hash("MLS 1.0 Proposal Reference", leaving.back().encoded);
    append_item(w, list, {leaving.back().content.body.proposal, leaving.back().content.sender, true}, reference.view());
  }
  return create_commit(env, current, me, {list, encoded, options.authenticated_data, true, &init}, policy);
}

}  // namespace conclave::mls

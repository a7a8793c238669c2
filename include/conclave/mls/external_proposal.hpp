// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Proposals from outside a group: by its external senders, and by newcomers who ask to be added (RFC 9420, section
/// 12.1.8).
#pragma once

#include <conclave/mls/client.hpp>
#include <conclave/mls/sender_rules.hpp>

namespace conclave::inline CONCLAVE_ABI::mls {

/// external_proposal(env, suite, group_id, epoch, from, signer, what): the MLSMessage for the group to process, always a
/// PublicMessage. `from` is an external sender, by its position in the group's list, or a new_member_proposal; `signer`
/// holds its key, for a newcomer that of the leaf in the key package. Errors: misuse for another sender type, a proposal
/// such a sender may not make, or a key of another scheme; no_entropy.
template <crypto_provider P>
[[nodiscard]] result<bytes> external_proposal(environment& env, const basic_suite<P>& s, byte_view group_id,
                                              std::uint64_t epoch, const sender& from, const signature_key& signer,
                                              const proposal& what) {
  if (signs_context(from) || signer.scheme() != s.signature()) return errc::misuse;
  const bytes body = wire::encode(what);
  framed_content content{group_id, epoch, from, {}, {}};
  content.body.type = content_type::proposal;
  content.body.proposal.type = what.type;
  content.body.encoded = body;
  if (!may_send(content)) return failure{errc::misuse, rules::sender_allows_content};

  const bytes encoded = wire::encode(content);
  CONCLAVE_TRY(const auto signature, s.sign_with_label(env, signer, "FramedContentTBS",
                                                       framed_content_tbs(wire_format::public_message, encoded, {})));
  bytes out;
  writer w{out};
  wire::write(w, protocol_version::mls10);
  wire::write(w, wire_format::public_message);
  w.raw(encoded);
  w.opaque(signature);
  return out;
}

/// new_member_add(env, suite, group_id, epoch, me, package): a newcomer asks to be added, and keeps the package to join
/// with. Errors: as external_proposal.
template <crypto_provider P>
[[nodiscard]] result<bytes> new_member_add(environment& env, const basic_suite<P>& s, byte_view group_id,
                                           std::uint64_t epoch, const client& me, const prepared_key_package& package) {
  proposal add;
  add.type = proposal_type::add;
  CONCLAVE_TRY(add.add, wire::decode<located_key_package>(package.key_package()));
  return external_proposal(env, s, group_id, epoch, {sender_type::new_member_proposal}, me.signer, add);
}

}  // namespace conclave::mls

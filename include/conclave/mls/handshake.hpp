// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What every recipient checks of a handshake message, member or not (RFC 9420, sections 6.1, 12.1 and 12.4).
#pragma once

#include <conclave/mls/proposal_cache.hpp>
#include <conclave/mls/sender_rules.hpp>

namespace conclave::inline CONCLAVE_ABI::mls {

/// expect_epoch(epoch, group_id, number): a message is of this group and epoch. Errors: unknown_key (another group),
/// stale_epoch, early.
template <crypto_provider P>
[[nodiscard]] status expect_epoch(const public_epoch<P>& current, byte_view group_id, std::uint64_t number) {
  if (!equal(group_id, current.group_id)) return failure{errc::unknown_key, rules::known_group};
  if (number < current.number) return failure{errc::stale_epoch, rules::current_epoch};
  if (number > current.number) return failure{errc::early, rules::current_epoch};
  return {};
}

/// verify_content(tree, extensions, message, tbs): the sender may send this, and has signed it; in a member's Commit with
/// a path the new leaf too, at once with the message. Errors: malformed, refused (no such sender), unauthentic.
template <crypto_provider P>
[[nodiscard]] status verify_content(const ratchet_tree<P>& tree, const extension_list& extensions,
                                    const authenticated_content& message, byte_view tbs) {
  CONCLAVE_TRY(const auto key, signature_key_of(tree, extensions, message.content));
  if (const located_leaf* const renewed = leaf_signed_with(message.content)) {
    signature_batch<P> both(tree.suite());
    both.add_content(key, tbs, message.auth.signature);
    both.add_leaf(*renewed, message.content.group_id, leaf_index{message.content.sender.index});
    return both.verify();
  }
  if (!tree.suite().verify_with_label(key, "FramedContentTBS", tbs, message.auth.signature))
    return failure{errc::unauthentic, rules::content_signature};
  return {};
}

/// public_tbs(epoch, message): the FramedContentTBS of a PublicMessage of this epoch. Errors: as expect_epoch; refused
/// for application data.
template <crypto_provider P>
[[nodiscard]] result<bytes> public_tbs(const public_epoch<P>& current, const public_message& received) {
  const framed_content& content = received.content.value;
  CONCLAVE_CHECK(expect_epoch(current, content.group_id, content.epoch));
  if (content.body.type == content_type::application) return failure{errc::refused, rules::application_is_private};
  return framed_content_tbs(wire_format::public_message, received.content.encoded,
                            signs_context(content.sender) ? byte_view{current.context} : byte_view{});
}

/// verified_content(epoch, message, tbs): the content of a PublicMessage, copied, with its signature checked. The
/// membership tag is for members to check. Errors: as verify_content.
template <crypto_provider P>
[[nodiscard]] result<authenticated_content> verified_content(const public_epoch<P>& current,
                                                             const public_message& received, byte_view tbs) {
  CONCLAVE_TRY(auto out, authenticated_content_of(received));
  CONCLAVE_CHECK(verify_content(current.tree, current.extension_items(), out, tbs));
  return out;
}

/// may_wait(epoch, proposals, message, policy): a verified proposal is valid on its own, and there is room for
/// it. Errors: over_limit, refused, malformed, unauthentic, each with its rule.
template <crypto_provider P>
[[nodiscard]] status may_wait(const public_epoch<P>& current, const proposal_cache& proposals,
                              const authenticated_content& message, const group_policy& policy) {
  const proposal& p = message.content.body.proposal;
  if (proposals.full()) return failure{errc::over_limit, rules::pending_proposal_limit};
  // outsiders have to be able to read it
  if (p.type == proposal_type::self_remove && message.format() != wire_format::public_message)
    return failure{errc::refused, rules::self_remove_by_reference};
  return check_proposal(current, p, message.content.sender, policy);
}

}  // namespace conclave::mls

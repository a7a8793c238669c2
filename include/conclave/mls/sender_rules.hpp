// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Who may send what, and which key verifies it (RFC 9420, sections 6.1 and 12.1.8).
#pragma once

#include <conclave/mls/framing.hpp>
#include <conclave/mls/ratchet_tree.hpp>

namespace conclave::inline CONCLAVE_ABI::mls {

/// external_sender: an entry of the external_senders extension (RFC 9420 12.1.8.1).
struct external_sender {
  byte_view signature_key;
  mls::credential credential;
  static constexpr auto fields(auto& self) { return std::tie(self.signature_key, self.credential); }
};

/// signs_context(sender): the sender's signature covers the GroupContext.
[[nodiscard]] constexpr bool signs_context(const sender& from) noexcept {
  return from.type == sender_type::member || from.type == sender_type::new_member_commit;
}

/// leaf_signed_with(content): the new leaf in a member's Commit with a path, whose place is known before the proposals are
/// applied; nullptr elsewhere.
[[nodiscard]] inline const located_leaf* leaf_signed_with(const framed_content& content) noexcept {
  const bool commits = content.sender.type == sender_type::member && content.body.type == content_type::commit;
  return commits && content.body.commit.path ? &content.body.commit.path->leaf : nullptr;
}

/// may_send(content): the sender type allows this kind of content, and this type of proposal.
[[nodiscard]] inline status may_send(const framed_content& content) {
  const content_body& body = content.body;
  const bool proposal = body.type == content_type::proposal;
  switch (content.sender.type) {
    case sender_type::member: return {};
    case sender_type::new_member_commit:
      if (body.type == content_type::commit && body.commit.path) return {};
      break;
    case sender_type::new_member_proposal:
      if (proposal && body.proposal.type == proposal_type::add) return {};
      break;
    case sender_type::external:
      if (!proposal) break;
      switch (body.proposal.type) {
        case proposal_type::add:
        case proposal_type::remove:
        case proposal_type::psk:
        case proposal_type::reinit:
        case proposal_type::group_context_extensions: return {};
        default: break;
      }
      break;
  }
  return failure{errc::malformed, rules::sender_allows_content};
}

/// signature_key_of(tree, group_extensions, content): the key that must have signed this content. Errors: malformed
/// (may_send), refused for a sender that is not there.
template <crypto_provider P>
[[nodiscard]] result<byte_view> signature_key_of(const ratchet_tree<P>& tree, const extension_list& group_extensions,
                                                 const framed_content& content) {
  CONCLAVE_CHECK(may_send(content));
  const content_body& body = content.body;
  switch (content.sender.type) {
    case sender_type::member:
      if (!tree.contains(leaf_index{content.sender.index})) return failure{errc::refused, rules::sender_is_member};
      return tree.signature_key(leaf_index{content.sender.index});
    case sender_type::new_member_commit: return body.commit.path->leaf->signature_key;
    case sender_type::new_member_proposal: return body.proposal.add->leaf->signature_key;
    case sender_type::external: break;
  }
  if (const auto data = find(group_extensions, extension_type::external_senders)) {
    CONCLAVE_TRY(const auto senders, wire::decode<wire::list<external_sender>>(*data));
    std::uint32_t i = 0;
    for (const external_sender s : senders)
      if (i++ == content.sender.index) return s.signature_key;
  }
  return failure{errc::refused, rules::external_sender};
}

}  // namespace conclave::mls

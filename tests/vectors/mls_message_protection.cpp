// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mls.hpp"

#include <conclave/mls/message.hpp>
#include <conclave/mls/protection.hpp>

namespace conclave_vectors::mls_kinds {
namespace {

using message_keys = mls::secret_tree<provider>;
constexpr leaf_index speaker{1};  // the sender of all these messages, in a group of two

/// One case with what all its messages have in common.
struct two_members {
  explicit two_members(const json& vector)
      : c{vector},
        s{suite_of(c)},
        context{
            wire::encode(group_context{protocol_version::mls10, s.id(), group_id, epoch, tree_hash, transcript, {}})},
        signer{signature_key_of(s, c, "signature_priv")},
        membership{secret_of<membership_key>(c, "membership_key")},
        sender_data{secret_of<sender_data_secret>(c, "sender_data_secret")} {
    expect_equal(signer.public_view(), hex(c, "signature_pub"), "public key of signature_priv");
  }

  [[nodiscard]] message_keys fresh_keys() const { return {s, 2, secret_of<encryption_secret>(c, "encryption_secret")}; }

  [[nodiscard]] status verify(wire_format format, byte_view content, byte_view signature) const {
    return s.verify_with_label(signer.public_view(), "FramedContentTBS", framed_content_tbs(format, content, context),
                               signature);
  }

  const json& c;
  suite s;
  bytes group_id = hex(c, "group_id"), tree_hash = hex(c, "tree_hash"),
        transcript = hex(c, "confirmed_transcript_hash");
  std::uint64_t epoch = c.at("epoch").get<std::uint64_t>();
  bytes context;
  signature_key signer;
  membership_key membership;
  mls::sender_data_secret sender_data;
};

/// What a message turns out to say: the encoded Proposal or Commit, or the application data.
byte_view said(const content_body& body) {
  return body.type == content_type::application ? body.application_data : body.encoded;
}

void unprotect_public(const two_members& on, content_type type, byte_view message_bytes, byte_view wanted) {
  const auto m = succeeds(message::decode(message_bytes), "PublicMessage");
  expect(m.format == wire_format::public_message, "not a PublicMessage");
  const framed_content& content = m.public_message.content.value;
  expect(content.sender.type == sender_type::member && content.sender.index == number(speaker), "not from leaf 1");
  expect_equal(content.group_id, on.group_id, "group_id of the PublicMessage");
  expect_equal(content.epoch, on.epoch, "epoch of the PublicMessage");
  expect(content.body.type == type, "another content type in the PublicMessage");
  expect_equal(said(content.body), wanted, "content of the PublicMessage");
  const byte_view encoded = m.public_message.content.encoded;
  succeeds(on.verify(wire_format::public_message, encoded, m.public_message.auth.signature),
           "signature of the PublicMessage");
  const digest tag =
      membership_tag(on.s, on.membership, framed_content_tbs(wire_format::public_message, encoded, on.context),
                     m.public_message.auth, type);
  expect_equal(m.public_message.membership_tag, tag.view(), "membership_tag");
}

void unprotect_private(const two_members& on, content_type type, byte_view message_bytes, byte_view wanted) {
  const auto m = succeeds(message::decode(message_bytes), "PrivateMessage");
  expect(m.format == wire_format::private_message, "not a PrivateMessage");
  expect(m.private_message.type == type, "another content type in the PrivateMessage");
  const auto from = succeeds(open_sender_data(on.s, on.sender_data, m.private_message), "sender data");
  expect(from.leaf == speaker, "the PrivateMessage is not from leaf 1");
  message_keys secrets = on.fresh_keys();
  auto opened = succeeds(open_private(on.s, secrets, from, m.private_message), "content of the PrivateMessage");
  expect_equal(said(opened.content.content.body), wanted, "content of the PrivateMessage");
  succeeds(on.verify(wire_format::private_message, opened.content.encoded_content(), opened.content.auth.signature),
           "signature of the PrivateMessage");
  secrets.accept(std::move(opened.step));
  fails(open_private(on.s, secrets, from, m.private_message), errc::replayed, "the PrivateMessage again");

  bytes altered = to_bytes(message_bytes);
  altered.back() ^= 1U;
  const auto other = succeeds(message::decode(altered), "the altered PrivateMessage");
  expect(!open_sender_data(on.s, on.sender_data, other.private_message) ||
             !open_private(on.s, on.fresh_keys(), from, other.private_message),
         "an altered PrivateMessage opens");
}

void protect_again(const two_members& on, content_type type, byte_view raw) {
  system_environment env;
  const bytes encoded = type == content_type::application ? wire::encode(raw) : to_bytes(raw);
  const bytes authenticated_data = {0xaa, 0xbb}, tag = type == content_type::commit ? bytes(on.s.nh(), 0x7a) : bytes{};
  framed_content content{on.group_id, on.epoch, {sender_type::member, number(speaker)}, authenticated_data, {}};
  reader in{encoded};
  content.body = succeeds(content_body::read(in, type), "the raw content");
  const bytes content_bytes = wire::encode(content);

  for (const wire_format format : {wire_format::public_message, wire_format::private_message}) {
    const bytes tbs = framed_content_tbs(format, content_bytes, on.context);
    const bytes signature = succeeds(on.s.sign_with_label(env, on.signer, "FramedContentTBS", tbs), "signing");
    const content_auth auth{signature, tag};
    if (format == wire_format::private_message) {
      message_keys secrets = on.fresh_keys();
      auto key = succeeds(
          secrets.next(on.s, speaker,
                       type == content_type::application ? ratchet_kind::application : ratchet_kind::handshake),
          "a message key");
      for (const std::size_t padding : {std::size_t{0}, std::size_t{100}}) {
        message_key copy{key.key.clone(), key.nonce, key.generation};
        unprotect_private(on, type,
                          succeeds(protect_private(env, on.s, on.sender_data, content, auth, std::move(copy), padding),
                                   "protect_private"),
                          raw);
      }
    } else if (type != content_type::application) {
      const digest membership = membership_tag(on.s, on.membership, tbs, auth, type);
      message out;
      out.format = format;
      out.public_message = {{content, content_bytes}, auth, membership.view()};
      unprotect_public(on, type, wire::encode(out), raw);
    }
  }
}

}  // namespace

void message_protection(const json& c) {
  const two_members on(c);
  const bytes proposal = hex(c, "proposal"), commit = hex(c, "commit"), application = hex(c, "application");
  unprotect_public(on, content_type::proposal, hex(c, "proposal_pub"), proposal);
  unprotect_private(on, content_type::proposal, hex(c, "proposal_priv"), proposal);
  protect_again(on, content_type::proposal, proposal);
  unprotect_public(on, content_type::commit, hex(c, "commit_pub"), commit);
  unprotect_private(on, content_type::commit, hex(c, "commit_priv"), commit);
  protect_again(on, content_type::commit, commit);
  unprotect_private(on, content_type::application, hex(c, "application_priv"), application);
  protect_again(on, content_type::application, application);
}

}  // namespace conclave_vectors::mls_kinds

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Message framing: the structures (RFC 9420, section 6).
#pragma once

#include <conclave/mls/commit.hpp>
#include <conclave/mls/sender.hpp>

namespace conclave::inline CONCLAVE_ABI::mls {

/// content_body: what a FramedContent or a PrivateMessageContent selects by content type; `encoded` is all of it.
struct content_body {
  content_type type{};
  byte_view application_data;
  mls::proposal proposal;
  mls::commit commit;
  byte_view encoded;

  [[nodiscard]] static result<content_body> read(reader& in, content_type type) {
    content_body out;
    out.type = type;
    const byte_view before = in.rest();
    switch (type) {
      case content_type::application: {
        CONCLAVE_TRY(out.application_data, in.opaque());
        break;
      }
      case content_type::proposal: {
        CONCLAVE_TRY(out.proposal, mls::proposal::read(in));
        break;
      }
      case content_type::commit: {
        CONCLAVE_TRY(out.commit, wire::read<mls::commit>(in));
        break;
      }
      default: return failure{errc::malformed, rules::known_content_type};
    }
    out.encoded = before.first(before.size() - in.rest().size());
    return out;
  }
};

struct framed_content {
  byte_view group_id;
  std::uint64_t epoch = 0;
  mls::sender sender;
  byte_view authenticated_data;
  content_body body;

  [[nodiscard]] static result<framed_content> read(reader& in) {
    framed_content out;
    CONCLAVE_TRY(out.group_id, in.opaque());
    CONCLAVE_TRY(out.epoch, in.number<std::uint64_t>());
    CONCLAVE_TRY(out.sender, mls::sender::read(in));
    CONCLAVE_TRY(out.authenticated_data, in.opaque());
    CONCLAVE_TRY(const auto type, wire::read<content_type>(in));
    CONCLAVE_TRY(out.body, content_body::read(in, type));
    return out;
  }
  void write(auto& out) const {
    out.opaque(group_id);
    out.number(epoch);
    sender.write(out);
    out.opaque(authenticated_data);
    wire::write(out, body.type);
    out.raw(body.encoded);
  }
};

/// content_auth: FramedContentAuthData; confirmation_tag belongs to commits only.
struct content_auth {
  byte_view signature;
  byte_view confirmation_tag;

  [[nodiscard]] static result<content_auth> read(reader& in, content_type type) {
    content_auth out;
    CONCLAVE_TRY(out.signature, in.opaque());
    if (type == content_type::commit) {
      CONCLAVE_TRY(out.confirmation_tag, in.opaque());
    }
    return out;
  }
  void write(auto& out, content_type type) const {
    out.opaque(signature);
    if (type == content_type::commit) out.opaque(confirmation_tag);
  }
};

struct public_message {
  wire::located<framed_content> content;
  content_auth auth;
  byte_view membership_tag;  ///< of members

  [[nodiscard]] static result<public_message> read(reader& in) {
    public_message out;
    CONCLAVE_TRY(out.content, wire::located<framed_content>::read(in));
    CONCLAVE_TRY(out.auth, content_auth::read(in, out.content->body.type));
    if (out.content->sender.type == sender_type::member) {
      CONCLAVE_TRY(out.membership_tag, in.opaque());
    }
    return out;
  }
  void write(auto& out) const {
    content.write(out);
    auth.write(out, content->body.type);
    if (content->sender.type == sender_type::member) out.opaque(membership_tag);
  }
};

struct private_message {
  byte_view group_id;
  std::uint64_t epoch = 0;
  content_type type{};
  byte_view authenticated_data;
  byte_view encrypted_sender_data;
  byte_view ciphertext;

  static constexpr auto fields(auto& self) {
    return std::tie(self.group_id, self.epoch, self.type, self.authenticated_data, self.encrypted_sender_data,
                    self.ciphertext);
  }
};

/// framed_content_tbs(format, content, context): FramedContentTBS (RFC 9420 6.1). `content` is an encoded
/// FramedContent, `context` the encoded GroupContext, empty for senders whose signature does not cover it.
template <class Bytes = bytes>
[[nodiscard]] Bytes framed_content_tbs(wire_format format, byte_view content, byte_view context) {
  Bytes out;
  out.reserve(4 + content.size() + context.size());
  basic_writer<Bytes> w{out};
  wire::write(w, protocol_version::mls10);
  wire::write(w, format);
  w.raw(content);
  w.raw(context);
  return out;
}

/// authenticated_content: RFC 9420 section 6. `content` and `auth` point into `encoded`, which is wire format,
/// FramedContent and auth data one after the other.
struct authenticated_content {
  secret_bytes encoded;
  framed_content content;
  content_auth auth;
  std::size_t content_size = 0;

  authenticated_content() = default;
  authenticated_content(authenticated_content&&) = default;
  authenticated_content& operator=(authenticated_content&&) = default;

  /// decode(encoded): takes the bytes over.
  [[nodiscard]] static result<authenticated_content> decode(secret_bytes encoded) {
    authenticated_content out;
    out.encoded = std::move(encoded);
    reader in{out.encoded};
    CONCLAVE_CHECK(in.number<std::uint16_t>());
    const std::size_t before = in.rest().size();
    CONCLAVE_TRY(out.content, framed_content::read(in));
    out.content_size = before - in.rest().size();
    CONCLAVE_TRY(out.auth, content_auth::read(in, out.content.body.type));
    CONCLAVE_CHECK(in.finish());
    return out;
  }

  [[nodiscard]] wire_format format() const noexcept {
    return static_cast<wire_format>(load_be<std::uint16_t>(encoded));
  }
  [[nodiscard]] byte_view encoded_content() const noexcept { return byte_view{encoded}.subspan(2, content_size); }
};

/// authenticated_content_of(message): of a PublicMessage, copied.
[[nodiscard]] inline result<authenticated_content> authenticated_content_of(const public_message& message) {
  secret_bytes out;
  secret_writer w{out};
  wire::write(w, wire_format::public_message);
  message.content.write(w);
  message.auth.write(w, message.content->body.type);
  return authenticated_content::decode(std::move(out));
}

}  // namespace conclave::mls

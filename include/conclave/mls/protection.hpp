// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Protecting and unprotecting framed content (RFC 9420, sections 6.2 and 6.3).
#pragma once

#include <conclave/mls/framing.hpp>
#include <conclave/mls/secret_tree.hpp>

namespace conclave::inline CONCLAVE_ABI::mls {

/// membership_tag(suite, key, tbs, auth): RFC 9420 section 6.2. `tbs` is the FramedContentTBS with the GroupContext.
template <crypto_provider P>
[[nodiscard]] digest membership_tag(const basic_suite<P>& s, const membership_key& key, byte_view tbs,
                                    const content_auth& auth, content_type type) {
  bytes auth_bytes;
  writer w{auth_bytes};
  auth.write(w, type);
  return s.mac(key.reveal(), {tbs, auth_bytes});
}

/// write_message(format, body): an MLSMessage around an encoded structure.
template <class Writer>
void write_message_header(Writer& w, wire_format format) {
  wire::write(w, protocol_version::mls10);
  wire::write(w, format);
}

/// sender_data: RFC 9420 section 6.3.2.
struct sender_data {
  leaf_index leaf{};
  std::uint32_t generation = 0;
  std::array<std::uint8_t, 4> reuse_guard{};
  static constexpr auto fields(auto& self) { return std::tie(self.leaf, self.generation, self.reuse_guard); }
  static constexpr std::size_t size = 12;
};

namespace detail_protection {

struct key_and_nonce {
  secret<struct sender_data_key_tag> key;
  std::array<std::uint8_t, aead_nonce_size> nonce;
};

template <crypto_provider P>
[[nodiscard]] key_and_nonce sender_data_key(const basic_suite<P>& s, const sender_data_secret& from,
                                            byte_view ciphertext) {
  const byte_view sample = ciphertext.first(std::min(ciphertext.size(), s.nh()));
  key_and_nonce out{secret<struct sender_data_key_tag>(s.nk()), {}};
  s.expand_with_label(from.reveal(), "key", sample, out.key.writable());
  s.expand_with_label(from.reveal(), "nonce", sample, out.nonce);
  return out;
}

[[nodiscard]] inline bytes sender_data_aad(byte_view group_id, std::uint64_t epoch, content_type type) {
  bytes out;
  writer w{out};
  w.opaque(group_id);
  w.number(epoch);
  wire::write(w, type);
  return out;
}

[[nodiscard]] inline bytes content_aad(byte_view group_id, std::uint64_t epoch, content_type type, byte_view data) {
  bytes out = sender_data_aad(group_id, epoch, type);
  writer w{out};
  w.opaque(data);
  return out;
}

inline void apply_reuse_guard(std::span<std::uint8_t, aead_nonce_size> nonce, std::span<const std::uint8_t, 4> guard) {
  for (std::size_t i = 0; i < guard.size(); ++i) nonce[i] = static_cast<std::uint8_t>(nonce[i] ^ guard[i]);
}

}  // namespace detail_protection

/// protect_private(...): an MLSMessage with a PrivateMessage. `content` is what was signed, from a member; `key`
/// belongs to that member's ratchet and is used up; `padding` zero bytes follow the content. Errors: no_entropy.
template <crypto_provider P>
[[nodiscard]] result<bytes> protect_private(environment& env, const basic_suite<P>& s,
                                            const sender_data_secret& secret_, const framed_content& content,
                                            const content_auth& auth, message_key&& key, std::size_t padding) {
  namespace detail = detail_protection;
  message_key used = std::move(key);
  sender_data data{leaf_index{content.sender.index}, used.generation, {}};
  CONCLAVE_CHECK(env.random(data.reuse_guard));
  detail::apply_reuse_guard(used.nonce, data.reuse_guard);

  secret_bytes plaintext;
  plaintext.reserve(content.body.encoded.size() + auth.signature.size() + auth.confirmation_tag.size() + 8 + padding);
  secret_writer w{plaintext};
  w.raw(content.body.encoded);
  auth.write(w, content.body.type);
  plaintext.resize(plaintext.size() + padding);

  bytes ciphertext(plaintext.size() + aead_tag_size);
  CONCLAVE_TRY(auto content_key, P::aead_key::make(s.hpke_suite().aead, used.key.reveal()));
  CONCLAVE_CHECK(content_key.seal(
      used.nonce, detail::content_aad(content.group_id, content.epoch, content.body.type, content.authenticated_data),
      plaintext, ciphertext));

  const auto sender_key = detail::sender_data_key(s, secret_, ciphertext);
  std::array<std::uint8_t, sender_data::size + aead_tag_size> sealed_sender;
  CONCLAVE_TRY(auto sealing_key, P::aead_key::make(s.hpke_suite().aead, sender_key.key.reveal()));
  CONCLAVE_CHECK(sealing_key.seal(sender_key.nonce,
                                  detail::sender_data_aad(content.group_id, content.epoch, content.body.type),
                                  wire::encode(data), sealed_sender));

  bytes out;
  writer message{out};
  write_message_header(message, wire_format::private_message);
  wire::write(message, private_message{content.group_id, content.epoch, content.body.type, content.authenticated_data,
                                       sealed_sender, ciphertext});
  return out;
}

/// opened_private: content of a PrivateMessage whose signature is still to be checked, and the step its key took.
template <crypto_provider P>
struct opened_private {
  authenticated_content content;
  typename secret_tree<P>::step step;
};

/// open_sender_data(...): who claims to have sent a PrivateMessage. Errors: unauthentic, malformed.
template <crypto_provider P>
[[nodiscard]] result<sender_data> open_sender_data(const basic_suite<P>& s, const sender_data_secret& secret_,
                                                   const private_message& message) {
  namespace detail = detail_protection;
  if (message.encrypted_sender_data.size() != sender_data::size + aead_tag_size)
    return failure{errc::unauthentic, rules::sender_data_tag};
  const auto key = detail::sender_data_key(s, secret_, message.ciphertext);
  std::array<std::uint8_t, sender_data::size> opened;
  CONCLAVE_TRY(auto opening_key, P::aead_key::make(s.hpke_suite().aead, key.key.reveal()));
  if (!opening_key.open(key.nonce, detail::sender_data_aad(message.group_id, message.epoch, message.type),
                        message.encrypted_sender_data, opened))
    return failure{errc::unauthentic, rules::sender_data_tag};
  return wire::decode<sender_data>(opened);
}

/// open_private(...): decrypts a PrivateMessage from the member that `from` names, which the caller has found in the
/// tree. The secret tree does not change. Errors: unauthentic, malformed (padding, encoding), replayed, over_limit.
template <crypto_provider P>
[[nodiscard]] result<opened_private<P>> open_private(const basic_suite<P>& s, const secret_tree<P>& secrets,
                                                     const sender_data& from, const private_message& message) {
  namespace detail = detail_protection;
  const auto kind = message.type == content_type::application ? ratchet_kind::application : ratchet_kind::handshake;
  if (message.ciphertext.size() < aead_tag_size) return failure{errc::unauthentic, rules::content_tag};
  CONCLAVE_TRY(auto step, secrets.find(s, from.leaf, kind, from.generation));
  auto nonce = step.key().nonce;
  detail::apply_reuse_guard(nonce, from.reuse_guard);
  secret_bytes plaintext(message.ciphertext.size() - aead_tag_size);
  CONCLAVE_TRY(auto key, P::aead_key::make(s.hpke_suite().aead, step.key().key.reveal()));
  if (!key.open(nonce, detail::content_aad(message.group_id, message.epoch, message.type, message.authenticated_data),
                message.ciphertext, plaintext))
    return failure{errc::unauthentic, rules::content_tag};

  reader in{plaintext};
  framed_content content{
      message.group_id, message.epoch, {sender_type::member, number(from.leaf)}, message.authenticated_data, {}};
  CONCLAVE_TRY(content.body, content_body::read(in, message.type));
  CONCLAVE_TRY(const auto auth, content_auth::read(in, message.type));
  if (std::ranges::any_of(in.rest(), [](std::uint8_t b) { return b != 0; }))
    return failure{errc::malformed, rules::padding_is_zero};

  secret_bytes encoded;
  encoded.reserve(plaintext.size() + message.group_id.size() + message.authenticated_data.size() + 32);
  secret_writer w{encoded};
  wire::write(w, wire_format::private_message);
  content.write(w);
  auth.write(w, message.type);
  CONCLAVE_TRY(auto decoded, authenticated_content::decode(std::move(encoded)));
  return opened_private<P>{std::move(decoded), std::move(step)};
}

}  // namespace conclave::mls

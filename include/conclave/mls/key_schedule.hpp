// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The key schedule (RFC 9420, section 8): each secret a type of its own, each derivation consumes what it must.
#pragma once

#include <conclave/mls/suite.hpp>

namespace conclave::inline CONCLAVE_ABI::mls {

using init_secret = secret<struct init_secret_tag>;
using commit_secret = secret<struct commit_secret_tag>;
using psk_secret = secret<struct psk_secret_tag>;
using joiner_secret = secret<struct joiner_secret_tag>;
using welcome_secret = secret<struct welcome_secret_tag>;
using epoch_secret = secret<struct epoch_secret_tag>;
using sender_data_secret = secret<struct sender_data_secret_tag>;
using encryption_secret = secret<struct encryption_secret_tag>;
using exporter_secret = secret<struct exporter_secret_tag>;
using external_secret = secret<struct external_secret_tag>;
using confirmation_key = secret<struct confirmation_key_tag>;
using membership_key = secret<struct membership_key_tag>;
using resumption_psk = secret<struct resumption_psk_tag>;
using epoch_authenticator = secret<struct epoch_authenticator_tag>;

/// epoch_secrets: what an epoch_secret gives (RFC 9420 8, table 4).
struct epoch_secrets {
  sender_data_secret sender_data;
  encryption_secret encryption;
  exporter_secret exporter;
  external_secret external;
  confirmation_key confirm;
  membership_key membership;
  resumption_psk resumption;
  epoch_authenticator authentication;
  init_secret init;
};

/// derive_joiner_secret: from the init_secret of the last epoch, the commit_secret and the new GroupContext, encoded.
template <crypto_provider P>
[[nodiscard]] joiner_secret derive_joiner_secret(const basic_suite<P>& s, const init_secret& init,
                                                 const commit_secret& commit, byte_view context) {
  const auto extracted = s.template extract<struct joiner_intermediate_tag>(init.reveal(), commit.reveal());
  joiner_secret out(s.nh());
  s.expand_with_label(extracted.reveal(), "joiner", context, out.writable());
  return out;
}

/// derive_welcome_secret, derive_epoch_secret: the two secrets below joiner_secret and psk_secret.
template <crypto_provider P>
[[nodiscard]] welcome_secret derive_welcome_secret(const basic_suite<P>& s, const joiner_secret& joiner,
                                                   const psk_secret& psk) {
  const auto member = s.template extract<struct member_secret_tag>(joiner.reveal(), psk.reveal());
  return s.template derive_secret<struct welcome_secret_tag>(member.reveal(), "welcome");
}
template <crypto_provider P>
[[nodiscard]] epoch_secret derive_epoch_secret(const basic_suite<P>& s, const joiner_secret& joiner,
                                               const psk_secret& psk, byte_view context) {
  const auto member = s.template extract<struct member_secret_tag>(joiner.reveal(), psk.reveal());
  epoch_secret out(s.nh());
  s.expand_with_label(member.reveal(), "epoch", context, out.writable());
  return out;
}

/// derive_epoch_secrets(epoch_secret): consumes it.
template <crypto_provider P>
[[nodiscard]] epoch_secrets derive_epoch_secrets(const basic_suite<P>& s, epoch_secret&& from) {
  const epoch_secret epoch = std::move(from);
  const byte_view k = epoch.reveal();
  return {s.template derive_secret<struct sender_data_secret_tag>(k, "sender data"),
          s.template derive_secret<struct encryption_secret_tag>(k, "encryption"),
          s.template derive_secret<struct exporter_secret_tag>(k, "exporter"),
          s.template derive_secret<struct external_secret_tag>(k, "external"),
          s.template derive_secret<struct confirmation_key_tag>(k, "confirm"),
          s.template derive_secret<struct membership_key_tag>(k, "membership"),
          s.template derive_secret<struct resumption_psk_tag>(k, "resumption"),
          s.template derive_secret<struct epoch_authenticator_tag>(k, "authentication"),
          s.template derive_secret<struct init_secret_tag>(k, "init")};
}

/// MLS-Exporter(label, context, out.size()) (RFC 9420 8.5).
template <crypto_provider P>
void mls_exporter(const basic_suite<P>& s, const exporter_secret& exporter, std::string_view label, byte_view context,
                  byte_span out) {
  const auto derived = s.template derive_secret<struct exported_tag>(exporter.reveal(), label);
  const digest context_hash = s.hash({context});
  s.expand_with_label(derived.reveal(), "exported", context_hash.view(), out);
}

/// welcome_key: key and nonce that seal a GroupInfo in a Welcome (RFC 9420 12.4.3.1).
struct welcome_key {
  secret<struct welcome_key_tag> key;
  std::array<std::uint8_t, aead_nonce_size> nonce;
};
template <crypto_provider P>
[[nodiscard]] welcome_key derive_welcome_key(const basic_suite<P>& s, const welcome_secret& welcome) {
  welcome_key out{secret<struct welcome_key_tag>(s.nk()), {}};
  s.expand_with_label(welcome.reveal(), "key", {}, out.key.writable());
  s.expand_with_label(welcome.reveal(), "nonce", {}, out.nonce);
  return out;
}

}  // namespace conclave::mls

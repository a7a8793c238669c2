// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mls.hpp"

#include <conclave/mls/message.hpp>

namespace conclave_vectors::mls_kinds {
namespace {

/// The entry of a Welcome that belongs to a key package.
hpke_ciphertext find_secrets(const mls::welcome& w, byte_view reference) {
  for (const encrypted_group_secrets e : w.secrets)
    if (equal(e.new_member, reference)) return e.encrypted;
  throw mismatch("the Welcome has no entry for the key package");
}

bytes open_group_info(const suite& s, const welcome_secret& from, byte_view sealed) {
  const auto key = derive_welcome_key(s, from);
  auto aead = succeeds(provider::aead_key::make(s.hpke_suite().aead, key.key.reveal()), "the key of the GroupInfo");
  expect(sealed.size() >= aead_tag_size, "encrypted_group_info is shorter than a tag");
  bytes out(sealed.size() - aead_tag_size);
  succeeds(aead.open(key.nonce, {}, sealed, out), "encrypted_group_info");
  return out;
}

}  // namespace

void welcome(const json& c) {
  const suite s = suite_of(c);
  const bytes key_package_message = hex(c, "key_package"), welcome_message = hex(c, "welcome");
  const auto package = succeeds(message::decode(key_package_message), "key_package");
  const auto w = succeeds(message::decode(welcome_message), "welcome");
  expect(package.format == wire_format::key_package, "key_package is another kind of message");
  expect(w.format == wire_format::welcome, "welcome is another kind of message");
  expect(w.welcome.suite == s.id(), "the Welcome is for another suite");

  const hpke::key_pair init = kem_key_of(s, c, "init_priv");
  expect_equal(init.pub.view(), package.key_package->init_key, "public key of init_priv");
  const digest reference = key_package_ref(s, package.key_package.encoded);
  const secret_bytes opened = succeeds(
      s.decrypt_with_label(init, "Welcome", w.welcome.encrypted_group_info, find_secrets(w.welcome, reference.view())),
      "the group secrets");
  const auto secrets = succeeds(wire::decode<group_secrets>(opened), "GroupSecrets");
  expect(secrets.psks.empty(), "the Welcome asks for pre-shared keys");

  const auto joiner = succeeds(joiner_secret::copy_of(secrets.joiner_secret), "joiner_secret");
  const auto psk = succeeds(derive_psk_secret<provider>(s, {}), "psk_secret");
  const bytes encoded_info = open_group_info(s, derive_welcome_secret(s, joiner, psk), w.welcome.encrypted_group_info);
  const auto info = succeeds(wire::decode<located_group_info>(encoded_info), "GroupInfo");
  succeeds(s.verify_with_label(hex(c, "signer_pub"), "GroupInfoTBS", without_signature(info.encoded, info->signature),
                               info->signature),
           "signature of the GroupInfo");

  const auto epoch = derive_epoch_secrets(s, derive_epoch_secret(s, joiner, psk, wire::encode(info->context)));
  const digest tag = s.mac(epoch.confirm.reveal(), {info->context.confirmed_transcript_hash});
  expect_equal(info->confirmation_tag, tag.view(), "confirmation_tag");
}

}  // namespace conclave_vectors::mls_kinds

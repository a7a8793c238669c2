// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mls.hpp"

namespace conclave_vectors::mls_kinds {
namespace {

void labelled_hashes(const suite& s, const json& c) {
  const json& ref = c.at("ref_hash");
  expect_equal(s.ref_hash(ref.at("label").get<std::string>(), hex(ref, "value")), hex(ref, "out"), "ref_hash");

  const json& expand = c.at("expand_with_label");
  bytes out(expand.at("length").get<std::size_t>());
  s.expand_with_label(hex(expand, "secret"), expand.at("label").get<std::string>(), hex(expand, "context"), out);
  expect_equal(out, hex(expand, "out"), "expand_with_label");

  const json& derive = c.at("derive_secret");
  const auto derived = s.derive_secret<struct any_tag>(hex(derive, "secret"), derive.at("label").get<std::string>());
  expect_equal(derived.reveal(), hex(derive, "out"), "derive_secret");

  const json& tree = c.at("derive_tree_secret");
  out.assign(tree.at("length").get<std::size_t>(), 0);
  s.derive_tree_secret(hex(tree, "secret"), tree.at("label").get<std::string>(),
                       tree.at("generation").get<std::uint32_t>(), out);
  expect_equal(out, hex(tree, "out"), "derive_tree_secret");
}

void signatures(const suite& s, const json& c) {
  system_environment env;
  const signature_key key = signature_key_of(s, c, "priv");
  expect_equal(key.public_view(), hex(c, "pub"), "public key of sign_with_label.priv");
  const std::string label = c.at("label");
  const bytes content = hex(c, "content"), given = hex(c, "signature");
  succeeds(s.verify_with_label(key.public_view(), label, content, given), "the given signature");
  fails(s.verify_with_label(key.public_view(), label + " ", content, given), errc::unauthentic, "a foreign label");
  const bytes own = succeeds(s.sign_with_label(env, key, label, content), "signing");
  succeeds(s.verify_with_label(key.public_view(), label, content, own), "our own signature");
}

void encryption(const suite& s, const json& c) {
  system_environment env;
  const hpke::key_pair key = kem_key_of(s, c, "priv");
  expect_equal(key.pub.view(), hex(c, "pub"), "public key of encrypt_with_label.priv");
  const std::string label = c.at("label");
  const bytes context = hex(c, "context"), plaintext = hex(c, "plaintext");
  bytes enc = hex(c, "kem_output"), ciphertext = hex(c, "ciphertext");
  expect_equal(succeeds(s.decrypt_with_label(key, label, context, {enc, ciphertext}), "decrypting"), plaintext,
               "decrypt_with_label");
  fails(s.decrypt_with_label(key, label + " ", context, {enc, ciphertext}), errc::unauthentic, "a foreign label");

  ciphertext.assign(plaintext.size() + aead_tag_size, 0);
  succeeds(hpke::seal<provider>(env, s.hpke_suite(), s.encrypt_context(label, context), {},
                                {key.pub.view(), plaintext, enc, ciphertext}),
           "encrypting");
  expect_equal(succeeds(s.decrypt_with_label(key, label, context, {enc, ciphertext}), "decrypting our own"), plaintext,
               "our own encryption");
}

}  // namespace

void crypto_basics(const json& c) {
  const suite s = suite_of(c);
  labelled_hashes(s, c);
  signatures(s, c.at("sign_with_label"));
  encryption(s, c.at("encrypt_with_label"));
}

}  // namespace conclave_vectors::mls_kinds

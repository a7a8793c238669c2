// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// passive-client-*: a client joins by Welcome and follows what the others do.
#include "mls.hpp"

#include <conclave/mls/group.hpp>

namespace conclave_vectors::mls_kinds {
namespace {

class listed_psks final : public psk_source {
 public:
  explicit listed_psks(const json& list) {
    for (const json& p : list) keys_.emplace(p.at("psk_id").get<std::string>(), hex(p, "psk"));
  }
  [[nodiscard]] result<secret_bytes> external(byte_view psk_id) override {
    const auto known = keys_.find(to_hex(psk_id));
    if (known == keys_.end()) return errc::unknown_key;
    return to_secret_bytes(known->second);
  }
  [[nodiscard]] result<secret_bytes> resumption(byte_view group_id, std::uint64_t epoch) override {
    const auto known = resumption_.find({to_hex(group_id), epoch});
    if (known == resumption_.end()) return errc::unknown_key;
    return known->second;
  }
  /// remember(g): the epoch g is in may be referred to later.
  void remember(const group& g) {
    const byte_view psk = g.resumption().reveal();
    resumption_.insert_or_assign({to_hex(g.group_id()), g.epoch_number()}, to_secret_bytes(psk));
  }

 private:
  std::map<std::string, bytes> keys_;  // by id, in hexadecimal
  std::map<std::pair<std::string, std::uint64_t>, secret_bytes> resumption_;
};

prepared_key_package package_of(const suite& s, const json& c) {
  prepared_key_package out;
  out.message = hex(c, "key_package");
  out.init = kem_key_of(s, c, "init_priv");
  out.leaf = kem_key_of(s, c, "encryption_priv");
  const auto decoded = succeeds(message::decode(out.message), "key_package");
  expect(decoded.format == wire_format::key_package, "key_package is another kind of message");
  const key_package& package = decoded.key_package.value;
  expect_equal(out.init.pub, package.init_key, "public key of init_priv");
  expect_equal(out.leaf.pub, package.leaf->encryption_key, "public key of encryption_priv");
  expect_equal(signature_key_of(s, c, "signature_priv").public_view(), package.leaf->signature_key,
               "public key of signature_priv");
  succeeds(valid_key_package(s, package, {}, std::chrono::seconds::max()), "key_package");
  signature_batch<provider> signatures(s);
  signatures.add_key_package(decoded.key_package);
  succeeds(signatures.verify(), "signatures of key_package");
  out.reference = key_package_ref(s, out.key_package());
  return out;
}

}  // namespace

void passive_client(const json& c) {
  const suite s = suite_of(c);
  system_environment env;
  listed_psks psks(c.at("external_psks"));
  group_policy policy;
  policy.psks = &psks;
  policy.max_lifetime = std::chrono::seconds::max();

  client me;
  me.signer = signature_key_of(s, c, "signature_priv");
  bytes tree;
  join_options options;
  if (!c.at("ratchet_tree").is_null()) {
    tree = hex(c, "ratchet_tree");
    reader in{tree};
    options.ratchet_tree = succeeds(in.opaque(), "ratchet_tree");
    succeeds(in.finish(), "ratchet_tree");
  }
  auto g = succeeds(group::join(env, std::move(me), package_of(s, c), hex(c, "welcome"), options, policy), "joining");
  expect_equal(g.authenticator().reveal(), hex(c, "initial_epoch_authenticator"), "initial_epoch_authenticator");
  psks.remember(g);

  std::size_t i = 0;
  for (const json& epoch : c.at("epochs")) {
    const std::string where = "epoch " + std::to_string(i++) + ", ";
    for (const json& p : epoch.at("proposals")) {
      const auto event = succeeds(g.process(from_hex(p.get<std::string>())), where + "proposal");
      expect(std::holds_alternative<received_proposal>(event), where + "a proposal is something else");
    }
    const auto event = succeeds(g.process(hex(epoch, "commit")), where + "commit");
    expect(std::holds_alternative<epoch_change>(event), where + "the commit is something else");
    expect_equal(g.authenticator().reveal(), hex(epoch, "epoch_authenticator"), where + "epoch_authenticator");
    psks.remember(g);
  }
}

}  // namespace conclave_vectors::mls_kinds

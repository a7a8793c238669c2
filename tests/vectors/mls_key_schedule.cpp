// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// key-schedule and psk_secret.
#include "mls.hpp"

#include <conclave/mls/group_context.hpp>
#include <conclave/mls/psk.hpp>

namespace conclave_vectors::mls_kinds {
namespace {

void check_exporter(const suite& s, const exporter_secret& from, const json& c) {
  bytes out(c.at("length").get<std::size_t>());
  mls_exporter(s, from, c.at("label").get<std::string>(), hex(c, "context"), out);
  expect_equal(out, hex(c, "secret"), "exporter.secret");
}

/// Checks one epoch and returns the init_secret for the next.
init_secret check_epoch(const suite& s, const json& c, byte_view group_id, std::uint64_t epoch,
                        const init_secret& init) {
  const bytes tree_hash = hex(c, "tree_hash"), transcript = hex(c, "confirmed_transcript_hash");
  const bytes context =
      wire::encode(group_context{protocol_version::mls10, s.id(), group_id, epoch, tree_hash, transcript, {}});
  expect_equal(context, hex(c, "group_context"), "group_context");

  const auto psk = secret_of<mls::psk_secret>(c, "psk_secret");
  const auto joiner = derive_joiner_secret(s, init, secret_of<commit_secret>(c, "commit_secret"), context);
  expect_equal(joiner.reveal(), hex(c, "joiner_secret"), "joiner_secret");
  const auto welcome_secret = derive_welcome_secret(s, joiner, psk);
  expect_equal(welcome_secret.reveal(), hex(c, "welcome_secret"), "welcome_secret");

  epoch_secrets got = derive_epoch_secrets(s, derive_epoch_secret(s, joiner, psk, context));
  const auto check = [&](const auto& secret, const char* name) { expect_equal(secret.reveal(), hex(c, name), name); };
  check(got.init, "init_secret");
  check(got.sender_data, "sender_data_secret");
  check(got.encryption, "encryption_secret");
  check(got.exporter, "exporter_secret");
  check(got.authentication, "epoch_authenticator");
  check(got.external, "external_secret");
  check(got.confirm, "confirmation_key");
  check(got.membership, "membership_key");
  check(got.resumption, "resumption_psk");

  const auto external = succeeds(hpke::derive_key_pair<provider>(s.hpke_suite().kem, got.external.reveal()), "KEM");
  expect_equal(external.pub.view(), hex(c, "external_pub"), "external_pub");
  check_exporter(s, got.exporter, c.at("exporter"));
  return std::move(got.init);
}

}  // namespace

void key_schedule(const json& c) {
  const suite s = suite_of(c);
  const bytes group_id = hex(c, "group_id");
  auto init = secret_of<init_secret>(c, "initial_init_secret");
  std::uint64_t epoch = 0;
  for (const json& e : c.at("epochs")) {
    try {
      init = check_epoch(s, e, group_id, epoch, init);
    } catch (const mismatch& m) {
      throw mismatch("epoch " + std::to_string(epoch) + ", " + m.what());
    }
    ++epoch;
  }
  expect(epoch != 0, "the case holds no epochs");
}

void psk_secret(const json& c) {
  const suite s = suite_of(c);
  std::vector<std::array<bytes, 3>> fields;
  for (const json& psk : c.at("psks")) fields.push_back({hex(psk, "psk_id"), hex(psk, "psk_nonce"), hex(psk, "psk")});
  std::vector<psk_value> psks;
  for (const auto& [id, nonce, psk] : fields) psks.push_back({{psk_type::external, id, {}, {}, {}, nonce}, psk});
  const auto got = succeeds(derive_psk_secret<provider>(s, psks), "derive_psk_secret");
  expect_equal(got.reveal(), hex(c, "psk_secret"), "psk_secret");
}

}  // namespace conclave_vectors::mls_kinds

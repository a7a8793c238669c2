// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mls.hpp"

#include <conclave/mls/protection.hpp>

namespace conclave_vectors::mls_kinds {
namespace {

using message_keys = mls::secret_tree<provider>;

void check_sender_data(const suite& s, const json& c) {
  const auto key = detail_protection::sender_data_key(s, secret_of<sender_data_secret>(c, "sender_data_secret"),
                                                      hex(c, "ciphertext"));
  expect_equal(key.key.reveal(), hex(c, "key"), "sender_data.key");
  expect_equal(key.nonce, hex(c, "nonce"), "sender_data.nonce");
}

struct ratchet_fields {
  ratchet_kind kind;
  const char *key, *nonce;
};
constexpr ratchet_fields both_ratchets[] = {
    {ratchet_kind::handshake, "handshake_key", "handshake_nonce"},
    {ratchet_kind::application, "application_key", "application_nonce"},
};

void check_key(const message_key& got, const json& wanted, const ratchet_fields& names, const std::string& where) {
  expect_equal(got.generation, wanted.at("generation").get<std::uint32_t>(), where + "generation");
  expect_equal(got.key.reveal(), hex(wanted, names.key), where + names.key);
  expect_equal(got.nonce, hex(wanted, names.nonce), where + names.nonce);
}

/// A receiver meets the generations in the given order, then in the reverse one.
void check_receiving(const suite& s, message_keys& secrets, leaf_index leaf, const json& generations,
                     const ratchet_fields& r, bool reversed, const std::string& where) {
  std::vector<const json*> order;
  for (const json& g : generations) order.push_back(&g);
  if (reversed) std::ranges::reverse(order);
  for (const json* g : order) {
    const auto generation = g->at("generation").get<std::uint32_t>();
    auto step = succeeds(secrets.find(s, leaf, r.kind, generation), where + "find");
    check_key(step.key(), *g, r, where);
    secrets.accept(std::move(step));
    fails(secrets.find(s, leaf, r.kind, generation), errc::replayed, where + "a second use of the key");
  }
}

/// A sender takes one generation after the other.
void check_sending(const suite& s, message_keys& secrets, leaf_index leaf, const json& generations,
                   const ratchet_fields& r, const std::string& where) {
  std::uint32_t next = 0;
  for (const json& g : generations) {
    for (; next < g.at("generation").get<std::uint32_t>(); ++next)
      (void)succeeds(secrets.next(s, leaf, r.kind), where + "next");
    check_key(succeeds(secrets.next(s, leaf, r.kind), where + "next"), g, r, where);
    ++next;
  }
}

}  // namespace

void secret_tree(const json& c) {
  const suite s = suite_of(c);
  check_sender_data(s, c.at("sender_data"));

  const json& leaves = c.at("leaves");
  const auto count = static_cast<std::uint32_t>(leaves.size());
  const auto fresh = [&] { return message_keys(s, count, secret_of<encryption_secret>(c, "encryption_secret")); };
  message_keys forwards = fresh(), backwards = fresh();
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::string where = "leaf " + std::to_string(i) + ", ";
    expect(!leaves[i].empty(), where + "no generations");
    message_keys sending = fresh();  // nobody sends from two leaves
    for (const ratchet_fields& r : both_ratchets) {
      check_receiving(s, forwards, leaf_index{i}, leaves[i], r, false, where);
      check_receiving(s, backwards, leaf_index{i}, leaves[i], r, true, where);
      check_sending(s, sending, leaf_index{i}, leaves[i], r, where);
    }
  }
}

}  // namespace conclave_vectors::mls_kinds

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What has been used or is over is gone (RFC 9420 9.2): not found anywhere in the whole state.
#include "scene.hpp"

namespace mls_test {

namespace {

bool holds(const group& g, byte_view secret) {
  const bytes all = whole_state(g);
  REQUIRE(secret.size() >= 12);
  return !std::ranges::search(all, secret).empty();
}

/// The root of a secret tree that nothing has been taken from yet.
bytes root_of(const forger& f, const secret_tree<provider>& unused) {
  secret_bytes saved;
  secret_writer w{saved};
  unused.save(f.suite(), w, leaf_index{}, 0);
  reader in{saved};
  must(in.number<std::uint32_t>());
  const byte_view nodes = must(in.opaque());
  reader first{nodes};
  must(first.number<std::uint32_t>());
  const bytes out = to_bytes(must(first.opaque()));
  REQUIRE(first.empty());  // there is no other
  return out;
}

}  // namespace

TEST_CASE("the key of a message that was opened is gone, and what it came from") {
  scene s;
  const std::size_t m = s.mallory.person();
  const bytes root = root_of(s.mallory, s.mallory.state().message_secrets);
  CHECK(holds(s.p[0], root));
  const bytes message = must(s.p[m].protect(s.p.env, as_bytes("x"), {}));
  const auto key =
      must(s.mallory.state().message_secrets.next(s.mallory.suite(), s.p.leaf(m), ratchet_kind::application));
  must(s.p[0].process(message));
  CHECK_FALSE(holds(s.p[0], root));
  CHECK_FALSE(holds(s.p[0], key.key.reveal()));
  CHECK_FALSE(holds(s.p[0], key.nonce));
  // the sender has neither
  CHECK_FALSE(holds(s.p[m], root));
  CHECK_FALSE(holds(s.p[m], key.key.reveal()));
}

TEST_CASE("a skipped key is kept until it is used") {
  scene s;
  const std::size_t m = s.mallory.person();
  const bytes first = must(s.p[m].protect(s.p.env, as_bytes("1"), {})), second = must(s.p[m].protect(s.p.env, {}, {}));
  const auto key =
      must(s.mallory.state().message_secrets.next(s.mallory.suite(), s.p.leaf(m), ratchet_kind::application));
  must(s.p[0].process(second));
  CHECK(holds(s.p[0], key.key.reveal()));
  must(s.p[0].process(first));
  CHECK_FALSE(holds(s.p[0], key.key.reveal()));
}

TEST_CASE("the key of a handshake message that was opened is gone, and what it came from") {
  const bool commit = GENERATE(false, true);
  CAPTURE(commit);
  scene s;  // in PrivateMessages
  const std::size_t m = s.mallory.person();
  const bytes root = root_of(s.mallory, s.mallory.state().message_secrets);
  CHECK(holds(s.p[0], root));
  if (commit)
    s.p.commit(m);
  else
    s.p.deliver(m, must(s.p[m].propose_update(s.p.env)));
  CHECK_FALSE(holds(s.p[0], root));
  CHECK_FALSE(holds(s.p[m], root));
}

TEST_CASE("of an epoch that is over only what late messages need stays, and that not for long") {
  scene s;
  const epoch_secrets& old = s.mallory.state().secrets;
  const std::vector<byte_view> over{old.exporter.reveal(),   old.external.reveal(),   old.confirm.reveal(),
                                    old.membership.reveal(), old.resumption.reveal(), old.authentication.reveal(),
                                    old.init.reveal()};
  for (const byte_view secret : over) CHECK(holds(s.p[0], secret));
  s.p.commit(1);
  for (const std::size_t i : s.p.inside())
    for (const byte_view secret : over) CHECK_FALSE(holds(s.p[i], secret));
  for (std::size_t i = 0; i < limits::past_epochs; ++i) {
    CHECK(holds(s.p[0], old.sender_data.reveal()));
    s.p.commit(1);
  }
  CHECK_FALSE(holds(s.p[0], old.sender_data.reveal()));
}

TEST_CASE("a leaf key that was replaced is gone") {
  scene s;
  const std::size_t m = s.mallory.person();
  const byte_view key = s.mallory.state().keys.find(to_node(s.p.leaf(m)))->secret.reveal();
  CHECK(holds(s.p[m], key));
  SECTION("by a commit") {
    s.p.commit(m);
    CHECK(s.p.disagreement() == "");
  }
  SECTION("by an Update that somebody committed") {
    s.p.deliver(m, must(s.p[m].propose_update(s.p.env)));
    CHECK(holds(s.p[m], key));
    s.p.commit(0);
  }
  CHECK_FALSE(holds(s.p[m], key));
}

TEST_CASE("whoever was removed holds nothing of the group's any more") {
  scene s;
  const std::size_t m = s.mallory.person();
  const epoch_secrets& old = s.mallory.state().secrets;
  const byte_view key = s.mallory.state().keys.find(to_node(s.p.leaf(m)))->secret.reveal();
  const bytes root = root_of(s.mallory, s.mallory.state().message_secrets);
  s.p.commit(0, {{}, {m}});
  for (const byte_view secret : {old.sender_data.reveal(), old.exporter.reveal(), old.external.reveal(),
                                 old.confirm.reveal(), old.membership.reveal(), old.resumption.reveal(),
                                 old.authentication.reveal(), old.init.reveal(), key, byte_view{root}})
    CHECK_FALSE(holds(s.p[m], secret));
}

TEST_CASE("joining wipes the key package") {
  party p(1);
  const std::size_t i = p.arrive();
  (void)p.package(i);
  auto package = *std::move(p.who(i).package);
  const byte_view add = package.message;
  const auto pending = must(p[0].commit(p.env, {{&add, 1}, {}, {}, true}));
  CHECK(group::join(p.env, p.who(i).who.clone(), std::move(package), pending.welcome(), {}, {}).has_value());
  CHECK(package.init.secret.empty());
  CHECK(package.leaf.secret.empty());
}

}  // namespace mls_test

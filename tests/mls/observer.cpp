// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A server that follows a group without secrets: it sees what the members see. What members refuse and it refuses with
// them is tested beside each rule, in scene.hpp.
#include "scene.hpp"

#include <conclave/mls/sender_rules.hpp>

namespace mls_test {

namespace {

party_options public_party() {
  party_options out;
  out.policy.handshakes = wire_format::public_message;
  return out;
}

observer server_of(party& p, std::size_t from = 0) {
  return must(observer::follow(p.env, must(p[from].group_info(p.env, {true, true})), {}, p.options().policy));
}

/// watched: a party and a server between its people.
struct watched {
  party p;
  observer server;

  explicit watched(std::size_t members, const party_options& options = public_party())
      : p{members, options}, server{server_of(p)} {}

  /// agree(): the server has all that a member has, but for secrets.
  void agree() {
    const std::size_t first = p.inside().front();
    CHECK(p.disagreement() == "");
    CHECK((server.snapshot() == observer_of(p.env, p[first]).snapshot()));
    CHECK(equal(server.group_context(), p[first].group_context()));
    CHECK(server.ratchet_tree() == p[first].ratchet_tree_items());
    CHECK(server.epoch_number() == p[first].epoch_number());
    CHECK(server.tree().member_count() == p.inside().size());
    CHECK(server.pending_proposals() == p[first].pending_proposals());
  }
  void same(const epoch_change& seen, const epoch_change& theirs) {
    CHECK(seen.epoch == theirs.epoch);
    CHECK(seen.committer == theirs.committer);
    CHECK(seen.added == theirs.added);
    CHECK(seen.updated == theirs.updated);
    CHECK(seen.removed == theirs.removed);
    agree();
  }

  epoch_change commit(std::size_t from, group::pending&& pending) {
    const auto seen = as<epoch_change>(must(server.process(pending.message())));
    same(seen, p.publish(from, std::move(pending)));
    return seen;
  }
  epoch_change commit(std::size_t from, const changes& what = {}) { return commit(from, p.prepare(from, what)); }
  void tell(std::size_t from, byte_view message) {
    const auto seen = as<received_proposal>(must(server.process(message)));
    for (event& e : p.deliver(from, message)) {
      const auto theirs = as<received_proposal>(std::move(e));
      CHECK(seen.type == theirs.type);
      CHECK(seen.reference == theirs.reference);
    }
    agree();
  }
};

proposal plain_proposal(proposal_type type) {
  proposal out;
  out.type = type;
  return out;
}

/// Every key is the same 32 bytes.
class one_key_for_all final : public psk_source {
 public:
  [[nodiscard]] result<secret_bytes> external(byte_view) override { return secret_bytes(32, 7); }
  [[nodiscard]] result<secret_bytes> resumption(byte_view, std::uint64_t) override { return secret_bytes(32, 8); }
};

}  // namespace

TEST_CASE("an observer sees members come, go and change their keys as the members do") {
  watched w(2);
  w.agree();
  changes many;
  for (int i = 0; i < 7; ++i) many.add.push_back(w.p.arrive());
  CHECK(w.commit(1, many).added.size() == 7);
  for (const std::size_t i : {0U, 4U, 8U}) w.commit(i);
  w.commit(3, {{w.p.arrive()}, {2, 5}});     // the newcomer takes a free place
  w.commit(9, {{w.p.arrive()}, {}, false});  // no path
  w.tell(6, must(w.p[6].propose_update(w.p.env)));
  w.tell(7, must(w.p[7].propose_remove(w.p.env, w.p.leaf(8))));
  w.tell(0, must(w.p[0].propose_add(w.p.env, w.p.package(w.p.arrive()))));
  CHECK(w.commit(1).updated == std::vector{w.p.leaf(6)});
  w.commit(0, {{}, {10, 6, 7}});
  w.commit(1, {{}, {3, 4, 9, 11}});  // the tree shrinks
  CHECK(w.server.tree().leaf_count() == 2);
}

TEST_CASE("an observer sees external joiners, and members who come back") {
  watched w(3);
  const auto enter = [&](std::size_t i) {
    external_join_options options;
    if (w.p.who(i).in()) options.replaces = w.p.leaf(i);
    const bytes info = must(w.p[0].group_info(w.p.env, {true, true}));
    CHECK(w.server.check_group_info(info));
    w.p.who(i).room.reset();
    auto joined = must(group::join_external(w.p.env, w.p.who(i).who.clone(), info, options, w.p.options().policy));
    const auto seen = as<epoch_change>(must(w.server.process(joined.commit)));
    const auto events = w.p.deliver(i, joined.commit);
    w.p.who(i).room.emplace(std::move(joined.group));
    w.same(seen, std::get<epoch_change>(events.front()));
  };
  enter(w.p.arrive());
  enter(2);
  enter(w.p.arrive());
  w.commit(4);
}

TEST_CASE("an observer sees SelfRemoves, pre-shared keys and the end of a group") {
  one_key_for_all psks;
  party_options options = public_party();
  options.policy.psks = &psks;
  options.proposals = {proposal_type::self_remove};
  watched w(4, options);
  w.tell(2, must(w.p[2].propose(w.p.env, plain_proposal(proposal_type::self_remove))));
  CHECK(w.commit(0).removed == std::vector{leaf_index{2}});

  const bytes nonce(32, 1);
  const pre_shared_key_id id{psk_type::external, as_bytes("k"), {}, {}, 0, nonce};
  commit_request request;
  request.psks = {&id, 1};
  request.path = false;
  w.commit(1, must(w.p[1].commit(w.p.env, request)));

  const std::array wanted{extension{extension_type::external_senders, {}}};
  const bytes items = wire::encode_items(wanted);
  request = {};
  request.extensions = items;
  w.commit(3, must(w.p[3].commit(w.p.env, request)));

  request = {};
  request.reinit_as = reinit{as_bytes("next"), protocol_version::mls10, suite_1, {}};
  CHECK(w.commit(0, must(w.p[0].commit(w.p.env, request))).reinit);
  REQUIRE(w.server.reinitialized());
  CHECK(as_text(w.server.reinitialized()->group_id) == "next");
  const bytes before = w.server.snapshot();
  auto restored = must(observer::restore(w.p.env, before, {}));
  CHECK((restored.snapshot() == before));
  CHECK(restored.reinitialized());
}

TEST_CASE("an observer hears those who are not members, and refuses who is not entitled") {
  watched w(3);
  const client moderator = make_client(w.p.env, "moderator");
  bytes senders, items;
  writer s{senders};
  s.vector([&] { wire::write(s, external_sender{moderator.signer.public_view(), {credential_type::basic, {}}}); });
  writer{items}.raw(wire::encode(extension{extension_type::external_senders, senders}));
  commit_request request;
  request.extensions = items;
  w.commit(0, must(w.p[0].commit(w.p.env, request)));

  const bytes body = wire::encode(remove_of(leaf_index{2}));
  framed_content content{w.p[0].group_id(), w.p[0].epoch_number(), {sender_type::external, 0}, {}, {}};
  content.body.type = content_type::proposal;
  content.body.encoded = body;
  const auto sent_by = [&](const signature_key& key, std::uint32_t index) {
    content.sender.index = index;
    const bytes encoded = wire::encode(content);
    const bytes signature = must(w.server.suite().sign_with_label(
        w.p.env, key, "FramedContentTBS", framed_content_tbs(wire_format::public_message, encoded, {})));
    bytes out;
    writer message{out};
    write_message_header(message, wire_format::public_message);
    message.raw(encoded);
    message.opaque(signature);
    return out;
  };
  const bytes before = w.server.snapshot();
  check_fails(w.server.process(sent_by(moderator.signer, 1)), errc::refused, rules::external_sender);
  check_fails(w.server.process(sent_by(w.p.who(1).who.signer, 0)), errc::unauthentic, rules::content_signature);
  CHECK((w.server.snapshot() == before));
  w.tell(99, sent_by(moderator.signer, 0));
  CHECK(w.commit(1).removed == std::vector{leaf_index{2}});
}

TEST_CASE("to an observer PrivateMessages are opaque, and a private Commit leaves it behind") {
  party p(3);
  observer server = server_of(p);
  const bytes before = server.snapshot();
  const bytes talk = must(p[1].protect(p.env, as_bytes("hello"), {}));
  auto seen = as<opaque_message>(must(server.process(talk)));
  CHECK(seen.epoch == 1);
  CHECK(seen.type == content_type::application);
  const bytes update = must(p[1].propose_update(p.env));
  CHECK(as<opaque_message>(must(server.process(update))).type == content_type::proposal);
  p.deliver(1, update);
  auto pending = p.prepare(0);
  CHECK(as<opaque_message>(must(server.process(pending.message()))).type == content_type::commit);
  p.publish(0, std::move(pending));
  check_fails(server.process(must(p[1].protect(p.env, as_bytes("x"), {}))), errc::early, rules::current_epoch);
  CHECK((server.snapshot() == before));
  server = server_of(p, 2);
  CHECK(must(server.process(talk)).index() == 0);  // a late one
  check_fails(server.process(update), errc::stale_epoch, rules::current_epoch);
  party_options other;
  other.group_id = "another";
  party q(2, other);
  check_fails(server.process(must(q[0].protect(q.env, as_bytes("x"), {}))), errc::unknown_key, rules::known_group);
  check_fails(server.process(p.package(p.arrive())), errc::misuse, rules::known_wire_format);
}

TEST_CASE("what an observer cannot see: a member can lead it astray with tags that only members check") {
  scene s(public_party());
  observer server = server_of(s.p);
  const bytes before = server.snapshot();
  commit_draft draft;
  draft.confirmation_tag = [](bytes& tag) { tag.back() ^= 1; };
  const bytes astray = s.mallory.commit(draft);
  s.refused(astray, errc::unauthentic, rules::confirmation_tag);
  draft.confirmation_tag = [](bytes& tag) { tag.pop_back(); };  // what it does see
  check_fails(server.process(s.mallory.commit(draft)), errc::unauthentic, rules::confirmation_tag);
  CHECK((server.snapshot() == before));
  CHECK(as<epoch_change>(must(server.process(astray))).epoch == 3);
  // the members are where they were; told so, it follows them again
  const bytes info = must(s.p[0].group_info(s.p.env, {true, true}));
  check_fails(server.check_group_info(info), errc::stale_epoch, rules::current_epoch);
  server = server_of(s.p);
  CHECK((server.snapshot() == before));
}

TEST_CASE("an observer starts from nothing but a valid GroupInfo and its tree") {
  party p(4);
  const auto start = [&](byte_view info, const join_options& options = {}) {
    return observer::follow(p.env, info, options, {});
  };
  bytes info = must(p[1].group_info(p.env, {true, false}));
  CHECK(start(info));
  info.back() ^= 1;
  check_fails(start(info), errc::unauthentic, rules::group_info_signature);
  check_fails(start(p.package(p.arrive())), errc::misuse, rules::known_wire_format);
  const bytes bare = must(p[1].group_info(p.env, {false, true}));
  check_fails(start(bare), errc::refused, rules::tree_available);
  join_options beside;
  const bytes tree = p[0].ratchet_tree_items();
  beside.ratchet_tree = tree;
  CHECK((must(start(bare, beside)).snapshot() == observer_of(p.env, p[0]).snapshot()));
  p.commit(0);
  const bytes later = p[0].ratchet_tree_items();
  beside.ratchet_tree = later;
  check_fails(start(bare, beside), errc::refused, rules::tree_hash_matches);
}

TEST_CASE("group_info_current") {
  party p(3, public_party());
  observer server = server_of(p);
  const auto info = [&](party& from, bool external_pub = true) {
    return must(from[1].group_info(from.env, {true, external_pub}));
  };
  CHECK(server.check_group_info(info(p)));
  CHECK(server.check_group_info(must(p[2].group_info(p.env, {false, true}))));
  check_fails(server.check_group_info(info(p, false)), errc::refused, rules::external_pub_present);
  check_fails(server.check_group_info(p.package(0)), errc::misuse, rules::known_wire_format);
  bytes spoilt = info(p);
  spoilt.back() ^= 1;
  check_fails(server.check_group_info(spoilt), errc::unauthentic, rules::group_info_signature);
  // the same name and epoch, another group
  party_options twin = public_party();
  twin.seed = 2;
  party q(3, twin);
  check_fails(server.check_group_info(info(q)), errc::refused, rules::group_info_current);
  const bytes old = info(p);
  const auto pending = p.prepare(0);
  must(server.process(pending.message()));
  check_fails(server.check_group_info(old), errc::stale_epoch, rules::current_epoch);
}

TEST_CASE("an observer goes on from its snapshot, and from no part of it") {
  watched w(5);
  w.tell(2, must(w.p[2].propose_update(w.p.env)));
  const bytes saved = w.server.snapshot();
  for (std::size_t n = 0; n < saved.size(); n += 7)
    CHECK_FALSE(observer::restore(w.p.env, byte_view{saved}.first(n), {}));
  bytes longer = saved;
  longer.push_back(0);
  CHECK_FALSE(observer::restore(w.p.env, longer, {}));
  w.server = must(observer::restore(w.p.env, saved, {}));
  w.agree();
  CHECK(w.commit(1).updated == std::vector{leaf_index{2}});
}

}  // namespace mls_test

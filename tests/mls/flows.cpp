// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The flows beyond add, remove and update: external commits, pre-shared keys, extensions, external senders,
// reinitialization, branches.
#include "support.hpp"

#include <conclave/mls/external_proposal.hpp>

#include <map>

namespace mls_test {

namespace {

/// One external key that everybody knows, and whatever resumption keys were put in.
class known_psks final : public psk_source {
 public:
  [[nodiscard]] result<secret_bytes> external(byte_view psk_id) override {
    if (as_text(psk_id) != "shared") return errc::unknown_key;
    return secret_bytes(32, 7);
  }
  [[nodiscard]] result<secret_bytes> resumption(byte_view, std::uint64_t epoch) override {
    const auto at = resumption_keys.find(epoch);
    if (at == resumption_keys.end()) return errc::unknown_key;
    return secret_bytes(at->second.begin(), at->second.end());
  }
  std::map<std::uint64_t, bytes> resumption_keys;
};

/// A newcomer joins by external commit; everybody follows.
group join_from_outside(party& p, std::size_t from, client&& me, external_join_options options = {}) {
  const bytes info = must(p[from].group_info(p.env, {true, true}));
  auto joined = must(group::join_external(p.env, std::move(me), info, options, p.options().policy));
  for (const std::size_t i : p.inside()) must(p[i].process(joined.commit));
  return std::move(joined.group);
}

void check_agreement(party& p, group& other) {
  CHECK(p.disagreement() == "");
  for (const std::size_t i : p.inside()) CHECK(observe(p[i]).shared() == observe(other).shared());
}

proposal psk_proposal(const pre_shared_key_id& id) {
  proposal out;
  out.type = proposal_type::psk;
  out.psk = id;
  return out;
}

}  // namespace

TEST_CASE("a newcomer joins by external commit, and is a member like any other") {
  const auto n = static_cast<std::size_t>(GENERATE(1, 2, 3, 4, 7));
  CAPTURE(n);
  party p(n);
  group newcomer = join_from_outside(p, n - 1, make_client(p.env, "newcomer"));
  check_agreement(p, newcomer);
  auto commit = must(newcomer.commit(p.env, {}));
  for (const std::size_t i : p.inside()) must(p[i].process(commit.message()));
  must(newcomer.apply(std::move(commit)));
  check_agreement(p, newcomer);
}

TEST_CASE("a member who lost the thread comes back by resync, and only in its own place") {
  party p(4);
  client again = p.who(2).who.clone();
  external_join_options options;
  options.replaces = p.leaf(2);
  const bytes info = must(p[0].group_info(p.env, {true, true}));
  p.who(2).room.reset();
  auto back = must(group::join_external(p.env, std::move(again), info, options, p.options().policy));
  for (const std::size_t i : p.inside()) {
    const auto change = as<epoch_change>(must(p[i].process(back.commit)));
    CHECK(change.removed == std::vector{leaf_index{2}});
  }
  check_agreement(p, back.group);

  options.replaces = leaf_index{1};  // somebody else's
  const bytes next = must(p[0].group_info(p.env, {true, true}));
  const auto theft = must(group::join_external(p.env, make_client(p.env, "thief"), next, options, p.options().policy));
  const observed before = observe(p[0]);
  check_fails(p[0].process(theft.commit), errc::refused, rules::external_commit_proposals);
  CHECK(observe(p[0]) == before);
}

TEST_CASE("a GroupInfo without external_pub, or a changed one, admits nobody") {
  party p(2);
  const bytes closed = must(p[0].group_info(p.env, {true, false}));
  check_fails(group::join_external(p.env, make_client(p.env, "x"), closed, {}, {}), errc::refused,
              rules::external_pub_present);
  bytes changed = must(p[0].group_info(p.env, {true, true}));
  changed.back() ^= 1;
  check_fails(group::join_external(p.env, make_client(p.env, "x"), changed, {}, {}), errc::unauthentic,
              rules::group_info_signature);
}

TEST_CASE("pre-shared keys enter the key schedule of members and joiners alike") {
  known_psks psks;
  party_options options;
  options.policy.psks = &psks;
  party p(3, options);
  psks.resumption_keys[p[0].epoch_number()] = to_bytes(p[0].resumption().reveal());
  const bytes nonce = must(fresh_nonce(p.env, p[0].suite())), nonce2 = must(fresh_nonce(p.env, p[0].suite()));
  const std::array ids{
      pre_shared_key_id{psk_type::external, as_bytes("shared"), {}, {}, 0, nonce},
      pre_shared_key_id{psk_type::resumption, {}, resumption_psk_usage::application, p[0].group_id(), 1, nonce2}};
  const byte_view package = p.package(p.arrive());
  commit_request request;
  request.add = {&package, 1};
  request.psks = ids;
  p.publish(0, must(p[0].commit(p.env, request)));
  CHECK(p.inside().size() == 4);
  CHECK(p.disagreement() == "");
  // by reference, from a member
  const bytes wish = must(p[2].propose(p.env, psk_proposal(ids[0])));
  p.deliver(2, wish);
  p.commit(1);
  CHECK(p.disagreement() == "");
}

TEST_CASE("an unknown pre-shared key, one with a short nonce, and one for setting up another group are refused") {
  known_psks psks;
  party_options options;
  options.policy.psks = &psks;
  party p(2, options);
  const bytes nonce(32, 1), short_nonce(31, 1);
  const auto attempt = [&](const pre_shared_key_id& id) {
    commit_request request;
    request.psks = {&id, 1};
    return p[0].commit(p.env, request);
  };
  const observed before = observe(p[0]);
  check_fails(attempt({psk_type::external, as_bytes("other"), {}, {}, 0, nonce}), errc::unknown_key,
              rules::psk_available);
  check_fails(attempt({psk_type::external, as_bytes("shared"), {}, {}, 0, short_nonce}), errc::malformed,
              rules::psk_nonce_length);
  check_fails(attempt({psk_type::resumption, {}, resumption_psk_usage::branch, p[0].group_id(), 1, nonce}),
              errc::refused, rules::psk_usage);
  CHECK(observe(p[0]) == before);
}

TEST_CASE("the extensions of the group change for all, if all support them") {
  party p(3);
  const extension_type private_use{0xf001};
  const std::array wanted{extension{private_use, as_bytes("x")}};
  const bytes items = wire::encode_items(wanted);
  commit_request request;
  request.extensions = items;
  check_fails(p[0].commit(p.env, request), errc::refused, rules::group_extensions_supported);

  const std::array none{
      extension{extension_type::required_capabilities, as_bytes(std::string_view{"\x02\xf0\x01\x00\x00", 5})}};
  const bytes required = wire::encode_items(none);
  request.extensions = required;
  check_fails(p[0].commit(p.env, request), errc::refused, rules::required_capabilities);

  const std::array twice{extension{extension_type::external_senders, {}},
                         extension{extension_type::external_senders, {}}};
  const bytes duplicate = wire::encode_items(twice);
  request.extensions = duplicate;
  check_fails(p[0].commit(p.env, request), errc::refused, rules::unique_extensions);
}

TEST_CASE("an external sender may propose, once the group knows it and within what such senders may") {
  party p(3);
  const client outsider = make_client(p.env, "service");
  const external_sender entry{outsider.signer.public_view(), {credential_type::basic, outsider.credential}};
  bytes senders;
  writer list{senders};
  list.opaque(wire::encode(entry));
  const std::array wanted{extension{extension_type::external_senders, senders}};
  const bytes items = wire::encode_items(wanted);

  const auto propose = [&](const proposal& what) {
    return external_proposal(p.env, p[0].suite(), p[0].group_id(), p[0].epoch_number(), {sender_type::external},
                             outsider.signer, what);
  };
  proposal remove;
  remove.type = proposal_type::remove;
  remove.remove = p.leaf(2);
  check_fails(p[0].process(must(propose(remove))), errc::refused, rules::external_sender);

  commit_request request;
  request.extensions = items;
  p.publish(0, must(p[0].commit(p.env, request)));
  CHECK(p.disagreement() == "");

  proposal external_init;
  external_init.type = proposal_type::external_init;
  check_fails(propose(external_init), errc::misuse, rules::sender_allows_content);
  const auto outside = [&](const proposal& what, sender_type type) { return from_outside(p, outsider, type, what); };
  check_fails(p[0].process(outside(external_init, sender_type::external)), errc::malformed,
              rules::sender_allows_content);
  check_fails(p[0].process(outside(remove, sender_type::new_member_proposal)), errc::malformed,
              rules::sender_allows_content);
  bytes forged = must(propose(remove));
  forged.back() ^= 1;
  check_fails(p[0].process(forged), errc::unauthentic, rules::content_signature);

  const bytes wish = must(propose(remove));
  for (const std::size_t i : p.inside()) CHECK(as<received_proposal>(must(p[i].process(wish))).type == remove.type);
  const epoch_change change = p.commit(1);
  CHECK(change.removed == std::vector{leaf_index{2}});
  CHECK(p.disagreement() == "");
}

TEST_CASE("a member removes itself by SelfRemove, even through an external commit") {
  party p(0 + 1);
  const auto capable = [&](std::string_view name) {
    client out = make_client(p.env, name);
    out.proposals = {proposal_type::self_remove};
    return out;
  };
  // a group in which everybody can
  auto a = must(group::create(p.env, suite_1, capable("a"), as_bytes("g"), {}, {}));
  client b_client = capable("b");
  auto b_package = make_package(p.env, b_client);
  const byte_view package = b_package.message;
  auto add = must(a.commit(p.env, {{&package, 1}}));
  auto b = must(group::join(p.env, std::move(b_client), std::move(b_package), add.welcome(), {}, {}));
  must(a.apply(std::move(add)));

  proposal leave;
  leave.type = proposal_type::self_remove;
  const bytes wish = must(b.propose(p.env, leave));
  must(a.process(wish));
  const bytes info = must(a.group_info(p.env, {true, true}));
  external_join_options options;
  const byte_view wish_view{wish};
  options.self_removes = {&wish_view, 1};
  auto c = must(group::join_external(p.env, capable("c"), info, options, {}));
  const auto change = as<epoch_change>(must(a.process(c.commit)));
  CHECK(change.removed == std::vector{leaf_index{1}});
  CHECK(as<epoch_change>(must(b.process(c.commit))).removed_me);
  CHECK_FALSE(b.active());
  CHECK(observe(a).shared() == observe(c.group).shared());

  // by value, or where somebody does not support it, it is refused
  proposal by_value = leave;
  commit_request request;
  request.custom = {&by_value, 1};
  CHECK(a.commit(p.env, request).error() == errc::misuse);
  party q(2);
  const bytes unsupported = must(q[1].propose(q.env, leave));
  q.deliver(1, unsupported);
  CHECK(must(q[0].commit(q.env, {})).change().removed.empty());
}

TEST_CASE("a reinitialized group sends nothing more, and goes on as another one") {
  party p(3);
  reinit wanted;
  wanted.group_id = as_bytes("next");
  wanted.version = protocol_version::mls10;
  wanted.suite = cipher_suite::mls_128_dhkemx25519_chacha20poly1305_sha256_ed25519;
  commit_request request;
  request.reinit_as = wanted;
  p.publish(0, must(p[0].commit(p.env, request)));
  for (const std::size_t i : p.inside()) {
    REQUIRE(p[i].reinitialized());
    check_fails(p[i].protect(p.env, as_bytes("x"), {}), errc::refused, rules::no_message_after_reinit);
    check_fails(p[i].commit(p.env, {}), errc::refused, rules::no_message_after_reinit);
  }

  std::vector<prepared_key_package> packages;
  for (const std::size_t i : {0U, 2U}) packages.push_back(make_package(p.env, p.who(i).who, wanted.suite));
  const std::array views{byte_view{packages[0].message}, byte_view{packages[1].message}};
  // somebody is missing
  check_fails(p[1].reinitialize(p.env, p.who(1).who.clone(), {views.data(), 1}), errc::refused,
              rules::successor_members);
  auto next = must(p[1].reinitialize(p.env, p.who(1).who.clone(), views));
  CHECK(as_text(next.group.group_id()) == "next");
  CHECK(next.group.epoch_number() == 1);

  // not without the old group, and not as a branch of another
  check_fails(group::join(p.env, p.who(0).who.clone(), std::move(packages[0]), next.welcomes[0], {}, {}), errc::refused,
              rules::psk_usage);
  group first =
      must(p[0].join_successor(p.env, p.who(0).who.clone(), std::move(packages[0]), next.welcomes[0], {}, {}));
  group third =
      must(p[2].join_successor(p.env, p.who(2).who.clone(), std::move(packages[1]), next.welcomes[0], {}, {}));
  CHECK(observe(first).shared() == observe(next.group).shared());
  CHECK(observe(third).shared() == observe(next.group).shared());
}

TEST_CASE("a branch takes some members along and nobody else") {
  party p(4);
  auto bob = make_package(p.env, p.who(1).who);
  const client stranger = make_client(p.env, "stranger");
  const auto strange = make_package(p.env, stranger);
  const std::array wrong{byte_view{bob.message}, byte_view{strange.message}};
  check_fails(p[0].branch(p.env, p.who(0).who.clone(), as_bytes("side room"), wrong), errc::refused,
              rules::successor_members);
  const observed before = observe(p[0]);
  auto room = must(p[0].branch(p.env, p.who(0).who.clone(), as_bytes("side room"), {wrong.data(), 1}));
  CHECK(observe(p[0]) == before);
  group there = must(p[1].join_successor(p.env, p.who(1).who.clone(), std::move(bob), room.welcomes[0], {}, {}));
  CHECK(observe(there).shared() == observe(room.group).shared());
  // the main group goes on as if nothing had happened
  p.commit(2);
  CHECK(p.disagreement() == "");
}

TEST_CASE("one Welcome each, or one for all, let the same people in") {
  party_options options;
  options.policy.one_welcome_for_all = false;
  party p(1, options);
  changes what;
  for (int i = 0; i < 3; ++i) what.add.push_back(p.arrive());
  auto commit = p.prepare(0, what);
  REQUIRE(commit.welcomes().size() == 3);
  const std::vector<bytes> welcomes(commit.welcomes().begin(), commit.welcomes().end());
  must(p[0].apply(std::move(commit)));
  for (std::size_t i = 0; i < 3; ++i) {
    person& who = p.who(what.add[i]);
    const std::size_t other = (i + 1) % 3;
    check_fails(group::join(p.env, who.who.clone(), std::move(*who.package), welcomes[other], {}, options.policy),
                errc::unknown_key, rules::welcome_for_me);
    who.room.emplace(
        must(group::join(p.env, who.who.clone(), std::move(*who.package), welcomes[i], {}, options.policy)));
  }
  CHECK(p.disagreement() == "");
}

TEST_CASE("a last-resort key package can be used again, any other cannot") {
  party p(1), q(1);
  client me = make_client(p.env, "me");
  me.extensions = {extension_type::last_resort};
  const auto s = must(basic_suite<default_provider>::make(suite_1));
  auto lasting = must(make_key_package<default_provider>(p.env, s, me, {std::chrono::hours{24}, true}));
  auto once = make_package(p.env, make_client(p.env, "once"));
  for (party* room : {&p, &q}) {
    const byte_view package = lasting.message;
    auto commit = must((*room)[0].commit(room->env, {{&package, 1}}));
    CHECK(group::join(room->env, me.clone(), std::move(lasting), commit.welcome(), {}, {}));
  }
  const byte_view package = once.message;
  auto commit = must(p[0].commit(p.env, {{&package, 1}}));
  CHECK(group::join(p.env, make_client(p.env, "once"), std::move(once), commit.welcome(), {}, {}));
  CHECK(group::join(p.env, make_client(p.env, "once"), std::move(once), commit.welcome(), {}, {}).error() ==
        errc::misuse);
}

TEST_CASE("the application's rules can forbid a commit, for its maker and for everybody else") {
  class no_removals final : public commit_rules {
   public:
    [[nodiscard]] status allow(const group_facts&, const commit_facts& commit) override {
      for (const auto& entry : commit.proposals)
        if (entry.proposal.type == proposal_type::remove) return errc::refused;
      return {};
    }
  } strict;
  party p(3);
  const bytes removal = to_bytes(p.prepare(0, {{}, {2}}).message());
  party_options options;
  options.policy.rules = &strict;
  party q(3, options);
  const std::array target{q.leaf(2)};
  check_fails(q[0].commit(q.env, {{}, target}), errc::refused, rules::commit_rules);
  CHECK(p[1].process(removal));
}

TEST_CASE("padding hides lengths as the policy says") {
  padding none{padding::kind::none, 0}, blocks{padding::kind::block, 64}, padme{padding::kind::padme, 0};
  CHECK(none.bytes_for(100) == 0);
  CHECK(blocks.bytes_for(64) == 0);
  CHECK(blocks.bytes_for(65) == 63);
  // Padmé by hand: 1000 has exponent 9, which takes 4 bits, so the last 5 bits are rounded up: 1024
  CHECK(padme.bytes_for(1000) == 24);
  CHECK(padme.bytes_for(9) == 1);
  CHECK(padme.bytes_for(1024) == 0);
  for (std::size_t n = 2; n < 5000; ++n) CHECK(padme.bytes_for(n) * 8 <= n);
}

}  // namespace mls_test

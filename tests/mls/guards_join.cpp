// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Guards of joiners and servers against an inviter who is a member: Welcomes, GroupInfos and trees in which everything
/// fits but one thing, behind signatures that are right.
#include "invitation.hpp"

namespace mls_test {

namespace {

/// Somebody outside who joins by external Commit.
result<external_join<provider>> come_in(party& p, byte_view info, const external_join_options& options = {}) {
  return group::join_external(p.env, make_client(p.env, "joiner"), info, options, p.options().policy);
}

/// The newcomer joins by a Welcome of this draft.
result<group> invited(party& p, const forger& inviter, const package_draft& newcomer, const welcome_draft& draft) {
  auto package = newcomer.encode(p.env);
  const bytes welcome = inviter.welcome(package, draft);
  return group::join(p.env, newcomer.who.clone(), std::move(package), welcome, {}, {});
}

/// The draft in which the tag, the external_pub or the tree of a GroupInfo is another one.
info_draft with_tag(const std::function<void(bytes&)>& change) {
  info_draft out;
  out.confirmation_tag = change;
  return out;
}
info_draft with_extension(extension_type type, const bytes& content) {
  info_draft out;
  out.extensions = [=](auto& list) {
    for (auto& [t, data] : list)
      if (t == type) {
        data.clear();
        writer{data}.opaque(content);
      }
  };
  return out;
}

std::vector<leaf_index> leaves_of(std::initializer_list<std::uint32_t> numbers) {
  std::vector<leaf_index> out;
  for (const std::uint32_t i : numbers) out.push_back(leaf_index{i});
  return out;
}

/// Makes the unmerged leaves of a parent these.
void declare_unmerged(ratchet_tree<provider>& t, node_index x, const std::vector<leaf_index>& list) {
  const bytes items = wire::encode_items(list);
  change_parent(t, x, [&](parent_node& n) { n.unmerged_leaves = wire::list<leaf_index>::of(items, list.size()); });
}

}  // namespace

TEST_CASE("a GroupInfo shorter than its tag, behind secrets that open") {
  invitation in;
  for (const std::size_t size : {0U, 15U, 16U}) {
    welcome_draft draft;
    draft.encrypted_info = [=](bytes& info) { info.resize(size); };
    in.refused(draft, errc::unauthentic, rules::welcome_opens);
  }
}

TEST_CASE("a path secret of a node above the one where newcomer and inviter meet") {
  party p(4);
  p.commit(2, {{}, {1}});
  const forger mallory(p, 0);
  package_draft newcomer(p);  // who is to sit beside 0, below a blank node
  const bytes secret(32, 5);
  welcome_draft draft;
  draft.tree = [&](ratchet_tree<provider>& t) {
    const node_index top = t.top();
    REQUIRE(t.blank(left(top)));
    const auto derived = must(derive_path(mallory.suite(), must(path_secret::copy_of(secret)), 1));
    const path_step step{top, right(top)};
    const byte_view key = derived.keys[0].pub.view();
    leaf_draft leaf = mallory.own_leaf(bytes(32, 9));
    const digest parent_hash = merge_path(t, leaf_index{0}, {&step, 1}, {&key, 1});
    leaf.parent_hash = to_bytes(parent_hash.view());
    t.set_leaf(leaf_index{0}, leaf.encode(p.env));
    declare_unmerged(t, top, leaves_of({1}));
  };
  const auto without = invited(p, mallory, newcomer, draft);
  REQUIRE(without.has_value());
  CHECK(without->own_leaf() == leaf_index{1});
  draft.secrets = [&](group_secrets& s) { s.path_secret = {secret}; };
  check_fails(invited(p, mallory, newcomer, draft), errc::refused, rules::path_secret_matches);
}

TEST_CASE("an unmerged leaf that is blank") {
  invitation in(4);  // mallory is leaf 4, the newcomer 5, and 6 and 7 are nobody's
  for (const std::uint32_t nobody : {6U, 7U})
    in.refused_tree([&](ratchet_tree<provider>& t) { declare_unmerged(t, t.top(), leaves_of({5, nobody})); },
                    errc::refused, rules::unmerged_leaf_below);
}

TEST_CASE("an unmerged leaf unknown to a node in between, to the left below a blank one") {
  party p(8);
  for (std::size_t i = 0; i < 8; ++i) p.commit(i);
  p.commit(4, {{}, {2}});
  const forger mallory(p, 5);
  package_draft newcomer(p);  // takes the place of 2
  const auto& tree = p[0].tree();
  const node_index half = left(tree.top());
  REQUIRE((!tree.blank(left(half)) && tree.blank(half) && !tree.blank(tree.top())));
  CHECK(invited(p, mallory, newcomer, {}));
  welcome_draft draft;
  draft.tree = [](ratchet_tree<provider>& t) { declare_unmerged(t, t.top(), leaves_of({0, 2})); };
  check_fails(invited(p, mallory, newcomer, draft), errc::refused, rules::unmerged_in_between);
}

TEST_CASE("a GroupInfo that differs from what the server knows in one thing") {
  party_options options;
  options.policy.handshakes = wire_format::public_message;
  party p(3, options);
  const bytes old_tree = p[0].ratchet_tree_items();
  const forger mallory(p);
  const observer server = observer_of(p.env, p[0], options.policy);
  CHECK(server.check_group_info(mallory.in_group_info()));
  const auto fails = [&](const info_draft& draft, errc code, const rule& broken) {
    check_fails(server.check_group_info(mallory.in_group_info(draft)), code, broken);
  };
  info_draft other_transcript;
  const bytes zero(32);
  other_transcript.context = [&](group_context& c) { c.confirmed_transcript_hash = zero; };
  fails(other_transcript, errc::refused, rules::group_info_current);
  fails(with_tag([](bytes& tag) { tag.front() ^= 1; }), errc::refused, rules::group_info_current);
  fails(with_tag([](bytes& tag) { tag.pop_back(); }), errc::refused, rules::group_info_current);
  fails(with_extension(extension_type::ratchet_tree, old_tree), errc::refused, rules::group_info_current);
  info_draft twice;
  twice.extensions = [](auto& list) { list.push_back(list.back()); };
  fails(twice, errc::refused, rules::unique_extensions);
  for (const std::size_t size : {0U, 31U, 33U})
    fails(with_extension(extension_type::external_pub, bytes(size, 9)), errc::malformed, rules::valid_public_key);
}

TEST_CASE("a confirmation tag of another length, from which no epoch begins") {
  party p(3);
  const forger mallory(p);
  CHECK(observer::follow(p.env, mallory.in_group_info(), {}, {}));
  CHECK(come_in(p, mallory.in_group_info()));
  for (const std::size_t size : {0U, 31U, 33U, 64U, 65U}) {
    const bytes info = mallory.in_group_info(with_tag([=](bytes& tag) { tag.resize(size); }));
    check_fails(observer::follow(p.env, info, {}, {}), errc::unauthentic, rules::confirmation_tag);
    check_fails(come_in(p, info), errc::unauthentic, rules::confirmation_tag);
  }
}

TEST_CASE("an external_pub that is no key, or one that everybody shares secrets with") {
  party p(3);
  const forger mallory(p);
  for (const bytes& key : {bytes(31, 9), bytes(33, 9), bytes(32)})
    check_fails(come_in(p, mallory.in_group_info(with_extension(extension_type::external_pub, key))), errc::malformed);
  // and the other way round: what joiners send for it
  const auto& external = group_testing<provider>::epoch_of(p[0]).secrets.external;
  for (const bytes& kem_output : {bytes{}, bytes(31, 9), bytes(32)})
    check_fails(external_init_secret(p[0].suite(), external, kem_output), errc::malformed);
}

TEST_CASE("a resync with the same key and another credential") {
  party p(3);
  const bytes info = must(p[0].group_info(p.env, {true, true}));
  external_join_options options;
  options.resync = true;
  client again = p.who(2).who.clone();
  CHECK(group::join_external(p.env, again.clone(), info, options, {}));
  check_fails(group::join_external(p.env, make_client(p.env, "stranger"), info, options, {}), errc::unknown_key,
              rules::sender_is_member);
  again.credential = to_bytes(as_bytes("somebody else"));
  check_fails(group::join_external(p.env, std::move(again), info, options, {}), errc::refused,
              rules::external_commit_proposals);
}

TEST_CASE("SelfRemoves for an external joiner: from outside, and for another group") {
  party_options options;
  options.proposals = {proposal_type::self_remove};
  party p(3, options);
  const forger mallory(p);
  const bytes info = must(p[0].group_info(p.env, {true, true}));
  proposal leave;
  leave.type = proposal_type::self_remove;
  const bytes body = wire::encode(leave);
  const auto fails = [&](const bytes& wish) {
    const byte_view view{wish};
    external_join_options with;
    with.self_removes = {&view, 1};
    check_fails(come_in(p, info, with), errc::refused, rules::self_remove_by_reference);
  };
  for (const auto type : {sender_type::external, sender_type::new_member_proposal})
    fails(from_outside(p, make_client(p.env, "outside"), type, leave));
  framed_content elsewhere = mallory.content(content_type::proposal, body);
  elsewhere.group_id = as_bytes("another");
  fails(mallory.in_public(elsewhere));
  fails(must(p[1].propose_update(p.env)));  // a PrivateMessage
  fails(mallory.commit({}));
}

TEST_CASE("keys that a successor's Welcome asks for beside the link, and nobody has") {
  invitation in;
  const bytes nonce(32, 1);
  const group& old = in.p[0];
  const pre_shared_key_id link{psk_type::resumption, {},   resumption_psk_usage::branch, old.group_id(),
                               old.epoch_number(),   nonce};
  for (const pre_shared_key_id& other :
       {pre_shared_key_id{psk_type::external, as_bytes("k"), {}, {}, 0, nonce},
        pre_shared_key_id{psk_type::resumption, {}, resumption_psk_usage::application, as_bytes("other"), 1, nonce},
        pre_shared_key_id{psk_type::resumption,
                          {},
                          resumption_psk_usage::application,
                          old.group_id(),
                          old.epoch_number() + 1,
                          nonce}}) {
    welcome_draft draft;
    draft.psks = {link, other};
    check_fails(
        old.join_successor(in.p.env, in.newcomer.who.clone(), in.copy(), in.mallory.welcome(in.package, draft), {}, {}),
        errc::unknown_key, rules::psk_available);
  }
}

TEST_CASE("a successor of another version or suite, or another name or extensions after a ReInit") {
  party p(2);
  const auto& now = group_testing<provider>::epoch_of(p[0]);
  const std::array one{extension{extension_type::external_senders, {}}};
  const bytes items = wire::encode_items(one);
  const reinit_parameters asked{to_bytes(p[0].group_id()), protocol_version::mls10, suite_1, {}};
  for (const auto usage : {resumption_psk_usage::branch, resumption_psk_usage::reinit}) {
    const predecessor<provider> before{&now, usage, &asked};
    const auto check = [&](const std::function<void(group_context&)>& change) {
      auto context = must(wire::decode<group_context>(p[0].group_context()));
      REQUIRE(context.epoch == 1);
      if (change) change(context);
      return valid_successor(before, context, now.tree);
    };
    CHECK(check({}));
    check_fails(check([](group_context& c) { c.epoch = 2; }), errc::refused, rules::successor_epoch);
    std::vector<std::function<void(group_context&)>> changes{
        [](group_context& c) { c.version = protocol_version{2}; },
        [](group_context& c) { c.suite = cipher_suite{3}; },
    };
    if (usage == resumption_psk_usage::reinit) {
      changes.emplace_back([](group_context& c) { c.group_id = as_bytes("another"); });
      changes.emplace_back([&](group_context& c) { c.extensions = extension_list::of(items, 1); });
    }
    for (const auto& change : changes) check_fails(check(change), errc::refused, rules::successor_parameters);
  }
}

}  // namespace mls_test

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Bugs of other implementations in messages and commits, as tests: what they accepted is refused behind valid
/// cryptography, and nothing changes.
#include "scene.hpp"

namespace mls_test {

namespace {

constexpr proposal_type optional_proposal{0xff01};

bytes text_body(std::string_view text) {
  bytes out;
  writer{out}.opaque(as_bytes(text));
  return out;
}

proposal extensions_proposal(byte_view items, std::size_t count) {
  proposal out;
  out.type = proposal_type::group_context_extensions;
  out.group_context_extensions = extension_list::of(items, count);
  return out;
}

/// A GroupInfo of the present epoch as the forger would have it, signed with `key`.
bytes forged_info(scene& s, const std::function<void(std::vector<extension>&)>& change, const signature_key& key) {
  const bytes encoded = must(s.p[0].group_info(s.p.env, {true, true}));
  const auto honest = must(message::decode(encoded));
  std::vector<extension> extensions;
  bytes kept = to_bytes(honest.group_info->extensions.encoded());
  for (const extension e : *extension_list::check(kept)) extensions.push_back(e);
  if (change) change(extensions);
  const bytes items = wire::encode_items(extensions);
  bytes info = wire::encode(honest.group_info->context);
  writer w{info};
  w.opaque(items);
  w.opaque(honest.group_info->confirmation_tag);
  w.number(number(s.mallory.state().own));
  const bytes signature = must(s.mallory.suite().sign_with_label(s.p.env, key, "GroupInfoTBS", info));
  w.opaque(signature);
  bytes out;
  writer message{out};
  write_message_header(message, wire_format::group_info);
  message.raw(info);
  return out;
}

/// The data of an extension of an honest GroupInfo, with a byte behind it.
void spoil(std::vector<extension>& list, extension_type type, bytes& storage) {
  for (extension& e : list) {
    if (e.type != type) continue;
    storage = to_bytes(e.data);
    storage.push_back(0);
    e.data = storage;
    return;
  }
  FAIL("no such extension");
}

/// The extension that lets `who` propose from outside, and bytes behind it.
bytes external_senders_items(const client& who, byte_view behind = {}) {
  const external_sender entry{who.signer.public_view(), {credential_type::basic, who.credential}};
  bytes senders;
  writer list{senders};
  list.opaque(wire::encode(entry));
  list.raw(behind);
  const std::array wanted{extension{extension_type::external_senders, senders}};
  return wire::encode_items(wanted);
}

}  // namespace

TEST_CASE("bug: a tag is compared without its length") {
  scene s;
  const bytes honest = s.mallory.propose(remove_of(leaf_index{3}));
  for (std::size_t size = 0; size <= 40; ++size) {
    if (size == 32) continue;
    auto m = must(message::decode(honest));
    bytes tag = to_bytes(m.public_message.membership_tag);
    tag.resize(size);
    m.public_message.membership_tag = tag;
    s.refused(wire::encode(m), errc::unauthentic, rules::membership_tag);
  }
  for (const std::size_t size : {0U, 1U, 31U, 33U}) {
    commit_draft commit;
    commit.confirmation_tag = [=](bytes& tag) { tag.resize(size); };
    s.refused(s.mallory.commit(commit), errc::unauthentic, rules::confirmation_tag);
  }
  s.go_on();
}

TEST_CASE("bug: lengths around 0x3f, 0x3fff and 0x3fffffff") {
  CHECK(varint_size(0x3f) == 1);
  CHECK(varint_size(0x40) == 2);
  CHECK(varint_size(0x3fff) == 2);
  CHECK(varint_size(0x4000) == 4);
  CHECK(varint_size(0x3fffffff) == 4);
  party_options options;
  options.policy.padding.how = padding::kind::none;
  party p(2, options);
  for (const std::size_t size : {0x3eU, 0x3fU, 0x40U, 0x41U, 0x3ffeU, 0x3fffU, 0x4000U, 0x4001U}) {
    CAPTURE(size);
    const bytes text(size, 'x'), data(size, 'y');
    const bytes message = must(p[0].protect(p.env, text, data));
    const auto heard = as<application_message>(must(p[1].process(message)));
    CHECK(equal(heard.plaintext, text));
    CHECK(heard.authenticated_data == data);
  }
}

TEST_CASE("bug: bytes left over inside a known extension") {
  scene s;
  bytes storage;
  const client joiner = make_client(s.p.env, "joiner");
  const auto enter = [&](const bytes& info) { return group::join_external(s.p.env, joiner.clone(), info, {}, {}); };
  REQUIRE(enter(forged_info(s, {}, s.mallory.who().signer)).has_value());
  for (const auto type : {extension_type::ratchet_tree, extension_type::external_pub})
    check_fails(enter(forged_info(
                    s, [&](std::vector<extension>& list) { spoil(list, type, storage); }, s.mallory.who().signer)),
                errc::malformed);

  const bytes nothing_and_more{0, 0, 0, 0};
  const std::array list{extension{extension_type::required_capabilities, nothing_and_more}};
  const bytes items = wire::encode_items(list);
  commit_draft commit;
  commit.proposals = {extensions_proposal(items, 1)};
  const bytes message = s.mallory.commit(commit);
  for (const std::size_t i : {0U, 2U}) {
    const bytes before = whole_state(s.p[i]);
    check_fails(s.p[i].process(message), errc::malformed);
    CHECK((whole_state(s.p[i]) == before));
  }

  const client service = make_client(s.p.env, "service");
  const bytes senders = external_senders_items(service, bytes{0});
  commit_request request;
  request.extensions = senders;
  if (auto pending = s.p[0].commit(s.p.env, request)) {  // opaque to who does not use it
    s.p.publish(0, *std::move(pending));
    check_fails(s.p[0].process(from_outside(s.p, service, sender_type::external, remove_of(leaf_index{3}))),
                errc::malformed);
  } else {
    check_fails(pending, errc::malformed);
  }
}

TEST_CASE("bug: a key is erased before the tag was verified") {
  scene s;
  const bytes text = text_body("forged");
  const bytes honest = must(s.p[1].protect(s.p.env, as_bytes("honest"), {}));
  // somebody else's generation 0, with another key than its own
  forger::private_options options;
  options.claimed_leaf = leaf_index{1};
  options.claimed_generation = 0;
  for (int n = 0; n < 3; ++n) {
    const bytes forged = s.mallory.in_private(s.mallory.content(content_type::application, text), options);
    for (const std::size_t i : {0U, 2U, 3U}) {
      const bytes before = whole_state(s.p[i]);
      check_fails(s.p[i].process(forged), errc::unauthentic, rules::content_tag);
      CHECK((whole_state(s.p[i]) == before));
    }
  }
  for (const std::size_t i : {0U, 2U, 3U})
    CHECK(text_of(as<application_message>(must(s.p[i].process(honest)))) == "honest");
}

TEST_CASE("bug: a replayed ciphertext destroys the sender's ratchet") {
  scene s;
  std::vector<bytes> sent;
  for (int n = 0; n < 4; ++n) sent.push_back(must(s.p[1].protect(s.p.env, as_bytes("text"), {})));
  must(s.p[0].process(sent[1]));
  const bytes before = whole_state(s.p[0]);
  for (int n = 0; n < 20; ++n) check_fails(s.p[0].process(sent[1]), errc::replayed, rules::generation_used);
  CHECK((whole_state(s.p[0]) == before));
  for (const std::size_t n : {3U, 0U, 2U}) CHECK(s.p[0].process(sent[n]).has_value());
  for (const bytes& m : sent) check_fails(s.p[0].process(m), errc::replayed, rules::generation_used);
}

TEST_CASE("bug: an index overflows from a huge leaf index") {
  scene s;
  const bytes text = text_body("x"), body = wire::encode(remove_of(leaf_index{3}));
  // two times these is little, or wraps
  for (const std::uint32_t leaf : {0x7fffffffU, 0x80000000U, 0x80000001U, 0xfffffffeU, 0xffffffffU}) {
    auto content = s.mallory.content(content_type::proposal, body);
    content.sender.index = leaf;
    s.refused(s.mallory.in_public(content), errc::refused, rules::sender_is_member);
    forger::private_options options;
    options.claimed_leaf = leaf_index{leaf};
    s.refused(s.mallory.in_private(s.mallory.content(content_type::application, text), options), errc::refused,
              rules::sender_is_member);
    s.refused(s.mallory.propose(remove_of(leaf_index{leaf})), errc::refused, rules::remove_target);
    check_fails(s.p[0].propose_remove(s.p.env, leaf_index{leaf}), errc::refused, rules::remove_target);
  }
  s.p.commit(0);
  CHECK(s.p.disagreement() == "");
}

TEST_CASE("bug: a length that no memory holds") {
  scene s;
  // a GroupInfo's tree, a commit's proposals and a Welcome's secrets of a gigabyte, in a few bytes
  bytes message = s.mallory.propose(remove_of(leaf_index{3}));
  const bytes huge{0xbf, 0xff, 0xff, 0xff};
  bytes front(message.begin(), message.begin() + 4);
  front.insert(front.end(), huge.begin(), huge.end());
  s.refused(front, errc::malformed, conclave::rules::complete_field);
  bytes welcome;
  writer w{welcome};
  write_message_header(w, wire_format::welcome);
  wire::write(w, suite_1);
  w.raw(huge);
  CHECK(message::decode(welcome).error() == errc::malformed);
  const bytes body = [&] {
    bytes out = huge;  // a Commit that says it has 2^30 - 1 bytes of proposals
    out.push_back(0);
    return out;
  }();
  s.refused(s.mallory.in_public(s.mallory.content(content_type::commit, body), bytes(32)), errc::malformed,
            conclave::rules::complete_field);
  s.go_on();
}

TEST_CASE("bug: those who are removed are still asked for capabilities") {
  party_options options;
  options.proposals = {optional_proposal};
  party p(1, options);
  changes first;
  for (int n = 0; n < 3; ++n) first.add.push_back(p.arrive());
  p.who(2).who.proposals.clear();
  p.commit(0, first);
  proposal custom;
  custom.type = optional_proposal;
  commit_request request;
  request.custom = {&custom, 1};
  check_fails(p[0].commit(p.env, request), errc::refused, rules::proposal_supported_by_all);
  const std::array leaver{p.leaf(2)};
  request.remove = leaver;
  p.publish(0, must(p[0].commit(p.env, request)));
  CHECK(p.inside() == std::vector<std::size_t>{0, 1, 3});
  CHECK(p.disagreement() == "");

  // the same for what the group requires from now on
  p.commit(0, {{2}, {}});
  const bytes needed{0, 2, 0xff, 1, 0};
  const std::array list{extension{extension_type::required_capabilities, needed}};
  const bytes items = wire::encode_items(list);
  commit_request demand;
  demand.extensions = items;
  check_fails(p[0].commit(p.env, demand), errc::refused, rules::required_capabilities);
  const std::array again{p.leaf(2)};
  demand.remove = again;
  p.publish(0, must(p[0].commit(p.env, demand)));
  CHECK(p.disagreement() == "");
}

TEST_CASE("bug: an Update and a Remove of one leaf are both applied") {
  party_options options;
  options.policy.handshakes = wire_format::public_message;
  scene s(options);
  const auto reference_of = [&](std::size_t from, const bytes& message) {
    bytes out;
    for (event& e : s.p.deliver(from, message)) out = as<received_proposal>(std::move(e)).reference;
    return out;
  };
  const bytes update = reference_of(1, must(s.p[1].propose_update(s.p.env)));
  const bytes remove = reference_of(2, must(s.p[2].propose_remove(s.p.env, s.p.leaf(1))));
  for (const auto& both : {std::vector{update, remove}, std::vector{remove, update}}) {
    commit_draft commit;
    commit.references = both;
    s.refused(s.mallory.commit(commit), errc::refused, rules::one_change_per_leaf);
  }
  const epoch_change change = s.p.commit(0);
  CHECK(change.removed == std::vector{leaf_index{1}});
  CHECK(change.updated.empty());
  CHECK(s.p.disagreement() == "");
}

TEST_CASE("bug: new extensions of the group without a path") {
  scene s;
  for (const bool with_remove : {false, true}) {
    commit_draft commit;
    commit.proposals = {extensions_proposal({}, 0)};
    if (with_remove) commit.proposals.push_back(remove_of(leaf_index{3}));
    commit.path = false;
    s.refused(s.mallory.commit(commit), errc::refused, rules::path_required);
  }
  // whoever asks for none gets one
  party_options options;
  options.policy.handshakes = wire_format::public_message;
  party p(3, options);
  commit_request request;
  request.extensions = byte_view{};
  request.path = false;
  auto pending = must(p[0].commit(p.env, request));
  CHECK(must(message::decode(pending.message())).public_message.content->body.commit.path.has_value());
  p.publish(0, std::move(pending));
  CHECK(p.disagreement() == "");
}

TEST_CASE("a commit without a path that is made again encrypts nothing else under the same key") {
  party_options options;
  options.policy.handshakes = wire_format::public_message;
  party p(3, options);
  const package_draft newcomer(p);
  const auto package = newcomer.encode(p.env);
  const byte_view packages[] = {package.message};
  commit_request request;
  request.add = packages;
  request.path = false;
  const auto first = must(p[0].commit(p.env, request)), second = must(p[0].commit(p.env, request));
  CHECK(equal(first.message(), second.message()));
  const auto group_info = [](const auto& c) {
    return to_bytes(must(message::decode(c.welcome())).welcome.encrypted_group_info);
  };
  CHECK(group_info(first) == group_info(second));
}

TEST_CASE("bug: an external sender proposes what such senders may not") {
  party p(4);
  const client service = make_client(p.env, "service");
  const bytes items = external_senders_items(service);
  commit_request request;
  request.extensions = items;
  p.publish(0, must(p[0].commit(p.env, request)));
  const auto refused = [&](const proposal& what) {
    CAPTURE(static_cast<unsigned>(what.type));
    const bytes message = from_outside(p, service, sender_type::external, what);
    for (const std::size_t i : p.inside()) {
      const bytes before = whole_state(p[i]);
      check_fails(p[i].process(message), errc::malformed, rules::sender_allows_content);
      CHECK((whole_state(p[i]) == before));
    }
  };
  const auto leaf = wire::encode(p[0].tree().leaf(leaf_index{1}));
  proposal update;
  update.type = proposal_type::update;
  update.update = must(wire::decode<located_leaf>(leaf));
  refused(update);
  for (const auto type : {proposal_type::external_init, proposal_type::self_remove}) {
    proposal other;
    other.type = type;
    refused(other);
  }
  for (const std::size_t i : p.inside())
    CHECK(p[i].process(from_outside(p, service, sender_type::external, remove_of(leaf_index{3}))).has_value());
  CHECK(p.commit(1).removed == std::vector{leaf_index{3}});
}

TEST_CASE("bug: the GroupInfo is signed with the old key when the commit rotates the signer") {
  party_options options;
  options.policy.handshakes = wire_format::public_message;
  scene s(options);
  const client rotated = make_client(s.p.env, "rotated");
  commit_draft commit;
  commit.leaf = [&](leaf_draft& l) {
    l.signature_key = to_bytes(rotated.signer.public_view());
    l.signer = &rotated.signer;
  };
  const bytes message = s.mallory.commit(commit);
  for (const std::size_t i : {0U, 1U, 2U, 3U}) must(s.p[i].process(message));
  const client joiner = make_client(s.p.env, "joiner");
  const auto enter = [&](const signature_key& key) {
    return group::join_external(s.p.env, joiner.clone(), forged_info(s, {}, key), {}, {});
  };
  check_fails(enter(s.mallory.who().signer), errc::unauthentic, rules::group_info_signature);
  const auto joined = must(enter(rotated.signer));
  for (const std::size_t i : {0U, 1U, 2U, 3U}) CHECK(s.p[i].process(joined.commit).has_value());
}

TEST_CASE("bug: external_pub belongs to another epoch") {
  scene s;
  const auto external_pub = [](party& p) {
    const bytes encoded = must(p[0].group_info(p.env, {false, true}));
    const auto info = must(message::decode(encoded));
    return to_bytes(*find(info.group_info->extensions, extension_type::external_pub));
  };
  const bytes before = external_pub(s.p);
  CHECK(before == external_pub(s.p));
  const client joiner = make_client(s.p.env, "joiner");
  // a key of another time, signed in this epoch
  party other(3);
  const bytes stale = external_pub(other);
  const bytes info = forged_info(
      s,
      [&](std::vector<extension>& list) {
        for (extension& e : list)
          if (e.type == extension_type::external_pub) e.data = stale;
      },
      s.mallory.who().signer);
  const auto lost = must(group::join_external(s.p.env, joiner.clone(), info, {}, {}));
  s.refused(lost.commit, errc::unauthentic, rules::confirmation_tag);
  s.p.commit(0);
  CHECK_FALSE(before == external_pub(s.p));
  s.p.enter(s.p.arrive(), 0);
  CHECK(s.p.disagreement() == "");
}

TEST_CASE("bug: an external resync without a former leaf") {
  scene s;
  const client stranger = make_client(s.p.env, "stranger");
  const bytes info = must(s.p[0].group_info(s.p.env, {true, true}));
  external_join_options with;
  for (const std::uint32_t leaf : {5U, 7U, 8U, 0xffffffffU}) {  // blank, and outside the tree
    with.replaces = leaf_index{leaf};
    check_fails(group::join_external(s.p.env, stranger.clone(), info, with, {}), errc::refused, rules::remove_target);
  }
  for (const std::uint32_t leaf : {1U, 4U}) {  // somebody else's
    with.replaces = leaf_index{leaf};
    const auto theft = group::join_external(s.p.env, stranger.clone(), info, with, {});
    if (theft)
      s.refused(theft->commit, errc::refused, rules::external_commit_proposals);
    else
      check_fails(theft, errc::refused, rules::external_commit_proposals);
  }
  s.go_on();
}

TEST_CASE("bug: capabilities are compared each with each, without a bound") {
  scene s;
  // what the group requires is compared with what each member lists: neither may be long
  bytes many;
  for (std::size_t i = 0; i <= limits::capabilities; ++i) many.insert(many.end(), {0, 1});
  bytes needed;
  writer w{needed};
  w.opaque(many);
  w.opaque({});
  w.opaque({});
  const std::array list{extension{extension_type::required_capabilities, needed}};
  const bytes items = wire::encode_items(list);
  commit_draft commit;
  commit.proposals = {extensions_proposal(items, 1)};
  s.refused(s.mallory.commit(commit), errc::over_limit, rules::required_capabilities);
  commit_request request;
  request.extensions = items;
  check_fails(s.p[0].commit(s.p.env, request), errc::over_limit, rules::required_capabilities);
  s.refused(s.mallory.update_leaf(
                [](leaf_draft& l) { l.extensions.resize(limits::capabilities + 1, extension_type{0xff01}); }),
            errc::over_limit, rules::required_capabilities);
  bytes extensions;
  for (std::size_t i = 0; i <= limits::extensions; ++i)
    extensions.insert(extensions.end(), {0xff, static_cast<std::uint8_t>(i), 0});
  s.refused(s.mallory.propose(extensions_proposal(extensions, limits::extensions + 1)), errc::over_limit,
            rules::unique_extensions);
  s.go_on();
}

TEST_CASE("external proposals come only as PublicMessage") {
  scene s;
  const client service = make_client(s.p.env, "service");
  const bytes items = external_senders_items(service);
  commit_draft commit;
  commit.proposals = {extensions_proposal(items, 1)};
  // a PrivateMessage has no place for another sender than a member, whose signature it then has to carry
  const bytes body = wire::encode(remove_of(leaf_index{3}));
  auto content = s.mallory.content(content_type::proposal, body);
  content.sender = {sender_type::external, 0};
  forger::private_options options;
  options.signer = &service.signer;
  s.refused(s.mallory.in_private(content, options), errc::unauthentic, rules::content_signature);
  options.signer = nullptr;  // the member's own signature, over another sender
  s.refused(s.mallory.in_private(content, options), errc::unauthentic, rules::content_signature);
}

TEST_CASE("new extensions of the group hold for the Adds of the same commit") {
  party_options options;
  options.proposals = {optional_proposal};
  party p(3, options);
  const bytes needed{0, 2, 0xff, 1, 0};
  const std::array list{extension{extension_type::required_capabilities, needed}};
  const bytes items = wire::encode_items(list);
  const std::size_t able = p.arrive(), unable = p.arrive();
  p.who(unable).who.proposals.clear();
  const byte_view good = p.package(able), bad = p.package(unable);
  commit_request request;
  request.extensions = items;
  request.add = {&bad, 1};
  const bytes before = whole_state(p[0]);
  check_fails(p[0].commit(p.env, request), errc::refused, rules::required_capabilities);
  CHECK((whole_state(p[0]) == before));
  request.add = {&good, 1};
  p.publish(0, must(p[0].commit(p.env, request)));
  CHECK(p.inside().size() == 4);
  CHECK(p.disagreement() == "");

  // a forged commit gets no further
  scene s(options);
  package_draft newcomer(s.p);
  const auto package = newcomer.encode(s.p.env);
  commit_draft commit;
  commit.proposals = {extensions_proposal(items, 1), add_of(package)};
  commit.leaf = [](leaf_draft& l) { l.proposals = {optional_proposal}; };
  s.refused(s.mallory.commit(commit), errc::refused, rules::required_capabilities);
}

TEST_CASE("credentials and lifetimes that have expired still commit and update") {
  party p(4);
  p.env.advance(std::chrono::hours{24 * 365});
  p.deliver(1, must(p[1].propose_update(p.env)));
  CHECK(p.commit(2).updated == std::vector{leaf_index{1}});
  p.commit(3);
  CHECK(p.commit(0, {{p.arrive()}, {}}).added == std::vector{leaf_index{4}});
  CHECK(p.disagreement() == "");
}

}  // namespace mls_test

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Rules of framing, each broken by a message that is in order otherwise. Test cases are named after the rules.
#include "scene.hpp"

namespace mls_test {

namespace {

/// An honest PrivateMessage or PublicMessage with something changed in its structure.
template <class F>
bytes changed(byte_view honest, F&& change) {
  auto m = must(message::decode(honest));
  change(m);
  return wire::encode(m);
}

bytes application_body(std::string_view text) {
  bytes out;
  writer{out}.opaque(as_bytes(text));
  return out;
}

}  // namespace

TEST_CASE("supported_suite") {
  deterministic_environment env(1);
  for (const auto id : {std::uint16_t{0}, std::uint16_t{8}, std::uint16_t{0x0a0a}, std::uint16_t{0xffff}})
    check_fails(group::create(env, cipher_suite{id}, make_client(env, "x"), as_bytes("g"), {}, {}), errc::unsupported,
                rules::supported_suite);
}

TEST_CASE("supported_version") {
  scene s;
  bytes message = s.mallory.propose(remove_of(leaf_index{1}));
  message[1] = 2;
  s.refused(message, errc::unsupported, rules::supported_version);
  s.go_on();
}

TEST_CASE("known_wire_format") {
  scene s;
  bytes message = s.mallory.propose(remove_of(leaf_index{1}));
  for (const std::uint8_t format : bytes{0, 6, 0xff}) {
    message[3] = format;
    s.refused(message, errc::malformed, rules::known_wire_format);
  }
  // known, but nothing that a group processes
  check_fails(s.p[0].process(s.p.package(s.p.arrive())), errc::misuse, rules::known_wire_format);
  s.go_on();
}

TEST_CASE("known_content_type") {
  scene s;
  const bytes body = wire::encode(remove_of(leaf_index{1}));
  for (const std::uint8_t type : bytes{0, 4, 255}) {
    const auto content = s.mallory.content(content_type{type}, body);
    s.refused(s.mallory.in_public(content), errc::malformed, rules::known_content_type);
    s.refused(s.mallory.in_private(content), errc::malformed, rules::known_content_type);
  }
  s.p.commit(0);
}

TEST_CASE("known_sender_type") {
  scene s;
  const bytes body = wire::encode(remove_of(leaf_index{1}));
  auto content = s.mallory.content(content_type::proposal, body);
  for (const std::uint8_t type : bytes{0, 5, 255}) {
    content.sender.type = sender_type{type};
    s.refused(s.mallory.in_public(content), errc::malformed, rules::known_sender_type);
  }
  s.go_on();
}

TEST_CASE("known_group") {
  scene s;
  const bytes body = wire::encode(remove_of(leaf_index{1}));
  for (const std::string_view id : {"", "part", "party2"}) {
    auto content = s.mallory.content(content_type::proposal, body);
    content.group_id = as_bytes(id);
    s.refused(s.mallory.in_public(content), errc::unknown_key, rules::known_group);
    s.refused(s.mallory.in_private(content), errc::unknown_key, rules::known_group);
  }
  s.p.commit(0);
}

TEST_CASE("current_epoch") {
  scene s;
  const bytes body = wire::encode(remove_of(leaf_index{1}));
  const std::uint64_t now = s.p[0].epoch_number();
  for (const std::uint64_t epoch : {std::uint64_t{0}, now - 1, now + 1, ~std::uint64_t{0}}) {
    auto content = s.mallory.content(content_type::proposal, body);
    content.epoch = epoch;
    const errc code = epoch < now ? errc::stale_epoch : errc::early;
    s.refused(s.mallory.in_public(content), code, rules::current_epoch);
    s.refused(s.mallory.in_private(content), code, rules::current_epoch);
  }
  s.p.commit(0);
}

TEST_CASE("sender_allows_content") {
  scene s;
  package_draft newcomer(s.p);
  const auto package = newcomer.encode(s.p.env);
  const bytes remove = wire::encode(remove_of(leaf_index{1}));
  const bytes update = [&] {
    bytes out;
    writer w{out};
    wire::write(w, proposal_type::update);
    w.raw(s.mallory.own_leaf(package.leaf.pub.view()).encode(s.p.env));
    return out;
  }();
  const bytes external_init = [&] {
    proposal p;
    p.type = proposal_type::external_init;
    return wire::encode(p);
  }();
  const bytes no_path{0, 0};  // a commit of nothing
  struct {
    sender_type from;
    content_type type;
    const bytes& body;
  } const cases[]{
      {sender_type::external, content_type::proposal, update},
      {sender_type::external, content_type::proposal, external_init},
      {sender_type::external, content_type::commit, no_path},
      {sender_type::new_member_proposal, content_type::proposal, remove},
      {sender_type::new_member_proposal, content_type::commit, no_path},
      {sender_type::new_member_commit, content_type::proposal, remove},
      {sender_type::new_member_commit, content_type::commit, no_path},
  };
  for (const auto& [from, type, body] : cases) {
    auto content = s.mallory.content(type, body);
    content.sender = {from, 0};
    s.refused(s.mallory.in_public(content, type == content_type::commit ? bytes(32) : bytes{}), errc::malformed,
              rules::sender_allows_content);
  }
  s.go_on();
}

TEST_CASE("sender_is_member") {
  scene s;
  const bytes body = wire::encode(remove_of(leaf_index{3}));
  const bytes text = application_body("x");
  // blank, just behind the tree, and as far away as can be
  for (const std::uint32_t leaf : {5U, 7U, 8U, 0x7fffffffU, 0x80000000U, 0xffffffffU}) {
    auto content = s.mallory.content(content_type::proposal, body);
    content.sender.index = leaf;
    s.refused(s.mallory.in_public(content), errc::refused, rules::sender_is_member);
    forger::private_options options;
    options.claimed_leaf = leaf_index{leaf};
    s.refused(s.mallory.in_private(s.mallory.content(content_type::proposal, body), options), errc::refused,
              rules::sender_is_member);
    s.refused(s.mallory.in_private(s.mallory.content(content_type::application, text), options), errc::refused,
              rules::sender_is_member);
  }
  s.p.commit(0);
}

TEST_CASE("external_sender") {
  scene s;
  const bytes body = wire::encode(remove_of(leaf_index{3}));
  auto content = s.mallory.content(content_type::proposal, body);
  content.sender = {sender_type::external, 0};
  s.refused(s.mallory.in_public(content), errc::refused, rules::external_sender);
  s.go_on();
}

TEST_CASE("content_signature") {
  scene s;
  const signature_key& stranger = s.p.who(1).who.signer;
  const bytes body = wire::encode(remove_of(leaf_index{3}));
  const auto content = s.mallory.content(content_type::proposal, body);
  // by another member's key, over another format, and none at all: behind a membership tag that is right
  s.refused(s.mallory.in_public_signed(content, s.mallory.sign(wire_format::public_message, content, stranger)),
            errc::unauthentic, rules::content_signature);
  s.refused(s.mallory.in_public_signed(content,
                                       s.mallory.sign(wire_format::private_message, content, s.mallory.who().signer)),
            errc::unauthentic, rules::content_signature);
  s.refused(s.mallory.in_public_signed(content, {}), errc::unauthentic, rules::content_signature);
  // in somebody else's name
  auto impersonation = content;
  impersonation.sender.index = 1;
  s.refused(s.mallory.in_public(impersonation), errc::unauthentic, rules::content_signature);
  const bytes text = application_body("x");
  for (const auto& [type, bytes_of] : {std::pair{content_type::proposal, &body}, {content_type::application, &text}}) {
    forger::private_options options;
    options.signer = &stranger;
    s.refused(s.mallory.in_private(s.mallory.content(type, *bytes_of), options), errc::unauthentic,
              rules::content_signature);
  }
  s.go_on();
}

TEST_CASE("application_is_private") {
  scene s;
  const bytes text = application_body("x");
  s.refused(s.mallory.in_public(s.mallory.content(content_type::application, text)), errc::refused,
            rules::application_is_private);
  s.go_on();
}

TEST_CASE("membership_tag") {
  scene s;
  const bytes honest = s.mallory.propose(remove_of(leaf_index{3}));
  const auto with_tag = [&](auto&& change) {
    return changed(honest, [&](message& m) { change(m.public_message.membership_tag); });
  };
  const bytes zero(32);
  bytes longer;
  s.refused(with_tag([&](byte_view& tag) { tag = zero; }), errc::unauthentic, rules::membership_tag);
  s.refused(with_tag([](byte_view& tag) { tag = tag.first(31); }), errc::unauthentic, rules::membership_tag);
  s.refused(with_tag([](byte_view& tag) { tag = tag.first(1); }), errc::unauthentic, rules::membership_tag);
  s.refused(with_tag([](byte_view& tag) { tag = {}; }), errc::unauthentic, rules::membership_tag);
  s.refused(with_tag([&](byte_view& tag) {
              longer = to_bytes(tag);
              longer.push_back(0);
              tag = longer;
            }),
            errc::unauthentic, rules::membership_tag);
  s.go_on();
}

TEST_CASE("padding_is_zero") {
  scene s;
  const bytes text = application_body("x"), body = wire::encode(remove_of(leaf_index{3}));
  for (const bytes& padding : {bytes{1}, bytes{0, 0, 1}, bytes{1, 0, 0}, bytes{0, 0x80, 0}}) {
    forger::private_options options;
    options.padding = padding;
    s.refused(s.mallory.in_private(s.mallory.content(content_type::application, text), options), errc::malformed,
              rules::padding_is_zero);
    s.refused(s.mallory.in_private(s.mallory.content(content_type::proposal, body), options), errc::malformed,
              rules::padding_is_zero);
  }
  forger::private_options zeros;
  zeros.padding = bytes(1000);
  CHECK(s.p[0].process(s.mallory.in_private(s.mallory.content(content_type::application, text), zeros)));
  s.p.commit(0);
}

TEST_CASE("content_tag") {
  scene s;
  const bytes text = application_body("x");
  const bytes honest = s.mallory.in_private(s.mallory.content(content_type::application, text));
  bytes other;
  // behind the sample that the sender data depend on
  s.refused(changed(honest,
                    [&](message& m) {
                      other = to_bytes(m.private_message.ciphertext);
                      other.back() ^= 1;
                      m.private_message.ciphertext = other;
                    }),
            errc::unauthentic, rules::content_tag);
  // under the key of another generation
  forger::private_options options;
  options.claimed_generation = 7;
  s.refused(s.mallory.in_private(s.mallory.content(content_type::application, text), options), errc::unauthentic,
            rules::content_tag);
  // in somebody else's place
  options = {};
  options.claimed_leaf = leaf_index{1};
  s.refused(s.mallory.in_private(s.mallory.content(content_type::application, text), options), errc::unauthentic,
            rules::content_tag);
  CHECK(s.p[0].process(honest));
  CHECK(s.p[2].process(honest));
  s.p.commit(0);
}

TEST_CASE("sender_data_tag") {
  scene s;
  const bytes text = application_body("x");
  const bytes honest = s.mallory.in_private(s.mallory.content(content_type::application, text));
  bytes other;
  const auto spoilt = [&](std::size_t at, bool sender_data) {
    return changed(honest, [&](message& m) {
      byte_view& field = sender_data ? m.private_message.encrypted_sender_data : m.private_message.ciphertext;
      other = to_bytes(field);
      other[at] ^= 1;
      field = other;
    });
  };
  s.refused(spoilt(0, true), errc::unauthentic, rules::sender_data_tag);
  s.refused(spoilt(27, true), errc::unauthentic, rules::sender_data_tag);
  s.refused(spoilt(0, false), errc::unauthentic, rules::sender_data_tag);  // within the sample
  s.refused(spoilt(31, false), errc::unauthentic, rules::sender_data_tag);
  for (const std::size_t size : {0U, 15U, 16U, 27U})
    s.refused(changed(honest,
                      [&](message& m) {
                        m.private_message.encrypted_sender_data = m.private_message.encrypted_sender_data.first(size);
                      }),
              errc::unauthentic, rules::sender_data_tag);
  CHECK(s.p[0].process(honest));
  s.p.commit(0);
}

TEST_CASE("own_message") {
  scene s;
  const bytes text = application_body("x");
  forger::private_options options;
  options.claimed_leaf = leaf_index{0};
  const bytes message = s.mallory.in_private(s.mallory.content(content_type::application, text), options);
  check_fails(s.p[0].process(message), errc::refused, rules::own_message);
  const auto own = s.p.prepare(0);
  check_fails(s.p[0].process(own.message()), errc::refused, rules::own_message);
  s.p.commit(2);
}

TEST_CASE("generation_window") {
  scene s;
  const bytes text = application_body("x");
  for (const std::uint32_t generation :
       {limits::ratchet_forward + 1, 0x7fffffffU, 0x80000000U, 0xfffffffeU, 0xffffffffU}) {
    forger::private_options options;
    options.claimed_generation = generation;
    s.refused(s.mallory.in_private(s.mallory.content(content_type::application, text), options), errc::over_limit,
              rules::generation_window);
  }
  CHECK(s.p[0].process(must(s.p[s.mallory.person()].protect(s.p.env, as_bytes("first"), {}))));
  s.p.commit(0);
}

TEST_CASE("generation_used") {
  scene s;
  const bytes text = application_body("x");
  CHECK(s.p[0].process(s.mallory.in_private(s.mallory.content(content_type::application, text))));
  forger::private_options options;
  options.claimed_generation = 0;
  check_fails(s.p[0].process(s.mallory.in_private(s.mallory.content(content_type::application, text), options)),
              errc::replayed, rules::generation_used);
  s.p.commit(0);
}

}  // namespace mls_test

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Guards of what a group loads: snapshots that were changed in one field, by somebody who has the host's key.
#include "scene.hpp"

namespace mls_test {

namespace {

using look_inside = group_testing<default_provider>;

/// saved_state: the state of a group that saw no ReInit, cut into its fields. `o` is an opaque<V>, a digit a number of
/// so many bytes.
struct saved_state {
  static constexpr std::string_view epoch = "o8oooooo", secrets = "oooooooo", secret_tree = "4oo44", path = "4o",
                                    client = "2o2ooooo", rest = "11ooo";
  // positions
  static constexpr std::size_t extensions = 2, first_secret = 8, own = 21, capabilities = 27, leaf_extensions = 30,
                               proposals = 33;

  std::vector<bytes> fields;

  explicit saved_state(byte_view state) {
    reader in{state};
    for (const std::string_view part : {epoch, secrets, secret_tree, path, client, rest})
      for (const char kind : part) {
        const byte_view before = in.rest();
        if (kind == 'o')
          must(in.opaque());
        else
          must(in.take(static_cast<std::size_t>(kind - '0')));
        fields.push_back(to_bytes(before.first(before.size() - in.rest().size())));
      }
    REQUIRE(in.empty());
  }
  /// with(position, content): the state with this opaque<V> in place of another.
  [[nodiscard]] bytes with(std::size_t position, byte_view content) const {
    bytes field;
    writer{field}.opaque(content);
    return with_field(position, field);
  }
  [[nodiscard]] bytes with_field(std::size_t position, const bytes& field) const {
    bytes out;
    for (std::size_t i = 0; i < fields.size(); ++i) writer{out}.raw(i == position ? field : fields[i]);
    return out;
  }
};

/// Proposals in AuthenticatedContent that differ in their authenticated_data, as a state keeps them.
bytes stored_content(const forger& from, std::uint32_t i, byte_view body) {
  bytes data(4);
  store_be(i, data);
  framed_content content = from.content(content_type::proposal, body);
  content.authenticated_data = data;
  bytes out;
  writer w{out};
  wire::write(w, wire_format::public_message);
  content.write(w);
  w.opaque({});
  return out;
}

/// A snapshot of an observer with these proposals, encoded as it keeps them.
bytes observer_state(const group& g, byte_view proposals) {
  const auto& now = look_inside::epoch_of(g);
  bytes out;
  writer w{out};
  w.opaque(now.context);
  w.opaque(now.confirmation_tag.view());
  w.opaque(g.ratchet_tree_items());
  w.number(std::uint8_t{0});
  w.opaque(proposals);
  return out;
}

snapshot_key host_key() { return must(snapshot_key::copy_of(bytes(32, 1))); }

/// A secret tree of two leaves, in which the ratchets of the first one stand at this generation and nothing else is
/// known.
secret_tree<provider> ratchets_at(std::uint32_t generation) {
  bytes out;
  writer w{out};
  w.number(std::uint32_t{2});
  w.opaque({});
  w.vector([&] {
    w.number(std::uint32_t{0});
    for (int kind = 0; kind < 2; ++kind) {
      w.opaque(bytes(32, 7));
      w.number(generation);
      w.opaque({});
    }
  });
  w.raw(bytes(8));
  reader in{out};
  return must(secret_tree<provider>::load(in));
}

}  // namespace

TEST_CASE("a state is loaded as it was saved, and not with one field spoilt") {
  party p(3);
  const bytes good = whole_state(p[1]);
  const saved_state state(good);
  REQUIRE((whole_state(must(look_inside::loaded(p[1], good))) == good));
  const auto fails = [&](byte_view spoilt, errc code, const auto&... broken) {
    check_fails(look_inside::loaded(p[1], spoilt), code, broken...);
  };
  for (const std::uint8_t nobody : bytes{3, 4, 200})
    fails(state.with_field(saved_state::own, {0, 0, 0, nobody}), errc::malformed, rules::snapshot_format);
  bytes longer = good;
  longer.push_back(0);
  fails(longer, errc::malformed, conclave::rules::no_trailing_bytes);
  fails(state.with(saved_state::extensions, bytes{1}), errc::malformed);
  for (std::size_t i = 0; i < saved_state::secrets.size(); ++i)
    fails(state.with(saved_state::first_secret + i, bytes(65)), errc::over_limit);
  for (std::size_t i = 0; i < 3; ++i)  // what a client supports
    fails(state.with(saved_state::capabilities + i, bytes{1}), errc::malformed);
  fails(state.with(saved_state::leaf_extensions, bytes{1}), errc::malformed);
}

TEST_CASE("a stored proposal with bytes behind it") {
  party p(3);
  const forger mallory(p);
  const bytes body = wire::encode(remove_of(leaf_index{1}));
  bytes content = stored_content(mallory, 0, body);
  const auto restored = [&] {
    bytes proposals;
    writer{proposals}.opaque(content);
    return observer::restore(p.env, observer_state(p[0], proposals), {});
  };
  CHECK(must(restored()).pending_proposals() == 1);
  content.push_back(0);
  check_fails(restored(), errc::malformed, conclave::rules::no_trailing_bytes);
}

TEST_CASE("pending_proposal_limit") {
  party_options options;
  options.policy.handshakes = wire_format::public_message;
  party p(3, options);
  const forger mallory(p);
  const bytes body = wire::encode(remove_of(leaf_index{1}));
  // all but one, as if they had come one after the other
  bytes of_group, of_server;
  writer group_writer{of_group}, server_writer{of_server};
  for (std::uint32_t i = 0; i + 1 < limits::pending_proposals; ++i) {
    const bytes content = stored_content(mallory, i, body);
    server_writer.opaque(content);
    group_writer.opaque(content);
    group_writer.number(std::uint8_t{0});
  }
  const saved_state state(whole_state(p[0]));
  auto member = must(look_inside::loaded(p[0], state.with(saved_state::proposals, of_group)));
  auto server = must(observer::restore(p.env, observer_state(p[0], of_server), options.policy));
  REQUIRE(member.pending_proposals() == limits::pending_proposals - 1);
  const bytes last = mallory.propose(remove_of(leaf_index{2})), further = mallory.update_leaf({});
  must(member.process(last));
  must(server.process(last));
  const bytes before = whole_state(member);
  check_fails(member.process(further), errc::over_limit, rules::pending_proposal_limit);
  check_fails(server.process(further), errc::over_limit, rules::pending_proposal_limit);
  check_fails(member.propose_update(p.env), errc::over_limit, rules::pending_proposal_limit);
  CHECK((whole_state(member) == before));
  CHECK(server.pending_proposals() == limits::pending_proposals);
}

TEST_CASE("a ratchet ends before its generations begin again") {
  const auto s = must(basic_suite<provider>::make(suite_1));
  const auto tree = ratchets_at(0xffff'fff0U);
  CHECK(tree.find(s, leaf_index{0}, ratchet_kind::application, 0xffff'fffeU));
  for (const auto kind : {ratchet_kind::application, ratchet_kind::handshake})
    check_fails(tree.find(s, leaf_index{0}, kind, 0xffff'ffffU), errc::over_limit, rules::generation_window);
}

TEST_CASE("a secret tree that knows nothing of a leaf") {
  const auto s = must(basic_suite<provider>::make(suite_1));
  const auto kind = ratchet_kind::handshake;
  check_fails(ratchets_at(0).find(s, leaf_index{1}, kind, 0), errc::unknown_key, rules::generation_used);
  secret_tree<provider> empty;
  for (const std::uint32_t leaf : {0U, 1U}) {
    check_fails(empty.find(s, leaf_index{leaf}, kind, 0), errc::unknown_key, rules::generation_used);
    check_fails(empty.next(s, leaf_index{leaf}, kind), errc::unknown_key, rules::generation_used);
  }
}

TEST_CASE("a snapshot in another format, suite or AEAD, or under a key of another length") {
  party p(2);
  for (const std::size_t size : {0U, 16U, 31U, 33U}) {
    const auto key = must(snapshot_key::copy_of(bytes(size)));
    check_fails(p[0].snapshot(p.env, key), errc::misuse);
    check_fails(group::restore(p.env, key, 0, bytes(200), {}), errc::misuse);
  }
  CHECK(p[0].sequence() == 0);
  const bytes sealed = must(p[0].snapshot(p.env, host_key()));
  const auto fails = [&](std::size_t at, const bytes& value, errc code, const rule& broken) {
    bytes changed = sealed;
    std::ranges::copy(value, changed.begin() + static_cast<std::ptrdiff_t>(at));
    check_fails(group::restore(p.env, host_key(), 0, changed, {}), code, broken);
  };
  constexpr std::size_t suite = 10, aead = 20;
  fails(0, {'C'}, errc::malformed, rules::snapshot_format);
  for (const bytes& none : {bytes{0, 0}, bytes{0, 8}, bytes{0xff, 0xff}})
    fails(suite, none, errc::unsupported, rules::snapshot_version);
  for (const bytes& none : {bytes{0, 0}, bytes{0, 1}, bytes{0, 4}})  // 1: AES-128-GCM, which has no 256-bit key
    fails(aead, none, errc::unsupported, rules::snapshot_version);
}

}  // namespace mls_test

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Guards of leaf nodes, of what members say they support, and of the tree that holds them.
#include "scene.hpp"

namespace mls_test {

namespace {

constexpr std::size_t too_many = limits::capabilities + 1;

/// A GroupContextExtensions with these required_capabilities.
proposal requiring(const required_capabilities& needed, bytes& data, bytes& items) {
  data = wire::encode(needed);
  const std::array list{extension{extension_type::required_capabilities, data}};
  items = wire::encode_items(list);
  proposal out;
  out.type = proposal_type::group_context_extensions;
  out.group_context_extensions = extension_list::of(items, 1);
  return out;
}

/// A leaf that decodes, with these keys; nobody has signed it.
bytes bare_leaf(const bytes& encryption_key, const bytes& signature_key, std::uint16_t credential) {
  leaf_node out;
  out.encryption_key = encryption_key;
  out.signature_key = signature_key;
  out.credential.type = credential_type{credential};
  out.source = leaf_node_source::update;
  return wire::encode(out);
}

ratchet_tree<provider> empty_tree() { return {must(basic_suite<provider>::make(suite_1)), hash_seed{}}; }

}  // namespace

TEST_CASE("each list of a leaf's capabilities has a bound") {
  scene s;
  const std::vector<std::function<void(leaf_draft&)>> changes{
      [](leaf_draft& l) { l.versions.resize(too_many, protocol_version{2}); },
      [](leaf_draft& l) { l.suites.resize(too_many, cipher_suite{3}); },
      [](leaf_draft& l) { l.extensions.resize(too_many, extension_type{0xff01}); },
      [](leaf_draft& l) { l.proposals.resize(too_many, proposal_type{0xff01}); },
      [](leaf_draft& l) { l.credentials.resize(too_many, credential_type{0xff01}); },
  };
  for (const auto& change : changes)
    s.refused(s.mallory.update_leaf(change), errc::over_limit, rules::required_capabilities);
  s.go_on();
}

TEST_CASE("each list of required capabilities has a bound") {
  scene s;
  const std::vector extensions(too_many, extension_type{0xff01});
  const std::vector proposals(too_many, proposal_type{0xff01});
  const std::vector credentials(too_many, credential_type{1});
  const bytes e = wire::encode_items(extensions), p = wire::encode_items(proposals),
              c = wire::encode_items(credentials);
  required_capabilities first, second, third;
  first.extensions = wire::list<extension_type>::of(e, too_many);
  second.proposals = wire::list<proposal_type>::of(p, too_many);
  third.credentials = wire::list<credential_type>::of(c, too_many);
  for (const required_capabilities& needed : {first, second, third}) {
    bytes data, items;
    commit_draft draft;
    draft.proposals = {requiring(needed, data, items)};
    s.refused(s.mallory.commit(draft), errc::over_limit, rules::required_capabilities);
  }
  s.go_on();
}

TEST_CASE("an X.509 credential that is no list of certificates") {
  scene s;
  const auto cut = [](leaf_draft& l) {
    l.credential = credential_type::x509;
    l.credential_data = {5, 1, 2};
  };
  s.refused(s.mallory.update_leaf(cut), errc::malformed, conclave::rules::complete_field);
  s.go_on();
}

TEST_CASE("a newcomer who does not support a credential type that somebody has") {
  party p(2);
  const std::size_t with_certificate = p.arrive();
  p.who(with_certificate).who.credential_type = credential_type::x509;
  p.who(with_certificate).who.credential = {1, 0x30};
  p.commit(0, {{with_certificate}, {}});
  const forger mallory(p);
  package_draft newcomer(p);
  const auto add = [&] { return newcomer.encode(p.env); };
  newcomer.leaf.credentials = {credential_type::basic};
  const auto package = add();
  commit_draft draft;
  draft.proposals = {add_of(package)};
  const bytes message = mallory.commit(draft);
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}, with_certificate}) {
    const bytes before = whole_state(p[i]);
    check_fails(p[i].process(message), errc::refused, rules::credential_supported_by_all);
    CHECK((whole_state(p[i]) == before));
  }
  const byte_view view = package.message;
  check_fails(p[0].commit(p.env, {{&view, 1}, {}, {}, true}), errc::refused, rules::credential_supported_by_all);
  newcomer.leaf.credentials.push_back(credential_type::x509);
  const auto capable = add();
  draft.proposals = {add_of(capable)};
  CHECK(p[0].process(mallory.commit(draft)));
}

TEST_CASE("a proposal is refused where its sender is not in the tree, whoever asks") {
  party p(3);
  p.commit(0, {{}, {2}});
  const auto& now = group_testing<provider>::epoch_of(p[0]);
  proposal leave, update;
  leave.type = proposal_type::self_remove;
  update.type = proposal_type::update;
  for (const std::uint32_t nobody : {2U, 3U, 4U, 0xffffffffU}) {
    check_fails(check_proposal(now, leave, {sender_type::member, nobody}, {}), errc::refused, rules::sender_is_member);
    check_fails(check_proposal(now, update, {sender_type::member, nobody}, {}), errc::refused, rules::sender_is_member);
    CHECK_FALSE(facts_of<provider>(now).leaf(leaf_index{nobody}));
  }
  for (const auto type : {sender_type::external, sender_type::new_member_proposal, sender_type::new_member_commit})
    check_fails(check_proposal(now, leave, {type, 0}, {}), errc::refused, rules::self_remove_by_reference);
  CHECK(check_proposal(now, leave, {sender_type::member, 1}, {}));
  CHECK(facts_of<provider>(now).leaf(leaf_index{1}));
}

TEST_CASE("a tree takes so many leaves and no more, not even many with one key or of too many types") {
  auto tree = empty_tree();
  const bytes first = bare_leaf(bytes(32, 1), bytes(32, 2), 1);
  const byte_view view{first};
  REQUIRE(tree.add_leaves({&view, 1}));
  check_fails(tree.add_leaves(std::vector<byte_view>(limits::leaves)), errc::over_limit, rules::tree_size);
  CHECK(tree.member_count() == 1);

  check_fails(tree.add_leaves(std::vector<byte_view>(40, view)), errc::refused, rules::unique_keys);

  auto motley = empty_tree();
  std::vector<bytes> leaves;
  for (std::uint16_t i = 0; i < limits::capabilities + 2; ++i) {
    bytes key(32, 1), other(32, 2);
    store_be(i, key);
    store_be(i, other);
    leaves.push_back(bare_leaf(key, other, static_cast<std::uint16_t>(0xf000 + i)));
  }
  std::vector<byte_view> views(leaves.begin(), leaves.end());
  check_fails(motley.add_leaves(views), errc::refused, rules::credential_supported_by_all);
  // the leaf of a commit's path may take one type back, a tree from outside may not have it
  views.pop_back();
  auto full = empty_tree();
  REQUIRE(full.add_leaves(views));
  const auto import = [&] { return ratchet_tree<provider>::import(full.suite(), {}, full.encode_items()); };
  check_fails(import(), errc::refused, rules::credential_supported_by_all);
  const auto beside = [&](const auto& like) { return ratchet_tree<provider>::import(like, full.encode_items()); };
  check_fails(beside(empty_tree()), errc::refused, rules::credential_supported_by_all);
  full.remove_leaf(leaf_index{0});
  CHECK(import());
  CHECK(beside(tree));
}

TEST_CASE("a tree that was stored beside another is held to the rules of any tree") {
  const bytes one = bare_leaf(bytes(32, 1), bytes(32, 2), 1), other = bare_leaf(bytes(32, 3), bytes(32, 4), 1);
  const bytes above = wire::encode(parent_node{one, {}, {}});
  auto like = empty_tree();
  const std::array<byte_view, 2> both{one, other};
  REQUIRE(like.add_leaves(both));
  const auto import = [&](std::initializer_list<std::pair<node_type, byte_view>> nodes) {
    bytes items;
    writer w{items};
    for (const auto& [type, content] : nodes) {
      w.number(static_cast<std::uint8_t>(!content.empty()));
      if (content.empty()) continue;
      wire::write(w, type);
      w.raw(content);
    }
    return ratchet_tree<provider>::import(like, items);
  };
  using enum node_type;
  CHECK(import({{leaf, one}, {parent, {}}, {leaf, other}}));
  check_fails(import({}), errc::over_limit, rules::tree_size);
  check_fails(ratchet_tree<provider>::import(like, bytes(node_width(limits::leaves) + 1)), errc::over_limit,
              rules::tree_size);
  check_fails(import({{leaf, one}, {leaf, other}}), errc::malformed, rules::node_type_by_position);
  check_fails(import({{parent, above}}), errc::malformed, rules::node_type_by_position);
  check_fails(import({{leaf, one}, {parent, {}}}), errc::malformed, rules::last_node_not_blank);
  check_fails(import({{leaf, one}, {parent, {}}, {leaf, one}}), errc::refused, rules::unique_keys);
  check_fails(import({{leaf, one}, {parent, {}}, {leaf, {}}, {parent, {}}, {leaf, {}}, {parent, above}}), errc::refused,
              rules::parent_hash_valid);
}

}  // namespace mls_test

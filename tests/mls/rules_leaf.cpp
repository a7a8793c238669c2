// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Rules of leaf nodes, key packages and paths, each broken by a message that is in order otherwise.
#include "scene.hpp"

namespace mls_test {

namespace {

using change_package = std::function<void(package_draft&)>;
using change_leaf = std::function<void(leaf_draft&)>;

/// The key package with this change is refused: proposed, and committed by value.
void refused_package(scene& s, const change_package& change, errc code, const rule& broken) {
  package_draft draft(s.p);
  change(draft);
  const auto package = draft.encode(s.p.env);
  s.refused(s.mallory.propose_add(package), code, broken);
  if (code == errc::malformed || code == errc::over_limit) return;  // may not even decode
  commit_draft commit;
  commit.proposals = {add_of(package)};
  s.refused(s.mallory.commit(commit), code, broken);
  if (draft.leaf.source != leaf_node_source::key_package) return;  // has no lifetime, which comes first here
  // and an honest committer does not let it through
  const byte_view view = package.message;
  check_fails(s.p[0].commit(s.p.env, {{&view, 1}, {}, {}, true}), code, broken);
}

/// So is a leaf with this change as an Update, and in the path of a Commit.
void refused_leaf(scene& s, const change_leaf& change, errc code, const rule& broken) {
  s.refused(s.mallory.update_leaf(change), code, broken);
  commit_draft commit;
  commit.leaf = change;
  s.refused(s.mallory.commit(commit), code, broken);
}

/// In all three places.
void refused_everywhere(scene& s, const change_leaf& change, errc code, const rule& broken) {
  refused_package(s, [&](package_draft& d) { change(d.leaf); }, code, broken);
  refused_leaf(s, change, code, broken);
}

constexpr extension_type private_extension{0xff01};
constexpr proposal_type private_proposal{0xff01};
constexpr credential_type private_credential{0xff01};

}  // namespace

TEST_CASE("a draft without a fault is accepted") {
  // or else the tests below would show nothing
  scene s;
  package_draft draft(s.p);
  const auto package = draft.encode(s.p.env);
  for (const std::size_t i : s.p.inside())
    if (i != s.mallory.person()) {
      must(s.p[i].process(s.mallory.propose_add(package)));
      must(s.p[i].process(s.mallory.update_leaf({})));
      CHECK(s.p[i].pending_proposals() == 2);
    }
  commit_draft commit;
  commit.proposals = {add_of(package), remove_of(leaf_index{1})};
  const bytes message = s.mallory.commit(commit);
  std::optional<observed> first;
  for (const std::size_t i : {std::size_t{0}, std::size_t{2}, std::size_t{3}}) {
    const auto change = as<epoch_change>(must(s.p[i].process(message)));
    CHECK(change.added == std::vector{leaf_index{1}});
    if (!first) first = observe(s.p[i]).shared();
    CHECK(observe(s.p[i]).shared() == *first);
  }
}

TEST_CASE("credential_size") {
  scene s;
  const auto of_size = [](std::size_t n) { return [n](leaf_draft& l) { l.credential_data.resize(n); }; };
  refused_everywhere(s, of_size(limits::credential_bytes + 1), errc::over_limit, rules::credential_size);
  must(s.p[0].process(s.mallory.update_leaf(of_size(limits::credential_bytes))));
  s.p.commit(2);
}

TEST_CASE("known_leaf_node_source") {
  scene s;
  for (const std::uint8_t source : bytes{0, 4, 255})
    refused_everywhere(
        s, [=](leaf_draft& l) { l.source = leaf_node_source{source}; }, errc::malformed, rules::known_leaf_node_source);
  s.go_on();
}

TEST_CASE("leaf_node_source") {
  scene s;
  refused_package(
      s, [](package_draft& d) { d.leaf.source = leaf_node_source::update; }, errc::refused, rules::leaf_node_source);
  refused_package(
      s, [](package_draft& d) { d.leaf.source = leaf_node_source::commit; }, errc::refused, rules::leaf_node_source);
  refused_leaf(
      s, [](leaf_draft& l) { l.source = leaf_node_source::key_package; }, errc::refused, rules::leaf_node_source);
  s.refused(s.mallory.update_leaf([](leaf_draft& l) { l.source = leaf_node_source::commit; }), errc::refused,
            rules::leaf_node_source);
  commit_draft commit;
  commit.leaf = [](leaf_draft& l) { l.source = leaf_node_source::update; };
  s.refused(s.mallory.commit(commit), errc::refused, rules::leaf_node_source);
  s.go_on();
}

TEST_CASE("no_default_capabilities") {
  scene s;
  for (const std::uint16_t type : {std::uint16_t{1}, std::uint16_t{2}, std::uint16_t{5}})
    refused_everywhere(
        s, [=](leaf_draft& l) { l.extensions.push_back(extension_type{type}); }, errc::malformed,
        rules::no_default_capabilities);
  for (const std::uint16_t type : {std::uint16_t{1}, std::uint16_t{6}, std::uint16_t{7}})
    refused_everywhere(
        s, [=](leaf_draft& l) { l.proposals.push_back(proposal_type{type}); }, errc::malformed,
        rules::no_default_capabilities);
  s.go_on();
}

TEST_CASE("lifetime_not_too_long") {
  scene s;
  const auto longest = static_cast<std::uint64_t>(limits::key_package_lifetime.count());
  const auto lasting = [](std::uint64_t from, std::uint64_t to) {
    return [=](package_draft& d) { d.leaf.valid = {from, to}; };
  };
  const auto now = static_cast<std::uint64_t>(s.p.env.wall().time_since_epoch().count());
  refused_package(s, lasting(now, now + longest + 1), errc::refused, rules::lifetime_not_too_long);
  refused_package(s, lasting(0, ~std::uint64_t{0}), errc::refused, rules::lifetime_not_too_long);
  // an end before the beginning: what is proposed is refused by all, whatever their clocks say
  package_draft backwards(s.p);
  backwards.leaf.valid = {now + 1, now};
  s.refused(s.mallory.propose_add(backwards.encode(s.p.env)), errc::refused, rules::lifetime_not_too_long);
  package_draft enough(s.p);
  enough.leaf.valid = {now - 1, now - 1 + longest};
  must(s.p[0].process(s.mallory.propose_add(enough.encode(s.p.env))));
  s.p.commit(2);
}

TEST_CASE("lifetime_is_current") {
  scene s;
  const auto now = static_cast<std::uint64_t>(s.p.env.wall().time_since_epoch().count());
  for (const lifetime valid : {lifetime{now - 10, now - 1}, lifetime{now + 1, now + 10}}) {
    package_draft draft(s.p);
    draft.leaf.valid = valid;
    const auto package = draft.encode(s.p.env);
    const byte_view view = package.message;
    check_fails(s.p[0].commit(s.p.env, {{&view, 1}, {}, {}, true}), errc::refused, rules::lifetime_is_current);
    check_fails(s.p[0].propose_add(s.p.env, view), errc::refused, rules::lifetime_is_current);
  }
  s.go_on();
}

TEST_CASE("leaf_signature") {
  scene s;
  const conclave::signature_key& stranger = s.p.who(1).who.signer;
  refused_package(s, [&](package_draft& d) { d.leaf.signer = &stranger; }, errc::unauthentic, rules::leaf_signature);
  refused_leaf(s, [&](leaf_draft& l) { l.signer = &stranger; }, errc::unauthentic, rules::leaf_signature);
  // signed for another group or another place
  refused_leaf(s, [](leaf_draft& l) { l.group_id.push_back(0); }, errc::unauthentic, rules::leaf_signature);
  refused_leaf(s, [](leaf_draft& l) { l.index = leaf_index{1}; }, errc::unauthentic, rules::leaf_signature);
  s.go_on();
}

TEST_CASE("leaf_supports_suite") {
  scene s;
  refused_everywhere(s, [](leaf_draft& l) { l.versions.clear(); }, errc::refused, rules::leaf_supports_suite);
  refused_everywhere(
      s, [](leaf_draft& l) { l.versions = {protocol_version{2}}; }, errc::refused, rules::leaf_supports_suite);
  refused_everywhere(s, [](leaf_draft& l) { l.suites = {cipher_suite{3}}; }, errc::refused, rules::leaf_supports_suite);
  s.go_on();
}

TEST_CASE("credential_supported_by_all") {
  scene s;
  // its own credential type is not listed
  refused_everywhere(
      s, [](leaf_draft& l) { l.credentials = {credential_type::x509}; }, errc::refused,
      rules::credential_supported_by_all);
  // it does not support what others have
  const auto lonely = [](leaf_draft& l) {
    l.credential = private_credential;
    l.credentials = {private_credential};
  };
  // others do not support what it has
  const auto foreign = [](leaf_draft& l) {
    l.credential = private_credential;
    l.credentials.push_back(private_credential);
  };
  for (const change_leaf& change : {change_leaf{lonely}, change_leaf{foreign}}) {
    package_draft draft(s.p);
    change(draft.leaf);
    const auto package = draft.encode(s.p.env);
    commit_draft commit;
    commit.proposals = {add_of(package)};
    s.refused(s.mallory.commit(commit), errc::refused, rules::credential_supported_by_all);
    const byte_view view = package.message;
    check_fails(s.p[0].commit(s.p.env, {{&view, 1}, {}, {}, true}), errc::refused, rules::credential_supported_by_all);
    commit_draft own;
    own.leaf = change;
    s.refused(s.mallory.commit(own), errc::refused, rules::credential_supported_by_all);
  }
  s.go_on();
}

TEST_CASE("leaf_extensions_supported") {
  scene s;
  refused_everywhere(
      s, [](leaf_draft& l) { l.leaf_extensions = {{private_extension, {}}}; }, errc::refused,
      rules::leaf_extensions_supported);
  refused_package(
      s, [](package_draft& d) { d.extensions = {{private_extension, {}}}; }, errc::refused,
      rules::leaf_extensions_supported);
  must(s.p[0].process(s.mallory.update_leaf([](leaf_draft& l) {
    l.extensions = {private_extension};
    l.leaf_extensions = {{private_extension, {}}};
  })));
  s.p.commit(2);
}

TEST_CASE("leaf_extensions_size") {
  scene s;
  const std::vector<std::pair<extension_type, bytes>> large{
      {extension_type::application_id, bytes(limits::leaf_extension_bytes)}};
  refused_everywhere(
      s, [&](leaf_draft& l) { l.leaf_extensions = large; }, errc::over_limit, rules::leaf_extensions_size);
  refused_package(s, [&](package_draft& d) { d.extensions = large; }, errc::over_limit, rules::leaf_extensions_size);
}

TEST_CASE("group_extensions_size") {
  scene s;
  const auto items_of = [](std::size_t size) {  // six bytes are the type and the length
    const bytes data(size - 6);
    return wire::encode_items(std::array{extension{extension_type::application_id, data}});
  };
  const bytes most = items_of(limits::group_extension_bytes), more = items_of(limits::group_extension_bytes + 1);
  REQUIRE(most.size() == limits::group_extension_bytes);
  proposal context, reinit;
  context.type = proposal_type::group_context_extensions;
  context.group_context_extensions = extension_list::of(more, 1);
  reinit.type = proposal_type::reinit;
  reinit.reinit = {as_bytes("next"), protocol_version::mls10, suite_1, extension_list::of(more, 1)};
  for (const proposal& p : {context, reinit}) {
    s.refused(s.mallory.propose(p), errc::over_limit, rules::group_extensions_size);
    commit_draft commit;
    commit.proposals = {p};
    s.refused(s.mallory.commit(commit), errc::over_limit, rules::group_extensions_size);
  }
  check_fails(group::create(s.p.env, suite_1, make_client(s.p.env, "x"), as_bytes("g"), more, {}), errc::over_limit,
              rules::group_extensions_size);
  const auto package = make_package(s.p.env, make_client(s.p.env, "x"));
  welcome_draft welcome;
  welcome.context = [&](group_context& c) { c.extensions = extension_list::of(more, 1); };
  check_fails(join_by_welcome<provider>(s.p.env, package, s.mallory.welcome(package, welcome), {}, {}),
              errc::over_limit, rules::group_extensions_size);
  context.group_context_extensions = extension_list::of(most, 1);
  CHECK(s.p.deliver(s.mallory.person(), s.mallory.propose(context)).size() == 4);
}

TEST_CASE("unique_extensions") {
  scene s;
  const std::vector<std::pair<extension_type, bytes>> twice{{extension_type::application_id, {1}},
                                                            {extension_type::application_id, {2}}};
  refused_everywhere(s, [&](leaf_draft& l) { l.leaf_extensions = twice; }, errc::refused, rules::unique_extensions);
  refused_package(s, [&](package_draft& d) { d.extensions = twice; }, errc::refused, rules::unique_extensions);

  const std::array pair{extension{extension_type::application_id, {}}, extension{extension_type::application_id, {}}};
  const bytes items = wire::encode_items(pair);
  proposal context;
  context.type = proposal_type::group_context_extensions;
  context.group_context_extensions = extension_list::of(items, 2);
  proposal reinit;
  reinit.type = proposal_type::reinit;
  reinit.reinit.group_id = as_bytes("next");
  reinit.reinit.version = protocol_version::mls10;
  reinit.reinit.suite = suite_1;
  reinit.reinit.extensions = extension_list::of(items, 2);
  for (const proposal& p : {context, reinit}) {
    s.refused(s.mallory.propose(p), errc::refused, rules::unique_extensions);
    commit_draft commit;
    commit.proposals = {p};
    s.refused(s.mallory.commit(commit), errc::refused, rules::unique_extensions);
  }
  check_fails(group::create(s.p.env, suite_1, make_client(s.p.env, "x"), as_bytes("g"), items, {}), errc::refused,
              rules::unique_extensions);
  s.go_on();
}

TEST_CASE("required_capabilities") {
  party_options options;
  deterministic_environment env(3);
  client capable = make_client(env, "founder");
  capable.extensions = {private_extension};
  capable.proposals = {private_proposal};
  const bytes needed{2, 0xff, 1, 2, 0xff, 1, 2, 0, 1};  // one extension, one proposal, basic credentials
  const std::array list{extension{extension_type::required_capabilities, needed}};
  const bytes items = wire::encode_items(list);
  check_fails(group::create(env, suite_1, make_client(env, "x"), as_bytes("g"), items, {}), errc::refused,
              rules::required_capabilities);
  auto g = must(group::create(env, suite_1, std::move(capable), as_bytes("g"), items, {}));
  party outside(1, options);
  const auto attempt = [&](const change_leaf& change) {
    package_draft draft(outside);
    draft.leaf.extensions = {private_extension};
    draft.leaf.proposals = {private_proposal};
    if (change) change(draft.leaf);
    const auto package = draft.encode(env);
    const byte_view view = package.message;
    return g.commit(env, {{&view, 1}, {}, {}, true});
  };
  check_fails(attempt([](leaf_draft& l) { l.extensions.clear(); }), errc::refused, rules::required_capabilities);
  check_fails(attempt([](leaf_draft& l) { l.proposals.clear(); }), errc::refused, rules::required_capabilities);
  check_fails(attempt([](leaf_draft& l) {
                l.credential = credential_type::x509;
                l.credential_data.clear();
                l.credentials = {credential_type::x509};
              }),
              errc::refused, rules::required_capabilities);
  CHECK(attempt({}).has_value());
  // more entries than a capability list may have
  check_fails(attempt([](leaf_draft& l) { l.extensions.resize(limits::capabilities + 1, private_extension); }),
              errc::over_limit, rules::required_capabilities);
}

TEST_CASE("group_extensions_supported") {
  scene s;
  const std::array list{extension{private_extension, {}}};
  const bytes items = wire::encode_items(list);
  proposal p;
  p.type = proposal_type::group_context_extensions;
  p.group_context_extensions = extension_list::of(items, 1);
  commit_draft commit;
  commit.proposals = {p};
  commit.leaf = [](leaf_draft& l) { l.extensions = {private_extension}; };  // the committer does, the others do not
  s.refused(s.mallory.commit(commit), errc::refused, rules::group_extensions_supported);
  s.go_on();
}

TEST_CASE("leaf_key_is_new") {
  scene s;
  refused_leaf(
      s,
      [&](leaf_draft& l) {
        l.encryption_key = to_bytes(s.p[0].tree().encryption_key(to_node(s.p.leaf(s.mallory.person()))));
      },
      errc::refused, rules::leaf_key_is_new);
  s.go_on();
}

TEST_CASE("unique_keys") {
  scene s;
  // a newcomer with the signature key of a member
  package_draft thief(s.p);
  thief.leaf.signature_key = to_bytes(s.p.who(1).who.signer.public_view());
  thief.leaf.signer = &s.p.who(1).who.signer;
  const auto stolen = thief.encode(s.p.env);
  // and one with a member's encryption key
  package_draft echo(s.p);
  echo.leaf.encryption_key = to_bytes(s.p[0].tree().encryption_key(to_node(leaf_index{2})));
  const auto repeated = echo.encode(s.p.env);
  // two newcomers with one key
  package_draft first(s.p), second(s.p);
  second.leaf.encryption_key = first.leaf.encryption_key;
  const auto one = first.encode(s.p.env), two = second.encode(s.p.env);
  for (const std::vector<proposal>& list :
       {std::vector{add_of(stolen)}, std::vector{add_of(repeated)}, std::vector{add_of(one), add_of(two)}}) {
    commit_draft commit;
    commit.proposals = list;
    s.refused(s.mallory.commit(commit), errc::refused, rules::unique_keys);
  }
  // the committer takes over a member's signature key
  commit_draft commit;
  commit.leaf = [&](leaf_draft& l) {
    l.signature_key = to_bytes(s.p.who(1).who.signer.public_view());
    l.signer = &s.p.who(1).who.signer;
  };
  s.refused(s.mallory.commit(commit), errc::refused, rules::unique_keys);
  // one key twice in the path
  commit_draft doubled;
  doubled.leaf = [](leaf_draft&) {};
  bytes path_key;
  doubled.keys = [&](std::vector<bytes>& keys) { path_key = keys.front(); };
  doubled.leaf = [&](leaf_draft& l) { l.encryption_key = path_key; };
  s.refused(s.mallory.commit(doubled), errc::refused, rules::unique_keys);
  s.go_on();
}

TEST_CASE("valid_public_key") {
  scene s;
  for (const std::size_t size : {0U, 31U, 33U}) {
    refused_everywhere(
        s, [=](leaf_draft& l) { l.encryption_key.resize(size); }, errc::malformed, rules::valid_public_key);
    s.refused(s.mallory.update_leaf([=](leaf_draft& l) { l.signature_key.resize(size); }), errc::malformed,
              rules::valid_public_key);
    refused_package(s, [=](package_draft& d) { d.init_key.resize(size); }, errc::malformed, rules::valid_public_key);
    commit_draft commit;
    commit.keys = [=](std::vector<bytes>& keys) { keys.front().resize(size); };
    s.refused(s.mallory.commit(commit), errc::malformed, rules::valid_public_key);
  }
  s.go_on();
}

TEST_CASE("key_package_suite") {
  scene s;
  refused_package(s, [](package_draft& d) { d.suite = cipher_suite{3}; }, errc::refused, rules::key_package_suite);
  package_draft draft(s.p);
  draft.version = protocol_version{2};
  s.refused(s.mallory.propose_add(draft.encode(s.p.env)), errc::refused, rules::key_package_suite);
  // in an MLSMessage the two versions have to be the same
  check_fails(message::decode(draft.encode(s.p.env).message), errc::malformed, rules::key_package_suite);
  s.go_on();
}

TEST_CASE("key_package_signature") {
  scene s;
  package_draft draft(s.p);
  auto package = draft.encode(s.p.env);
  package.message.back() ^= 1;  // its own signature, not that of its leaf
  s.refused(s.mallory.propose_add(package), errc::unauthentic, rules::key_package_signature);
  s.go_on();
}

TEST_CASE("init_key_differs") {
  scene s;
  refused_package(
      s, [](package_draft& d) { d.init_key = d.leaf.encryption_key; }, errc::refused, rules::init_key_differs);
  s.go_on();
}

TEST_CASE("path_length") {
  scene s;
  for (const int change : {-1, 1}) {
    commit_draft commit;
    commit.nodes = [=](path_draft& path) {
      if (change < 0)
        path.nodes.pop_back();
      else
        path.nodes.push_back({bytes(32, 9), {}});
    };
    s.refused(s.mallory.commit(commit), errc::refused, rules::path_length);
  }
  s.go_on();
}

TEST_CASE("path_keys_are_new") {
  scene s;
  s.p.commit(1);  // now there are parents
  scene t;
  const auto somebodys_key = [&](node_index x) { return to_bytes(t.p[0].tree().encryption_key(x)); };
  t.refused(t.mallory.commit([&] {
    commit_draft commit;
    commit.leaf = [&](leaf_draft& l) { l.encryption_key = somebodys_key(to_node(leaf_index{1})); };
    return commit;
  }()),
            errc::refused, rules::path_keys_are_new);
  t.refused(t.mallory.commit([&] {
    commit_draft commit;
    commit.keys = [&](std::vector<bytes>& keys) { keys.back() = somebodys_key(to_node(leaf_index{1})); };
    return commit;
  }()),
            errc::refused, rules::path_keys_are_new);
  t.refused(t.mallory.commit([&] {
    commit_draft commit;
    commit.keys = [&](std::vector<bytes>& keys) { keys.back() = somebodys_key(t.p[0].tree().top()); };
    return commit;
  }()),
            errc::refused, rules::path_keys_are_new);
  t.go_on();
}

TEST_CASE("leaf_parent_hash") {
  scene s;
  for (const bytes& hash : {bytes{}, bytes(32), bytes(31)}) {
    commit_draft commit;
    commit.leaf = [=](leaf_draft& l) { l.parent_hash = hash; };
    s.refused(s.mallory.commit(commit), errc::refused, rules::leaf_parent_hash);
  }
  commit_draft cut;
  cut.leaf = [](leaf_draft& l) { l.parent_hash.pop_back(); };
  s.refused(s.mallory.commit(cut), errc::refused, rules::leaf_parent_hash);
  s.go_on();
}

TEST_CASE("ciphertext_per_resolution") {
  scene s;
  // more, fewer and none: also where the ciphertexts are for others, which every library seen lets pass
  const std::vector<std::function<void(path_draft&)>> faults{
      [](path_draft& path) { path.nodes.back().ciphertexts.push_back(path.nodes.back().ciphertexts.back()); },
      [](path_draft& path) { path.nodes.back().ciphertexts.pop_back(); },
      [](path_draft& path) { path.nodes.back().ciphertexts.clear(); },
      [](path_draft& path) { path.nodes.front().ciphertexts.push_back(path.nodes.front().ciphertexts.front()); },
  };
  for (const auto& fault : faults) {
    commit_draft commit;
    commit.nodes = fault;
    s.refused(s.mallory.commit(commit), errc::refused, rules::ciphertext_per_resolution);
  }
  s.go_on();
}

TEST_CASE("path_secret_opens") {
  scene s;
  commit_draft commit;
  commit.nodes = [](path_draft& path) {
    for (auto& node : path.nodes)
      for (auto& [kem_output, ciphertext] : node.ciphertexts) ciphertext.back() ^= 1;
  };
  s.refused(s.mallory.commit(commit), errc::unauthentic, rules::path_secret_opens);
  commit.nodes = [](path_draft& path) {
    for (auto& node : path.nodes)
      for (auto& [kem_output, ciphertext] : node.ciphertexts) kem_output.pop_back();
  };
  s.refused(s.mallory.commit(commit), errc::unauthentic, rules::path_secret_opens);
  commit.nodes = [](path_draft& path) {
    for (auto& node : path.nodes)
      for (auto& [kem_output, ciphertext] : node.ciphertexts) ciphertext.resize(15);
  };
  s.refused(s.mallory.commit(commit), errc::unauthentic, rules::path_secret_opens);
  s.go_on();
}

TEST_CASE("path_keys_derived") {
  scene s;
  const auto other = must(hpke::generate_key_pair<provider>(s.p.env, kem_id::dhkem_x25519_sha256));
  commit_draft commit;
  commit.keys = [&](std::vector<bytes>& keys) { keys.back() = to_bytes(other.pub.view()); };
  s.refused(s.mallory.commit(commit), errc::refused, rules::path_keys_derived);
  s.go_on();
}

}  // namespace mls_test

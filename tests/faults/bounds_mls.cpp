// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The costliest inputs that a peer can make for a group or a joiner.
#include "bounds.hpp"

#include <support/mls_party.hpp>

#include <numeric>

namespace faults {
namespace mls_bounds {

using namespace mls_test;
using P = default_provider;
using tree_type = ratchet_tree<P>;

[[nodiscard]] bytes message_of(wire_format format, byte_view body) {
  bytes out;
  writer w{out};
  write_message_header(w, format);
  w.raw(body);
  return out;
}
[[nodiscard]] bytes random_bytes(environment& env, std::size_t n) {
  bytes out(n);
  must(env.random(out));
  return out;
}

/// signed_by(g, who, type, body, tag): a PublicMessage of a member of g.
[[nodiscard]] bytes signed_by(environment& env, const group& g, const client& who, content_type type, byte_view body,
                              byte_view authenticated_data = {}) {
  const auto& state = group_testing<P>::epoch_of(g);
  framed_content content{
      g.group_id(), g.epoch_number(), {sender_type::member, number(g.own_leaf())}, authenticated_data, {}};
  content.body.type = type;
  content.body.encoded = body;
  const bytes encoded = wire::encode(content);
  const bytes tbs = framed_content_tbs(wire_format::public_message, encoded, g.group_context());
  const bytes signature = must(g.suite().sign_with_label(env, who.signer, "FramedContentTBS", tbs));
  const bytes tag(g.suite().nh(), 7);
  const content_auth auth{signature, type == content_type::commit ? byte_view{tag} : byte_view{}};
  bytes out = message_of(wire_format::public_message, encoded);
  writer w{out};
  auth.write(w, type);
  const digest tagged = membership_tag(g.suite(), state.secrets.membership, tbs, auth, type);
  w.opaque(tagged.view());
  return out;
}
/// sealed_by(g, who, body): a Commit in a PrivateMessage of a member of g.
[[nodiscard]] bytes sealed_by(environment& env, const group& g, const client& who, byte_view body) {
  epoch<P> state = group_testing<P>::stolen_epoch(g);
  framed_content content{g.group_id(), g.epoch_number(), {sender_type::member, number(g.own_leaf())}, {}, {}};
  content.body.type = content_type::commit;
  content.body.encoded = body;
  const bytes tbs = framed_content_tbs(wire_format::private_message, wire::encode(content), g.group_context());
  const bytes signature = must(g.suite().sign_with_label(env, who.signer, "FramedContentTBS", tbs)),
              tag(g.suite().nh());
  auto key = must(state.message_secrets.next(g.suite(), g.own_leaf(), ratchet_kind::handshake));
  return must(protect_private(env, g.suite(), state.secrets.sender_data, content, {signature, tag}, std::move(key), 0));
}
/// commit_of(items): a Commit with these ProposalOrRefs and no path.
[[nodiscard]] bytes commit_of(byte_view items) {
  bytes out;
  writer w{out};
  w.opaque(items);
  w.number(std::uint8_t{0});
  return out;
}
[[nodiscard]] bytes by_value(proposal p) {
  bytes out;
  writer w{out};
  proposal_or_ref item;
  item.type = proposal_or_ref_type::proposal;
  item.proposal = std::move(p);
  item.write(w);
  return out;
}

// ---- trees -----------------------------------------------------------------------------------------------------------

/// grove: a ratchet tree whose leaves all belong to one client, and whoever else could have made it; nobody holds the
/// private keys of its nodes, which no joiner can know.
struct grove {
  deterministic_environment env{1};
  client who = make_client(env, "grower");
  basic_suite<P> suite = must(basic_suite<P>::make(suite_1));
  tree_type tree{suite, hash_seed{}};
  std::vector<client> owners;
  bytes group_id = to_bytes(as_bytes("grove"));

  [[nodiscard]] bytes leaf_of(const client& owner, leaf_node_source source, byte_view parent_hash = {},
                              leaf_index i = {}) {
    leaf_place place{source, {}, parent_hash, group_id, i, std::uint16_t{0x0a0a}};
    if (source == leaf_node_source::key_package) place = {source, {1, 1000}, {}, {}, {}, std::uint16_t{0x0a0a}};
    return must(make_leaf(env, suite, owner, random_bytes(env, 32), place));
  }
  /// add(n): leaves from key packages.
  void add(std::size_t n) {
    std::vector<bytes> leaves;
    for (std::size_t i = 0; i < n; ++i) {
      owners.push_back(who.clone());
      owners.back().signer = must(signature_key::generate<P>(env, suite.signature()));
      leaves.push_back(leaf_of(owners.back(), leaf_node_source::key_package));
    }
    const std::vector<byte_view> views(leaves.begin(), leaves.end());
    (void)must(tree.add_leaves(views));
  }
  /// refresh(i): what a Commit with a path of leaf i does, whose owner is owners[who].
  void refresh(leaf_index i, std::size_t owner) {
    const auto path = tree.filtered_direct_path(i);
    std::vector<bytes> keys;
    for (std::size_t k = 0; k < path.size(); ++k) keys.push_back(random_bytes(env, 32));
    const std::vector<byte_view> views(keys.begin(), keys.end());
    const digest hash = merge_path(tree, i, path, views);
    tree.set_leaf(i, leaf_of(owners[owner], leaf_node_source::commit, hash.view(), i));
  }

  /// info(items): a GroupInfo with this tree, by leaf 0.
  [[nodiscard]] bytes info() { return info_with(tree.encode_items(), tree.tree_hash()); }
  [[nodiscard]] bytes info_with(byte_view items, const digest& hash) {
    group_context context;
    context.suite = suite_1;
    context.group_id = group_id;
    context.epoch = 5;
    const bytes transcript(32, 3);
    context.tree_hash = hash.view();
    context.confirmed_transcript_hash = transcript;
    bytes tree_data, pub_data;
    writer tree_writer{tree_data}, pub_writer{pub_data};
    tree_writer.opaque(items);
    const auto external = must(hpke::derive_key_pair<P>(suite.hpke_suite().kem, bytes(32, 9)));
    pub_writer.opaque(external.pub.view());
    const std::vector<extension> extensions{{extension_type::ratchet_tree, tree_data},
                                            {extension_type::external_pub, pub_data}};
    bytes out = wire::encode(context);
    writer w{out};
    w.opaque(wire::encode_items(extensions));
    w.opaque(bytes(32, 4));
    w.number(std::uint32_t{0});
    const bytes signature = must(suite.sign_with_label(env, owners[0].signer, "GroupInfoTBS", out));
    w.opaque(signature);
    return message_of(wire_format::group_info, out);
  }
};

[[nodiscard]] auto joining(const bytes& info, errc expected) {
  return [info, expected] {
    deterministic_environment env(2);
    const client me = make_client(env, "joiner");
    const auto joined = group::join_external(env, me.clone(), info, {}, {});
    fails(joined, expected);
  };
}

}  // namespace mls_bounds

using namespace mls_bounds;

TEST_CASE("decoding an MLSMessage allocates nothing, whatever it claims", "[bounds]") {
  const auto decoding = [](bytes input, errc expected) {
    return std::pair(input.size(), [input, expected] { fails(message::decode(input), expected); });
  };
  const bound nothing{0, 0};
  const auto commit_of_removes = [&](std::size_t n, errc expected) {
    bytes items;
    proposal p;
    p.type = proposal_type::remove;
    const bytes one = by_value(p);
    for (std::size_t i = 0; i < n; ++i) append(items, one);
    framed_content content{as_bytes("g"), 1, {sender_type::member, 0}, {}, {}};
    content.body.type = content_type::commit;
    const bytes body = commit_of(items);
    content.body.encoded = body;
    bytes out = message_of(wire_format::public_message, wire::encode(content));
    writer w{out};
    for (int i = 0; i < 3; ++i) w.opaque({});
    return decoding(std::move(out), expected);
  };
  costs("decode MLSMessage", "Commit of n Removes", up_to(proposal_or_ref::most), nothing,
        [&](std::size_t n) { return commit_of_removes(n, success); });
  costs("decode MLSMessage", "Commit of n Removes, too many", {(large() ? 2 : 1) * proposal_or_ref::most + 1}, nothing,
        [&](std::size_t n) { return commit_of_removes(n, errc::over_limit); });
  costs("decode MLSMessage", "Welcome for n", up_to(1 << 17), nothing, [&](std::size_t n) {
    bytes secrets;
    writer s{secrets};
    for (std::size_t i = 0; i < n; ++i) wire::write(s, encrypted_group_secrets{bytes(32), {bytes(32), bytes(80)}});
    bytes out;
    writer w{out};
    wire::write(w, suite_1);
    w.opaque(secrets);
    w.opaque(bytes(100));
    return decoding(message_of(wire_format::welcome, out), success);
  });
  costs("decode MLSMessage", "a length of 2^30 - 1", {1}, nothing, [&](std::size_t) {
    bytes out = message_of(wire_format::welcome, wire::encode(suite_1));
    out.insert(out.end(), {0xbf, 0xff, 0xff, 0xff, 0x00});
    return decoding(std::move(out), errc::malformed);
  });
  costs("decode MLSMessage", "more than limits::message_bytes", {1}, nothing, [&](std::size_t) {
    return decoding(large() ? bytes(limits::message_bytes + 1) : message_of(wire_format{99}, {}),
                    large() ? errc::over_limit : errc::malformed);
  });
}

TEST_CASE("a key package costs what it weighs", "[bounds]") {
  costs("KeyPackage", "capabilities of n entries, required_capabilities too", {64, 128, 256}, {24, 4096},
        [](std::size_t n) {
          deterministic_environment env(1);
          client who = make_client(env, "x");
          for (std::size_t i = 1; i < n; ++i) {
            who.extensions.push_back(extension_type{static_cast<std::uint16_t>(0xf100 + i)});
            who.proposals.push_back(proposal_type{static_cast<std::uint16_t>(0xf100 + i)});
            who.credentials.push_back(credential_type{static_cast<std::uint16_t>(0xf100 + i)});
          }
          who.credentials.resize(n - 1);
          const auto package = make_package(env, who);
          bytes required;
          writer w{required};
          w.opaque(wire::encode_items(who.extensions));
          w.opaque(wire::encode_items(who.proposals));
          w.opaque(wire::encode_items(who.credentials));
          const std::array all{extension{extension_type::required_capabilities, required}};
          const bytes items = wire::encode_items(all);
          return std::pair(package.message.size() + items.size(), [message = package.message, items] {
            const auto s = must(basic_suite<P>::make(suite_1));
            const auto decoded = must(message::decode(message));
            const auto group_extensions = must(extension_list::check(items));
            succeeds(valid_key_package(s, decoded.key_package.value, group_extensions, limits::key_package_lifetime));
            signature_batch<P> signatures(s);
            signatures.add_key_package(decoded.key_package);
            succeeds(signatures.verify());
          });
        });
  costs("KeyPackage", "n bytes of credential", {4096, 8192, limits::credential_bytes}, {12, 4096}, [](std::size_t n) {
    deterministic_environment env(1);
    client who = make_client(env, std::string(n, 'x'));
    const auto package = make_package(env, who);
    return std::pair(package.message.size(), [message = package.message] {
      const auto s = must(basic_suite<P>::make(suite_1));
      const auto decoded = must(message::decode(message));
      signature_batch<P> signatures(s);
      signatures.add_key_package(decoded.key_package);
      succeeds(signatures.verify());
    });
  });
  costs("KeyPackage", "n extensions", {1024, 2048, 4096}, {12, 4096}, [](std::size_t n) {
    deterministic_environment env(1);
    client who = make_client(env, "x");
    std::vector<extension> extensions;
    for (std::size_t i = 0; i < n; ++i)
      extensions.push_back({extension_type{static_cast<std::uint16_t>(0xf100 + i)}, {}});
    who.leaf_extensions = wire::encode_items(extensions);
    const auto package = make_package(env, who);
    return std::pair(package.message.size(), [message = package.message] {
      const auto decoded = must(message::decode(message));
      fails(valid_key_package(must(basic_suite<P>::make(suite_1)), decoded.key_package.value, {},
                              limits::key_package_lifetime),
            errc::over_limit);
    });
  });
}

TEST_CASE("joining costs what the tree weighs", "[bounds]") {
  const bound memory{24, 262'144};
  costs("join, external", "n members, no parents", up_to(8192), memory, [](std::size_t n) {
    grove g;
    g.add(n);
    const bytes info = g.info();
    return std::pair(info.size(), joining(info, success));
  });
  costs("join, external", "n members, all parents", up_to(8192), memory, [](std::size_t n) {
    grove g;
    g.add(n);
    for (std::uint32_t i = 0; i < n; ++i) g.refresh(leaf_index{i}, i);
    const bytes info = g.info();
    return std::pair(info.size(), joining(info, success));
  });
  // each parent's original sibling tree hash is another one (RFC 9420 7.9): a subtree is hashed once for each parent above
  costs("join, external", "n members, half of them unmerged everywhere", up_to(8192), {24, 262'144, 1.25},
        [](std::size_t n) {
          grove g;
          g.add(n);
          for (std::uint32_t i = 1; i < n; i += 2) g.tree.remove_leaf(leaf_index{i});
          for (std::uint32_t i = 0; i < n; i += 2) g.refresh(leaf_index{i}, i);
          g.add(n / 2);
          const bytes info = g.info();
          return std::pair(info.size(), joining(info, success));
        });
  // a blank node is a byte on the wire and a place with a hash here
  costs("join, external", "two members, n blank leaves between", up_to(limits::leaves), {200, 262'144},
        [](std::size_t n) {
          grove g;
          g.add(2);
          const auto lone = [&](std::size_t i) {
            bytes out{1};
            append(out, wire::encode(node_type::leaf));
            append(out, g.tree.encoded(to_node(leaf_index{static_cast<std::uint32_t>(i)})));
            return out;
          };
          bytes items = lone(0);
          items.resize(items.size() + 2 * n - 3);
          append(items, lone(1));
          auto tree = must(tree_type::import(g.suite, hash_seed{}, items));
          const bytes info = g.info_with(items, tree.tree_hash());
          return std::pair(info.size(), joining(info, success));
        });
  costs("join, external", "n credential types", up_to(16'384), {40, 262'144}, [](std::size_t n) {
    grove g;
    g.add(1);
    bytes items{1};
    append(items, wire::encode(node_type::leaf));
    append(items, g.tree.encoded(node_index{0}));
    for (std::size_t i = 1; i < n; ++i) {  // nobody has to sign what is refused before
      leaf_node leaf;
      const bytes key = random_bytes(g.env, 32);
      leaf.encryption_key = key;
      leaf.signature_key = key;
      leaf.credential = {credential_type{static_cast<std::uint16_t>(i)}, {}};
      leaf.source = leaf_node_source::update;
      items.push_back(0);
      items.push_back(1);
      append(items, wire::encode(node_type::leaf));
      writer w{items};
      leaf.write_unsigned(w);
      w.opaque({});
    }
    const bytes info = g.info_with(items, g.tree.tree_hash());
    return std::pair(info.size(), joining(info, errc::refused));
  });
  costs("join, Welcome", "for n others too", up_to(1 << 16), {4, 65'536}, [](std::size_t n) {
    party p(1);
    const std::size_t i = p.arrive();
    const byte_view add = p.package(i);
    const bytes welcome = to_bytes(must(p[0].commit(p.env, {{&add, 1}, {}, {}, true})).welcome());
    auto decoded = must(message::decode(welcome)).welcome;
    bytes secrets;
    writer s{secrets};
    for (std::size_t k = 0; k < n; ++k) wire::write(s, encrypted_group_secrets{bytes(32), {bytes(32), bytes(80)}});
    s.raw(decoded.secrets.encoded());
    decoded.secrets = wire::list<encrypted_group_secrets>::of(secrets, n + 1);
    const bytes longer = message_of(wire_format::welcome, wire::encode(decoded));
    auto package = std::make_shared<prepared_key_package>(*std::move(p.who(i).package));
    auto who = std::make_shared<client>(p.who(i).who.clone());
    return std::pair(longer.size(), [longer, package, who] {
      deterministic_environment env(3);
      succeeds(group::join(env, std::move(*who), std::move(*package), longer, {}, {}));
    });
  });
}

TEST_CASE("a handshake message costs what it weighs", "[bounds]") {
  const auto processing = [](const std::shared_ptr<party>& p, const bytes& input, errc expected) {
    return std::pair(input.size(), [p, input, expected] { fails((*p)[0].process(p->env, input), expected); });
  };
  const auto forged = [](party& p, byte_view items) {
    return signed_by(p.env, p[1], p.who(1).who, content_type::commit, commit_of(items));
  };
  const auto party_of = [](std::size_t n, std::vector<proposal_type> types = {}) {
    party_options options;
    options.proposals = std::move(types);
    return std::make_shared<party>(n, options);
  };
  // indexes that would all fall into one place of a hash table
  const auto removes = [&](std::size_t n, errc expected) {
    auto p = party_of(4);
    bytes items;
    proposal r;
    r.type = proposal_type::remove;
    for (std::size_t i = 0; i < n; ++i) {
      r.remove = leaf_index{static_cast<std::uint32_t>(i * 42'043)};
      append(items, by_value(r));
    }
    return processing(p, forged(*p, items), expected);
  };
  // seven bytes are a proposal, which takes a kilobyte
  constexpr std::size_t listed = sizeof(listed_proposal) * limits::commit_proposals;
  costs("process Commit", "n Removes of nobody", up_to(limits::commit_proposals),
        {sizeof(listed_proposal) / 7 + 16, 65'536}, [&](std::size_t n) { return removes(n, errc::refused); });
  costs("process Commit", "n Removes, too many", up_to(1 << 20), {16, listed + 65'536},
        [&](std::size_t n) { return removes(n + limits::commit_proposals, errc::over_limit); });
  costs("process Commit", "n unknown references", up_to(1 << 16), {sizeof(listed_proposal) / 34 + 12, 65'536},
        [&](std::size_t n) {
          auto p = party_of(4);
          bytes items;
          writer w{items};
          for (std::size_t i = 0; i < n; ++i) {
            proposal_or_ref item;
            item.type = proposal_or_ref_type::reference;
            const bytes reference = random_bytes(p->env, 32);
            item.reference = reference;
            item.write(w);
          }
          return processing(p, forged(*p, items), errc::refused);
        });
  // 34 bytes are a key package of 16 KB with two signatures
  costs("process Commit", "n references to one Add", up_to(limits::commit_proposals),
        {sizeof(listed_proposal) / 34 + 16, 65'536}, [&](std::size_t n) {
          auto p = party_of(4);
          client large = make_client(p->env, "x");
          large.credential = bytes(16'000, 'x');
          const prepared_key_package package = make_package(p->env, large);
          proposal a;
          a.type = proposal_type::add;
          a.add = must(wire::decode<located_key_package>(package.key_package()));
          const bytes proposed = signed_by(p->env, (*p)[1], p->who(1).who, content_type::proposal, wire::encode(a));
          const event waits = must((*p)[0].process(p->env, proposed));
          proposal_or_ref item;
          item.type = proposal_or_ref_type::reference;
          item.reference = std::get<received_proposal>(waits).reference;
          bytes items;
          writer w{items};
          for (std::size_t i = 0; i < n; ++i) item.write(w);
          return processing(p, forged(*p, items), errc::refused);
        });
  costs("process Commit", "n custom proposals, 64 members", up_to(limits::commit_proposals),
        {sizeof(listed_proposal) / 4 + 16, 65'536}, [&](std::size_t n) {
          const proposal_type custom{0xf0f0};
          auto p = party_of(64, {custom});
          proposal c;
          c.type = custom;
          const bytes one = by_value(c);
          bytes items;
          for (std::size_t i = 0; i < n; ++i) append(items, one);
          return processing(p, forged(*p, items), errc::refused);  // all is well but that they need a path
        });
  costs("process Commit", "n Adds", up_to(2048), {24, 262'144}, [&](std::size_t n) {
    auto p = party_of(4);
    std::vector<bytes> packages;
    bytes items;
    proposal a;
    a.type = proposal_type::add;
    for (std::size_t i = 0; i < n; ++i) {
      packages.push_back(make_package(p->env, make_client(p->env, "x")).message);
      a.add = must(message::decode(packages.back())).key_package;
      append(items, by_value(a));
    }
    return processing(p, forged(*p, items), errc::unauthentic);
  });
  costs("process Commit", "n pre-shared keys", up_to(4096), {64, 65'536}, [&](std::size_t n) {
    auto p = party_of(4);
    bytes items;
    for (std::size_t i = 0; i < n; ++i) {
      const bytes nonce = random_bytes(p->env, 32);
      proposal k;
      k.type = proposal_type::psk;
      k.psk = {psk_type::external, nonce, {}, {}, {}, nonce};
      append(items, by_value(k));
    }
    return processing(p, forged(*p, items), errc::over_limit);
  });
  costs("process Commit", "n bytes of authenticated data", up_to(1 << 24), {12, 65'536}, [&](std::size_t n) {
    auto p = party_of(4);
    proposal r;
    r.type = proposal_type::remove;
    r.remove = leaf_index{99};
    const bytes body = commit_of(by_value(r)), data(n, 1);
    return processing(p, signed_by(p->env, (*p)[1], p->who(1).who, content_type::commit, body, data), errc::refused);
  });
  costs("process Commit", "GroupContext of n extensions", up_to(1 << 16), {12, 65'536}, [&](std::size_t n) {
    auto p = party_of(4);
    std::vector<extension> extensions;
    for (std::size_t i = 0; i < n; ++i) extensions.push_back({extension_type{static_cast<std::uint16_t>(i)}, {}});
    const bytes encoded = wire::encode_items(extensions);
    proposal e;
    e.type = proposal_type::group_context_extensions;
    e.group_context_extensions = must(extension_list::check(encoded));
    return processing(p, forged(*p, by_value(e)), errc::over_limit);
  });
  costs("process proposals", "n that wait", up_to(limits::pending_proposals), {24, 262'144}, [&](std::size_t n) {
    const proposal_type custom{0xf0f0};
    auto p = party_of(4, {custom});
    auto flood = std::make_shared<std::vector<bytes>>();
    std::size_t size = 0;
    for (std::size_t i = 0; i < n; ++i) {
      proposal c;
      c.type = custom;
      std::array<std::uint8_t, 8> number{};
      store_be(std::uint64_t{i}, number);
      c.custom = number;
      flood->push_back(signed_by(p->env, (*p)[1], p->who(1).who, content_type::proposal, wire::encode(c)));
      size += flood->back().size();
    }
    return std::pair(size, [p, flood] {
      for (const bytes& m : *flood) succeeds((*p)[0].process(p->env, m));
    });
  });
}

TEST_CASE("a commit in a PrivateMessage costs what it weighs", "[bounds]") {
  const auto processing = [](const std::shared_ptr<party>& p, byte_view body, errc expected) {
    const bytes input = sealed_by(p->env, (*p)[1], p->who(1).who, body);
    return std::pair(input.size(), [p, input, expected] { fails((*p)[0].process(p->env, input), expected); });
  };
  costs("process Commit, private", "n Removes of nobody", up_to(limits::commit_proposals),
        {sizeof(listed_proposal) / 7 + 24, 65'536}, [&](std::size_t n) {
          bytes items;
          proposal r;
          r.type = proposal_type::remove;
          for (std::size_t i = 0; i < n; ++i) {
            r.remove = leaf_index{static_cast<std::uint32_t>(i * 42'043)};
            append(items, by_value(r));
          }
          return processing(std::make_shared<party>(4), commit_of(items), errc::refused);
        });
  costs("process Commit, private", "n bytes that are no Commit", up_to(1 << 24), {12, 65'536},
        [&](std::size_t n) { return processing(std::make_shared<party>(4), bytes(n, 0xff), errc::malformed); });
}

TEST_CASE("a commit with a path costs what it weighs", "[bounds]") {
  // an honest path of four members, with nodes and ciphertexts that nobody needs, signed by its owner
  const auto processing = [](std::size_t more_nodes, std::size_t more_ciphertexts) {
    party_options options;
    options.policy.handshakes = wire_format::public_message;
    auto p = std::make_shared<party>(4, options);
    const auto honest = p->prepare(1);
    const auto decoded = must(message::decode(honest.message()));
    const update_path& path = *decoded.public_message.content.value.body.commit.path;
    bytes nodes;
    writer w{nodes};
    for (const update_path_node node : path.nodes) {
      w.opaque(node.encryption_key);
      bytes ciphertexts = to_bytes(node.encrypted_path_secret.encoded());
      ciphertexts.resize(ciphertexts.size() + 2 * more_ciphertexts);  // two empty vectors each
      w.opaque(ciphertexts);
    }
    for (std::size_t i = 0; i < more_nodes; ++i) {
      w.opaque(random_bytes(p->env, 32));
      w.opaque({});
    }
    bytes body{0, 1};  // no proposals
    append(body, path.leaf.encoded);
    writer{body}.opaque(nodes);
    const bytes input = signed_by(p->env, (*p)[1], p->who(1).who, content_type::commit, body);
    return std::pair(input.size(), [p, input] { fails((*p)[0].process(p->env, input), errc::refused); });
  };
  costs("process Commit", "a path with n nodes too many", up_to(1 << 16), {12, 65'536},
        [&](std::size_t n) { return processing(n, 0); });
  costs("process Commit", "a path with n ciphertexts too many", up_to(1 << 18), {12, 65'536},
        [&](std::size_t n) { return processing(0, n); });
  // all but two have come by one commit and have not said anything since: one ciphertext for each of them
  costs("process Commit", "a path for n members", up_to(4096), {16, 262'144}, [](std::size_t n) {
    auto p = std::make_shared<party>(2);
    std::vector<bytes> packages;
    for (std::size_t i = 2; i < n; ++i) packages.push_back(make_package(p->env, make_client(p->env, "x")).message);
    const std::vector<byte_view> add(packages.begin(), packages.end());
    auto adding = must((*p)[0].commit(p->env, {add, {}, {}, false}));
    p->deliver(0, adding.message());
    must((*p)[0].apply(std::move(adding)));
    const bytes input = to_bytes(p->prepare(1).message());
    return std::pair(input.size(), [p, input] { succeeds((*p)[0].process(p->env, input)); });
  });
}

TEST_CASE("a message far ahead costs no more than limits::ratchet_forward steps", "[bounds]") {
  costs("process application message", "n generations ahead", {256, 512, limits::ratchet_forward}, {0, 65'536, 1.1},
        [](std::size_t n) {
          auto p = std::make_shared<party>(2);
          bytes last;
          for (std::size_t i = 0; i <= n; ++i) last = must((*p)[1].protect(p->env, {}, {}));
          return std::pair(n, [p, last] { succeeds((*p)[0].process(p->env, last)); });  // the size is that of the claim
        });
  costs("process application message", "generation n", {limits::ratchet_forward + 1, 0xffff'fffe, 0xffff'ffff},
        {0, 8192}, [](std::size_t n) {
          auto p = std::make_shared<party>(2);
          const auto& e = group_testing<P>::epoch_of((*p)[1]);
          framed_content content{e.group_id, e.number, {sender_type::member, 1}, {}, {}};
          const bytes body{0};
          content.body.type = content_type::application;
          content.body.encoded = body;
          message_key key{secret<struct message_key_tag>(16), {}, static_cast<std::uint32_t>(n)};
          const bytes signature(64, 1);
          const bytes m = must(
              protect_private(p->env, e.suite(), e.secrets.sender_data, content, {signature, {}}, std::move(key), 0));
          return std::pair(m.size(), [p, m] { fails((*p)[0].process(p->env, m), errc::over_limit); });
        });
  costs("process application message", "n bytes", up_to(1 << 24), {12, 65'536}, [](std::size_t n) {
    auto p = std::make_shared<party>(2);
    const bytes m = must((*p)[1].protect(p->env, bytes(n), {}));
    return std::pair(m.size(), [p, m] { succeeds((*p)[0].process(p->env, m)); });
  });
}

TEST_CASE("keys kept for late messages are few, however many are skipped", "[bounds]") {
  // a member who skips as many generations as it may, again and again
  costs("process application messages", "n times ratchet_forward generations", {2, 4, 8}, {0, 262'144},
        [](std::size_t n) {
          auto p = std::make_shared<party>(2);
          auto messages = std::make_shared<std::vector<bytes>>();
          for (std::size_t i = 0; i < n * limits::ratchet_forward; ++i) {
            bytes m = must((*p)[1].protect(p->env, {}, {}));
            if (i % limits::ratchet_forward == limits::ratchet_forward - 1) messages->push_back(std::move(m));
          }
          return std::pair(n, [p, messages] {
            for (const bytes& m : *messages) succeeds((*p)[0].process(p->env, m));
          });
        });
}

TEST_CASE("restoring a snapshot costs what it weighs", "[bounds]") {
  costs("restore", "a group of n", up_to(2048), {16, 262'144}, [](std::size_t n) {
    party p(1);
    std::vector<bytes> packages;
    for (std::size_t i = 1; i < n; ++i) packages.push_back(make_package(p.env, make_client(p.env, "x")).message);
    const std::vector<byte_view> add(packages.begin(), packages.end());
    if (n > 1) must(p[0].apply(must(p[0].commit(p.env, {add, {}, {}, true}))));
    const bytes saved = must(p[0].snapshot(p.env, *snapshot_key::copy_of(bytes(32, 7))));
    return std::pair(saved.size(), [saved] {
      deterministic_environment env(5);
      succeeds(group::restore(env, *snapshot_key::copy_of(bytes(32, 7)), 1, saved, {}));
    });
  });
}

}  // namespace faults

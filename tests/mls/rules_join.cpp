// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Rules of joining: Welcome, GroupInfo and ratchet tree, each wrong in one way behind a signature that is right.
#include "invitation.hpp"

namespace mls_test {

namespace {

class one_psk final : public psk_source {
 public:
  [[nodiscard]] result<secret_bytes> external(byte_view id) override {
    if (as_text(id) != "k") return errc::unknown_key;
    return secret_bytes(32, 7);
  }
  [[nodiscard]] result<secret_bytes> resumption(byte_view, std::uint64_t) override { return errc::unknown_key; }
};

}  // namespace

TEST_CASE("a Welcome without a fault is accepted") {
  invitation in;
  const auto joined = in.join(in.mallory.welcome(in.package, {}));
  REQUIRE(joined.has_value());
  CHECK(joined->own_leaf() == leaf_index{7});
}

TEST_CASE("welcome_for_me") {
  invitation in;
  package_draft other(in.p);
  check_fails(in.join(in.mallory.welcome(other.encode(in.p.env), {})), errc::unknown_key, rules::welcome_for_me);
}

TEST_CASE("welcome_opens") {
  invitation in;
  const bytes honest = in.mallory.welcome(in.package, {});
  const auto spoilt = [&](auto&& change) {
    auto m = must(message::decode(honest));
    auto entry = *m.welcome.secrets.begin();
    bytes kem_output = to_bytes(entry.encrypted.kem_output), secrets = to_bytes(entry.encrypted.ciphertext),
          info = to_bytes(m.welcome.encrypted_group_info);
    change(kem_output, secrets, info);
    entry.encrypted = {kem_output, secrets};
    const bytes items = wire::encode(entry);
    m.welcome.secrets = wire::list<encrypted_group_secrets>::of(items, 1);
    m.welcome.encrypted_group_info = info;
    return wire::encode(m);
  };
  const auto fails = [&](const bytes& welcome) {
    check_fails(in.join(welcome), errc::unauthentic, rules::welcome_opens);
  };
  fails(spoilt([](bytes& kem_output, bytes&, bytes&) { kem_output[0] ^= 1; }));
  fails(spoilt([](bytes& kem_output, bytes&, bytes&) { kem_output.pop_back(); }));
  fails(spoilt([](bytes&, bytes& secrets, bytes&) { secrets.back() ^= 1; }));
  fails(spoilt([](bytes&, bytes& secrets, bytes&) { secrets.resize(15); }));
  fails(spoilt([](bytes&, bytes&, bytes& info) { info.back() ^= 1; }));
  fails(spoilt([](bytes&, bytes&, bytes& info) { info.resize(15); }));
  // behind secrets that open: under another key
  welcome_draft other_key;
  other_key.psk_secret = bytes(32, 1);
  in.refused(other_key, errc::unauthentic, rules::welcome_opens);
  // a joiner_secret of another length
  welcome_draft draft;
  const bytes longer(33);
  draft.secrets = [&](group_secrets& s) { s.joiner_secret = longer; };
  in.refused(draft, errc::malformed, rules::welcome_opens);
}

TEST_CASE("welcome: PSK rules") {
  invitation in;
  one_psk psks;
  const auto with = [](const pre_shared_key_id& id) {
    welcome_draft draft;
    draft.psks = {id};
    return draft;
  };
  const bytes nonce(32), short_nonce(31);
  in.refused(with({psk_type::external, as_bytes("k"), {}, {}, 0, short_nonce}), errc::malformed,
             rules::psk_nonce_length, &psks);
  in.refused(with({psk_type::external, as_bytes("other"), {}, {}, 0, nonce}), errc::unknown_key, rules::psk_available,
             &psks);
  in.refused(with({psk_type::external, as_bytes("k"), {}, {}, 0, nonce}), errc::unknown_key, rules::psk_available);
  for (const auto usage : {resumption_psk_usage::reinit, resumption_psk_usage::branch})
    in.refused(with({psk_type::resumption, {}, usage, as_bytes("old"), 1, nonce}), errc::refused, rules::psk_usage);
  welcome_draft many;
  std::vector<bytes> nonces;
  for (std::size_t i = 0; i <= limits::preshared_keys; ++i) nonces.emplace_back(32, static_cast<std::uint8_t>(i));
  for (const bytes& n : nonces) many.psks.push_back({psk_type::external, as_bytes("k"), {}, {}, 0, n});
  in.refused(many, errc::over_limit, rules::psk_count, &psks);
}

TEST_CASE("group_info_suite") {
  invitation in;
  welcome_draft draft;
  draft.suite = cipher_suite{3};
  in.refused(draft, errc::refused, rules::group_info_suite);
  draft = {};
  draft.context = [](group_context& c) { c.version = protocol_version{2}; };
  in.refused(draft, errc::refused, rules::group_info_suite);
  draft.context = [](group_context& c) { c.suite = cipher_suite{3}; };
  in.refused(draft, errc::refused, rules::group_info_suite);
}

TEST_CASE("group_id_unique") {
  invitation in;
  const byte_view id = in.p[0].group_id();
  join_options beside;
  beside.current_groups = {&id, 1};
  check_fails(in.join(in.mallory.welcome(in.package, {}), beside), errc::refused, rules::group_id_unique);
}

TEST_CASE("tree_available") {
  invitation in;
  welcome_draft draft;
  draft.with_tree = false;
  in.refused(draft, errc::refused, rules::tree_available);
}

TEST_CASE("tree_hash_matches") {
  invitation in;
  welcome_draft draft;
  const bytes zero(32);
  draft.context = [&](group_context& c) { c.tree_hash = zero; };
  in.refused(draft, errc::refused, rules::tree_hash_matches);
  draft.context = [](group_context& c) { c.tree_hash = c.tree_hash.first(31); };
  in.refused(draft, errc::refused, rules::tree_hash_matches);
  draft.context = [](group_context& c) { c.tree_hash = {}; };
  in.refused(draft, errc::refused, rules::tree_hash_matches);
}

TEST_CASE("group_info_signature") {
  invitation in;
  welcome_draft draft;
  draft.signed_info = [](bytes& info) { info.back() ^= 1; };
  in.refused(draft, errc::unauthentic, rules::group_info_signature);
  draft = {};
  draft.info = [](group_info& info) { info.signer = leaf_index{1}; };  // who has not signed it
  in.refused(draft, errc::unauthentic, rules::group_info_signature);
}

TEST_CASE("sender_is_member: the signer of a GroupInfo") {
  invitation in(4);
  for (const std::uint32_t leaf : {6U, 7U, 8U, 0xffffffffU}) {
    welcome_draft draft;
    draft.info = [=](group_info& info) { info.signer = leaf_index{leaf}; };
    in.refused(draft, errc::refused, rules::sender_is_member);
  }
}

TEST_CASE("confirmation_tag of a GroupInfo") {
  invitation in;
  welcome_draft draft;
  const bytes zero(32);
  draft.info = [&](group_info& info) { info.confirmation_tag = zero; };
  in.refused(draft, errc::unauthentic, rules::confirmation_tag);
  draft.info = [](group_info& info) { info.confirmation_tag = info.confirmation_tag.first(31); };
  in.refused(draft, errc::unauthentic, rules::confirmation_tag);
  draft.info = [](group_info& info) { info.confirmation_tag = {}; };
  in.refused(draft, errc::unauthentic, rules::confirmation_tag);
}

TEST_CASE("unique_extensions of a GroupInfo and its GroupContext") {
  invitation in;
  const std::array twice{extension{extension_type{0x0a0a}, {}}, extension{extension_type{0x0a0a}, {}}};
  const bytes items = wire::encode_items(twice);
  welcome_draft draft;
  draft.info = [&](group_info& info) { info.extensions = extension_list::of(items, 2); };
  in.refused(draft, errc::refused, rules::unique_extensions);
  draft = {};
  draft.context = [&](group_context& c) { c.extensions = extension_list::of(items, 2); };
  in.refused(draft, errc::refused, rules::unique_extensions);
}

TEST_CASE("group_extensions_supported by all in the tree") {
  invitation in;
  const std::array one{extension{extension_type{0xff01}, {}}};
  const bytes items = wire::encode_items(one);
  welcome_draft draft;
  draft.context = [&](group_context& c) { c.extensions = extension_list::of(items, 1); };
  in.refused(draft, errc::refused, rules::group_extensions_supported);
}

TEST_CASE("my_leaf_present") {
  invitation in;
  package_draft other(in.p);
  const auto decoy = other.encode(in.p.env);
  const bytes decoy_leaf = to_bytes(must(message::decode(decoy.message)).key_package->leaf.encoded);
  in.refused_tree([&](ratchet_tree<provider>& t) { t.set_leaf(leaf_index{7}, decoy_leaf); }, errc::refused,
                  rules::my_leaf_present);
  // my signature key with other capabilities than mine
  leaf_draft changed = in.newcomer.leaf;
  changed.extensions.push_back(extension_type{0xff01});
  const bytes other_leaf = changed.encode(in.p.env);
  in.refused_tree([&](ratchet_tree<provider>& t) { t.set_leaf(leaf_index{7}, other_leaf); }, errc::refused,
                  rules::my_leaf_present);
}

TEST_CASE("path_secret_matches") {
  const bytes secret(32, 5), short_secret(31);
  const auto with = [](const bytes& value) {
    welcome_draft draft;
    draft.secrets = [&value](group_secrets& s) { s.path_secret = {value}; };
    return draft;
  };
  // where the signer of the GroupInfo and the newcomer meet in a blank node
  invitation blank;
  blank.refused(with(secret), errc::refused, rules::path_secret_matches);
  // and where they meet in the root, which has a key
  invitation in(7, [](party& p) { p.commit(0, {{}, {2, 5}}); });
  REQUIRE(in.mallory.state().own == leaf_index{2});
  in.refused(with(secret), errc::refused, rules::path_secret_matches);
  in.refused(with(short_secret), errc::malformed, rules::path_secret_matches);
  const auto honest = in.join(in.mallory.welcome(in.package, {}));
  REQUIRE(honest.has_value());
  CHECK(honest->own_leaf() == leaf_index{5});
  // from the newcomer itself
  auto own = with(secret);
  own.info = [](group_info& info) { info.signer = leaf_index{5}; };
  in.refused(own, errc::unauthentic, rules::group_info_signature);
}

TEST_CASE("known_node_type") {
  invitation in;
  for (const std::uint8_t type : bytes{0, 3, 255})
    in.refused_items([=](bytes& items) { items[1] = type; }, errc::malformed, rules::known_node_type);
}

TEST_CASE("a presence octet other than 0 or 1 in a tree") {
  invitation in;
  for (const std::uint8_t octet : bytes{2, 255})
    in.refused_items([=](bytes& items) { items[0] = octet; }, errc::malformed, conclave::rules::presence_octet);
}

TEST_CASE("node_type_by_position") {
  invitation in;
  // without its first leaf everything moves by one
  in.refused_items(
      [&](bytes& items) {
        reader r{items};
        const auto first = must(wire::read<std::optional<node>>(r));
        (void)first;
        items.erase(items.begin(), items.end() - static_cast<std::ptrdiff_t>(r.rest().size()));
      },
      errc::malformed, rules::node_type_by_position);
}

TEST_CASE("last_node_not_blank") {
  invitation in;
  in.refused_items([](bytes& items) { items.push_back(0); }, errc::malformed, rules::last_node_not_blank);
  in.refused_items([](bytes& items) { items = {0}; }, errc::malformed, rules::last_node_not_blank);
}

TEST_CASE("tree_size") {
  invitation in;
  in.refused_items([](bytes& items) { items.clear(); }, errc::over_limit, rules::tree_size);
  in.refused_items([](bytes& items) { items.resize(items.size() + 2 * limits::leaves); }, errc::over_limit,
                   rules::tree_size);
}

TEST_CASE("unmerged_ascending") {
  invitation in;
  for (const std::vector<leaf_index>& list :
       {std::vector{leaf_index{7}, leaf_index{6}}, std::vector{leaf_index{6}, leaf_index{6}}})
    in.refused_tree(
        [&](ratchet_tree<provider>& t) {
          const bytes items = wire::encode_items(list);
          change_parent(t, t.top(), [&](parent_node& n) { n.unmerged_leaves = wire::list<leaf_index>::of(items, 2); });
        },
        errc::malformed, rules::unmerged_ascending);
}

TEST_CASE("unmerged_leaf_below") {
  invitation in;
  for (const std::uint32_t leaf : {7U, 8U, 0xffffffffU})
    in.refused_tree(
        [&](ratchet_tree<provider>& t) {
          const std::vector list{leaf_index{leaf}};
          const bytes items = wire::encode_items(list);
          change_parent(t, left(t.top()),
                        [&](parent_node& n) { n.unmerged_leaves = wire::list<leaf_index>::of(items, 1); });
        },
        errc::refused, rules::unmerged_leaf_below);
}

TEST_CASE("unmerged_in_between") {
  invitation in;
  // the newcomer is unmerged at the root, but not at a node below it that is not blank
  in.refused_tree(
      [&](ratchet_tree<provider>& t) {
        const std::vector list{leaf_index{0}, leaf_index{6}, leaf_index{7}};
        const bytes items = wire::encode_items(list);
        change_parent(t, t.top(), [&](parent_node& n) { n.unmerged_leaves = wire::list<leaf_index>::of(items, 3); });
      },
      errc::refused, rules::unmerged_in_between);
}

TEST_CASE("parent_hash_valid") {
  invitation in;
  const bytes zero(32), another_key(32, 9);
  const auto fails = [&](const std::function<void(ratchet_tree<provider>&)>& change) {
    in.refused_tree(change, errc::refused, rules::parent_hash_valid);
  };
  const auto at = [](auto&& which, auto&& change) {
    return [=](ratchet_tree<provider>& t) { change_parent(t, which(t), change); };
  };
  const auto root_of = [](const ratchet_tree<provider>& t) { return t.top(); };
  const auto below = [](const ratchet_tree<provider>& t) { return left(t.top()); };
  // a parent with another key, or another parent hash, or an empty one
  fails(at(root_of, [&](parent_node& n) { n.encryption_key = another_key; }));
  fails(at(below, [&](parent_node& n) { n.encryption_key = another_key; }));
  fails(at(below, [&](parent_node& n) { n.parent_hash = zero; }));
  fails(at(below, [](parent_node& n) { n.parent_hash = {}; }));
  fails(at(root_of, [&](parent_node& n) { n.parent_hash = zero; }));
  // a parent put where none of the leaves below has committed
  fails([](ratchet_tree<provider>& t) {
    const bytes key(32, 3);
    const std::vector unmerged{leaf_index{6}, leaf_index{7}};
    const bytes items = wire::encode_items(unmerged);
    t.set_parent(parent(to_node(leaf_index{7})), {key, {}, wire::list<leaf_index>::of(items, 2)});
  });
  // a leaf below that has changed since, without a commit
  package_draft other(in.p);
  const bytes leaf = other.leaf.encode(in.p.env);
  fails([&](ratchet_tree<provider>& t) { t.set_leaf(leaf_index{0}, leaf); });
  // a parent above nobody
  in.refused_tree(
      [](ratchet_tree<provider>& t) {
        t.remove_leaf(leaf_index{4});
        t.remove_leaf(leaf_index{5});
        const bytes key(32, 3);
        t.set_parent(parent(to_node(leaf_index{4})), {key, {}, {}});
      },
      errc::refused, rules::parent_hash_valid);
}

TEST_CASE("valid_public_key of a parent") {
  invitation in;
  const bytes short_key(31, 3);
  in.refused_tree(
      [&](ratchet_tree<provider>& t) {
        change_parent(t, t.top(), [&](parent_node& n) { n.encryption_key = short_key; });
      },
      errc::malformed, rules::valid_public_key);
}

TEST_CASE("unique_keys in a whole tree") {
  invitation in;
  in.refused_tree(
      [&](ratchet_tree<provider>& t) {
        const bytes key = to_bytes(t.encryption_key(to_node(leaf_index{1})));
        change_parent(t, t.top(), [&](parent_node& n) { n.encryption_key = key; });
      },
      errc::refused, rules::unique_keys);
  in.refused_tree([&](ratchet_tree<provider>& t) { t.set_leaf(leaf_index{1}, t.encoded(to_node(leaf_index{2}))); },
                  errc::refused, rules::unique_keys);
}

TEST_CASE("leaf_signature in a whole tree") {
  invitation in;
  // of somebody who does not sign the GroupInfo; the leaf came with a key package, so that no parent hash depends on it
  package_draft other(in.p);
  bytes leaf = other.leaf.encode(in.p.env);
  leaf.back() ^= 1;
  in.refused_tree([&](ratchet_tree<provider>& t) { t.update_leaf(leaf_index{5}, leaf); }, errc::unauthentic,
                  rules::leaf_signature);
  // a commit's leaf in another place than its own
  leaf_draft moved = in.mallory.own_leaf(bytes(32, 9));
  moved.signature_key = to_bytes(other.who.signer.public_view());
  moved.signer = &other.who.signer;
  moved.source = leaf_node_source::update;
  moved.index = leaf_index{4};
  const bytes elsewhere = moved.encode(in.p.env);
  in.refused_tree([&](ratchet_tree<provider>& t) { t.update_leaf(leaf_index{5}, elsewhere); }, errc::unauthentic,
                  rules::leaf_signature);
}

TEST_CASE("leaf rules in a whole tree") {
  invitation in;
  const auto with_leaf = [&](const std::function<void(leaf_draft&)>& change) {
    package_draft other(in.p);
    change(other.leaf);
    const bytes leaf = other.leaf.encode(in.p.env);
    return [=](ratchet_tree<provider>& t) { t.update_leaf(leaf_index{5}, leaf); };
  };
  in.refused_tree(with_leaf([](leaf_draft& l) { l.suites = {cipher_suite{3}}; }), errc::refused,
                  rules::leaf_supports_suite);
  in.refused_tree(with_leaf([](leaf_draft& l) { l.valid = {0, ~std::uint64_t{0}}; }), errc::refused,
                  rules::lifetime_not_too_long);
  in.refused_tree(with_leaf([](leaf_draft& l) {
                    l.credential = credential_type{0xff01};
                    l.credentials.push_back(credential_type{0xff01});
                  }),
                  errc::refused, rules::credential_supported_by_all);
  in.refused_tree(with_leaf([](leaf_draft& l) { l.extensions.push_back(extension_type::application_id); }),
                  errc::malformed, rules::no_default_capabilities);
}

namespace {

/// A Welcome into a group that claims to continue `old`.
welcome_draft successor_of(const group& old, resumption_psk_usage usage, byte_view nonce) {
  welcome_draft out;
  const pre_shared_key_id id{psk_type::resumption, {}, usage, old.group_id(), old.epoch_number(), nonce};
  out.psks = {id};
  const psk_value value{id, old.resumption().reveal()};
  const auto secret = must(derive_psk_secret(old.suite(), {&value, 1}));
  out.psk_secret = to_bytes(secret.reveal());
  return out;
}

}  // namespace

TEST_CASE("successor rules of a branch") {
  invitation in;
  const bytes nonce(32, 1);
  const auto fails = [&](const welcome_draft& draft, const rule& broken) {
    check_fails(in.p[0].join_successor(in.p.env, in.newcomer.who.clone(), in.copy(),
                                       in.mallory.welcome(in.package, draft), {}, {}),
                errc::refused, broken);
  };
  auto draft = successor_of(in.p[0], resumption_psk_usage::branch, nonce);
  fails(draft, rules::successor_epoch);  // it begins where the other one ended
  draft.context = [](group_context& c) { c.epoch = 1; };
  fails(draft, rules::successor_members);  // the newcomer was not in the old group
  // a Welcome that claims nothing, and one that claims another group, epoch or purpose
  fails({}, rules::psk_usage);
  fails(successor_of(in.p[0], resumption_psk_usage::reinit, nonce), rules::psk_usage);
  for (const auto& change : std::vector<std::function<void(pre_shared_key_id&)>>{
           [](pre_shared_key_id& id) { id.psk_group_id = as_bytes("other"); },
           [](pre_shared_key_id& id) { --id.psk_epoch; }}) {
    auto other = draft;
    change(other.psks.front());
    fails(other, rules::psk_usage);
  }
  auto twice = draft;
  const bytes second_nonce(32, 2);
  twice.psks.push_back(twice.psks.front());
  twice.psks.back().psk_nonce = second_nonce;
  fails(twice, rules::psk_usage);
  // a group of another suite
  party_options options;
  options.suite = cipher_suite{3};
  party other(2, options);
  auto elsewhere = successor_of(other[0], resumption_psk_usage::branch, nonce);
  elsewhere.context = [](group_context& c) { c.epoch = 1; };
  check_fails(other[0].join_successor(in.p.env, in.newcomer.who.clone(), in.copy(),
                                      in.mallory.welcome(in.package, elsewhere), {}, {}),
              errc::refused, rules::successor_parameters);
}

TEST_CASE("successor rules after a ReInit") {
  // what the ReInit asked for; the group of the Welcome is called "party", as the signatures of its leaves have it
  const auto [group_id, extension_data] =
      GENERATE(std::pair{"next", false}, std::pair{"party", false}, std::pair{"party", true});
  invitation in;
  const std::array one{extension{extension_type::external_senders, {}}};
  const bytes items = wire::encode_items(one);
  reinit wanted;
  wanted.group_id = as_bytes(group_id);
  wanted.version = protocol_version::mls10;
  wanted.suite = suite_1;
  if (extension_data) wanted.extensions = extension_list::of(items, 1);
  commit_request request;
  request.reinit_as = wanted;
  in.p.publish(0, must(in.p[0].commit(in.p.env, request)));
  const bytes nonce(32, 1);
  const auto join_at = [&](std::uint64_t epoch) {
    auto draft = successor_of(in.p[0], resumption_psk_usage::reinit, nonce);
    draft.context = [&](group_context& c) { c.epoch = epoch; };
    return in.p[0].join_successor(in.p.env, in.newcomer.who.clone(), in.copy(), in.mallory.welcome(in.package, draft),
                                  {}, {});
  };
  check_fails(join_at(2), errc::refused, rules::successor_epoch);
  if (wanted.group_id.size() == 5 && !extension_data)
    CHECK(join_at(1).has_value());
  else
    check_fails(join_at(1), errc::refused, rules::successor_parameters);
}

}  // namespace mls_test

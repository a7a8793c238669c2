// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mls.hpp"

#include <conclave/mls/group_context.hpp>
#include <conclave/mls/treekem.hpp>
#include <conclave/mls/tree_validation.hpp>

#include <map>

namespace conclave_vectors::mls_kinds {
namespace {

using tree = ratchet_tree<provider>;

struct member {
  private_path keys;
  signature_key signer;
};

/// One case: the tree, and what each member knows of it.
class session {
 public:
  explicit session(const json& vector) : c_{vector}, s_{suite_of(c_)}, tree_{import()} {
    for (const json& m : c_.at("leaves_private")) add_member(m);
    tree_.for_each_leaf([&](leaf_index i) { expect(members_.contains(i), "a leaf without leaves_private"); });
  }

  void check_update_path(const json& u) const;
  void check_own_path(leaf_index sender) const;
  [[nodiscard]] const std::map<leaf_index, member>& members() const { return members_; }

 private:
  /// The tree after an UpdatePath, and what goes with it.
  struct merged {
    tree after;
    std::vector<path_step> path;
    digest parent_hash;
    bytes context;
  };

  [[nodiscard]] tree import() const {
    const bytes encoded = hex(c_, "ratchet_tree");
    reader in{encoded};
    const byte_view items = succeeds(in.opaque(), "ratchet_tree");
    succeeds(in.finish(), "ratchet_tree");
    return succeeds(tree::import(s_, hash_seed{}, items), "ratchet_tree");
  }

  void add_member(const json& m) {
    const leaf_index i{m.at("index").get<std::uint32_t>()};
    member out{{}, signature_key_of(s_, m, "signature_priv")};
    expect(tree_.contains(i), "leaves_private for a blank leaf");
    expect_equal(out.signer.public_view(), tree_.signature_key(i), "public key of signature_priv");
    const auto set = [&](node_index x, hpke::key_pair key) {
      expect(number(x) < tree_.node_count() && !tree_.blank(x), "a private key for a blank node");
      expect_equal(key.pub.view(), tree_.encryption_key(x), "public key of node " + std::to_string(number(x)));
      out.keys.set(x, std::move(key));
    };
    set(to_node(i), kem_key_of(s_, m, "encryption_priv"));
    for (const json& p : m.at("path_secrets")) {
      auto derived = succeeds(derive_path(s_, secret_of<path_secret>(p, "path_secret"), 1), "derive_path");
      set(node_index{p.at("node").get<std::uint32_t>()}, std::move(derived.keys[0]));
    }
    members_.emplace(i, std::move(out));
  }

  [[nodiscard]] merged merge(leaf_index sender, const std::vector<byte_view>& keys) const {
    merged out{tree_, tree_.filtered_direct_path(sender), {}, {}};
    expect_equal(keys.size(), out.path.size(), "nodes in the path");
    out.parent_hash = merge_path(out.after, sender, out.path, keys);
    return out;
  }
  void finish(merged& m, leaf_index sender, byte_view encoded_leaf) const {
    m.after.set_leaf(sender, encoded_leaf);
    const bytes group_id = hex(c_, "group_id"), transcript = hex(c_, "confirmed_transcript_hash");
    const digest hash = m.after.tree_hash();
    m.context = wire::encode(group_context{
        protocol_version::mls10, s_.id(), group_id, c_.at("epoch").get<std::uint64_t>(), hash.view(), transcript, {}});
    succeeds(valid_parents(m.after), "parent hashes after the path");
  }

  const json& c_;
  suite s_;
  tree tree_;
  std::map<leaf_index, member> members_;
};

std::vector<byte_view> keys_of(const update_path& update) {
  std::vector<byte_view> out;
  for (const update_path_node node : update.nodes) out.push_back(node.encryption_key);
  return out;
}

void session::check_update_path(const json& u) const {
  const leaf_index sender{u.at("sender").get<std::uint32_t>()};
  const bytes encoded = hex(u, "update_path"), wanted_commit_secret = hex(u, "commit_secret");
  const auto update = succeeds(wire::decode<update_path>(encoded), "update_path");
  merged m = merge(sender, keys_of(update));
  expect_equal(update.leaf->parent_hash, m.parent_hash.view(), "parent hash of the committer's leaf");
  succeeds(s_.verify_with_label(update.leaf->signature_key, "LeafNodeTBS",
                                leaf_node_tbs(update.leaf, hex(c_, "group_id"), sender), update.leaf->signature),
           "signature of the committer's leaf");
  finish(m, sender, update.leaf.encoded);
  expect_equal(m.after.tree_hash(), hex(u, "tree_hash_after"), "tree_hash_after");

  for (const auto& [j, mine] : members_) {
    if (j == sender) continue;
    const std::string where = "leaf " + std::to_string(number(j)) + ", ";
    auto got = succeeds(decrypt_path(m.after, m.path, update, j, mine.keys, {}, m.context), where + "decrypt_path");
    expect_equal(got.commit_secret.reveal(), wanted_commit_secret, where + "commit_secret");

    // the path secret itself is consumed; what it gives tells whether it was the right one
    const auto first = std::ranges::find_if(m.path, [&](const path_step& p) { return covers(p.copath, j); });
    const bytes path_secret_bytes = from_hex(u.at("path_secrets").at(number(j)).get<std::string>());
    const auto derived = succeeds(derive_path(s_, succeeds(path_secret::copy_of(path_secret_bytes), "path_secret"),
                                              static_cast<std::size_t>(m.path.end() - first)),
                                  "derive_path");
    expect_equal(derived.commit_secret.reveal(), wanted_commit_secret, where + "commit_secret below path_secret");
    for (std::size_t k = 0; k < derived.keys.size(); ++k) {
      const auto* const key = got.keys.find(first[static_cast<std::ptrdiff_t>(k)].node);
      expect(key != nullptr, where + "a private key of the path is missing");
      expect_equal(key->secret.reveal(), derived.keys[k].secret.reveal(), where + "private key of the path");
    }
  }
}

void session::check_own_path(leaf_index sender) const {
  system_environment env;
  const auto kem = s_.hpke_suite().kem;
  path_secret first(s_.nh());
  succeeds(env.random(first.writable()), "random");
  const auto path = tree_.filtered_direct_path(sender);
  const auto derived = succeeds(derive_path(s_, std::move(first), path.size()), "derive_path");
  std::vector<byte_view> keys;
  for (const auto& key : derived.keys) keys.push_back(key.pub.view());
  merged m = merge(sender, keys);

  const auto leaf_key = succeeds(hpke::generate_key_pair<provider>(env, kem), "a leaf key");
  leaf_node leaf = tree_.leaf(sender).value;
  leaf.encryption_key = leaf_key.pub.view();
  leaf.source = leaf_node_source::commit;
  leaf.parent_hash = m.parent_hash.view();
  bytes unsigned_fields;
  writer w{unsigned_fields};
  leaf.write_unsigned(w);
  const bytes signature =
      succeeds(s_.sign_with_label(env, members_.at(sender).signer, "LeafNodeTBS",
                                  leaf_node_tbs(unsigned_fields, leaf.source, hex(c_, "group_id"), sender)),
               "signing the leaf");
  leaf.signature = signature;
  bytes encoded = wire::encode(leaf);
  finish(m, sender, encoded);

  const bytes nodes = succeeds(encrypt_path(env, m.after, m.path, derived, {}, m.context), "encrypt_path");
  writer{encoded}.opaque(nodes);
  const auto update = succeeds(wire::decode<update_path>(encoded), "our own UpdatePath");
  for (const auto& [j, mine] : members_) {
    if (j == sender) continue;
    const std::string where = "leaf " + std::to_string(number(j)) + ", ";
    const auto got =
        succeeds(decrypt_path(m.after, m.path, update, j, mine.keys, {}, m.context), where + "our own path");
    expect_equal(got.commit_secret.reveal(), derived.commit_secret.reveal(), where + "our own commit_secret");
  }
}

}  // namespace

void treekem(const json& c) {
  const session on(c);
  for (const json& u : c.at("update_paths")) on.check_update_path(u);
  for (const auto& [i, m] : on.members()) on.check_own_path(i);
}

}  // namespace conclave_vectors::mls_kinds

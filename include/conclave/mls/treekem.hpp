// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// TreeKEM: fresh keys along a path, and the secrets that carry them to everybody else (RFC 9420, sections 7.4 to 7.6).
#pragma once

#include <conclave/mls/commit.hpp>
#include <conclave/mls/ratchet_tree.hpp>

namespace conclave::inline CONCLAVE_ABI::mls {

using path_secret = secret<struct path_secret_tag>;

/// private_path: the private keys one member holds, of its leaf and of nodes above it. Move-only.
class private_path {
 public:
  [[nodiscard]] const hpke::key_pair* find(node_index x) const noexcept {
    for (const auto& [node, key] : keys_)
      if (node == x) return &key;
    return nullptr;
  }
  void set(node_index x, hpke::key_pair key) {
    std::erase_if(keys_, [&](const auto& entry) { return entry.first == x; });
    keys_.emplace_back(x, std::move(key));
  }

  /// clone_current(tree): a copy of the keys that still belong to a node of the tree.
  template <crypto_provider P>
  [[nodiscard]] private_path clone_current(const ratchet_tree<P>& tree) const {
    private_path out;
    for (const auto& [x, key] : keys_)
      if (number(x) < tree.node_count() && !tree.blank(x) && equal(tree.encryption_key(x), key.pub.view()))
        out.keys_.emplace_back(x, hpke::key_pair{key.secret.clone(), key.pub});
    return out;
  }

  /// save(writer), load(reader): for snapshots. Errors: malformed.
  void save(secret_writer& w) const {
    w.vector([&] {
      for (const auto& [x, key] : keys_) {
        w.number(number(x));
        save_key(w, key);
      }
    });
  }
  [[nodiscard]] static result<private_path> load(reader& in) {
    private_path out;
    CONCLAVE_TRY(const auto items, in.opaque());
    for (reader each{items}; !each.empty();) {
      CONCLAVE_TRY(const auto x, each.number<std::uint32_t>());
      CONCLAVE_TRY(auto key, load_key(each));
      out.keys_.emplace_back(node_index{x}, std::move(key));
    }
    return out;
  }
  static void save_key(secret_writer& w, const hpke::key_pair& key) {
    w.opaque(key.secret.reveal());
    w.opaque(key.pub.view());
  }
  [[nodiscard]] static result<hpke::key_pair> load_key(reader& in) {
    CONCLAVE_TRY(const auto raw, in.opaque());
    CONCLAVE_TRY(const auto pub, in.opaque());
    hpke::key_pair out;
    CONCLAVE_TRY(out.secret, kem_private_key::copy_of(raw));
    CONCLAVE_TRY(out.pub, public_key::copy_of(pub));
    return out;
  }

 private:
  std::vector<std::pair<node_index, hpke::key_pair>> keys_;
};

/// derived_path: what one path secret gives for its node and those above it on the path.
struct derived_path {
  std::vector<path_secret> secrets;  ///< one per node
  std::vector<hpke::key_pair> keys;  ///< one per node
  mls::commit_secret commit_secret;
};

/// derive_path(suite, first, n): RFC 9420 section 7.4, for n nodes.
template <crypto_provider P>
[[nodiscard]] result<derived_path> derive_path(const basic_suite<P>& s, path_secret&& first, std::size_t n) {
  derived_path out;
  std::vector<secret<struct node_secret_tag>> node_secrets;
  std::vector<byte_view> seeds;
  out.secrets.reserve(n);
  node_secrets.reserve(n);
  path_secret current = std::move(first);
  for (std::size_t i = 0; i < n; ++i) {
    node_secrets.push_back(s.template derive_secret<struct node_secret_tag>(current.reveal(), "node"));
    auto following = s.template derive_secret<struct path_secret_tag>(current.reveal(), "path");
    out.secrets.push_back(std::move(current));
    current = std::move(following);
  }
  for (const auto& node_secret : node_secrets) seeds.push_back(node_secret.reveal());
  out.keys.resize(n);
  CONCLAVE_CHECK(hpke::derive_many<P>(s.hpke_suite().kem, seeds, out.keys));
  out.commit_secret = mls::commit_secret(s.nh());
  std::ranges::copy(current.reveal(), out.commit_secret.writable().begin());
  return out;
}

/// merge_path(tree, leaf, path, keys): sets the new public keys and parent hashes along a filtered direct path, and
/// returns the parent hash that the committer's leaf must carry (RFC 9420 7.5, 7.9).
template <crypto_provider P>
[[nodiscard]] digest merge_path(ratchet_tree<P>& tree, leaf_index leaf, std::span<const path_step> path,
                                std::span<const byte_view> keys) {
  tree.blank_direct_path(leaf);
  digest above;  // the parent hash of the next node up, which is empty for the root
  for (std::size_t i = path.size(); i-- > 0;) {
    tree.set_parent(path[i].node, {keys[i], above.view(), {}});
    const digest sibling_hash = tree.tree_hash(path[i].copath);
    above = parent_hash(tree.suite(), keys[i], above.view(), sibling_hash.view());
  }
  return above;
}

/// path_resolution(tree, step, added): whom a path secret is encrypted to: the resolution of the copath child without
/// the leaves that this commit added, which are ascending (RFC 9420 7.5).
template <crypto_provider P>
[[nodiscard]] std::vector<node_index> path_resolution(const ratchet_tree<P>& tree, const path_step& step,
                                                      std::span<const leaf_index> added) {
  std::vector<node_index> out;
  tree.append_resolution(step.copath, out);
  if (!added.empty())
    std::erase_if(out, [&](node_index x) { return is_leaf(x) && std::ranges::binary_search(added, to_leaf(x)); });
  return out;
}

/// encrypt_path(...): the `nodes` of an UpdatePath, encoded without their length header. `context` is the provisional
/// GroupContext. Errors: no_entropy, malformed (a key in the tree is not valid).
template <crypto_provider P>
[[nodiscard]] result<bytes> encrypt_path(environment& env, const ratchet_tree<P>& tree, std::span<const path_step> path,
                                         const derived_path& derived, std::span<const leaf_index> added,
                                         byte_view context, executor* workers = nullptr) {
  const auto& s = tree.suite();
  const std::size_t enc_size = kem_sizes(s.hpke_suite().kem).public_key, sealed_size = s.nh() + aead_tag_size;

  std::vector<std::vector<node_index>> resolutions;
  std::size_t recipients = 0;
  for (const path_step& step : path) {
    resolutions.push_back(path_resolution(tree, step, added));
    recipients += resolutions.back().size();
  }
  bytes sealed(recipients * (enc_size + sealed_size));
  std::vector<hpke::seal_request> requests;
  requests.reserve(recipients);
  byte_span rest = sealed;
  for (std::size_t i = 0; i < path.size(); ++i) {
    for (const node_index x : resolutions[i]) {
      requests.push_back({tree.encryption_key(x), derived.secrets[i].reveal(), rest.first(enc_size),
                          rest.subspan(enc_size, sealed_size)});
      rest = rest.subspan(enc_size + sealed_size);
    }
  }
  CONCLAVE_CHECK(
      hpke::seal_many<P>(env, s.hpke_suite(), s.encrypt_context("UpdatePathNode", context), {}, requests, workers));

  bytes out;
  out.reserve(sealed.size() + recipients * 4 + path.size() * 48);
  writer w{out};
  std::size_t next = 0;
  for (std::size_t i = 0; i < path.size(); ++i) {
    w.opaque(derived.keys[i].pub.view());
    w.vector([&] {
      for (std::size_t k = 0; k < resolutions[i].size(); ++k, ++next)
        wire::write(w, hpke_ciphertext{requests[next].enc, requests[next].ciphertext});
    });
  }
  return out;
}

/// received_path: what a member learns from somebody else's UpdatePath.
struct received_path {
  private_path keys;
  mls::commit_secret commit_secret;
};

/// decrypt_path(...): the recipient's side of an UpdatePath that is already merged into `tree`. `own_keys` are those of
/// the last epoch; new ones come back, old ones that were replaced do not. Errors: refused (wrong number of
/// ciphertexts, keys that do not match), unauthentic, unknown_key (no key of mine is in the resolution).
template <crypto_provider P>
[[nodiscard]] result<received_path> decrypt_path(const ratchet_tree<P>& tree, std::span<const path_step> path,
                                                 const update_path& update, leaf_index own,
                                                 const private_path& own_keys, std::span<const leaf_index> added,
                                                 byte_view context) {
  const auto& s = tree.suite();
  if (update.nodes.size() != path.size()) return failure{errc::refused, rules::path_length};
  std::size_t mine = 0;
  secret_bytes opened;  // empty until the node of my copath is found
  std::size_t i = 0;
  for (const update_path_node node : update.nodes) {
    if (covers(path[i].copath, own)) {
      const auto resolution = path_resolution(tree, path[i], added);
      if (node.encrypted_path_secret.size() != resolution.size())
        return failure{errc::refused, rules::ciphertext_per_resolution};
      const auto at = std::ranges::find_if(resolution, [&](node_index x) { return own_keys.find(x) != nullptr; });
      if (at == resolution.end()) return failure{errc::unknown_key, rules::path_secret_opens};
      auto ciphertext = node.encrypted_path_secret.begin();
      for (auto skip = at - resolution.begin(); skip > 0; --skip) ++ciphertext;
      auto plaintext = s.decrypt_with_label(*own_keys.find(*at), "UpdatePathNode", context, *ciphertext);
      if (!plaintext) return failure{errc::unauthentic, rules::path_secret_opens};
      opened = *std::move(plaintext);
      mine = i;
    }
    ++i;
  }
  if (opened.size() != s.nh()) return failure{errc::refused, rules::path_secret_opens};

  CONCLAVE_TRY(auto first, path_secret::copy_of(opened));
  CONCLAVE_TRY(auto derived, derive_path(s, std::move(first), path.size() - mine));
  received_path out{own_keys.clone_current(tree), std::move(derived.commit_secret)};
  for (std::size_t k = 0; k < derived.keys.size(); ++k) {
    const node_index x = path[mine + k].node;
    if (!equal(tree.encryption_key(x), derived.keys[k].pub.view()))
      return failure{errc::refused, rules::path_keys_derived};
    out.keys.set(x, std::move(derived.keys[k]));
  }
  return out;
}

}  // namespace conclave::mls

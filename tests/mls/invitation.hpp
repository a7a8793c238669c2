// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// invitation: a forger who invites into a group with a tree, for tests of what a joiner must refuse.
#pragma once

#include "scene.hpp"

namespace mls_test {

/// A group with a past. Everybody has committed, so that there are parents; then comes what a test wants.
struct grown_party : party {
  grown_party(std::size_t members, const std::function<void(party&)>& then) : party(members) {
    for (std::size_t i = 0; i < members; ++i) commit(i);
    if (then) then(*this);
  }
};

/// A forger in such a group, who invites.
struct invitation {
  grown_party p;
  forger mallory;
  package_draft newcomer;
  prepared_key_package package;

  explicit invitation(std::size_t members = 6, const std::function<void(party&)>& then = {})
      : p{members, then}, mallory{p}, newcomer{p}, package{newcomer.encode(p.env)} {}

  [[nodiscard]] result<group> join(byte_view welcome, const join_options& beside = {}, psk_source* psks = nullptr) {
    group_policy policy;
    policy.psks = psks;
    return group::join(p.env, newcomer.who.clone(), copy(), welcome, beside, policy);
  }
  void refused(const welcome_draft& draft, errc code, const rule& broken, psk_source* psks = nullptr) {
    check_fails(join(mallory.welcome(package, draft), {}, psks), code, broken);
  }
  void refused_tree(const std::function<void(ratchet_tree<provider>&)>& change, errc code, const rule& broken) {
    welcome_draft draft;
    draft.tree = change;
    refused(draft, code, broken);
  }
  void refused_items(const std::function<void(bytes&)>& change, errc code, const rule& broken) {
    welcome_draft draft;
    draft.tree_items = change;
    refused(draft, code, broken);
  }

  /// copy(): joining uses one up.
  [[nodiscard]] prepared_key_package copy() const {
    prepared_key_package out;
    out.message = package.message;
    out.reference = package.reference;
    out.init = {package.init.secret.clone(), package.init.pub};
    out.leaf = {package.leaf.secret.clone(), package.leaf.pub};
    return out;
  }
};

/// Changes a parent of the tree.
template <class F>
void change_parent(ratchet_tree<provider>& tree, node_index x, F&& change) {
  const bytes encoded = to_bytes(tree.encoded(x));
  auto value = must(wire::decode<parent_node>(encoded));
  change(value);
  tree.set_parent(x, value);
}

}  // namespace mls_test

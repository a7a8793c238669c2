// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Joining by Welcome (RFC 9420, section 12.4.3.1).
#pragma once

#include <conclave/mls/client.hpp>
#include <conclave/mls/group_info_validation.hpp>
#include <conclave/mls/message.hpp>
#include <conclave/mls/process_commit.hpp>
#include <conclave/mls/successor.hpp>

namespace conclave::inline CONCLAVE_ABI::mls {

/// opened_welcome: the two encrypted parts of a Welcome. The structures point into the bytes beside them.
struct opened_welcome {
  secret_bytes secrets_bytes;
  group_secrets secrets;
  detail::shared_bytes info_bytes;
  located_group_info info;
  psk_secret psk;
};

/// open_welcome(suite, welcome, package, before, psks): decrypts a Welcome. `before` is the group that the new one
/// continues, or nullptr. Errors: unknown_key (not for this package, no such PSK), unauthentic, malformed, refused.
template <crypto_provider P>
[[nodiscard]] result<opened_welcome> open_welcome(const basic_suite<P>& s, const welcome& w,
                                                  const prepared_key_package& package, const predecessor<P>* before,
                                                  psk_source* psks) {
  std::optional<hpke_ciphertext> mine;
  for (const encrypted_group_secrets entry : w.secrets)
    if (equal(entry.new_member, package.reference.view())) mine = entry.encrypted;
  if (!mine) return failure{errc::unknown_key, rules::welcome_for_me};

  opened_welcome out;
  auto opened = s.decrypt_with_label(package.init, "Welcome", w.encrypted_group_info, *mine);
  if (!opened) return failure{errc::unauthentic, rules::welcome_opens};
  out.secrets_bytes = *std::move(opened);
  CONCLAVE_TRY(out.secrets, wire::decode<group_secrets>(out.secrets_bytes));
  if (out.secrets.joiner_secret.size() != s.nh()) return failure{errc::malformed, rules::welcome_opens};

  std::vector<pre_shared_key_id> ids;
  std::size_t links = 0;  // keys that make the new group the successor of another
  for (const pre_shared_key_id id : out.secrets.psks) {
    if (id.psk_nonce.size() != s.nh()) return failure{errc::malformed, rules::psk_nonce_length};
    if (id.type == psk_type::resumption && id.usage != resumption_psk_usage::application) {
      if (before == nullptr || !before->named_by(id)) return failure{errc::refused, rules::psk_usage};
      ++links;
    }
    if (ids.size() == limits::preshared_keys) return failure{errc::over_limit, rules::psk_count};
    ids.push_back(id);
  }
  if (links != (before == nullptr ? 0U : 1U)) return failure{errc::refused, rules::psk_usage};
  CONCLAVE_TRY(out.psk, find_psks(s, ids, psks));
  CONCLAVE_TRY(const auto joiner, joiner_secret::copy_of(out.secrets.joiner_secret));
  const welcome_key key = derive_welcome_key(s, derive_welcome_secret(s, joiner, out.psk));
  if (w.encrypted_group_info.size() < aead_tag_size) return failure{errc::unauthentic, rules::welcome_opens};
  bytes info_bytes(w.encrypted_group_info.size() - aead_tag_size);
  CONCLAVE_TRY(auto aead, P::aead_key::make(s.hpke_suite().aead, key.key.reveal()));
  if (!aead.open(key.nonce, {}, w.encrypted_group_info, info_bytes))
    return failure{errc::unauthentic, rules::welcome_opens};
  out.info_bytes = detail::shared_bytes::adopt(std::move(info_bytes));
  CONCLAVE_TRY(out.info, wire::decode<located_group_info>(out.info_bytes.view()));
  return out;
}

/// join_by_welcome(...): the first epoch of a new member. Errors: unknown_key, unauthentic, malformed, refused,
/// unsupported, each with its rule; no_entropy; misuse (no Welcome, or a key package that was used up).
template <crypto_provider P>
[[nodiscard]] result<epoch<P>> join_by_welcome(environment& env, const prepared_key_package& package,
                                               byte_view welcome_message, const join_options& options,
                                               const group_policy& policy, const predecessor<P>* before = nullptr) {
  CONCLAVE_TRY(const auto received, message::decode(welcome_message));
  if (received.format != wire_format::welcome) return failure{errc::misuse, rules::known_wire_format};
  if (package.message.empty()) return errc::misuse;  // used up by an earlier join
  CONCLAVE_TRY(const auto own_package, wire::decode<located_key_package>(package.key_package()));
  if (received.welcome.suite != own_package->suite) return failure{errc::refused, rules::group_info_suite};
  CONCLAVE_TRY(const auto s, basic_suite<P>::make(received.welcome.suite));
  std::optional<predecessor_psks<P>> linked;
  if (before != nullptr) linked.emplace(*before, policy.psks);
  CONCLAVE_TRY(const auto opened, open_welcome(s, received.welcome, package, before, linked ? &*linked : policy.psks));
  const group_info& info = opened.info.value;
  CONCLAVE_TRY(const auto tree, import_verified_tree(env, s, opened.info, options, policy, &opened.info_bytes));

  if (before != nullptr) CONCLAVE_CHECK(valid_successor(*before, info.context, tree));

  CONCLAVE_TRY(auto known, public_epoch<P>::described_by(info, tree));
  epoch<P> out(std::move(known));
  const auto own = tree.find_member(own_package->leaf->signature_key);
  if (!own || !equal(tree.encoded(to_node(*own)), own_package->leaf.encoded))
    return failure{errc::refused, rules::my_leaf_present};
  out.own = *own;
  out.keys.set(to_node(out.own), {package.leaf.secret.clone(), package.leaf.pub});

  if (opened.secrets.path_secret) {
    if (info.signer == out.own) return failure{errc::refused, rules::path_secret_matches};
    std::vector<node_index> nodes;  // of the signer's path, from the common ancestor up
    for (node_index x = common_ancestor(out.own, info.signer);; x = parent(x)) {
      if (!tree.blank(x)) nodes.push_back(x);
      if (nodes.empty()) return failure{errc::refused, rules::path_secret_matches};
      if (x == tree.top()) break;
    }
    if (opened.secrets.path_secret->path_secret.size() != s.nh())
      return failure{errc::malformed, rules::path_secret_matches};
    CONCLAVE_TRY(auto first, path_secret::copy_of(opened.secrets.path_secret->path_secret));
    CONCLAVE_TRY(auto derived, derive_path(s, std::move(first), nodes.size()));
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (!equal(tree.encryption_key(nodes[i]), derived.keys[i].pub.view()))
        return failure{errc::refused, rules::path_secret_matches};
      out.keys.set(nodes[i], std::move(derived.keys[i]));
    }
  }

  CONCLAVE_TRY(const auto joiner, joiner_secret::copy_of(opened.secrets.joiner_secret));
  out.enter(joiner, opened.psk);
  if (!detail::ct_equal(out.confirmation_tag.view(), info.confirmation_tag))
    return failure{errc::unauthentic, rules::confirmation_tag};
  return out;
}

}  // namespace conclave::mls

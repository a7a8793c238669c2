// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What anybody checks of a GroupInfo and its ratchet tree who was not in the group before (RFC 9420, section 12.4.3.1).
#pragma once

#include <conclave/mls/group_policy.hpp>
#include <conclave/mls/public_epoch.hpp>
#include <conclave/mls/tree_validation.hpp>

namespace conclave::inline CONCLAVE_ABI::mls {

/// join_options: what a joiner knows besides the Welcome.
struct join_options {
  /// The content of a ratchet_tree extension, for a Welcome without one.
  std::optional<byte_view> ratchet_tree{};
  /// The ids of the groups this client is in.
  std::span<const byte_view> current_groups{};
};

/// tree_items(info): the content of the ratchet_tree extension, where there is one. Errors: malformed.
[[nodiscard]] inline result<std::optional<byte_view>> tree_items(const group_info& info) {
  const auto inside = find(info.extensions, extension_type::ratchet_tree);
  if (!inside) return std::optional<byte_view>{};
  CONCLAVE_TRY(const auto items, wire::decode<byte_view>(*inside));
  return std::optional<byte_view>{items};
}

/// verify_group_info(tree, info): it is signed by a member. Errors: refused, unauthentic.
template <crypto_provider P>
[[nodiscard]] status verify_group_info(const ratchet_tree<P>& tree, const located_group_info& info) {
  if (!tree.contains(info->signer)) return failure{errc::refused, rules::sender_is_member};
  if (!tree.suite().verify_with_label(tree.signature_key(info->signer), "GroupInfoTBS",
                                      without_signature(info.encoded, info->signature), info->signature))
    return failure{errc::unauthentic, rules::group_info_signature};
  return {};
}

/// import_verified_tree(...): the tree that a GroupInfo announces, complete and valid, with the GroupInfo's signature
/// checked. `owner`, if any, has the bytes of the GroupInfo, and the tree shares them.
template <crypto_provider P>
[[nodiscard]] result<ratchet_tree<P>> import_verified_tree(environment& env, const basic_suite<P>& s,
                                                           const located_group_info& info, const join_options& options,
                                                           const group_policy& policy,
                                                           const detail::shared_bytes* owner = nullptr) {
  const group_context& context = info->context;
  if (context.version != protocol_version::mls10 || context.suite != s.id())
    return failure{errc::refused, rules::group_info_suite};
  for (const byte_view id : options.current_groups)
    if (equal(id, context.group_id)) return failure{errc::refused, rules::group_id_unique};
  CONCLAVE_CHECK(unique_types(info->extensions));
  CONCLAVE_CHECK(valid_group_extensions(context.extensions));

  CONCLAVE_TRY(const auto inside, tree_items(info.value));
  const auto items = inside ? inside : options.ratchet_tree;
  if (!items) return failure{errc::refused, rules::tree_available};
  hash_seed seed;
  CONCLAVE_CHECK(env.random(seed));
  const bool shared = inside && owner != nullptr;
  CONCLAVE_TRY(auto tree,
               ratchet_tree<P>::import(s, seed, shared ? owner->slice(*items) : detail::shared_bytes::copy_of(*items)));
  const digest tree_hash = tree.tree_hash();
  if (!equal(tree_hash.view(), context.tree_hash)) return failure{errc::refused, rules::tree_hash_matches};
  CONCLAVE_CHECK(verify_group_info(tree, info));
  CONCLAVE_CHECK(valid_tree(tree, context.group_id, context.extensions, policy));
  return tree;
}

}  // namespace conclave::mls

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// roles: lists of them, as parameters of a meeting hold them, and what becomes of them when people come, go, and change
/// their keys. A role belongs to a key, and one that is left behind would wait for whoever is let in with that key: so
/// whoever commits tidies up, and nobody comes in with a role (meeting/shared_rules.hpp).
#pragma once

#include <conclave/meeting/parameters.hpp>
#include <conclave/mls/group.hpp>

namespace conclave::inline CONCLAVE_ABI {

/// encoded_roles: owns what a list of roles points into.
struct encoded_roles {
  bytes items;
  std::size_t count = 0;

  [[nodiscard]] wire::list<role_entry> list() const noexcept { return wire::list<role_entry>::of(items, count); }
};

/// roles_of(entries): their list, in its order.
[[nodiscard]] inline encoded_roles roles_of(std::vector<role_entry> entries) {
  std::ranges::sort(entries, [](const role_entry& a, const role_entry& b) {
    return std::ranges::lexicographical_compare(a.signature_key, b.signature_key);
  });
  return {wire::encode_items(entries), entries.size()};
}

/// with_role(roles, key, role): the list with the role of one key set.
[[nodiscard]] inline encoded_roles with_role(const wire::list<role_entry>& roles, byte_view key, role becomes) {
  std::vector<role_entry> entries;
  for (const role_entry entry : roles)
    if (!equal(entry.signature_key, key)) entries.push_back(entry);
  if (becomes != role::participant) entries.push_back({key, becomes});
  return roles_of(std::move(entries));
}

/// roles_among(roles, key_packages): those of the people whose key packages these are.
[[nodiscard]] inline encoded_roles roles_among(const wire::list<role_entry>& roles,
                                               std::span<const byte_view> key_packages) {
  std::vector<role_entry> out;
  for (const role_entry entry : roles)
    if (std::ranges::any_of(key_packages, [&](byte_view message) {
          const auto knocks = mls::message::decode(message);
          return knocks && knocks->format == mls::wire_format::key_package &&
                 equal(knocks->key_package->leaf->signature_key, entry.signature_key);
        }))
      out.push_back(entry);
  return roles_of(std::move(out));
}

/// with_roles_after(request, extensions, tree, own_leaf): the items of the GroupContext's extensions with the roles that
/// are left after such a commit of this member: those of members, under the keys that they then have. Empty where they are
/// the same as before, or no host would be left.
template <crypto_provider P>
[[nodiscard]] bytes with_roles_after(const mls::commit_request& request, const mls::extension_list& extensions,
                                     const mls::ratchet_tree<P>& tree, mls::leaf_index own_leaf) {
  meeting_parameters p = *meeting_parameters::of(extensions);
  std::vector<role_entry> stay;
  bool same = true;
  for (role_entry entry : p.roles) {
    const auto leaf = tree.find_member(entry.signature_key);
    const bool stays = leaf && std::ranges::find(request.remove, *leaf) == request.remove.end();
    if (stays && request.becomes != nullptr && *leaf == own_leaf) {
      same = same && equal(entry.signature_key, request.becomes->signer.public_view());
      entry.signature_key = request.becomes->signer.public_view();
    }
    same = same && stays;
    if (stays) stay.push_back(entry);
  }
  if (same) return {};
  const encoded_roles roles = roles_of(std::move(stay));
  p.roles = roles.list();
  return p.valid() ? with_parameters(extensions, p) : bytes{};
}

/// is_last_host(parameters, tree, leaf, going): who sits there is a host, and without it others would stay and none of
/// them be one. `going`: whose removal waits for a commit, ascending; nobody is to rely on them.
template <crypto_provider P>
[[nodiscard]] bool is_last_host(const meeting_parameters& p, const mls::ratchet_tree<P>& tree, mls::leaf_index leaf,
                                std::span<const mls::leaf_index> going) {
  if (p.role_of(tree.leaf(leaf)->signature_key) != role::host) return false;
  const auto goes = [&](mls::leaf_index i) { return std::ranges::binary_search(going, i); };
  if (tree.member_count() == going.size() + (goes(leaf) ? 0U : 1U)) return false;
  for (const role_entry entry : p.roles) {
    const auto other = tree.find_member(entry.signature_key);
    if (entry.role == role::host && other && *other != leaf && !goes(*other)) return false;
  }
  return true;
}

}  // namespace conclave

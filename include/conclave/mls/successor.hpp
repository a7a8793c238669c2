// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// A group that continues another: reinitialization and branching (RFC 9420, sections 11.2 and 11.3).
#pragma once

#include <conclave/mls/epoch.hpp>
#include <conclave/mls/group_policy.hpp>
#include <conclave/mls/welcome.hpp>

#include <set>
#include <string>

namespace conclave::inline CONCLAVE_ABI::mls {

/// predecessor: the group that a new one continues, as one of its members knows it. Views; lives as long as that
/// group's epoch.
template <crypto_provider P>
struct predecessor {
  const epoch<P>* state = nullptr;
  resumption_psk_usage usage = resumption_psk_usage::branch;
  const reinit_parameters* reinit = nullptr;  ///< usage reinit

  /// named_by(id): the key that links the new group to this one.
  [[nodiscard]] bool named_by(const pre_shared_key_id& id) const {
    return id.type == psk_type::resumption && id.usage == usage && id.psk_epoch == state->number &&
           equal(id.psk_group_id, state->group_id);
  }
};

/// predecessor_psks: a psk_source that knows the predecessor's resumption_psk and asks another one for the rest.
template <crypto_provider P>
class predecessor_psks final : public psk_source {
 public:
  predecessor_psks(const predecessor<P>& before, psk_source* others) noexcept : before_{before}, others_{others} {}

  [[nodiscard]] result<secret_bytes> external(byte_view psk_id) override {
    if (others_ == nullptr) return errc::unknown_key;
    return others_->external(psk_id);
  }
  [[nodiscard]] result<secret_bytes> resumption(byte_view group_id, std::uint64_t number) override {
    if (equal(group_id, before_.state->group_id) && number == before_.state->number) {
      const byte_view psk = before_.state->secrets.resumption.reveal();
      return secret_bytes(psk.begin(), psk.end());
    }
    if (others_ == nullptr) return errc::unknown_key;
    return others_->resumption(group_id, number);
  }

 private:
  predecessor<P> before_;
  psk_source* others_;
};

/// credentials_of(tree): the credentials of all members; two members match where theirs are equal.
template <crypto_provider P>
[[nodiscard]] std::set<std::string> credentials_of(const ratchet_tree<P>& tree) {
  std::set<std::string> out;
  tree.for_each_leaf([&](leaf_index i) { out.emplace(as_text(wire::encode(tree.leaf(i)->credential))); });
  return out;
}

/// valid_successor(before, context, tree): a joiner's checks of the new group against the old one.
template <crypto_provider P>
[[nodiscard]] status valid_successor(const predecessor<P>& before, const group_context& context,
                                     const ratchet_tree<P>& tree) {
  if (context.epoch != 1) return failure{errc::refused, rules::successor_epoch};
  const auto old_members = credentials_of(before.state->tree), new_members = credentials_of(tree);
  if (before.usage == resumption_psk_usage::reinit) {
    const reinit_parameters& p = *before.reinit;
    if (!equal(context.group_id, p.group_id) || context.version != p.version || context.suite != p.suite ||
        !equal(context.extensions.encoded(), p.extensions))
      return failure{errc::refused, rules::successor_parameters};
    if (!std::ranges::includes(new_members, old_members)) return failure{errc::refused, rules::successor_members};
  } else {
    if (context.version != protocol_version::mls10 || context.suite != before.state->suite().id())
      return failure{errc::refused, rules::successor_parameters};
    if (!std::ranges::includes(old_members, new_members)) return failure{errc::refused, rules::successor_members};
  }
  return {};
}

}  // namespace conclave::mls

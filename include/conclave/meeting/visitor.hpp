// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// visitor: somebody who asks to be let in, as a key package shows them.
#pragma once

#include <conclave/meeting/knock.hpp>
#include <conclave/meeting/roster.hpp>
#include <conclave/mls/group.hpp>

namespace conclave::inline CONCLAVE_ABI {

/// visitor: somebody who asks to be let in.
struct visitor {
  std::string name;
  identity_state identity = identity_state::unverified;
  client_claims client;  ///< by its own account
};

/// look_at(group, policy, now, key_package, verify): who knocks, or what keeps the group from adding them, but for their
/// identity, which is shown. The signatures are verified where `verify` says so: once is enough. Errors: malformed,
/// unauthentic and refused, with the rule that was broken.
template <crypto_provider P>
[[nodiscard]] result<visitor> look_at(const mls::basic_group<P>& group, const mls::group_policy& policy, unix_time now,
                                      byte_view key_package, bool verify) {
  CONCLAVE_TRY(const auto knocks, mls::message::decode(key_package));
  if (knocks.format != mls::wire_format::key_package) return errc::malformed;
  const auto& package = knocks.key_package;
  CONCLAVE_TRY(const auto context, wire::decode<mls::group_context>(group.group_context()));
  const auto lifetime = std::min({limits::key_package_lifetime, policy.max_lifetime, policy.admits_lifetime});
  CONCLAVE_CHECK(mls::valid_key_package(group.suite(), package.value, context.extensions, lifetime));
  const mls::leaf_node& leaf = package->leaf.value;
  mls::signature_batch<P> signatures(group.suite());
  if (verify) signatures.add_key_package(package);
  CONCLAVE_CHECK(signatures.verify());
  if (!leaf.lifetime.covers(now)) return failure{errc::refused, mls::rules::lifetime_is_current};
  if (group.tree().find_member(leaf.signature_key) || group.tree().has_encryption_key(leaf.encryption_key))
    return failure{errc::refused, mls::rules::unique_keys};
  const auto who = mls::present(group.suite().signature(), leaf.credential, leaf.signature_key);
  const mls::judge judge{policy.identities, group.suite().signature(), now};
  return visitor{shown_name(policy.identities, who), judge.member(leaf), claims_of(leaf)};
}

}  // namespace conclave

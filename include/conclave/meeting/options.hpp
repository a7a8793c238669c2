// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// meeting_options: what a host chooses for a meeting, and a participant for itself.
#pragma once

#include <conclave/meeting/client.hpp>
#include <conclave/meeting/parameters.hpp>
#include <conclave/mls/group_policy.hpp>

namespace conclave::inline CONCLAVE_ABI {

struct meeting_options {
  /// For create(): the suite, and what all members are to agree on. Their list of roles is a view, and is not looked at:
  /// it is made of the creator, as host. The rest are values, so nothing of them has to outlive the call.
  mls::cipher_suite suite = mls::cipher_suite::mls_128_dhkemx25519_aes128gcm_sha256_ed25519;
  meeting_parameters parameters{};

  // this participant's own

  /// `rules` are asked after those of every meeting (meeting/shared_rules.hpp), and need to be the same for all members.
  mls::group_policy group{};
  /// What this client says of itself to those who may admit it.
  client_claims client{};
  /// What everybody has to be, for the meeting to be shown as end-to-end encrypted without reservation.
  identity_state expects = identity_state::unverified;
  std::chrono::seconds key_package_valid_for = std::chrono::hours{24};
};

/// ruled(options, rules): the policy of the options, under the rules of every meeting.
[[nodiscard]] inline mls::group_policy ruled(const meeting_options& options, mls::commit_rules& rules) {
  mls::group_policy out = options.group;
  out.rules = &rules;
  // what all accept is the same for all; who wants less adds less
  out.max_lifetime = limits::key_package_lifetime;
  out.admits_lifetime = std::min(options.group.max_lifetime, options.group.admits_lifetime);
  out.one_welcome_for_all = true;  // basic_meeting::change::welcome() is one
  return out;
}

}  // namespace conclave

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What the owner of a group decides, and what a group tells its owner.
#pragma once

#include <conclave/interfaces.hpp>
#include <conclave/limits.hpp>
#include <conclave/mls/types.hpp>

#include <variant>

namespace conclave::inline CONCLAVE_ABI::mls {

/// group_policy: choices of this member. They may differ between members, except max_lifetime: members with different values
/// can disagree about a Commit.
struct group_policy {
  /// Format of handshake messages this member sends: private hides who joins and leaves from the delivery service, public lets
  /// it follow (RFC 9420 16.4). Both are understood.
  wire_format handshakes = wire_format::private_message;
  /// Messages sent are padded with zeros to a multiple of this many bytes; 1 for none.
  std::size_t padding_block = 64;
  /// The longest lifetime of a key package (RFC 9420 7.2, which asks for one); seconds::max() accepts any.
  std::chrono::seconds max_lifetime = limits::key_package_lifetime;
  /// Epochs whose late messages still open, at most limits::past_epochs.
  std::size_t past_epochs = limits::past_epochs;
  /// A Welcome carries the ratchet tree; if not, joiners get ratchet_tree() by another way.
  bool tree_in_welcome = true;
  /// Where pre-shared keys are found; nullptr for nowhere. Outlives the group.
  psk_source* psks = nullptr;
};

/// application_message: content of a member's PrivateMessage.
struct application_message {
  leaf_index sender{};      ///< at the time of `epoch`: the leaf may belong to another member by now
  std::uint64_t epoch = 0;
  secret_bytes plaintext;
  bytes authenticated_data;
};

/// received_proposal: a proposal that waits for a commit.
struct received_proposal {
  proposal_type type{};
  bytes reference;          ///< ProposalRef
};

/// epoch_change: a commit took effect.
struct epoch_change {
  std::uint64_t epoch = 0;                ///< the new one
  std::optional<leaf_index> committer;    ///< in the new epoch
  std::vector<leaf_index> added, updated, removed;
  bool removed_me = false;                ///< this member is out: the group opens and sends nothing any more
};

using event = std::variant<application_message, received_proposal, epoch_change>;

}  // namespace conclave::mls

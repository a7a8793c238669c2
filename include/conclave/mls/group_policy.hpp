// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What the owner of a group decides, and what a group tells its owner.
#pragma once

#include <conclave/executor.hpp>
#include <conclave/interfaces.hpp>
#include <conclave/limits.hpp>
#include <conclave/mls/proposal.hpp>
#include <conclave/mls/sender.hpp>

#include <bit>
#include <variant>

namespace conclave::inline CONCLAVE_ABI::mls {

/// padding: zeros behind the content of a PrivateMessage, so that its length says less (RFC 9420 15.1).
struct padding {
  enum class kind : std::uint8_t { none, block, padme } how = kind::block;
  std::size_t block = 64;  ///< kind block: up to a multiple of this

  /// bytes_for(size): how many zeros to add. Padmé rounds up so that a length reveals O(log log size) bits and grows by
  /// at most 12 % (Nikitin et al., PETS 2019).
  [[nodiscard]] constexpr std::size_t bytes_for(std::size_t size) const noexcept {
    if (how == kind::none || size < 2) return 0;
    if (how == kind::block) return block <= 1 ? 0 : (block - size % block) % block;
    const auto exponent = static_cast<unsigned>(std::bit_width(size) - 1);
    const unsigned kept = static_cast<unsigned>(std::bit_width(exponent));
    const std::size_t mask = (std::size_t{1} << (exponent > kept ? exponent - kept : 0)) - 1;
    return ((size + mask) & ~mask) - size;
  }
};

/// listed_proposal: a proposal of a commit with who made it; by value, that is the committer.
struct listed_proposal {
  mls::proposal proposal;
  mls::sender sender;
  bool by_reference = false;

  /// counts(): towards limits::commit_proposals.
  [[nodiscard]] bool counts() const noexcept { return by_reference || proposal.type != proposal_type::add; }
};

/// group_facts: what every member knows alike of the present epoch. Views; they live as long as the call.
class group_facts {
 public:
  [[nodiscard]] virtual byte_view context() const = 0;  ///< the encoded GroupContext
  [[nodiscard]] virtual std::size_t members() const = 0;
  /// leaf(index): nothing where it is blank or outside the tree.
  [[nodiscard]] virtual std::optional<leaf_node> leaf(leaf_index index) const = 0;
  /// find_member(signature_key): the leaf that has it; nothing where none does.
  [[nodiscard]] virtual std::optional<leaf_index> find_member(byte_view signature_key) const = 0;

 protected:
  ~group_facts() = default;
};

/// commit_facts: what a commit wants.
struct commit_facts {
  sender committer;
  /// The signature key that the committer's leaf has from this commit on, not verified yet; empty where it stays the same
  /// because there is no path.
  byte_view committer_key;
  std::span<const listed_proposal> proposals;
};

/// commit_rules: what the application adds to RFC 9420 12.2. Asked for every commit and proposal that this member makes
/// or receives, before anything changes. All members have to come to the same verdict from the same facts, or the group
/// splits. Threads: called on the thread that uses the group.
class commit_rules {
 public:
  commit_rules() = default;
  commit_rules(const commit_rules&) = delete;
  commit_rules& operator=(const commit_rules&) = delete;
  virtual ~commit_rules() = default;

  /// allow(group, commit): success, or any error to refuse the commit with.
  [[nodiscard]] virtual status allow(const group_facts& group, const commit_facts& commit) = 0;
  /// allow_group(group): whether to be in such a group at all; asked before a Welcome or key package is used up.
  [[nodiscard]] virtual status allow_group(const group_facts&) { return {}; }
  /// allow_proposal(group, proposal): the same for a proposal that is to wait for a commit, so that what no commit may
  /// contain does not wait either.
  [[nodiscard]] virtual status allow_proposal(const group_facts&, const listed_proposal&) { return {}; }
};

/// group_policy: choices of this member. They may differ between members, except max_lifetime: members with different
/// values can disagree about a Commit. Who wants to be stricter than the others has admits_lifetime.
struct group_policy {
  /// Format of handshake messages this member sends: private hides who joins and leaves from the delivery service,
  /// public lets it follow (RFC 9420 16.4). Both are understood.
  wire_format handshakes = wire_format::private_message;
  mls::padding padding{};
  /// The longest lifetime of a key package (RFC 9420 7.2, which asks for one); seconds::max() accepts any.
  std::chrono::seconds max_lifetime = limits::key_package_lifetime;
  /// Epochs whose late messages still open, at most limits::past_epochs.
  std::size_t past_epochs = limits::past_epochs;
  /// A Welcome carries the ratchet tree; if not, joiners get ratchet_tree() by another way.
  bool tree_in_welcome = true;
  /// One Welcome for everybody who is added, or one each: shorter for each joiner, more to send altogether.
  bool one_welcome_for_all = true;
  /// Where pre-shared keys are found; nullptr for nowhere. Outlives the group.
  psk_source* psks = nullptr;
  /// The application's rules; nullptr for none. Outlives the group.
  commit_rules* rules = nullptr;
  /// Threads for the signatures of a crowd and the secrets sent to it; nullptr for the calling thread alone. Outlives the
  /// group.
  executor* workers = nullptr;
  /// Who judges identities (RFC 9420 5.3.1); nullptr for nobody, and then all are unverified. Outlives the group.
  identity_validator* identities = nullptr;
  /// The least that somebody must be for this member to add them or to make them an external sender: what it proposes,
  /// and what its commits contain. What others commit is shown, whatever it is.
  identity_state admits = identity_state::unverified;
  /// The longest lifetime of a key package that this member adds, likewise.
  std::chrono::seconds admits_lifetime = std::chrono::seconds::max();
};

/// application_message: content of a member's PrivateMessage.
struct application_message {
  leaf_index sender{};  ///< at the time of `epoch`: the leaf may belong to another member by now
  std::uint64_t epoch = 0;
  secret_bytes plaintext;
  bytes authenticated_data;
};

/// received_proposal: a proposal that waits for a commit.
struct received_proposal {
  proposal_type type{};
  bytes reference;                         ///< ProposalRef
  std::optional<identity_state> identity;  ///< of whom it would add or renew, or of the worst new external sender
};

/// reinit_parameters: of the group that is to follow this one (RFC 9420 12.1.5), owned.
struct reinit_parameters {
  bytes group_id;
  protocol_version version{};
  cipher_suite suite{};
  bytes extensions;  ///< the items

  [[nodiscard]] static std::optional<reinit_parameters> of(const std::optional<mls::reinit>& from) {
    if (!from) return std::nullopt;
    return reinit_parameters{to_bytes(from->group_id), from->version, from->suite,
                             to_bytes(from->extensions.encoded())};
  }
  /// save(writer), load(reader): for snapshots. Errors: malformed.
  void save(auto& out) const {
    out.opaque(group_id);
    wire::write(out, version);
    wire::write(out, suite);
    out.opaque(extensions);
  }
  [[nodiscard]] static result<reinit_parameters> load(reader& in) {
    reinit_parameters out;
    CONCLAVE_TRY(const auto id, in.opaque());
    CONCLAVE_TRY(out.version, wire::read<protocol_version>(in));
    CONCLAVE_TRY(out.suite, wire::read<cipher_suite>(in));
    CONCLAVE_TRY(const auto items, in.opaque());
    out.group_id = to_bytes(id);
    out.extensions = to_bytes(items);
    return out;
  }
};

/// judged_identity: what this member's validator says of another one.
struct judged_identity {
  leaf_index leaf{};
  identity_state state{};
};

/// epoch_change: a commit took effect.
struct epoch_change {
  std::uint64_t epoch = 0;              ///< the new one
  std::optional<leaf_index> committer;  ///< in the new epoch
  std::vector<leaf_index> added, updated, removed;
  bool removed_me = false;                       ///< this member is out: the group opens and sends nothing any more
  std::optional<reinit_parameters> reinit;       ///< the group is over: a new one with these parameters follows
  std::vector<judged_identity> identities;       ///< of those who were added, or present another credential or key
  std::vector<identity_state> external_senders;  ///< of all of them, where the list has changed
};

using event = std::variant<application_message, received_proposal, epoch_change>;

}  // namespace conclave::mls

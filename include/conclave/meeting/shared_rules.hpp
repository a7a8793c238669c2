// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// shared_rules: what a commit or proposal may do in a meeting. They judge by the parameters of the meeting and by the
/// ratchet tree alone, which all members share, so that all of them refuse the same and nobody is left behind: a patched
/// client that adds somebody without the right to has made a commit that nobody follows.
#pragma once

#include <conclave/meeting/parameters.hpp>
#include <conclave/mls/group_context.hpp>
#include <conclave/mls/group_policy.hpp>

namespace conclave::inline CONCLAVE_ABI {

namespace rules {
inline constexpr rule may_admit{"who brings somebody in has no right to", "meeting/shared_rules.hpp"};
inline constexpr rule may_remove{"who removes somebody has no right to, or a lower role", "meeting/shared_rules.hpp"};
inline constexpr rule may_change{"who changes the meeting has no right to", "meeting/shared_rules.hpp"};
inline constexpr rule door_open{"the door is closed for newcomers", "meeting/shared_rules.hpp"};
inline constexpr rule comes_back_with_own_key{"who comes back shows another key than before",
                                              "meeting/shared_rules.hpp"};
inline constexpr rule roles_are_given{"a role would come with a key, or be of nobody who is in",
                                      "meeting/shared_rules.hpp"};
inline constexpr rule a_host_stays{"the meeting would be without a host", "meeting/shared_rules.hpp"};
inline constexpr rule strangers_knock{"a stranger proposes itself instead of knocking at a host's",
                                      "meeting/shared_rules.hpp"};
inline constexpr rule within_capacity{"the meeting is full", "meeting/shared_rules.hpp"};
inline constexpr rule media_stands{"the parameters of media stand for the whole meeting", "meeting/shared_rules.hpp"};
inline constexpr rule no_pre_shared_keys{"a pre-shared key, which some members may not have",
                                         "meeting/shared_rules.hpp"};
inline constexpr rule leave_by_remove{"a SelfRemove: members leave by proposing their own Remove",
                                      "meeting/shared_rules.hpp"};
inline constexpr rule refresh_by_commit{"an Update: members renew their keys by commits", "meeting/shared_rules.hpp"};
inline constexpr rule meeting_stands{"a ReInit, which would end the meeting", "meeting/shared_rules.hpp"};
}  // namespace rules

/// shared_rules: without state, and so the same for everybody. `own` are further rules of the host application, which all
/// members need to have alike; nullptr for none. Outlives the group.
class shared_rules final : public mls::commit_rules {
 public:
  /// serves(media): whether this client can seal and open such frames.
  using serves = bool (*)(sframe::cipher_suite);

  explicit shared_rules(serves media, mls::commit_rules* own = nullptr) noexcept : serves_{media}, own_{own} {}

  [[nodiscard]] status allow_group(const mls::group_facts& group) override {
    CONCLAVE_TRY(const auto context, wire::decode<mls::group_context>(group.context()));
    CONCLAVE_TRY(const auto p, meeting_parameters::of(context.extensions));
    if (!serves_(p.media)) return errc::unsupported;
    CONCLAVE_CHECK(rights(p, context, group, nullptr).keeps_host(p.roles));
    return own_ == nullptr ? status{} : own_->allow_group(group);
  }

  [[nodiscard]] status allow(const mls::group_facts& group, const mls::commit_facts& commit) override {
    CONCLAVE_TRY(const auto context, wire::decode<mls::group_context>(group.context()));
    CONCLAVE_TRY(const auto p, meeting_parameters::of(context.extensions));
    const rights of(p, context, group, &commit);
    const role committer = of.role_of(commit.committer);
    meeting_parameters after = p;
    std::size_t coming = 0, going = 0;
    for (const auto& [wish, proposer, by_reference] : commit.proposals) {
      // what outsiders propose counts as the wish of whoever commits it
      const bool by_other_member = by_reference && proposer.type == mls::sender_type::member;
      CONCLAVE_CHECK(by_other_member ? of.allow(wish, proposer, of.role_of(proposer))
                                     : of.allow(wish, commit.committer, committer));
      if (wish.type == mls::proposal_type::group_context_extensions)
        after = *meeting_parameters::of(wish.group_context_extensions);
      if (wish.type == mls::proposal_type::add) ++coming;
      if (wish.type == mls::proposal_type::remove || wish.type == mls::proposal_type::self_remove) ++going;
    }
    if (commit.committer.type == mls::sender_type::new_member_commit) {
      ++coming;
      CONCLAVE_CHECK(allow_entrance(p, group, commit));
    }
    CONCLAVE_CHECK(of.allow_keys(after));
    CONCLAVE_CHECK(of.keeps_host(after.roles));
    if (coming > going && group.members() + coming - going > p.capacity)
      return failure{errc::refused, rules::within_capacity};
    return own_ == nullptr ? status{} : own_->allow(group, commit);
  }

  [[nodiscard]] status allow_proposal(const mls::group_facts& group, const mls::listed_proposal& wish) override {
    CONCLAVE_TRY(const auto context, wire::decode<mls::group_context>(group.context()));
    CONCLAVE_TRY(const auto p, meeting_parameters::of(context.extensions));
    const rights of(p, context, group, nullptr);
    // strangers would fill the memory of everybody, and nobody could speak before a commit has cleared it
    if (wish.sender.type == mls::sender_type::new_member_proposal)
      return failure{errc::refused, rules::strangers_knock};
    // whoever commits what an external sender proposes answers for it; what not even a host may commit does not wait
    const bool of_member = wish.sender.type == mls::sender_type::member;
    CONCLAVE_CHECK(of.allow(wish.proposal, wish.sender, of_member ? of.role_of(wish.sender) : role::host));
    return own_ == nullptr ? status{} : own_->allow_proposal(group, wish);
  }

 private:
  /// A list of roles that is asked about many keys.
  class role_table {
   public:
    explicit role_table(const wire::list<role_entry>& roles) {
      for (const role_entry entry : roles) entries_.push_back(entry);
    }
    [[nodiscard]] role of(byte_view key) const {
      const auto less = [](byte_view a, byte_view b) { return std::ranges::lexicographical_compare(a, b); };
      const auto at = std::ranges::lower_bound(entries_, key, less, &role_entry::signature_key);
      return at != entries_.end() && equal(at->signature_key, key) ? at->role : role::participant;
    }
    [[nodiscard]] const std::vector<role_entry>& entries() const noexcept { return entries_; }

   private:
    std::vector<role_entry> entries_;
  };

  /// rights: who may propose what in the present epoch; `commit` is what it would stand in, where that is known.
  class rights {
   public:
    rights(const meeting_parameters& p, const mls::group_context& context, const mls::group_facts& group,
           const mls::commit_facts* commit)
        : parameters_{&p},
          extensions_{&context.extensions},
          epoch_{context.epoch},
          group_{&group},
          commit_{commit},
          roles_{p.roles} {}

    [[nodiscard]] role role_of(const mls::sender& who) const {
      if (who.type != mls::sender_type::member) return role::participant;
      return role_of(mls::leaf_index{who.index});
    }

    /// allow(wish, who, is): one proposal of somebody who is that. External commits are judged by allow_entrance.
    [[nodiscard]] status allow(const mls::proposal& wish, const mls::sender& who, role is) const {
      const meeting_parameters& p = *parameters_;
      switch (wish.type) {
        case mls::proposal_type::external_init: return {};
        case mls::proposal_type::self_remove: return failure{errc::refused, rules::leave_by_remove};
        case mls::proposal_type::update: return failure{errc::refused, rules::refresh_by_commit};
        case mls::proposal_type::add:
          if (p.door >= door::locked) return failure{errc::refused, rules::door_open};
          if (is < p.admits) return failure{errc::refused, rules::may_admit};
          return {};
        case mls::proposal_type::remove:
          if (who.type != mls::sender_type::member || number(wish.remove) == who.index) return {};
          if (is < p.removes || is < role_of(wish.remove)) return failure{errc::refused, rules::may_remove};
          return {};
        case mls::proposal_type::psk:
          // a key that some members do not have would split the meeting; the one of a room's first commit all have
          if (group_->members() != 1 || epoch_ != 0) return failure{errc::refused, rules::no_pre_shared_keys};
          return {};
        case mls::proposal_type::group_context_extensions: return allow_change(wish.group_context_extensions, is);
        case mls::proposal_type::reinit: return failure{errc::refused, rules::meeting_stands};
      }
      if (is < role::host) return failure{errc::refused, rules::may_change};
      return {};
    }

    /// allow_keys(after): nobody has a role because of a key that comes in: it may have been somebody's who left, and the
    /// role with it. Who changes its key takes along the role it has. Whoever sets up a meeting, still alone, says who is
    /// what in it.
    [[nodiscard]] status allow_keys(const meeting_parameters& to) const {
      const role_table after(to.roles);
      const auto has_one = [&](byte_view key) { return after.of(key) != role::participant; };
      if (const auto replaced = replaced_key(); replaced && has_one(commit_->committer_key)) {
        if (after.of(commit_->committer_key) != role_of(commit_->committer) || has_one(*replaced))
          return failure{errc::refused, rules::roles_are_given};
      }
      bool comes_back = false;
      for (const mls::listed_proposal& entry : commit_->proposals) {
        comes_back = comes_back || entry.proposal.type == mls::proposal_type::remove;
        if (entry.proposal.type == mls::proposal_type::add && has_one(entry.proposal.add->leaf->signature_key) &&
            (group_->members() != 1 || epoch_ != 0))
          return failure{errc::refused, rules::roles_are_given};
      }
      if (commit_->committer.type == mls::sender_type::new_member_commit && !comes_back &&
          has_one(commit_->committer_key))
        return failure{errc::refused, rules::roles_are_given};
      return {};
    }

    /// keeps_host(after): one of those with the role is in afterwards. Else nobody could ever change the meeting again. A
    /// role that was left behind is nobody's.
    [[nodiscard]] status keeps_host(const wire::list<role_entry>& after) const {
      for (const role_entry entry : after) {
        if (entry.role != role::host) continue;
        const bool of_committer = commit_ != nullptr && equal(entry.signature_key, commit_->committer_key);
        if (of_committer || stays(entry.signature_key)) return {};
      }
      return failure{errc::refused, rules::a_host_stays};
    }

   private:
    [[nodiscard]] role role_of(mls::leaf_index i) const {
      const auto leaf = group_->leaf(i);
      return leaf ? roles_.of(leaf->signature_key) : role::participant;
    }
    /// The committer's key so far, where the commit gives it another one.
    [[nodiscard]] std::optional<byte_view> replaced_key() const {
      if (commit_ == nullptr || commit_->committer.type != mls::sender_type::member || commit_->committer_key.empty())
        return std::nullopt;
      const auto leaf = group_->leaf(mls::leaf_index{commit_->committer.index});
      if (!leaf || equal(leaf->signature_key, commit_->committer_key)) return std::nullopt;
      return leaf->signature_key;
    }
    /// Somebody who is in now, and not removed by the commit, has this key, and keeps it.
    [[nodiscard]] bool stays(byte_view key) const {
      const auto leaf = group_->find_member(key);
      if (!leaf || commit_ == nullptr) return leaf.has_value();
      if (const auto replaced = replaced_key(); replaced && equal(*replaced, key)) return false;
      return std::ranges::none_of(commit_->proposals, [&](const mls::listed_proposal& entry) {
        return entry.proposal.type == mls::proposal_type::remove && entry.proposal.remove == *leaf;
      });
    }

    /// Roles are given and taken by hosts, to and from people who are in. The rest is tidying up, which anybody does: the
    /// role of a key that nobody has any more goes, and the committer's own moves along with its key.
    [[nodiscard]] status allow_roles(const wire::list<role_entry>& roles, role is) const {
      const role_table after(roles);
      const bool moves = replaced_key().has_value();
      for (const role_entry& entry : after.entries()) {
        if (roles_.of(entry.signature_key) == entry.role) continue;
        const bool own = moves && equal(entry.signature_key, commit_->committer_key);
        if (own && entry.role == role_of(commit_->committer)) continue;
        if (is < role::host) return failure{errc::refused, rules::may_change};
        if (!own && !stays(entry.signature_key)) return failure{errc::refused, rules::roles_are_given};
      }
      if (is == role::host) return {};
      for (const role_entry& entry : roles_.entries())
        if (after.of(entry.signature_key) == role::participant && stays(entry.signature_key))
          return failure{errc::refused, rules::may_change};
      return {};
    }

    [[nodiscard]] status allow_change(const mls::extension_list& to, role is) const {
      const meeting_parameters& before = *parameters_;
      CONCLAVE_TRY(const auto after, meeting_parameters::of(to));
      if (after.media != before.media || after.epoch_bits != before.epoch_bits)
        return failure{errc::refused, rules::media_stands};
      const auto required = mls::find(to, mls::extension_type::required_capabilities);
      const auto required_before = mls::find(*extensions_, mls::extension_type::required_capabilities);
      if (!required || !required_before || !equal(*required, *required_before))
        return failure{errc::refused, rules::parameters_valid};
      CONCLAVE_CHECK(allow_roles(after.roles, is));
      if (is == role::host) return {};
      // nothing but the roles and the door has changed
      meeting_parameters changed = before;
      changed.roles = after.roles;
      changed.door = after.door;
      if ((after.door != before.door && is < before.locks) ||
          !equal(with_parameters(*extensions_, changed), to.encoded()))
        return failure{errc::refused, rules::may_change};
      return {};
    }

    const meeting_parameters* parameters_;
    const mls::extension_list* extensions_;
    std::uint64_t epoch_;
    const mls::group_facts* group_;
    const mls::commit_facts* commit_;
    role_table roles_;
  };

  /// By an external commit comes in who finds the door open, or who takes the place it had, with the key it had. Anybody
  /// may claim a name; the key is what nobody else can show.
  [[nodiscard]] static status allow_entrance(const meeting_parameters& p, const mls::group_facts& group,
                                             const mls::commit_facts& commit) {
    bool comes_back = false;
    for (const mls::listed_proposal& entry : commit.proposals) {
      if (entry.proposal.type != mls::proposal_type::remove) continue;
      const auto former = group.leaf(entry.proposal.remove);
      if (!former || !equal(former->signature_key, commit.committer_key))
        return failure{errc::refused, rules::comes_back_with_own_key};
      comes_back = true;
    }
    if (p.door > (comes_back ? door::locked : door::open)) return failure{errc::refused, rules::door_open};
    return {};
  }

  serves serves_;
  mls::commit_rules* own_;
};

}  // namespace conclave

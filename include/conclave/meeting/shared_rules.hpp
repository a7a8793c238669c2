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
inline constexpr rule within_capacity{"the meeting is full", "meeting/shared_rules.hpp"};
inline constexpr rule media_stands{"the parameters of media stand for the whole meeting", "meeting/shared_rules.hpp"};
inline constexpr rule no_keys_of_others{"who commits to a pre-shared key has no right to", "meeting/shared_rules.hpp"};
}  // namespace rules

/// shared_rules: without state, and so the same for everybody. `own` are further rules of the host application, which all
/// members need to have alike; nullptr for none. Outlives the group.
class shared_rules final : public mls::commit_rules {
 public:
  explicit shared_rules(mls::commit_rules* own = nullptr) noexcept : own_{own} {}

  [[nodiscard]] status allow(const mls::group_facts& group, const mls::commit_facts& commit) override {
    CONCLAVE_TRY(const auto context, wire::decode<mls::group_context>(group.context()));
    CONCLAVE_TRY(const auto p, meeting_parameters::of(context.extensions));
    std::size_t coming = 0, going = 0;
    for (const mls::listed_proposal& entry : commit.proposals) {
      // what outsiders propose counts as the wish of whoever commits it
      const bool by_member = entry.sender.type == mls::sender_type::member;
      CONCLAVE_CHECK(allow(p, context, group, entry.proposal, by_member ? entry.sender : commit.committer));
      coming += entry.proposal.type == mls::proposal_type::add ? 1 : 0;
      going +=
          entry.proposal.type == mls::proposal_type::remove || entry.proposal.type == mls::proposal_type::self_remove
              ? 1
              : 0;
    }
    if (commit.committer.type == mls::sender_type::new_member_commit) {
      ++coming;
      CONCLAVE_CHECK(allow_entrance(p, group, commit));
    }
    if (coming > going && group.members() + coming - going > p.capacity)
      return failure{errc::refused, rules::within_capacity};
    return own_ == nullptr ? status{} : own_->allow(group, commit);
  }

  [[nodiscard]] status allow_proposal(const mls::group_facts& group, const mls::listed_proposal& wish) override {
    CONCLAVE_TRY(const auto context, wire::decode<mls::group_context>(group.context()));
    CONCLAVE_TRY(const auto p, meeting_parameters::of(context.extensions));
    // an outsider's may wait: whoever commits it answers for it
    if (wish.sender.type == mls::sender_type::member)
      CONCLAVE_CHECK(allow(p, context, group, wish.proposal, wish.sender));
    return own_ == nullptr ? status{} : own_->allow_proposal(group, wish);
  }

 private:
  [[nodiscard]] static role role_of(const meeting_parameters& p, const mls::group_facts& group,
                                    const mls::sender& who) {
    if (who.type != mls::sender_type::member) return role::participant;
    const auto leaf = group.leaf(mls::leaf_index{who.index});
    return leaf ? p.role_of(leaf->signature_key) : role::participant;
  }

  /// One proposal of `who`. External commits are judged by allow_entrance.
  [[nodiscard]] static status allow(const meeting_parameters& p, const mls::group_context& context,
                                    const mls::group_facts& group, const mls::proposal& wish, const mls::sender& who) {
    const bool member = who.type == mls::sender_type::member;
    const role is = role_of(p, group, who);
    switch (wish.type) {
      case mls::proposal_type::update:
      case mls::proposal_type::self_remove: return {};
      case mls::proposal_type::external_init: return {};
      case mls::proposal_type::add:
        if (p.door >= door::locked) return failure{errc::refused, rules::door_open};
        if (is < p.admits) return failure{errc::refused, rules::may_admit};
        return {};
      case mls::proposal_type::remove: {
        if (!member || number(wish.remove) == who.index) return {};
        const auto target = group.leaf(wish.remove);
        if (target && (is < p.removes || is < p.role_of(target->signature_key)))
          return failure{errc::refused, rules::may_remove};
        return {};
      }
      case mls::proposal_type::psk:
        // a key that some members do not have would split the meeting
        if (is < role::host) return failure{errc::refused, rules::no_keys_of_others};
        return {};
      case mls::proposal_type::group_context_extensions:
        return allow_change(p, context.extensions, wish.group_context_extensions, is);
      case mls::proposal_type::reinit: break;
    }
    if (is < role::host) return failure{errc::refused, rules::may_change};
    return {};
  }

  [[nodiscard]] static status allow_change(const meeting_parameters& before, const mls::extension_list& old_items,
                                           const mls::extension_list& new_items, role is) {
    CONCLAVE_TRY(const auto after, meeting_parameters::of(new_items));
    if (after.media != before.media || after.epoch_bits != before.epoch_bits)
      return failure{errc::refused, rules::media_stands};
    const auto required = mls::find(new_items, mls::extension_type::required_capabilities);
    if (!required || !equal(*required, *mls::find(old_items, mls::extension_type::required_capabilities)))
      return failure{errc::refused, rules::parameters_valid};
    if (is == role::host) return {};
    // nothing but the door has changed
    meeting_parameters with_door = before;
    with_door.door = after.door;
    if (is < before.locks || !equal(with_parameters(old_items, with_door), new_items.encoded()))
      return failure{errc::refused, rules::may_change};
    return {};
  }

  /// By an external commit comes in who finds the door open, or who takes the place it had, with the key it had. Anybody
  /// may claim a name; the key is what nobody else can show.
  [[nodiscard]] static status allow_entrance(const meeting_parameters& p, const mls::group_facts& group,
                                             const mls::commit_facts& commit) {
    bool comes_back = false;
    for (const mls::listed_proposal& entry : commit.proposals) {
      if (entry.proposal.type != mls::proposal_type::remove) continue;
      const auto former = group.leaf(entry.proposal.remove);
      if (!former || !equal(former->signature_key, commit.joining_key))
        return failure{errc::refused, rules::comes_back_with_own_key};
      comes_back = true;
    }
    if (p.door > (comes_back ? door::locked : door::open)) return failure{errc::refused, rules::door_open};
    return {};
  }

  mls::commit_rules* own_;
};

}  // namespace conclave

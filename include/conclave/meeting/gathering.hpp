// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// gathering: many wishes to change a meeting become few commits.
#pragma once

#include <conclave/environment.hpp>
#include <conclave/limits.hpp>
#include <conclave/mls/group.hpp>

#include <algorithm>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace conclave::inline CONCLAVE_ABI {

/// gathered: what one commit is to contain, besides the proposals that wait in the group.
struct gathered {
  std::vector<byte_view> joins;           ///< key packages; they live until the gathering is called again
  std::vector<mls::leaf_index> removals;  ///< ascending
  bool path = true;                       ///< false: the commit may go without an UpdatePath

  /// request(): for meeting.commit(); lives as long as this object, and as `joins`.
  [[nodiscard]] mls::commit_request request() const noexcept {
    mls::commit_request out;
    out.add = joins;
    out.remove = removals;
    out.path = path;
    return out;
  }
};

/// gathering_options: `slot` is how far commits are apart; a host of very many, whose commits are long, may want to
/// take more time than limits::commit_slot. `turn` is how many other members gather for the same meeting and come
/// before this one; it waits for limits::commit_turn longer for each of them, and steps in where they are gone.
/// `lean_joins`: commits that only add members go without an UpdatePath (RFC 9420 12.4), which in a large tree where
/// few have committed is most of their size; then keys are renewed by other commits (see refresh_cadence).
struct gathering_options {
  steady_time slot = limits::commit_slot;
  std::size_t turn = 0;
  bool lean_joins = false;
};

/// gathering: the wishes that wait for a commit of this member, and when that is due: at rest at once, then at most
/// one per slot, commits of others counted. A removal is due no later than one slot after its wish, whatever others
/// commit. Knocks go in the order they came, limits::gathered_joins at a time.
///
/// Use: tell it the wishes; at due(), take() says what to commit, as in meeting.commit(todo.request()); then tell it
/// exactly one of accepted(), overtaken(), refused() and retry(). follow() tells it of everybody else's commits,
/// hold_joins() whether a verification is on. Wishes stay until they are fulfilled, at fault, or void: somebody who has
/// gone already, or come in another way. A person is known by its signature key, a wish to remove by its leaf.
///
/// It reads no clock and has no threads; what it holds is bounded by limits::waiting_joins, waiting_join_bytes and
/// leaves. Move-only: a wish that two gatherings held would be committed twice. Threads: one at a time.
class gathering {
 public:
  explicit gathering(const gathering_options& options = {}) : options_{options} {}
  gathering(gathering&&) = default;
  gathering& operator=(gathering&&) = default;

  // ---- wishes ----------------------------------------------------------------------------------------------------

  /// join(key_package, now): an MLSMessage with a key package is to be added. Its signature is not verified yet, and
  /// anybody can write anybody's name into one, so it displaces nobody: where the same person waits already, one newer
  /// key package waits behind the older one and is tried where the group refuses that. The newer one has to be the
  /// person's own, or forged ones would take both places, so that its signatures are verified here. An app that knows from
  /// elsewhere that the older one is of no use any more calls withdraw() before. Errors: malformed, over_limit (the person
  /// may knock again later); where the person waits already, unauthentic, unsupported (suite).
  template <crypto_provider P = default_provider>
  [[nodiscard]] status join(byte_view key_package, steady_time now) {
    CONCLAVE_TRY(const auto knocks, mls::message::decode(key_package));
    if (knocks.format != mls::wire_format::key_package) return errc::malformed;
    std::string key{as_text(knocks.key_package->leaf->signature_key)};
    const auto known = by_key_.find(key);
    const bool waits = known != by_key_.end();
    if (waits && (equal(known->second->key_package, key_package) || equal(known->second->newer, key_package)))
      return {};
    const bool full = waits ? !known->second->newer.empty() : joins_.size() >= limits::waiting_joins;
    if (full || join_bytes_ + key_package.size() > limits::waiting_join_bytes) return errc::over_limit;
    if (waits) {
      CONCLAVE_CHECK(is_own<P>(knocks.key_package));
      known->second->newer = to_bytes(key_package);
    } else {
      joins_.push_back({to_bytes(key_package), {}, key, false});
      by_key_.emplace(std::move(key), std::prev(joins_.end()));
    }
    join_bytes_ += key_package.size();
    wait_since(now);
    return {};
  }

  /// withdraw(signature_key): who waits to be added does not want to any more; a commit that is under way adds it.
  void withdraw(byte_view signature_key) {
    const auto wish = by_key_.find(std::string{as_text(signature_key)});
    if (wish == by_key_.end()) return;
    if (!wish->second->taken) {
      drop(wish->second);
    } else {
      join_bytes_ -= wish->second->newer.size();
      wish->second->newer.clear();
    }
  }

  /// remove(leaf, now): the member is to go. Errors: over_limit for a leaf that no tree has.
  [[nodiscard]] status remove(mls::leaf_index leaf, steady_time now) {
    if (number(leaf) >= limits::leaves) return errc::over_limit;
    if (!removals_.emplace(leaf, departure{now}).second) return {};
    wait_since(now);
    if (!urgent_since_) urgent_since_ = now;
    return {};
  }

  /// refresh(now): this member's keys are to be renewed (see refresh_cadence).
  void refresh(steady_time now) {
    refresh_ = true;
    wait_since(now);
  }

  /// proposed(type, now): the group has received a proposal that waits for a commit; each commit takes up all of them.
  void proposed(mls::proposal_type type, steady_time now) {
    proposed_ = true;
    wait_since(now);
    if (type != mls::proposal_type::remove && type != mls::proposal_type::self_remove) return;
    if (!departure_proposed_) departure_proposed_ = now;
    if (!urgent_since_) urgent_since_ = now;
  }

  /// hold_joins(held): nobody is added for a while, because a spoken verification is on (meeting.admissions_held()).
  void hold_joins(bool held) noexcept { joins_held_ = held; }

  // ---- commits ---------------------------------------------------------------------------------------------------

  /// due(): when take() has something; steady_time::max() while nothing waits, or a commit is under way.
  [[nodiscard]] steady_time due() const noexcept {
    if (under_way_ || behind_ || !waiting_since_) return steady_time::max();
    if (joins_held_ && removals_.empty() && !refresh_ && !proposed_) return steady_time::max();
    steady_time at = *waiting_since_;
    if (changed_) at = std::max(at, *changed_ + options_.slot);
    if (urgent_since_) at = std::min(at, *urgent_since_ + options_.slot);
    return at + static_cast<steady_time::rep>(options_.turn) * limits::commit_turn;
  }

  /// take(now, members): what to commit now, if anything is due. `members` tells who is in, here and below, as
  /// meeting.tree() does: contains(leaf), signature_key(leaf) and find_member(signature_key). Wishes that are void
  /// drop out.
  template <class Members>
  [[nodiscard]] std::optional<gathered> take(steady_time now, const Members& members) {
    if (now < due()) return std::nullopt;
    drop_void(members);
    if (suspect_ && !std::ranges::all_of(suspect_->beside, [&](auto leaf) { return removals_.contains(leaf); }))
      suspect_.reset();
    gathered out;
    for (auto& [leaf, wish] : removals_) {
      if (out.removals.size() == removal_limit_) break;
      if (suspect_ && !std::ranges::binary_search(suspect_->beside, leaf)) continue;
      wish.taken = true;
      out.removals.push_back(leaf);
    }
    const std::size_t join_limit = joins_held_ || suspect_ ? 0 : join_limit_;
    for (auto at = joins_.begin(); at != joins_.end() && out.joins.size() < join_limit; ++at) {
      at->taken = true;
      out.joins.push_back(at->key_package);
    }
    if (out.joins.empty() && out.removals.empty() && !refresh_ && !proposed_) {
      settle(now);
      return std::nullopt;
    }
    out.path = !options_.lean_joins || out.joins.empty() || !out.removals.empty() || refresh_ || proposed_;
    under_way_ = true;
    return out;
  }

  /// accepted(change, members, now): the delivery service has accepted the commit, and it was applied.
  template <class Members>
  void accepted(const mls::epoch_change& change, const Members& members, steady_time now) {
    if (suspect_ && under_way_) refuse(suspect_->who);  // without it, it worked
    for (auto at = joins_.begin(); at != joins_.end() && at->taken;) at = fulfil(at);
    std::erase_if(removals_, taken_removal);
    join_limit_ = std::min(limits::gathered_joins, 2 * join_limit_);
    removal_limit_ = limits::leaves;
    refresh_ = under_way_ = false;
    follow(change, members, now);
  }

  /// overtaken(): the delivery service said stale_epoch. All wishes stay, and are due again once follow() has told of
  /// the commit that was faster.
  void overtaken() noexcept {
    if (!under_way_) return;  // follow() was faster still
    release();
    behind_ = true;
  }

  /// refused(): the group would not make such a commit. The wish at fault is found by halves, since a bad key package
  /// must not keep others out; take() is due again at once, and after as many calls as halving takes, the bad wish is
  /// gone. Not for failures that have nothing to do with the wishes, such as no_entropy: call retry().
  void refused(steady_time now) {
    if (!under_way_) return;  // follow() was faster: what was refused is over
    const auto joins = static_cast<std::size_t>(std::ranges::count_if(joins_, &knock::taken));
    const auto removals = static_cast<std::size_t>(std::ranges::count_if(removals_, taken_removal));
    if (joins > 1) {
      join_limit_ = joins / 2;
    } else if (joins == 1 && removals == 0 && !proposed_) {
      refuse(std::ranges::find_if(joins_, &knock::taken));
    } else if (joins == 1) {  // or it is one of the removals: try those alone
      suspect_ = suspicion{std::ranges::find_if(joins_, &knock::taken), {}};
      for (const auto& [leaf, wish] : removals_)
        if (wish.taken) suspect_->beside.push_back(leaf);
    } else {
      suspect_.reset();
      join_limit_ = 1;
      if (removals > 1) {
        removal_limit_ = removals / 2;
      } else if (removals == 1) {
        removals_.erase(std::ranges::find_if(removals_, taken_removal));
        ++dropped_;
      } else {
        refresh_ = proposed_ = false;
        departure_proposed_.reset();
      }
    }
    release();
    settle(now);
  }

  /// retry(): the commit was not made, or did not reach the delivery service, and may be tried again.
  void retry() noexcept { release(); }

  /// follow(change, members, now): a commit of another member was applied.
  template <class Members>
  void follow(const mls::epoch_change& change, const Members& members, steady_time now) {
    if (under_way_) release();
    behind_ = proposed_ = false;
    suspect_.reset();  // another epoch, another try
    departure_proposed_.reset();
    // who comes back by an external commit that removes its former leaf does not escape a removal that way
    const bool external = change.committer && std::ranges::find(change.added, *change.committer) != change.added.end();
    bool follows = false;
    for (const mls::leaf_index leaf : change.removed)
      if (removals_.erase(leaf) != 0 && external) follows = true;
    if (follows) removals_.emplace(*change.committer, departure{now});
    // now, not when it is due: by then they may have left again
    for (const mls::leaf_index leaf : change.added) {
      const auto wish = by_key_.find(std::string{as_text(members.signature_key(leaf))});
      if (wish != by_key_.end()) fulfil(wish->second);
    }
    changed_ = now;
    settle(now);
  }

  /// waiting(): joins and removals that wait, those of a commit under way among them. dropped(): wishes that were void
  /// or at fault.
  [[nodiscard]] std::size_t waiting() const noexcept { return joins_.size() + removals_.size(); }
  [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }

 private:
  struct knock {
    bytes key_package;
    bytes newer;  // of the same person, or empty: tried where the group refuses the one above
    std::string key;
    bool taken;  // it is in the commit under way
  };
  using position = std::list<knock>::iterator;

  /// A join that was refused together with removals or proposals, any of which may be at fault instead. It is not tried
  /// again before a commit of just those has told; `beside` are the removals among them, ascending.
  struct suspicion {
    position who;
    std::vector<mls::leaf_index> beside;
  };

  struct departure {
    steady_time wished;
    bool taken = false;
  };
  [[nodiscard]] static bool taken_removal(const std::pair<const mls::leaf_index, departure>& wish) noexcept {
    return wish.second.taken;
  }

  /// Whoever has the key that it shows has signed it.
  template <crypto_provider P>
  [[nodiscard]] static status is_own(const mls::located_key_package& package) {
    CONCLAVE_TRY(const auto suite, mls::basic_suite<P>::make(package->suite));
    mls::signature_batch<P> signatures(suite);
    signatures.add_key_package(package);
    return signatures.verify();
  }

  void wait_since(steady_time now) noexcept {
    if (!waiting_since_) waiting_since_ = now;
  }
  /// After wishes have gone: those that are left wait on.
  void settle(steady_time now) noexcept {
    if (joins_.empty() && removals_.empty() && !refresh_ && !proposed_)
      waiting_since_.reset();
    else
      wait_since(now);
    urgent_since_ = departure_proposed_;
    for (const auto& [leaf, wish] : removals_)
      urgent_since_ = std::min(urgent_since_.value_or(wish.wished), wish.wished);
  }
  void release() noexcept {
    under_way_ = false;
    for (knock& wish : joins_) wish.taken = false;
    for (auto& [leaf, wish] : removals_) wish.taken = false;
  }
  position fulfil(position at) {
    if (suspect_ && suspect_->who == at) suspect_.reset();
    join_bytes_ -= at->key_package.size() + at->newer.size();
    by_key_.erase(at->key);
    return joins_.erase(at);
  }
  position drop(position at) {
    ++dropped_;
    return fulfil(at);
  }
  /// The key package is at fault, not the person: anybody may have sent it.
  void refuse(position at) {
    if (at->newer.empty()) {
      drop(at);
      return;
    }
    ++dropped_;
    join_bytes_ -= at->key_package.size();
    at->key_package = std::exchange(at->newer, {});
  }
  template <class Members>
  void drop_void(const Members& members) {
    dropped_ += std::erase_if(removals_, [&](const auto& wish) { return !members.contains(wish.first); });
    for (auto at = joins_.begin(); at != joins_.end();) {
      const std::optional<mls::leaf_index> member = members.find_member(as_bytes(at->key));
      at = member && !removals_.contains(*member) ? drop(at) : std::next(at);
    }
  }

  gathering_options options_;
  std::list<knock> joins_;  // in the order they came
  std::map<std::string, position> by_key_;
  std::size_t join_bytes_ = 0;
  std::map<mls::leaf_index, departure> removals_;
  bool refresh_ = false, proposed_ = false, joins_held_ = false;
  std::optional<steady_time> departure_proposed_;            // since when the group knows of one
  std::optional<steady_time> waiting_since_, urgent_since_;  // since when something waits, and a removal
  std::optional<steady_time> changed_;                       // when the newest epoch began
  bool under_way_ = false;                                   // a commit was taken
  bool behind_ = false;                                      // it lost, and the winner has not been seen yet
  std::size_t join_limit_ = limits::gathered_joins, removal_limit_ = limits::leaves;
  std::optional<suspicion> suspect_;
  std::uint64_t dropped_ = 0;
};

}  // namespace conclave

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// meeting_verification: a spoken verification as a meeting holds it.
#pragma once

#include <conclave/mls/group.hpp>
#include <conclave/sas/verification.hpp>

#include <deque>
#include <map>

namespace conclave::inline CONCLAVE_ABI {

/// verification_epoch(group): what sas::basic_verification::enter_epoch() wants to know. misuse for a group that is over.
template <crypto_provider P>
[[nodiscard]] result<sas::epoch_view> verification_epoch(const mls::basic_group<P>& group) {
  if (!group.active()) return errc::misuse;
  CONCLAVE_TRY(const auto context, wire::decode<mls::group_context>(group.group_context()));
  sas::view v{context.group_id,
              context.epoch,
              static_cast<std::uint16_t>(context.suite),
              context.tree_hash,
              context.confirmed_transcript_hash,
              group.authenticator().reveal()};
  std::vector<sas::member> members;
  members.reserve(group.tree().member_count());
  group.tree().for_each_leaf([&](mls::leaf_index i) {
    const auto leaf = group.tree().leaf(i);
    const auto& who = leaf->credential;
    members.push_back({number(i), leaf->signature_key, static_cast<std::uint16_t>(who.type), who.data});
  });
  const hash_id hash = group.suite().hash_algorithm();
  return sas::epoch_view{context.epoch, hash, number(group.own_leaf()), sas::view_hash<P>(hash, v),
                         sas::members_hash<P>(hash, members)};
}

/// meeting_verification<P>: this participant's side of spoken verifications, what it has to say to the others, and how
/// long admissions are held for it.
template <class P>
class meeting_verification {
  static_assert(crypto_provider<P>);

 public:
  /// Codes have `bits` bits at least.
  explicit meeting_verification(std::uint8_t bits) : run_{bits} {}

  [[nodiscard]] const sas::basic_verification<P>& run() const noexcept { return run_; }
  /// run_in(group, now): the run, which enters the group's epoch here: that costs a hash of everybody, so it happens only
  /// where it is needed.
  [[nodiscard]] sas::basic_verification<P>& run_in(const mls::basic_group<P>& group, steady_time now) {
    if (epoch_ == group.epoch_number() || !group.active()) return run_;
    unsaid_.clear();
    if (const auto view = verification_epoch(group)) run_.enter_epoch(*view, now);
    epoch_ = group.epoch_number();
    return run_;
  }

  /// holds_admissions(now): a run is on, here or among others, which a new epoch would end. Others hold admissions for the
  /// time a run needs to reveal, and only so often: in one epoch, and for one member in all of them.
  [[nodiscard]] bool holds_admissions(steady_time now) {
    run_.tick(now);
    const bool taking_part = run_.running() && run_.phase() != sas::phase::invited;
    return taking_part || now < held_until_;
  }
  /// hear(group, message, now): an application message of this epoch that is one of a verification. False where it was of
  /// no use.
  [[nodiscard]] bool hear(const mls::basic_group<P>& group, const mls::application_message& got, steady_time now) {
    sas::basic_verification<P>& run = run_in(group, now);
    if (waits_in_vain(group.tree(), got.plaintext)) return false;
    const auto heard = run.receive(number(got.sender), got.epoch, got.plaintext, now);
    if (!heard) return false;
    if (*heard == sas::notice::others || *heard == sas::notice::invitation) hold(got.sender, now);
    return true;
  }
  /// unsaid(): what is to be said, in its order; whoever has said a message takes it away.
  [[nodiscard]] std::deque<bytes>& unsaid() {
    for (bytes& data : run_.take_messages()) unsaid_.push_back(std::move(data));
    return unsaid_;
  }

  /// follow(group, now): the group has entered an epoch. What has begun or come to an end belongs to the one before.
  void follow(const mls::basic_group<P>& group, steady_time now) {
    if (run_.running() || run_.verified()) (void)run_in(group, now);
  }
  /// begin_epoch(bits): from now on those of the new epoch count. forget(leaf): who sat there has gone. moved(from, to):
  /// who sat there sits here now, where nobody did.
  void begin_epoch(std::uint8_t bits) noexcept {
    run_.require(bits);
    held_until_ = {};
    holds_ = 0;
  }
  void forget(mls::leaf_index leaf) noexcept {
    run_.forget(number(leaf));
    held_for_.erase(leaf);
  }
  void moved(mls::leaf_index from, mls::leaf_index to) noexcept {
    auto held = held_for_.extract(from);
    if (held.empty()) return;
    held.key() = to;
    held_for_.insert(std::move(held));
  }
  /// continue_from(before): what was verified or has failed goes on here, in an epoch that is still to be entered.
  void continue_from(meeting_verification&& before) {
    run_ = std::move(before.run_);
    epoch_.reset();
  }

  void save(auto& w) const { run_.save(w); }
  [[nodiscard]] status load(reader& in) { return run_.load(in); }

 private:
  /// It begins a run in which somebody is to take part who is not there.
  [[nodiscard]] static bool waits_in_vain(const mls::ratchet_tree<P>& tree, byte_view plaintext) {
    const auto message = wire::decode<sas::message>(plaintext);
    if (!message) return false;  // only a start names contributors
    for (const std::uint32_t leaf : message->start.contributors)
      if (!tree.contains(mls::leaf_index{leaf})) return true;
    return false;
  }

  void hold(mls::leaf_index starter, steady_time now) {
    if (holds_ == limits::verification_failures_per_epoch) return;
    std::size_t& of_starter = held_for_[starter];
    if (of_starter == limits::verification_holds) return;
    ++of_starter;
    ++holds_;
    held_until_ = now + 2 * limits::verification_phase;
  }

  sas::basic_verification<P> run_;
  std::optional<std::uint64_t> epoch_;  // that the run has entered
  std::deque<bytes> unsaid_;
  steady_time held_until_{};
  std::size_t holds_ = 0;                            // in this epoch
  std::map<mls::leaf_index, std::size_t> held_for_;  // in all of them, by who began the run; of members
};

}  // namespace conclave

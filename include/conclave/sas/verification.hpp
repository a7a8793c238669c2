// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// verification: a spoken code with a proof. Some members of a meeting run a protocol, then read a short code to each
/// other. Where somebody in between has split the meeting into k views, the codes of two of them agree with probability
/// k q 2^-bits at the most, q being the runs in which members revealed, summed over all views.
///
/// How it goes: one member start()s; the others get an invitation and take_part(); everybody sends a commitment, and
/// when all commitments are there, reveals what it committed to; each user asks to show() the code, compares aloud, and
/// decide()s. What the rules are for:
///  - Each commitment covers the sender's view of the epoch, and is checked with one's own: what is relayed from another
///    half of the meeting does not fit.
///  - Nobody reveals before all commitments are there: else the last one could choose theirs to suit.
///  - Who did not reveal gets no code: somebody who contributes nothing can be shown any code.
///  - A run that failed after this member revealed was a guess for an interceptor: such runs are counted, shown and
///    limited, and whoever did not reveal is left out of the next one.
///  - How long a code must be is the meeting's to say, not the starter's.
/// While running(), hosts hold back admissions: a new epoch ends the run. All of this is about bytes: people have to know
/// each other's voices, and whoever can imitate one live reads out what the other half should hear.
#pragma once

#include <conclave/crypto/provider.hpp>
#include <conclave/sas/outcome.hpp>
#include <conclave/sas/run.hpp>

#include <utility>

namespace conclave::inline CONCLAVE_ABI::sas {

namespace rules {
inline constexpr rule one_run_at_a_time{"another verification run is on", "sas/verification.hpp"};
inline constexpr rule few_failures{"too many verification runs have failed in this epoch or meeting", "limits.hpp"};
inline constexpr rule back_off{"too soon after a verification run that failed", "limits.hpp"};
inline constexpr rule strong_enough{"a code shorter than the meeting asks for", "sas/verification.hpp"};
inline constexpr rule starter_contributes{"whoever starts a run is one of its contributors", "sas/verification.hpp"};
inline constexpr rule two_contributors{"a run without two contributors", "sas/verification.hpp"};
inline constexpr rule known_run{"a message of a run that is not on", "sas/verification.hpp"};
inline constexpr rule from_contributor{"a message of a run from somebody who is not its contributor",
                                       "sas/verification.hpp"};
inline constexpr rule in_phase{"not in this phase of a run", "sas/verification.hpp"};
inline constexpr rule known_save{"failed attempts in an unknown version", "sas/verification.hpp"};
inline constexpr rule from_others{"a message that claims to come from this member", "sas/verification.hpp"};
}  // namespace rules

/// basic_verification<P>: one member's side, for the whole meeting: at most one run at a time. It is fed with the MLS
/// application messages for which message::is() holds, in the order of the delivery service, and after every call
/// take_messages() are to be sent as application messages, in their order; pending proposals are committed before
/// (RFC 9420 12.4). It keeps no time of its own. Every call first ends what is over at `now`. Calls that fail change
/// nothing else. Move-only. Threads: one at a time.
template <class P>
class basic_verification {
  static_assert(crypto_provider<P>);

 public:
  /// basic_verification(min_bits): the strength that the parameters of the meeting ask of a code. It is kept for the whole
  /// meeting, over a resync too: it counts what has failed.
  explicit basic_verification(unsigned min_bits) noexcept
      : min_bits_{static_cast<std::uint8_t>(std::min(min_bits, 255U))} {}

  basic_verification(basic_verification&&) noexcept = default;
  basic_verification& operator=(basic_verification&&) noexcept = default;

  /// require(min_bits): the parameters of the meeting have changed, with a new epoch.
  void require(unsigned min_bits) noexcept { min_bits_ = static_cast<std::uint8_t>(std::min(min_bits, 255U)); }

  /// enter_epoch(epoch, now): after each Commit, and once at first. A run that is on ends. Where members or their
  /// credentials are not the same as before, the meeting is no longer verified.
  void enter_epoch(const epoch_view& next, steady_time now) {
    end(ending::epoch_over, now);
    outgoing_.clear();
    if (epoch_ && !(epoch_->members == next.members)) {
      verified_.reset();
      left_out_.clear();
    }
    epoch_ = next;
    refusals_ = 0;
  }

  /// forget(leaf): the member has been removed, and what its user said of the newest run does not count any more.
  void forget(std::uint32_t leaf) noexcept {
    std::erase_if(results_, [&](const verdict& v) { return v.leaf == leaf; });
  }

  /// save(writer), load(reader): the failed attempts, for snapshots: a crash forgives none of them, so a run in which this
  /// member has committed, and may have revealed since, is written as one. load() is for a verification that has just
  /// been made; of more than limits::verification_failures_per_meeting it keeps the newest. Errors: malformed, over_limit,
  /// unsupported (version).
  void save(auto& out) const {
    out.number(saved_version);
    const bool counts = phase_ > sas::phase::invited;
    out.vector([&] {
      for (const outcome& o : failures_) o.save(out);
      if (counts)
        outcome{run_.binding.run_id, epoch_->epoch, contributors(), ending::undecided, {}, {}, true, false}.save(out);
    });
    const bool newest = last_ && !failures_.empty() && last_->run_id == failures_.back().run_id;
    out.number(static_cast<std::uint8_t>(newest || counts));
  }
  [[nodiscard]] status load(reader& in) {
    CONCLAVE_TRY(const auto version, in.number<std::uint8_t>());
    if (version != saved_version) return failure{errc::unsupported, rules::known_save};
    CONCLAVE_TRY(const auto items, in.opaque());
    std::vector<outcome> loaded;
    for (reader each{items}; !each.empty();) {
      CONCLAVE_TRY(auto o, outcome::load(each));
      if (loaded.size() == limits::verification_failures_per_meeting) loaded.erase(loaded.begin());
      loaded.push_back(std::move(o));
    }
    CONCLAVE_TRY(const auto newest, in.number<std::uint8_t>());
    if (newest != 0 && !loaded.empty()) last_ = loaded.back();
    failures_ = std::move(loaded);
    return {};
  }

  // ---- what the user does ----------------------------------------------------------------------------------------

  /// start(env, form, others, now): begins a run of this member and `others`, leaf indexes in any order, without those who
  /// are left_out(). Errors: refused (a run is on, too many failures, too soon, too short a code, nobody left),
  /// over_limit (contributors), no_entropy; misuse before the first epoch or for an unknown form.
  [[nodiscard]] status start(environment& env, form which, std::span<const std::uint32_t> others, steady_time now) {
    tick(now);
    const auto p = parameters(which);
    if (!epoch_ || !p) return errc::misuse;
    if (running()) return failure{errc::refused, rules::one_run_at_a_time};
    if (p->bits < min_bits_) return failure{errc::refused, rules::strong_enough};
    if (spent()) return failure{errc::refused, rules::few_failures};
    if (now < may_start_) return failure{errc::refused, rules::back_off};
    std::vector<std::uint32_t> leaves{epoch_->own_leaf};
    std::ranges::copy_if(others, std::back_inserter(leaves),
                         [&](std::uint32_t leaf) { return !contains(left_out_, leaf); });
    std::ranges::sort(leaves);
    leaves.erase(std::unique(leaves.begin(), leaves.end()), leaves.end());
    if (leaves.size() < 2) return failure{errc::refused, rules::two_contributors};
    if (leaves.size() > limits::verification_contributors) return failure{errc::over_limit, rules::few_contributors};

    message out;
    out.type = message_type::start;
    CONCLAVE_CHECK(env.random(out.run_id));
    CONCLAVE_TRY(auto r, draw(env));
    const bytes items = wire::encode_items(leaves);
    out.start = {epoch_->epoch, which, min_bits_, wire::list<std::uint32_t>::of(items, leaves.size())};
    bytes encoded = wire::encode(out);
    prepare(out, encoded);
    commit(std::move(r), now, std::move(encoded));
    left_out_.clear();
    return {};
  }

  /// take_part(env, now), decline(now): the answer to an invitation. cancel(now): gives up a run in any phase. Errors:
  /// refused (no such run), no_entropy.
  [[nodiscard]] status take_part(environment& env, steady_time now) {
    tick(now);
    if (phase_ != sas::phase::invited) return failure{errc::refused, rules::in_phase};
    CONCLAVE_TRY(auto r, draw(env));
    commit(std::move(r), now);
    return {};
  }
  [[nodiscard]] status decline(steady_time now) {
    tick(now);
    if (phase_ != sas::phase::invited) return failure{errc::refused, rules::in_phase};
    give_up(abort_reason::declined, epoch_->own_leaf, now);
    return {};
  }
  [[nodiscard]] status cancel(steady_time now) {
    tick(now);
    if (!running()) return failure{errc::refused, rules::in_phase};
    give_up(abort_reason::cancelled, epoch_->own_leaf, now);
    return {};
  }

  /// show(now): the code, because the user asked for it; this may be repeated. refused before everybody has revealed, and
  /// for those who take no part.
  [[nodiscard]] result<short_code> show(steady_time now) {
    tick(now);
    if (phase_ != sas::phase::ready && phase_ != sas::phase::comparing) return failure{errc::refused, rules::in_phase};
    phase_ = sas::phase::comparing;
    return *run_.code;
  }

  /// decide(match, now): the user has compared. refused where no code is on the screen.
  [[nodiscard]] status decide(bool match, steady_time now) {
    tick(now);
    if (phase_ != sas::phase::comparing) return failure{errc::refused, rules::in_phase};
    message out = own(message_type::result);
    out.match = match;
    // somebody else's screen may have shown another code already
    const bool doubted = std::ranges::any_of(results_, [](const verdict& v) { return !v.match; });
    std::optional<verified_state> verified;
    if (match && !doubted) verified = verified_state{epoch_->epoch, contributors()};
    end(match ? ending::matched : ending::differed, now, {}, {}, wire::encode(out));
    verified_ = std::move(verified);
    return {};
  }

  // ---- what comes in ---------------------------------------------------------------------------------------------

  /// receive(sender, epoch, application_data, now): one message, as MLS authenticated it. Errors: stale_epoch, early,
  /// malformed, unsupported, over_limit; unknown_key (a run that is not on), refused (a rule is broken; where that ends
  /// the run, the result is `ended` instead); misuse before the first epoch.
  [[nodiscard]] result<notice> receive(std::uint32_t sender, std::uint64_t epoch, byte_view application_data,
                                       steady_time now) {
    const bool over = tick(now);
    if (!epoch_) return errc::misuse;
    if (epoch != epoch_->epoch) return epoch < epoch_->epoch ? errc::stale_epoch : errc::early;
    if (sender == epoch_->own_leaf) return failure{errc::refused, rules::from_others};
    CONCLAVE_TRY(const auto in, wire::decode<message>(application_data));
    if (in.type == message_type::start) return on_start(sender, in, application_data, now);
    if (in.type == message_type::result) return on_result(sender, in);
    if (!running() || in.run_id != run_.binding.run_id) {
      if (over) return notice::ended;
      return failure{errc::unknown_key, rules::known_run};
    }
    contribution* from = find(sender);
    if (from == nullptr) return failure{errc::refused, rules::from_contributor};
    switch (in.type) {
      case message_type::commit: return on_commit(*from, in.commitment, now);
      case message_type::reveal: return on_reveal(*from, in.nonce, now);
      default: return on_abort(*from, in.abort, now);
    }
  }

  /// tick(now): to be called now and then while running(). True where the run ended.
  bool tick(steady_time now) {
    if (!running() || now < deadline_) return false;
    if (phase_ == sas::phase::ready || phase_ == sas::phase::comparing) {
      end(ending::undecided, now);
      return true;
    }
    std::vector<std::uint32_t> missing;
    for (const contribution& c : run_.contributors)
      if (phase_ == sas::phase::revealing ? !c.nonce : !c.commitment) missing.push_back(c.leaf);
    const bool hides = phase_ == sas::phase::revealing;
    std::vector<std::uint32_t> left_out = missing;
    const std::uint32_t first = missing.empty() ? epoch_->own_leaf : missing.front();
    give_up(abort_reason::missing, first, now, std::move(missing));
    if (hides) left_out_ = std::move(left_out);
    return true;
  }

  /// take_messages(): what is to be sent now, in this order.
  [[nodiscard]] std::vector<bytes> take_messages() noexcept { return std::exchange(outgoing_, {}); }

  // ---- facts -----------------------------------------------------------------------------------------------------

  [[nodiscard]] sas::phase phase() const noexcept { return phase_; }
  [[nodiscard]] bool running() const noexcept { return phase_ != sas::phase::idle; }
  /// contributors(): of the run that is on, in leaf order.
  [[nodiscard]] std::vector<std::uint32_t> contributors() const {
    std::vector<std::uint32_t> out;
    if (!running()) return out;
    for (const contribution& c : run_.contributors) out.push_back(c.leaf);
    return out;
  }
  /// waiting_for(): who has not committed, or not revealed, yet.
  [[nodiscard]] std::vector<std::uint32_t> waiting_for() const {
    std::vector<std::uint32_t> out;
    if (!running()) return out;
    for (const contribution& c : run_.contributors)
      if (phase_ < sas::phase::revealing ? !c.commitment : !c.nonce) out.push_back(c.leaf);
    return out;
  }
  /// last(): the run that ended last of those that this member committed to; failures(): all that count against the
  /// limits, to be shown to the user.
  [[nodiscard]] const std::optional<outcome>& last() const noexcept { return last_; }
  [[nodiscard]] const std::vector<outcome>& failures() const noexcept { return failures_; }
  [[nodiscard]] std::size_t failures_in_epoch() const noexcept {
    if (!epoch_) return 0;
    return static_cast<std::size_t>(std::ranges::count(failures_, epoch_->epoch, &outcome::epoch));
  }
  /// left_out(): who did not reveal in the last run.
  [[nodiscard]] const std::vector<std::uint32_t>& left_out() const noexcept { return left_out_; }
  /// results(): what the users of the other contributors of the newest run said, once there was a code to compare. For
  /// information: the one who proves something is the own user. A contributor can lie, and say that the codes differ; it
  /// signs that, so everybody sees who said it, and it counts until this member commits to another run, or until that
  /// member is removed. The reverse is no use to a liar: a `match` of somebody else verifies nothing.
  [[nodiscard]] const std::vector<verdict>& results() const noexcept { return results_; }
  /// verified(): set by a match; gone when members or credentials change, and where anybody's codes differed.
  [[nodiscard]] const std::optional<verified_state>& verified() const noexcept { return verified_; }

 private:
  struct run {
    run_binding binding;
    sas::form form{};
    std::vector<contribution> contributors;
    own_nonce r;
    std::optional<short_code> code;
  };

  [[nodiscard]] static bool contains(const std::vector<std::uint32_t>& leaves, std::uint32_t leaf) noexcept {
    return std::ranges::find(leaves, leaf) != leaves.end();
  }
  [[nodiscard]] bool spent() const noexcept {
    return failures_in_epoch() >= limits::verification_failures_per_epoch ||
           failures_.size() >= limits::verification_failures_per_meeting;
  }
  [[nodiscard]] contribution* find(std::uint32_t leaf) noexcept {
    const auto at = std::ranges::lower_bound(run_.contributors, leaf, {}, &contribution::leaf);
    return at != run_.contributors.end() && at->leaf == leaf ? &*at : nullptr;
  }
  [[nodiscard]] std::ptrdiff_t uncommitted() const noexcept {
    return std::ranges::count_if(run_.contributors, [](const contribution& c) { return !c.commitment; });
  }
  [[nodiscard]] static result<own_nonce> draw(environment& env) {
    own_nonce r(sizeof(nonce));
    CONCLAVE_CHECK(env.random(r.writable()));
    return r;
  }
  [[nodiscard]] message own(message_type type) const noexcept {
    message out;
    out.type = type;
    out.run_id = run_.binding.run_id;
    return out;
  }

  /// prepare(start, encoded): a run that this member may commit to.
  void prepare(const message& start, byte_view encoded) {
    run_ = run{};
    run_.form = start.start.form;
    run_.binding.hash = epoch_->hash;
    run_.binding.run_id = start.run_id;
    run_.binding.view = epoch_->view;
    run_.binding.start = digest(hash_size(epoch_->hash));
    P::hash(epoch_->hash, byte_parts{&encoded, 1}, run_.binding.start.writable());
    run_.contributors.reserve(start.start.contributors.size());
    for (const std::uint32_t leaf : start.start.contributors) run_.contributors.push_back({leaf, {}, {}});
  }

  /// commit(r, now, start): this member is in the run that was prepared; `start` is what it says before, if anything.
  void commit(own_nonce&& r, steady_time now, bytes&& start = {}) {
    contribution& mine = *find(epoch_->own_leaf);
    const digest commitment = sas::commitment<P>(run_.binding, mine.leaf, r.reveal());
    message out = own(message_type::commit);
    out.commitment = commitment.view();
    std::vector<bytes> messages;
    if (!start.empty()) messages.push_back(std::move(start));
    messages.push_back(wire::encode(out));
    const bool last = uncommitted() == 1;
    if (last) messages.push_back(reveal_of(r));
    say(std::move(messages));

    // from here on nothing fails
    run_.r = std::move(r);
    mine.commitment = commitment;
    results_.clear();
    phase_ = sas::phase::committing;
    deadline_ = now + limits::verification_phase;
    if (last) revealed(now);
  }

  /// reveal_of(r): what this member says when all have committed; revealed(now): it has.
  [[nodiscard]] bytes reveal_of(const own_nonce& r) const {
    message out = own(message_type::reveal);
    std::ranges::copy(r.reveal(), out.nonce.begin());
    return wire::encode(out);
  }
  void revealed(steady_time now) noexcept {
    std::ranges::copy(run_.r.reveal(), find(epoch_->own_leaf)->nonce.emplace().begin());
    run_.r.wipe();
    phase_ = sas::phase::revealing;
    deadline_ = now + limits::verification_phase;
  }
  /// say(messages): all of them, or none where memory runs out.
  void say(std::vector<bytes>&& messages) {
    outgoing_.insert(outgoing_.end(), std::move_iterator{messages.begin()}, std::move_iterator{messages.end()});
  }

  [[nodiscard]] result<notice> on_start(std::uint32_t sender, const message& in, byte_view encoded, steady_time now) {
    const start_message& start = in.start;
    if (start.epoch != epoch_->epoch) return failure{errc::malformed, rules::known_run};
    bool sender_in = false, me_in = false;
    for (const std::uint32_t leaf : start.contributors) {
      sender_in = sender_in || leaf == sender;
      me_in = me_in || leaf == epoch_->own_leaf;
    }
    if (!sender_in) return failure{errc::refused, rules::starter_contributes};
    if (!me_in) return notice::others;
    if (running()) return refuse(in.run_id, abort_reason::busy, rules::one_run_at_a_time);
    if (start.min_bits != min_bits_ || parameters(start.form)->bits < min_bits_)
      return refuse(in.run_id, abort_reason::too_weak, rules::strong_enough);
    if (spent()) return refuse(in.run_id, abort_reason::too_many_failures, rules::few_failures);
    if (now < may_take_part_) return refuse(in.run_id, abort_reason::backing_off, rules::back_off);
    prepare(in, encoded);
    phase_ = sas::phase::invited;
    deadline_ = now + limits::verification_phase;
    return notice::invitation;
  }

  /// refuse(run, reason, broken): tells the others at once, so that they need not wait for the time to be up.
  [[nodiscard]] failure refuse(const sas::run_id& id, abort_reason reason, const rule& broken) {
    if (refusals_ < limits::verification_refusals) {
      message out;
      out.type = message_type::abort;
      out.run_id = id;
      out.abort = {reason, epoch_->own_leaf};
      outgoing_.push_back(wire::encode(out));
      ++refusals_;
    }
    return failure{errc::refused, broken};
  }

  [[nodiscard]] result<notice> on_commit(contribution& from, byte_view commitment, steady_time now) {
    if (commitment.size() != hash_size(epoch_->hash)) return errc::malformed;
    if (from.commitment) return give_up(abort_reason::out_of_turn, from.leaf, now);
    CONCLAVE_TRY(const auto committed, digest::copy_of(commitment));
    // where this one is the last: what needs memory comes first, here and below
    const bool last = uncommitted() == 1;
    if (last) outgoing_.push_back(reveal_of(run_.r));
    from.commitment = committed;
    if (last) revealed(now);
    return notice::nothing;
  }

  [[nodiscard]] result<notice> on_reveal(contribution& from, const nonce& r, steady_time now) {
    if (uncommitted() != 0 || from.nonce) return give_up(abort_reason::out_of_turn, from.leaf, now);
    if (!(sas::commitment<P>(run_.binding, from.leaf, r) == *from.commitment))
      return give_up(abort_reason::wrong_commitment, from.leaf, now);
    if (std::ranges::count_if(run_.contributors, [](const contribution& c) { return !c.nonce; }) > 1) {
      from.nonce = r;
      return notice::nothing;
    }
    std::vector<contribution> all = run_.contributors;
    std::ranges::find(all, from.leaf, &contribution::leaf)->nonce = r;
    const std::uint64_t value = code_value<P>(run_.binding, run_.form, all);
    CONCLAVE_TRY(run_.code, short_code::make(run_.form, value, epoch_->epoch, run_.binding.run_id));
    from.nonce = r;
    phase_ = sas::phase::ready;
    deadline_ = now + limits::verification_comparing;
    return notice::code_ready;
  }

  [[nodiscard]] result<notice> on_abort(const contribution& from, const abort_message& in, steady_time now) {
    const bool hides = phase_ == sas::phase::revealing && !from.nonce;
    std::vector<std::uint32_t> by{from.leaf};
    end(ending::aborted, now, {from.leaf, in});
    if (hides) left_out_ = std::move(by);
    return notice::ended;
  }

  [[nodiscard]] result<notice> on_result(std::uint32_t sender, const message& in) {
    const bool now_on = running() && in.run_id == run_.binding.run_id && find(sender) != nullptr;
    // an invitation silences nobody
    const bool was_last = phase_ <= sas::phase::invited && last_ && in.run_id == last_->run_id &&
                          last_->epoch == epoch_->epoch && contains(last_->contributors, sender);
    if (!now_on && !was_last) return failure{errc::unknown_key, rules::known_run};
    // before everybody had revealed nobody had anything to compare
    if (was_last ? !last_->had_code : !run_.code) return failure{errc::refused, rules::in_phase};
    const auto before = std::ranges::find(results_, sender, &verdict::leaf);
    if (before == results_.end())
      results_.push_back({sender, in.match});
    else
      before->match = before->match && in.match;
    if (!in.match) verified_.reset();
    return notice::result;
  }

  notice give_up(abort_reason reason, std::uint32_t blamed, steady_time now, std::vector<std::uint32_t> missing = {}) {
    message out = own(message_type::abort);
    out.abort = {reason, blamed};
    end(ending::aborted, now, {epoch_->own_leaf, out.abort}, std::move(missing), wire::encode(out));
    return notice::ended;
  }

  /// end(how, now, why, missing, last_words): the run is over, and `last_words` are said of it, if any.
  void end(ending how, steady_time now, const aborted& why = {}, std::vector<std::uint32_t> missing = {},
           bytes&& last_words = {}) {
    if (!running()) return;
    outgoing_.reserve(outgoing_.size() + 1);
    // an invitation that came to nothing was no run of this member's: anybody can send one. It takes back no warning, and
    // costs nobody the next attempt of their own
    if (phase_ == sas::phase::invited) {
      fall_silent(std::move(last_words));
      return;
    }
    outcome o{run_.binding.run_id,
              epoch_->epoch,
              contributors(),
              how,
              why,
              std::move(missing),
              phase_ >= sas::phase::revealing,
              run_.code.has_value()};
    if (o.failed_attempt()) failures_.push_back(o);
    if (how != ending::matched) {
      may_take_part_ = now + limits::verification_back_off;
      may_start_ = now + limits::verification_restart;
    }
    last_ = std::move(o);
    fall_silent(std::move(last_words));
  }
  void fall_silent(bytes&& last_words) noexcept {
    if (!last_words.empty()) outgoing_.push_back(std::move(last_words));  // end() has made room
    phase_ = sas::phase::idle;
    run_ = run{};
  }

  static constexpr std::uint8_t saved_version = 1;

  std::uint8_t min_bits_;
  std::optional<epoch_view> epoch_;
  sas::phase phase_ = sas::phase::idle;
  run run_;
  steady_time deadline_{};
  steady_time may_take_part_{};
  steady_time may_start_{};
  std::size_t refusals_ = 0;
  std::vector<bytes> outgoing_;
  std::vector<outcome> failures_;
  std::vector<std::uint32_t> left_out_;
  std::vector<verdict> results_;
  std::optional<outcome> last_;
  std::optional<verified_state> verified_;
};

/// verification: over the default provider.
using verification = basic_verification<default_provider>;

}  // namespace conclave::sas

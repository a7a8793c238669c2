// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// meeting: an end-to-end encrypted meeting as one participant holds it: MLS for who is in, SFrame for what is said.
#pragma once

#include <conclave/meeting/admission.hpp>
#include <conclave/meeting/chat.hpp>
#include <conclave/meeting/coming_back.hpp>
#include <conclave/meeting/events.hpp>
#include <conclave/meeting/knock.hpp>
#include <conclave/meeting/media.hpp>
#include <conclave/meeting/refresh.hpp>
#include <conclave/meeting/roles.hpp>
#include <conclave/meeting/shared_rules.hpp>
#include <conclave/meeting/verification.hpp>
#include <conclave/meeting/visitor.hpp>
#include <conclave/mls/group.hpp>

namespace conclave::inline CONCLAVE_ABI {

namespace rules {
inline constexpr rule room_members{"somebody in a room is no member of the meeting", "RFC 9420 11.3"};
inline constexpr rule same_place{"what came back is another meeting, or somebody else's place in it",
                                 "meeting/meeting.hpp"};
inline constexpr rule no_verification_on{"a spoken verification is on: who comes in now would end it",
                                         "sas/verification.hpp"};
}  // namespace rules

/// basic_meeting<P>: Move-only. Every call succeeds or changes nothing. Threads: one at a time; senders and receivers
/// may live on other threads. Lifetime: the environment, and what the options point to, outlive the meeting, its senders
/// and its receivers.
template <class P>
class basic_meeting {
  static_assert(crypto_provider<P>);

  template <crypto_provider>
  friend struct meeting_testing;

 public:
  using knock = basic_knock<P>;
  using sender = basic_media_sender<P>;
  using receiver = basic_media_receiver<P>;

  /// change: a change of the meeting that is ready to be sent; nothing has happened yet. When the delivery service
  /// accepts commit(), apply it; when it does not, drop it.
  class change {
   public:
    [[nodiscard]] byte_view commit() const noexcept { return pending_.message(); }
    [[nodiscard]] byte_view welcome() const noexcept { return pending_.welcome(); }
    [[nodiscard]] bytes ratchet_tree() const { return pending_.ratchet_tree(); }
    /// facts(): what it does, once it is applied.
    [[nodiscard]] const mls::epoch_change& facts() const noexcept { return pending_.change(); }

   private:
    friend basic_meeting;
    change(mls::pending_commit<P>&& pending, bool renews) : pending_{std::move(pending)}, renews_{renews} {}
    mls::pending_commit<P> pending_;
    bool renews_;  // the keys of who makes it
    std::optional<mls::client> becomes_;
  };

  /// saying: text that is ready to be sent; it is not in the chat before apply(). One that is dropped counts as missing
  /// for the others.
  class saying {
   public:
    [[nodiscard]] byte_view message() const noexcept { return message_; }

   private:
    friend basic_meeting;
    bytes message_;
    text_kind kind_{};
    std::uint64_t epoch_ = 0;
    std::uint64_t number_ = 0;
    std::string text_;
  };

  /// entering: a meeting that is entered by oneself: entered once the delivery service has accepted `commit`.
  struct entering {
    basic_meeting room;
    bytes commit;
  };

  /// room_for_some: a room beside this meeting, and the Welcome for whom it is meant.
  struct room_for_some {
    basic_meeting room;
    bytes welcome;
  };

  /// create(env, me, name, options): a meeting with one participant, its host. The MLS group id is random; the name is
  /// what this participant calls the meeting, and does not travel. Errors: over_limit (name), malformed (parameters),
  /// unsupported, no_entropy, misuse.
  [[nodiscard]] static result<basic_meeting> create(environment& env, const identity& me, std::string_view name,
                                                    const meeting_options& options = {}) {
    CONCLAVE_CHECK(short_enough(name));
    const encoded_roles roles = with_role({}, me.key().public_view(), role::host);
    meeting_parameters parameters = options.parameters;
    parameters.roles = roles.list();
    std::array<std::uint8_t, 32> group_id;
    CONCLAVE_CHECK(env.random(group_id));
    auto rules = std::make_shared<shared_rules>(&sframe::supports<P>, options.group.rules);
    CONCLAVE_TRY(auto group, mls::basic_group<P>::create(env, options.suite, client_of(me, options.client), group_id,
                                                         with_parameters({}, parameters), ruled(options, *rules)));
    return start(env, client_of(me, options.client), std::move(group), std::move(rules), name, options);
  }

  /// join(knock, welcome, ratchet_tree, name): the knock is used up by a success. Errors: unknown_key (the Welcome is for
  /// somebody else), unauthentic, malformed, refused (among others: no meeting, but another MLS group), over_limit (name),
  /// unsupported, no_entropy.
  [[nodiscard]] static result<basic_meeting> join(knock&& wish, byte_view welcome,
                                                  std::optional<byte_view> ratchet_tree = std::nullopt,
                                                  std::string_view name = {}) {
    CONCLAVE_CHECK(short_enough(name));
    auto rules = std::make_shared<shared_rules>(&sframe::supports<P>, wish.options_.group.rules);
    CONCLAVE_TRY(auto group, mls::basic_group<P>::join(*wish.env_, wish.me_.clone(), std::move(wish.package_), welcome,
                                                       {ratchet_tree, {}}, ruled(wish.options_, *rules)));
    return start(*wish.env_, wish.me_.clone(), std::move(group), std::move(rules), name, wish.options_);
  }

  /// enter(env, me, entrance, name, options): by oneself, where the door is open. come_back(...): into the place one had,
  /// after a crash, a lost commit or another network, with the same key as then; where the door is not sealed.
  /// `entrance` is that of the present epoch. Neither of them knows the meeting: whoever has ever been in it, and keeps a
  /// course of its own of it, can make an entrance too, so the people in it, and the code, are to be looked at. Errors:
  /// refused (the door; the key), unknown_key (never was in), over_limit (name), malformed, unauthentic, unsupported,
  /// no_entropy.
  [[nodiscard]] static result<entering> enter(environment& env, const identity& me, byte_view entrance,
                                              std::string_view name = {}, const meeting_options& options = {}) {
    return enter_by_oneself(env, client_of(me, options.client), entrance, name, options, false);
  }
  [[nodiscard]] static result<entering> come_back(environment& env, const identity& me, byte_view entrance,
                                                  std::string_view name = {}, const meeting_options& options = {}) {
    return enter_by_oneself(env, client_of(me, options.client), entrance, name, options, true);
  }
  /// come_back(entrance): the same for a meeting that missed a commit, and knows where it was: further errors: stale_epoch
  /// (an epoch before its own), refused (another course of its own epoch; made by nobody who is a member here, so that
  /// nobody who was removed calls it back). continue_from(before): what came back goes on with the chat, the events, and
  /// what was verified or has failed in the meeting that was lost, whose keys are then closed; events tell what is
  /// different, and what was verified holds among the same people only. Errors: misuse where that is another meeting, or
  /// was another member's, stale_epoch where it was as far as this one; nothing has changed then.
  [[nodiscard]] result<entering> come_back(byte_view entrance) const {
    CONCLAVE_CHECK(leads_on(group_, entrance));
    return enter_by_oneself(*env_, me_.clone(), entrance, name_, options_, true);
  }
  [[nodiscard]] status continue_from(basic_meeting&& before) {
    if (!equal(group_id(), before.group_id()) || !same_client(me_, before.me_))
      return failure{errc::misuse, rules::same_place};
    if (epoch() <= before.epoch()) return failure{errc::stale_epoch, rules::leads_on};
    before.settle();
    auto [news, vacated, stayed] = meanwhile::between(before.tree(), before.attendance_, tree(), attendance_, epoch());
    news_of_parameters(before.agreed_, agreed_, epoch(), news);
    news.push_back({meeting_event::kind::code_changed, epoch(), {}, {}, {}, {}});
    basic_meeting lost = std::move(before);
    lost.keys_->close();
    said_ = lost.said_;
    chat_ = std::move(lost.chat_);
    events_ = std::move(lost.events_);
    events_.add(std::move(news));
    icon_ = lost.icon_;
    attendance_.add(std::move(stayed));
    verification_.continue_from(std::move(lost.verification_));
    verification_.follow(group_, env_->steady());
    for (const mls::leaf_index leaf : vacated) {
      chat_.forget(leaf);
      verification_.forget(leaf);
    }
    verification_.begin_epoch(parameters().code_bits);
    return {};
  }
  /// entrance(): for enter() and come_back(): a GroupInfo, for the delivery service to keep; valid in this epoch only.
  [[nodiscard]] result<bytes> entrance() const { return group_.group_info(*env_, {true, true}); }

  // ---- who is in -------------------------------------------------------------------------------------------------

  /// admit(key_packages), remove(leaves), refresh(): one commit each; commit(request): any. Errors: refused, malformed,
  /// unauthentic with the rule that was broken; refused where a verification is on, for whatever adds somebody, and whom
  /// others have proposed to add is left out then; misuse after leaving; no_entropy.
  [[nodiscard]] result<change> admit(std::span<const byte_view> key_packages) {
    mls::commit_request request;
    request.add = key_packages;
    return commit(request);
  }
  [[nodiscard]] result<change> admit(byte_view key_package) { return admit({&key_package, 1}); }
  [[nodiscard]] result<change> remove(std::span<const mls::leaf_index> leaves) {
    mls::commit_request request;
    request.remove = leaves;
    return commit(request);
  }
  [[nodiscard]] result<change> remove(mls::leaf_index leaf) { return remove({&leaf, 1}); }
  [[nodiscard]] result<change> refresh() { return commit(mls::commit_request{}); }
  [[nodiscard]] result<change> commit(const mls::commit_request& request) {
    settle();
    const bool held = admissions_held();
    if (!request.add.empty() && held) return failure{errc::refused, rules::no_verification_on};
    mls::commit_request whole = request;
    whole.proposed_adds = request.proposed_adds && !held;
    bytes items;
    if (!request.extensions) items = with_roles_after(request, context().extensions, group_.tree(), own_leaf());
    if (!items.empty()) whole.extensions = items;
    CONCLAVE_TRY(auto pending, group_.commit(*env_, whole));
    change out(std::move(pending), request.path);
    if (request.becomes != nullptr) out.becomes_ = request.becomes->clone();
    return out;
  }
  /// become(who): from then on this participant shows another credential, or has another signature key: a certificate was
  /// renewed, or a key replaced. The others see identity_changed with what their validators make of it, and a role stays
  /// with who has it. Errors: refused where the own validator would not admit it; misuse (a key of another scheme); as
  /// commit().
  [[nodiscard]] result<change> become(const identity& who) {
    const mls::client next = client_of(who, options_.client);
    mls::commit_request request;
    request.becomes = &next;
    return commit(request);
  }
  /// refresh_due(): when this member is to refresh() next, so that a stolen state does not stay useful; every member of a
  /// crowd has its turn.
  [[nodiscard]] steady_time refresh_due() noexcept { return cadence_.due(size(), env_->steady()); }
  /// admissions_held(): a spoken verification is on, here or among others, which a new epoch would end. Not known after
  /// restore(), whose next epoch ends it anyway.
  [[nodiscard]] bool admissions_held() { return verification_.holds_admissions(env_->steady()); }

  /// leave(): a proposal to remove this participant, for anybody to commit. Until then it stays in, and leaving() says
  /// so: a proposal is over with its epoch, so one that was not committed is made again. Where the last hosts leave at the
  /// same time, one of them is not committed. Errors: refused for the last host in a meeting of others, which nobody could
  /// change any more, and a host who is leaving is none to rely on: make somebody else one first.
  [[nodiscard]] result<bytes> leave() {
    if (last_host()) return failure{errc::refused, rules::a_host_stays};
    CONCLAVE_TRY(auto wish, group_.propose_remove(*env_, group_.own_leaf()));
    leaving_ = true;
    return wish;
  }
  [[nodiscard]] bool leaving() const noexcept { return leaving_ && active(); }

  // ---- what all agree on -----------------------------------------------------------------------------------------

  /// parameters(): of this epoch. A view that lives until the next non-const call.
  [[nodiscard]] meeting_parameters parameters() const { return *meeting_parameters::of(context().extensions); }
  /// role_of(leaf): participant where it is blank.
  [[nodiscard]] role role_of(mls::leaf_index leaf) const {
    if (!group_.tree().contains(leaf)) return role::participant;
    return parameters().role_of(group_.tree().leaf(leaf)->signature_key);
  }
  /// set_door(door), set_role(leaf, role), change_parameters(parameters): Errors: refused (no right to; no host would be
  /// left among those who stay), misuse (a blank leaf), malformed (not valid), over_limit; as commit().
  [[nodiscard]] result<change> set_door(door becomes) {
    meeting_parameters p = parameters();
    p.door = becomes;
    return change_parameters(p);
  }
  [[nodiscard]] result<change> set_role(mls::leaf_index leaf, role becomes) {
    if (!group_.tree().contains(leaf)) return errc::misuse;
    if (leaf == own_leaf() && becomes != role::host && last_host()) return failure{errc::refused, rules::a_host_stays};
    meeting_parameters p = parameters();
    const encoded_roles roles = with_role(p.roles, group_.tree().leaf(leaf)->signature_key, becomes);
    p.roles = roles.list();
    return change_parameters(p);
  }
  [[nodiscard]] result<change> change_parameters(const meeting_parameters& p) {
    const bytes items = with_parameters(context().extensions, p);
    mls::commit_request request;
    request.extensions = items;
    return commit(request);
  }

  // ---- what happens ----------------------------------------------------------------------------------------------

  /// apply(change): the delivery service accepted it: new epoch, new media keys, new security code. stale_epoch where
  /// another change came first.
  [[nodiscard]] status apply(change&& accepted) {
    settle();
    auto done = group_.apply(std::move(accepted.pending_));
    change taken = std::move(accepted);
    CONCLAVE_TRY(unfollowed_, std::move(done));
    if (taken.renews_) {
      fresh_ = true;  // and so is whatever follows from it
      cadence_.refreshed(env_->steady());
    }
    if (taken.becomes_) me_ = *std::move(taken.becomes_);
    settle();
    return {};
  }

  /// receive(message): a message from the delivery service, in its order. What it leads to is also an event. Errors: as
  /// mls::basic_group::process. Where memory runs out after the group has entered a new epoch, in apply() or here, the
  /// next call to either of them, to commit() or to take_events() makes up for the rest.
  [[nodiscard]] result<mls::event> receive(byte_view message) {
    settle();
    CONCLAVE_TRY(auto event, group_.process(*env_, message));
    if (auto* changed = std::get_if<mls::epoch_change>(&event)) {
      unfollowed_ = std::move(*changed);
      follow(*unfollowed_);
      *changed = *std::exchange(unfollowed_, std::nullopt);
    } else if (const auto* said = std::get_if<mls::application_message>(&event)) {
      hear(*said);
    }
    return event;
  }

  /// take_events(): what has happened since the last time, in order, and whether the icon is another one now. From
  /// limits::meeting_events on the oldest are lost.
  [[nodiscard]] std::vector<meeting_event> take_events() {
    settle();
    const auto now = header().level, before = std::exchange(icon_, now);
    if (now != before)
      events_.add(
          {now < before ? meeting_event::kind::degraded : meeting_event::kind::secured, epoch(), {}, {}, {}, {}});
    return events_.take();
  }

  // ---- words -----------------------------------------------------------------------------------------------------

  /// say(plaintext): a message of the application's own to everybody, signed and ordered by the delivery service.
  [[nodiscard]] result<bytes> say(byte_view plaintext) { return group_.protect(*env_, plaintext, {}); }

  /// write(text, kind): for the chat, or a note. Errors: malformed (not UTF-8), over_limit; as say().
  [[nodiscard]] result<saying> write(std::string_view text, text_kind kind = text_kind::chat) {
    CONCLAVE_CHECK(chat_content::valid(as_bytes(text)));
    saying out;
    out.kind_ = kind;
    out.epoch_ = epoch();
    out.text_ = text;
    CONCLAVE_TRY(out.message_, say(wire::encode(chat_content{kind, said_ + 1, as_bytes(text)})));
    out.number_ = ++said_;
    return out;
  }
  /// apply(saying): the delivery service has taken it: here is its place in the chat.
  void apply(saying&& taken) {
    const saying own = std::move(taken);
    chat_.add(own_leaf(), name_of(own_leaf()), own.epoch_, {own.kind_, own.number_, as_bytes(own.text_)});
  }
  [[nodiscard]] const chat_history& chat() const noexcept { return chat_; }

  // ---- media -----------------------------------------------------------------------------------------------------

  /// open_sender(stream): the stream's only sender; misuse while another one lives; refused after restore(), until a
  /// commit of one's own. open_receiver(): any number.
  [[nodiscard]] result<sender> open_sender(std::uint32_t stream) { return sender::open(keys_.shared(), stream); }
  [[nodiscard]] result<receiver> open_receiver() { return receiver::open(*env_, keys_.shared()); }

  // ---- facts -----------------------------------------------------------------------------------------------------

  /// state(): what the header shows, now.
  [[nodiscard]] meeting_state state() const {
    auto shown = header();
    meeting_state out{shown.level, std::move(shown.reasons), std::nullopt, epoch(), size(), door::sealed, {}};
    if (!active()) return out;
    out.code = screen_.visible(env_->steady());
    out.door = parameters().door;
    out.own_role = role_of(own_leaf());
    return out;
  }
  /// export_secret(label, context, out): a secret of this epoch that everybody here has, for the application's own use
  /// (RFC 9420 8.5). Errors: misuse, for more than 255 Nh bytes, after leaving, and for the label that media has.
  [[nodiscard]] status export_secret(std::string_view label, byte_view context, byte_span out) const {
    if (label == media_label) return errc::misuse;
    return group_.export_secret(label, context, out);
  }
  /// code(): the security code of this epoch, settled or not; that of the last one after leaving.
  [[nodiscard]] const sas::security_code& code() const noexcept { return code_; }
  /// long_code(), machine_code(): the same code for those who have patience, and for cameras. misuse after leaving.
  [[nodiscard]] result<sas::long_security_code> long_code() const {
    if (!active()) return errc::misuse;
    return sas::long_security_code::make<P>(group_.suite().hash_algorithm(), group_.authenticator().reveal(), epoch());
  }
  [[nodiscard]] result<sas::machine_code> machine_code() const {
    if (!active()) return errc::misuse;
    return sas::machine_code::make<P>(group_.suite().hash_algorithm(), group_.authenticator().reveal(), epoch());
  }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] bool active() const noexcept { return group_.active(); }
  [[nodiscard]] std::uint64_t epoch() const noexcept { return group_.epoch_number(); }
  [[nodiscard]] std::size_t size() const noexcept { return group_.tree().member_count(); }
  [[nodiscard]] mls::leaf_index own_leaf() const noexcept { return group_.own_leaf(); }
  [[nodiscard]] byte_view group_id() const noexcept { return group_.group_id(); }
  /// tree(): who sits where. Lives until the next non-const call.
  [[nodiscard]] const mls::ratchet_tree<P>& tree() const noexcept { return group_.tree(); }
  /// ratchet_tree(): for joiners whose Welcome does not carry it.
  [[nodiscard]] bytes ratchet_tree() const { return group_.ratchet_tree_items(); }

  // ---- people ----------------------------------------------------------------------------------------------------

  /// roster(aloud), security(people, aloud): who is in, and what the header shows of it, judged at env.wall(). `aloud` is
  /// what comparing a spoken code has come to; without it, that of verification().
  [[nodiscard]] std::vector<participant> roster(const spoken_state& aloud) const {
    std::vector<participant> out;
    out.reserve(size());
    for (const mls::judged_identity& who : group_.identities(env_->wall())) {
      const auto* seen = attendance_.find(who.leaf);
      out.push_back({who.leaf, seen == nullptr ? name_in_tree(who.leaf) : seen->name,
                     seen == nullptr ? epoch() : seen->since, who.state, claims_of(group_.tree().leaf(who.leaf).value),
                     aloud.compared_with(who.leaf)});
    }
    return out;
  }
  [[nodiscard]] std::vector<participant> roster() const { return roster(spoken_state::of(verification_.run())); }
  [[nodiscard]] meeting_security security(std::span<const participant> people, const spoken_state& aloud = {}) const {
    return security_of(active(), people, options_.expects, aloud);
  }
  /// people(): everybody with their devices, judged when they came or when judge_again() was called last.
  [[nodiscard]] std::vector<person> people() const { return people_of(attendance_); }
  /// judge_again(): now and then, because certificates expire and are revoked. Events tell what is different.
  void judge_again() {
    for (const mls::judged_identity& who : group_.identities(env_->wall()))
      if (attendance_.judge(who.leaf, who.state))
        events_.add({meeting_event::kind::identity_changed, epoch(), who.leaf, name_of(who.leaf), who.state, {}});
  }
  /// visitor(key_package): who knocks, for the host to look at before admit(); the signatures are verified. Errors:
  /// those of admit(), but for the identity, which is shown. visitor_again(key_package): later, where they were.
  [[nodiscard]] result<conclave::visitor> visitor(byte_view key_package) const {
    return look_at(group_, options_.group, env_->wall(), key_package, true);
  }
  [[nodiscard]] result<conclave::visitor> visitor_again(byte_view key_package) const {
    return look_at(group_, options_.group, env_->wall(), key_package, false);
  }
  /// facts(kind, devices): what decide_admission() wants to know of this meeting. Looks at everybody.
  [[nodiscard]] meeting_facts facts(meeting_kind kind, device_permission devices = device_permission::allowed) const {
    meeting_facts out;
    out.kind = kind;
    out.present = static_cast<std::uint32_t>(size());
    out.locked = parameters().door >= door::locked;
    out.devices = devices;
    std::uint64_t first = std::numeric_limits<std::uint64_t>::max();
    group_.tree().for_each_leaf([&](mls::leaf_index i) {
      const client_claims claims = claims_of(group_.tree().leaf(i).value);
      out.app_present += claims.experience == client_experience::app ? 1U : 0U;
      const auto* seen = attendance_.find(i);
      if (const auto since = seen == nullptr ? epoch() : seen->since; since < first) {
        first = since;
        out.device_came_first = is_video_device(claims.platform);
      }
    });
    return out;
  }
  /// find(name): the leaf of the first participant with this name.
  [[nodiscard]] std::optional<mls::leaf_index> find(std::string_view who) const {
    for (const auto& [leaf, entry] : attendance_.all())
      if (entry.name == who) return leaf;
    return std::nullopt;
  }

  // ---- verification ----------------------------------------------------------------------------------------------

  /// verification(): this participant's side of spoken verifications, in the present epoch. After each call to it, and
  /// after each receive(), take_messages() are to be sent.
  [[nodiscard]] sas::basic_verification<P>& verification() { return verification_.run_in(group_, env_->steady()); }
  /// take_messages(): what the verification has to say, as messages for the delivery service, in their order. Errors:
  /// refused while proposals wait for a commit: commit, and ask again; as say().
  [[nodiscard]] result<std::vector<bytes>> take_messages() {
    std::vector<bytes> out;
    for (auto& unsaid = verification_.unsaid(); !unsaid.empty(); unsaid.pop_front()) {
      auto message = say(unsaid.front());
      if (!message && out.empty()) return message.error();
      if (!message) break;
      out.push_back(*std::move(message));
    }
    return out;
  }
  /// verification_epoch(): this epoch for a sas::verification of one's own; misuse after leaving.
  [[nodiscard]] result<sas::epoch_view> verification_epoch() const { return conclave::verification_epoch(group_); }

  // ---- rooms for some --------------------------------------------------------------------------------------------

  /// open_room(key_packages, name): a meeting of some of those who are here, with its own keys: nothing that is said here
  /// opens there, nor the reverse. It is tied to this one, whose members alone can be in it from the start (RFC 9420
  /// 11.3). Its host is who opens it; who comes along keeps the role. Errors: refused (somebody is not a member here), as
  /// create() and admit().
  [[nodiscard]] result<room_for_some> open_room(std::span<const byte_view> key_packages, std::string_view name) const {
    CONCLAVE_CHECK(short_enough(name));
    std::array<std::uint8_t, 32> group_id;
    CONCLAVE_CHECK(env_->random(group_id));
    meeting_parameters p = parameters();
    const encoded_roles roles =
        with_role(roles_among(p.roles, key_packages).list(), me_.signer.public_view(), role::host);
    p.roles = roles.list();
    p.door = door::lobby;
    CONCLAVE_TRY(auto branched, group_.branch(*env_, me_.clone(), group_id, key_packages, with_parameters({}, p)));
    CONCLAVE_CHECK(all_from_here(branched.group.tree()));
    CONCLAVE_TRY(auto room, start(*env_, me_.clone(), std::move(branched.group), rules_, name, options_));
    return room_for_some{std::move(room), branched.welcomes.empty() ? bytes{} : std::move(branched.welcomes.front())};
  }
  /// enter_room(knock, welcome, ratchet_tree, name): one that somebody of this meeting has opened. Errors: as join();
  /// refused where it is no room of this meeting.
  [[nodiscard]] result<basic_meeting> enter_room(knock&& wish, byte_view welcome,
                                                 std::optional<byte_view> ratchet_tree = std::nullopt,
                                                 std::string_view name = {}) const {
    CONCLAVE_CHECK(short_enough(name));
    auto rules = std::make_shared<shared_rules>(&sframe::supports<P>, wish.options_.group.rules);
    CONCLAVE_TRY(auto group, group_.join_successor(*wish.env_, wish.me_.clone(), std::move(wish.package_), welcome,
                                                   {ratchet_tree, {}}, ruled(wish.options_, *rules)));
    CONCLAVE_CHECK(all_from_here(group.tree()));
    return start(*wish.env_, wish.me_.clone(), std::move(group), std::move(rules), name, wish.options_);
  }

  // ---- crashes ---------------------------------------------------------------------------------------------------

  /// snapshot(key), sequence(), stored(sequence): as mls::basic_group. Failed verifications are in it, and a run that is on
  /// counts as one, because it may fail before the next snapshot: take one when a run has ended. What is in the chat, or
  /// verified, is not.
  [[nodiscard]] result<bytes> snapshot(const mls::snapshot_key& key) {
    settle();
    secret_bytes beside;
    secret_writer w{beside};
    verification_.save(w);
    return group_.snapshot(*env_, key, beside);
  }
  [[nodiscard]] std::uint64_t sequence() const noexcept { return group_.sequence(); }
  [[nodiscard]] status stored(std::uint64_t sequence) { return group_.stored(sequence); }
  /// restore(env, key, newest, snapshot, me, name, options): the meeting as it was, after a crash. It receives at once,
  /// messages and media, and sends messages when its next snapshot is stored. It seals media from a commit of its own on,
  /// such as refresh(), with a path: nobody knows which counters were used before, and an epoch that somebody else has
  /// begun may be one that this member has spoken in already. Errors: as mls::basic_group::restore; misuse (another
  /// identity); over_limit (name).
  [[nodiscard]] static result<basic_meeting> restore(environment& env, const mls::snapshot_key& key,
                                                     std::uint64_t newest, byte_view sealed, const identity& me,
                                                     std::string_view name = {}, const meeting_options& options = {}) {
    CONCLAVE_CHECK(short_enough(name));
    auto rules = std::make_shared<shared_rules>(&sframe::supports<P>, options.group.rules);
    secret_bytes beside;
    CONCLAVE_TRY(auto group, mls::basic_group<P>::restore(env, key, newest, sealed, ruled(options, *rules), &beside));
    if (!group.active() || !equal(group.tree().leaf(group.own_leaf())->signature_key, me.key().public_view()))
      return errc::misuse;
    CONCLAVE_TRY(const auto context, wire::decode<mls::group_context>(group.group_context()));
    CONCLAVE_TRY(const auto p, meeting_parameters::of(context.extensions));
    CONCLAVE_TRY(const auto draw, draw_turn(env));
    basic_meeting out(env, client_of(me, options.client), std::move(group), std::move(rules), name, options, p, draw);
    reader stored{beside};
    CONCLAVE_CHECK(out.verification_.load(stored));
    CONCLAVE_CHECK(stored.finish());
    out.fresh_ = false;
    out.publish(false);
    out.icon_ = out.header().level;
    return out;
  }

 private:
  basic_meeting(environment& env, mls::client&& me, mls::basic_group<P>&& group, std::shared_ptr<shared_rules>&& rules,
                std::string_view name, const meeting_options& options, const meeting_parameters& p, std::uint32_t draw)
      : env_{&env},
        me_{std::move(me)},
        rules_{std::move(rules)},
        group_{std::move(group)},
        name_{name},
        options_{options},
        verification_{p.code_bits},
        cadence_{group_.own_leaf(), group_.tree().leaf_count(), group_.tree().member_count(), draw, env.steady()},
        keys_{p.epoch_bits} {
    options_.parameters.roles = {};  // a view of the caller's
    agreed_ = to_bytes(context().extensions.encoded());
    for (const mls::judged_identity& who : group_.identities(env.wall())) attendance_.add(who.leaf, seen_now(who));
    show_code();
    icon_ = header().level;
  }

  /// What this participant calls the meeting, or is called.
  [[nodiscard]] static status short_enough(std::string_view name) {
    if (name.size() > limits::name_bytes) return errc::over_limit;
    return {};
  }

  [[nodiscard]] static result<basic_meeting> start(environment& env, mls::client&& me, mls::basic_group<P>&& group,
                                                   std::shared_ptr<shared_rules> rules, std::string_view name,
                                                   const meeting_options& options) {
    CONCLAVE_TRY(const auto context, wire::decode<mls::group_context>(group.group_context()));
    CONCLAVE_TRY(const auto p, meeting_parameters::of(context.extensions));
    if (!sframe::supports<P>(p.media)) return errc::unsupported;
    CONCLAVE_TRY(const auto draw, draw_turn(env));
    basic_meeting out(env, std::move(me), std::move(group), std::move(rules), name, options, p, draw);
    out.publish(false);
    return out;
  }

  [[nodiscard]] static result<entering> enter_by_oneself(environment& env, mls::client&& me, byte_view entrance,
                                                         std::string_view name, const meeting_options& options,
                                                         bool again) {
    CONCLAVE_CHECK(short_enough(name));
    auto rules = std::make_shared<shared_rules>(&sframe::supports<P>, options.group.rules);
    mls::external_join_options with;
    with.resync = again;
    CONCLAVE_TRY(auto joined,
                 mls::basic_group<P>::join_external(env, me.clone(), entrance, with, ruled(options, *rules)));
    CONCLAVE_TRY(auto room, start(env, std::move(me), std::move(joined.group), std::move(rules), name, options));
    return entering{std::move(room), std::move(joined.commit)};
  }

  [[nodiscard]] mls::group_context context() const { return *wire::decode<mls::group_context>(group_.group_context()); }
  [[nodiscard]] bool last_host() const {
    return is_last_host(parameters(), tree(), own_leaf(), group_.waiting_removals());
  }
  [[nodiscard]] identity_validator* validator() const noexcept { return options_.group.identities; }
  [[nodiscard]] presented_identity present_leaf(const mls::leaf_node& leaf) const {
    return mls::present(group_.suite().signature(), leaf.credential, leaf.signature_key);
  }
  [[nodiscard]] std::string name_of(mls::leaf_index leaf) const {
    const auto* entry = attendance_.find(leaf);
    return entry == nullptr ? std::string{} : entry->name;
  }
  [[nodiscard]] meeting_security header() const {
    return security_of(active(), attendance_.states(), options_.expects,
                       spoken_state::of(verification_.run()).differed);
  }

  [[nodiscard]] std::string name_in_tree(mls::leaf_index leaf) const {
    return shown_name(validator(), present_leaf(group_.tree().leaf(leaf).value));
  }
  [[nodiscard]] attendance::entry seen_now(const mls::judged_identity& who) const {
    return {epoch(), name_in_tree(who.leaf), who.state};
  }

  /// Everybody in a room has the key of a member here: names are claims.
  [[nodiscard]] status all_from_here(const mls::ratchet_tree<P>& room) const {
    bool all = true;
    room.for_each_leaf(
        [&](mls::leaf_index i) { all = all && group_.tree().find_member(room.leaf(i)->signature_key).has_value(); });
    if (!all) return failure{errc::refused, rules::room_members};
    return {};
  }
  void show_code() {
    code_ = *sas::security_code::make(group_.authenticator().reveal(), epoch());
    screen_.enter(code_, env_->steady());
  }

  static constexpr std::string_view media_label = "SFrame 1.0 Base Key";  // RFC 9605 5.2

  // ---- events ----------------------------------------------------------------------------------------------------

  /// The group has entered an epoch that the meeting has not. It does so wholly, or is left as it was and may try again.
  void settle() {
    if (!unfollowed_) return;
    follow(*unfollowed_);
    unfollowed_.reset();
  }

  /// An epoch has begun: media, roster, code and verification follow.
  void follow(const mls::epoch_change& changed) {
    using enum meeting_event::kind;
    if (changed.removed_me) {
      keys_->close();
      events_.add({over, changed.epoch, own_leaf(), name_of(own_leaf()), {}, {}});
      return;
    }
    const auto is_new = [&](mls::leaf_index leaf) { return std::ranges::binary_search(changed.added, leaf); };
    // who enters by itself takes no place away but the one it had, with the key it had (meeting/shared_rules.hpp)
    const bool back = is_new(*changed.committer) && !changed.removed.empty();
    std::vector<meeting_event> news;
    attendance::entries present;
    if (!back)
      for (const mls::leaf_index leaf : changed.removed)
        if (const auto* who = attendance_.find(leaf))
          news.push_back({left, epoch(), leaf, who->name, who->identity, {}});
    for (const mls::judged_identity& who : changed.identities) {
      attendance::entry seen = seen_now(who);
      // another credential or key in the same place
      const auto* before = is_new(who.leaf) ? nullptr : attendance_.find(who.leaf);
      if (before != nullptr) seen.since = before->since;
      const auto what = before != nullptr ? identity_changed : back ? came_back : joined;
      news.push_back({what, epoch(), who.leaf, seen.name, seen.identity, {}});
      present.insert_or_assign(who.leaf, std::move(seen));
    }
    bytes agreed = to_bytes(context().extensions.encoded());
    if (!equal(agreed_, agreed)) news_of_parameters(agreed_, agreed, epoch(), news);
    news.push_back({code_changed, epoch(), {}, {}, {}, {}});
    if (!keys_->current() || keys_->current()->parameters.epoch != epoch()) publish(!changed.removed.empty());
    verification_.follow(group_, env_->steady());
    events_.add(std::move(news));

    // from here on nothing fails
    for (const mls::leaf_index leaf : changed.removed) {
      attendance_.remove(leaf);
      chat_.forget(leaf);
      if (back)
        verification_.moved(leaf, *changed.committer);
      else
        verification_.forget(leaf);
    }
    attendance_.add(std::move(present));
    agreed_ = std::move(agreed);
    verification_.begin_epoch(parameters().code_bits);
    show_code();
  }

  /// An application message: for the chat, for the verification, or none of the meeting's business. What is of no use is
  /// dropped: it was authentic, and says something about its sender only.
  void hear(const mls::application_message& got) {
    if (chat_content::is(got.plaintext)) {
      const auto content = wire::decode<chat_content>(got.plaintext);
      // what comes late from somebody who is out by now may have been written after the removal
      const auto* who = attendance_.find(got.sender);
      if (!content || who == nullptr || who->since > got.epoch) return;
      chat_.add(got.sender, who->name, got.epoch, *content);
      tell(meeting_event::kind::said, got, chat_.messages().back().name);
    } else if (got.epoch == epoch() && sas::message::is(got.plaintext)) {
      if (verification_.hear(group_, got, env_->steady()))
        tell(meeting_event::kind::verification, got, name_of(got.sender));
    }
  }
  /// What was said stands in the chat, or shows in the verification: no flood of it hides who comes and goes.
  void tell(enum meeting_event::kind what, const mls::application_message& got, std::string who) {
    if (events_.size() < limits::meeting_events / 2) events_.add({what, got.epoch, got.sender, std::move(who), {}, {}});
  }

  /// Media follows the epoch (RFC 9605 5.2). After a removal the old epoch closes sooner: until then the removed member
  /// could still speak in it.
  void publish(bool removal) {
    const meeting_parameters p = parameters();
    media_epoch next{{group_.epoch_number(), p.media, group_.tree().leaf_count(), number(group_.own_leaf())},
                     sframe::base_key(sframe::parameters(p.media)->Nk),
                     removal ? limits::sframe_overlap_after_remove : limits::sframe_overlap,
                     env_->steady(),
                     fresh_};
    // fails where a group is over, and such a one enters no epoch
    if (!group_.export_secret(media_label, {}, next.base.writable())) CONCLAVE_PANIC();
    keys_->publish(std::move(next));
  }

  environment* env_;
  mls::client me_;
  std::shared_ptr<shared_rules> rules_;  // the group points to them, and so do rooms that branched off
  mls::basic_group<P> group_;
  std::string name_;
  meeting_options options_;
  bytes agreed_;  // the extensions of the GroupContext, parameters among them
  attendance attendance_;
  sas::security_code code_;
  sas::code_screen<> screen_;
  chat_history chat_;
  std::uint64_t said_ = 0;
  bool leaving_ = false;
  meeting_verification<P> verification_;
  std::optional<mls::epoch_change> unfollowed_;  // of the epoch that the group has entered before the meeting
  event_queue events_;
  security_level icon_{};  // when events were taken last
  refresh_cadence cadence_;
  bool fresh_ = true;  // nothing was sealed in this epoch before a crash, for it has randomness of a later commit
  live_media_keys keys_;
};

/// meeting, knock: over the default provider.
using meeting = basic_meeting<default_provider>;
using knock = basic_knock<default_provider>;

}  // namespace conclave

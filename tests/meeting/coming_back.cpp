// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Coming back after a crash, a lost commit or another network; entering by oneself; several devices.
#include "support.hpp"

#include <new>

namespace meeting_test {
namespace coming_back {

const mls::snapshot_key& a_key() {
  static const auto key = *mls::snapshot_key::copy_of(bytes(32, 7));
  return key;
}

bytes sealed_by(meeting::sender& mic, std::string_view words) {
  bytes out(sealed_size(words.size()));
  out.resize(mic.seal(as_bytes(words), {}, out)->size());
  return out;
}
bool opens(meeting::receiver& ear, byte_view packet) {
  bytes out(packet.size());
  return ear.open(packet, {}, out).has_value();
}

/// enter(t, entering): everybody else receives the commit, and the place at the table is that of the new meeting.
void enter(table& t, std::size_t i, meeting::entering&& by) {
  t.deliver(i, by.commit);
  t.seats[i].room = std::move(by.room);
  t.agree();
}

/// fickle_authority: verifies everybody, as long as it trusts.
struct fickle_authority final : identity_validator {
  bool trusts = true;

  identity_state member(const presented_identity&, unix_time) override {
    return trusts ? identity_state::verified_internal : identity_state::unverified;
  }
  identity_state external_sender(const presented_identity& who, unix_time now) override { return member(who, now); }
  identity_state successor(const presented_identity&, const presented_identity& after, unix_time now) override {
    return member(after, now);
  }
  result<bytes> identity(const presented_identity& who) override { return to_bytes(who.credential); }
};

}  // namespace coming_back

using namespace coming_back;

TEST_CASE("M25: who lost a commit comes back by itself, into its place and with its role") {
  table t(4);
  t.commit(0, *t[0].set_role(t[2].own_leaf(), role::co_host));
  t.say(2, "before");
  auto lost = *t[0].refresh();
  for (const std::size_t i : {1U, 3U}) REQUIRE(t[i].receive(lost.commit()));
  REQUIRE(t[0].apply(std::move(lost)));
  auto next = *t[0].refresh();
  CHECK(t[2].receive(next.commit()).error().code() == errc::early);
  for (const std::size_t i : {1U, 3U}) REQUIRE(t[i].receive(next.commit()));
  REQUIRE(t[0].apply(std::move(next)));
  (void)t[1].take_events();

  const bytes entrance = *t[1].entrance();
  auto back = *t[2].come_back(entrance);
  REQUIRE(back.room.continue_from(std::move(t[2])));
  enter(t, 2, std::move(back));
  CHECK(t[0].size() == 4);
  CHECK(t[0].role_of(t[2].own_leaf()) == role::co_host);
  CHECK(events_of(t[1]) == std::vector{kind::came_back, kind::code_changed});
  CHECK(t[2].chat().messages().back().text == "before");
  CHECK(t.bring("by the co-host", 2));
  t.say(2, "after");
  CHECK(t[3].chat().messages().back().text == "after");
}

TEST_CASE("M25: who crashed without a trace comes back with nothing but its key") {
  table t(3);
  auto mic = *t[0].open_sender(0);
  const bytes entrance = *t[0].entrance();
  auto back = *meeting::come_back(t.env, t.seats[2].who, entrance, "test");
  enter(t, 2, std::move(back));
  auto ear = *t[2].open_receiver();
  CHECK(opens(ear, sealed_by(mic, "welcome back")));
  CHECK(t[0].size() == 3);
}

TEST_CASE("M25: nobody takes the place of another by claiming the name, and a sealed door stays shut") {
  table t(3);
  const bytes entrance = *t[0].entrance();
  const auto impostor = *identity::generate(t.env, "person 2");
  CHECK(meeting::come_back(t.env, impostor, entrance).error().code() == errc::unknown_key);
  // a patched client says that it is the one at leaf 2: the name is the same, the key is not
  mls::external_join_options with;
  with.replaces = t[2].own_leaf();
  const auto forced = *mls::group::join_external(t.env, client_of(impostor), entrance, with, {});
  t.refused_by_all(2, forced.commit, rules::comes_back_with_own_key);
  CHECK(t[2].receive(forced.commit).error().broken_rule() == &rules::comes_back_with_own_key);

  t.commit(0, *t[0].set_door(door::locked));
  enter(t, 2, *meeting::come_back(t.env, t.seats[2].who, *t[0].entrance()));
  t.commit(0, *t[0].set_door(door::sealed));
  fails_by(meeting::come_back(t.env, t.seats[1].who, *t[0].entrance()), rules::door_open);
  with = {};
  with.resync = true;
  const auto sealed_out = *mls::group::join_external(t.env, client_of(t.seats[1].who), *t[0].entrance(), with, {});
  t.refused_by_all(1, sealed_out.commit, rules::door_open);
}

TEST_CASE("newcomers enter by themselves where the door is open, and nowhere else") {
  table t(2);
  const auto visitor = *identity::generate(t.env, "visitor");
  fails_by(meeting::enter(t.env, visitor, *t[0].entrance()), rules::door_open);
  const auto patched = *mls::group::join_external(t.env, client_of(visitor), *t[0].entrance(), {}, {});
  t.refused_by_all(9, patched.commit, rules::door_open);

  t.commit(0, *t[0].set_door(door::open));
  auto entered = *meeting::enter(t.env, visitor, *t[1].entrance());
  t.deliver(9, entered.commit);
  CHECK(entered.room.code() == t[0].code());
  CHECK(entered.room.size() == 3);
  CHECK(events_of(t[0]).back() == kind::code_changed);
}

TEST_CASE(
    "M25: after a crash the snapshot goes on: it hears at once, and seals nothing under counters it may have used") {
  meeting_options options;
  options.parameters.epoch_bits = 10;
  table t(2, options);
  auto stored = *t[1].snapshot(a_key());
  const auto newest = t[1].sequence();
  auto mic = *t[1].open_sender(0);
  auto mic_of_host = *t[0].open_sender(0);
  auto ear = *t[0].open_receiver();
  CHECK(opens(ear, sealed_by(mic, "before the crash")));

  auto again = *meeting::restore(t.env, a_key(), newest, stored, t.seats[1].who, "test");
  CHECK(again.code() == t[0].code());
  CHECK(again.open_sender(0).error().code() == errc::refused);
  auto words = *t[0].write("are you there?");
  REQUIRE(again.receive(words.message()));
  CHECK(again.chat().messages().back().text == "are you there?");
  (void)*again.snapshot(a_key());
  CHECK_FALSE(again.refresh());  // nothing is sent before the next snapshot is stored
  REQUIRE(again.stored(again.sequence()));
  auto early_ear = *again.open_receiver();  // before there is anything to hear
  auto refresh = *again.refresh();
  REQUIRE(t[0].receive(refresh.commit()));
  REQUIRE(again.apply(std::move(refresh)));
  auto new_mic = *again.open_sender(0);
  CHECK(opens(ear, sealed_by(new_mic, "after the crash")));
  CHECK(opens(early_ear, sealed_by(mic_of_host, "welcome back")));

  CHECK(meeting::restore(t.env, a_key(), newest + 1, stored, t.seats[1].who).error().code() == errc::replayed);
  CHECK(meeting::restore(t.env, a_key(), newest, stored, t.seats[0].who).error().code() == errc::misuse);
  stored.back() ^= 1U;
  CHECK(meeting::restore(t.env, a_key(), newest, stored, t.seats[1].who).error().code() == errc::unauthentic);
}

namespace coming_back {

/// silent(room): it gives no sender, and says why.
void silent(meeting& room) {
  const auto got = room.open_sender(0);
  REQUIRE_FALSE(got);
  CHECK(got.error().code() == errc::refused);
  CHECK(got.error().broken_rule() == &rules::fresh_epoch);
}

/// after_a_crash(t, i, room): a snapshot of this person, stored, and what it comes back as.
[[nodiscard]] meeting after_a_crash(table& t, std::size_t i, meeting& room, const meeting_options& options = {}) {
  const bytes stored = *room.snapshot(a_key());
  auto out = *meeting::restore(t.env, a_key(), room.sequence(), stored, t.seats[i].who, "test", options);
  (void)*out.snapshot(a_key());
  REQUIRE(out.stored(out.sequence()));
  return out;
}

}  // namespace coming_back

TEST_CASE("M25: what was restored hears at once, and speaks in no epoch that it may have been in before the crash") {
  table t(3);
  auto ear = *t[1].open_receiver();
  auto mic_of_1 = *t[1].open_sender(0);
  auto again = after_a_crash(t, 0, t[0]);
  silent(again);
  auto its_ear = *again.open_receiver();
  CHECK(opens(its_ear, sealed_by(mic_of_1, "in the epoch of the snapshot")));

  const auto by_1 = [&] {
    auto change = *t[1].refresh();
    for (meeting* room : {&again, &t[2]}) REQUIRE(room->receive(change.commit()));
    REQUIRE(t[1].apply(std::move(change)));
  };
  const auto by_itself = [&](const mls::commit_request& request) {
    auto change = *again.commit(request);
    for (const std::size_t i : {1U, 2U}) REQUIRE(t[i].receive(change.commit()));
    REQUIRE(again.apply(std::move(change)));
    CHECK(again.code() == t[1].code());
  };
  by_1();
  silent(again);
  CHECK(opens(its_ear, sealed_by(mic_of_1, "in the next epoch")));
  again = after_a_crash(t, 0, again);  // a snapshot knows no more than what it is of
  silent(again);

  mls::commit_request without_path;
  without_path.path = false;
  const auto late = *knock::create(t.env, *identity::generate(t.env, "late"));
  const byte_view package = late.key_package();
  without_path.add = {&package, 1};
  by_itself(without_path);  // there is nothing in it that is new
  silent(again);

  again = after_a_crash(t, 0, again);
  by_itself({});
  auto mic = *again.open_sender(0);
  CHECK(opens(ear, sealed_by(mic, "after a commit of its own")));
  by_1();
  CHECK(opens(ear, sealed_by(mic, "and in all that follow from it")));
  CHECK(mic.epoch() == t[1].epoch());
  CHECK(again.open_sender(1));

  again = after_a_crash(t, 0, again);  // once more
  silent(again);
}

TEST_CASE("M25: rooms of a meeting that was restored are new, until they are restored themselves") {
  table t(2);
  auto again = after_a_crash(t, 0, t[0]);
  auto wish = *knock::create(t.env, t.seats[1].who);
  const byte_view package = wish.key_package();
  auto corner = *again.open_room({&package, 1}, "corner");
  auto beside = *t[1].enter_room(std::move(wish), corner.welcome, std::nullopt, "corner");
  auto ear = *beside.open_receiver();
  silent(again);
  {
    auto mic = *corner.room.open_sender(0);
    CHECK(opens(ear, sealed_by(mic, "here it speaks")));
  }
  auto later = after_a_crash(t, 0, corner.room);
  silent(later);

  auto second = *knock::create(t.env, t.seats[0].who);
  const byte_view second_package = second.key_package();
  const auto other = *t[1].open_room({&second_package, 1}, "other corner");
  auto entered = *again.enter_room(std::move(second), other.welcome, std::nullopt, "other corner");
  CHECK(entered.open_sender(0));
}

TEST_CASE("M25: each member has its turn to renew its keys, and any commit of its own counts as one") {
  table t(4);
  const auto begun = t.env.steady();
  std::set<steady_time> turns;
  for (std::size_t i = 0; i < 4; ++i) {
    turns.insert(t[i].refresh_due());
    CHECK(t[i].refresh_due() <= begun + limits::refresh_period + limits::refresh_spacing);
  }
  CHECK(turns.size() == 4);
  t.env.advance(std::chrono::seconds{100});
  t.commit(2, *t[2].refresh());
  CHECK(t[2].refresh_due() >= t.env.steady() + limits::refresh_period);
  mls::commit_request without_path;
  without_path.path = false;
  auto who = *identity::generate(t.env, "late");
  auto wish = *knock::create(t.env, who);
  const byte_view package = wish.key_package();
  without_path.add = {&package, 1};
  const auto before = t[0].refresh_due();
  t.commit(0, *t[0].commit(without_path));
  CHECK(t[0].refresh_due() == before);  // it has renewed nothing
}

TEST_CASE("M25: several devices of one person are one line, but only where somebody vouches for the person") {
  fickle_authority authority;
  meeting_options options;
  options.group.identities = &authority;
  table t(2, options);
  REQUIRE(t.bring("person 1"));
  REQUIRE(t.bring("person 1"));
  auto people = t[0].people();
  REQUIRE(people.size() == 2);
  CHECK(people[1].name == "person 1");
  CHECK(people[1].devices.size() == 3);
  CHECK(t[0].roster().size() == 4);
  authority.trusts = false;
  t[0].judge_again();
  CHECK(t[0].people().size() == 4);  // anybody can claim a name
}

TEST_CASE("M25: what came back goes on with nothing but the same place in the same meeting") {
  table t(3), other(2, {}, 2);
  t.say(0, "here");
  other.say(0, "elsewhere");
  auto back = *t[2].come_back(*t[0].entrance());
  const auto refused = [&](meeting&& before) {
    const bytes was = state_of(back.room), there = state_of(before);
    const auto outcome = back.room.continue_from(std::move(before));
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().code() == errc::misuse);
    CHECK(outcome.error().broken_rule() == &rules::same_place);
    CHECK(state_of(back.room) == was);
    CHECK(state_of(before) == there);
    CHECK(back.room.chat().messages().empty());
    CHECK(before.chat().messages().size() == 1);
  };
  refused(std::move(other[1]));  // another meeting
  auto own = *meeting::create(t.env, t.seats[2].who, "another of the same person");
  auto words = *own.write("alone");
  own.apply(std::move(words));
  refused(std::move(own));
  refused(std::move(t[1]));  // somebody else's place
  CHECK(t[1].write("still working"));
  CHECK(back.room.continue_from(std::move(back.room)).error() == errc::stale_epoch);  // nothing is before itself
  REQUIRE(back.room.continue_from(std::move(t[2])));
  CHECK(back.room.chat().messages().back().text == "here");
}

TEST_CASE("M25: nobody is called back to before a removal that it has seen, or by whom was removed") {
  table t(3);
  const bytes before_the_removal = *t[0].entrance();
  auto out = *t[0].remove(t[2].own_leaf());
  REQUIRE(t[1].receive(out.commit()));  // the one who is removed ignores it, and so could the delivery service
  REQUIRE(t[0].apply(std::move(out)));
  const auto refused = [&](byte_view entrance, errc code, const rule& broken) {
    const bytes was = state_of(t[1]);
    const auto got = t[1].come_back(entrance);
    REQUIRE_FALSE(got);
    CHECK(got.error().code() == code);
    CHECK(got.error().broken_rule() == &broken);
    CHECK(state_of(t[1]) == was);
  };
  refused(before_the_removal, errc::stale_epoch, rules::leads_on);
  auto alone = *t[2].refresh();
  REQUIRE(t[2].apply(std::move(alone)));
  CHECK(t[2].epoch() == t[1].epoch());
  refused(*t[2].entrance(), errc::refused, rules::same_course);
  alone = *t[2].refresh();
  REQUIRE(t[2].apply(std::move(alone)));
  refused(*t[2].entrance(), errc::refused, rules::shown_by_member);

  // who came while one was lost is nobody one knows; those who are known can be asked
  auto lost = std::move(t.seats[1]);
  t.seats.erase(t.seats.begin() + 1, t.seats.end());
  REQUIRE(t.bring("newcomer"));
  t.seats.push_back(std::move(lost));
  const meeting& room = t[2];
  CHECK(room.come_back(*t[1].entrance()).error().broken_rule() == &rules::shown_by_member);
  CHECK(room.come_back(*t[0].entrance()));
}

TEST_CASE("M25: what is no entrance, or none of this meeting, brings nobody back") {
  table t(3), other(2, {}, 2);
  const auto fails = [&](byte_view entrance, errc code, const rule& broken) {
    const auto got = t[2].come_back(entrance);
    REQUIRE_FALSE(got);
    CHECK(got.error().code() == code);
    CHECK(got.error().broken_rule() == &broken);
  };
  fails(*other[0].entrance(), errc::unknown_key, mls::rules::known_group);
  fails(*t[0].say(as_bytes("words")), errc::misuse, mls::rules::known_wire_format);
  t.commit(0, *t[0].remove(t[1].own_leaf()));
  fails(*group_of(t[0]).group_info(t.env, {false, true}), errc::refused, mls::rules::tree_available);
  const bytes entrance = *t[0].entrance();
  for (const std::uint32_t signer : {1U, 3U, 0xffff'ffffU}) {
    auto info = mls::message::decode(entrance)->group_info.value;
    info.signer = mls::leaf_index{signer};
    bytes forged;
    writer w{forged};
    mls::write_message_header(w, mls::wire_format::group_info);
    wire::write(w, info);
    fails(forged, errc::refused, mls::rules::sender_is_member);
  }
  CHECK(t[2].come_back(entrance));
}

TEST_CASE("M25: what came back by an old entrance is not what was lost") {
  table t(2);
  const bytes old = *t[0].entrance();
  t.commit(0, *t[0].refresh());
  auto back = *meeting::come_back(t.env, t.seats[1].who, old);  // without a memory nobody knows better
  t.say(0, "said");
  const bytes was = state_of(t[1]);
  const auto outcome = back.room.continue_from(std::move(t[1]));
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code() == errc::stale_epoch);
  CHECK(outcome.error().broken_rule() == &rules::leads_on);
  CHECK(state_of(t[1]) == was);
  CHECK(t[1].chat().messages().size() == 1);
  auto ahead = *t[1].come_back(*t[0].entrance());
  CHECK(ahead.room.continue_from(std::move(t[1])));
}

TEST_CASE("M25: who comes back is told who came and went meanwhile, and what else is different") {
  table t(4);
  const auto left = t[1].own_leaf();
  t.say(1, "the first of person 1");
  auto lost = std::move(t.seats[3]);
  t.seats.pop_back();
  t.commit(0, *t[0].remove(left));
  REQUIRE(t.bring("newcomer"));
  CHECK(t.seats.back().room.own_leaf() == left);  // in the place of who has left
  t.commit(0, *t[0].set_door(door::locked));
  (void)lost.room.take_events();
  auto back = *lost.room.come_back(*t[0].entrance());
  t.deliver(99, back.commit);
  REQUIRE(back.room.continue_from(std::move(lost.room)));

  const auto events = back.room.take_events();
  REQUIRE(events.size() == 4);
  CHECK(events[0].what == kind::left);
  CHECK(events[0].name == "person 1");
  CHECK(events[1].what == kind::joined);
  CHECK(events[1].name == "newcomer");
  CHECK(events[1].leaf == left);
  CHECK(events[2].what == kind::door_changed);
  CHECK(events[3].what == kind::code_changed);
  for (const auto& e : events) CHECK(e.epoch == back.room.epoch());
  for (const auto& p : back.room.roster())
    CHECK((p.since == back.room.epoch()) == (p.name == "newcomer"));  // the others are known from before

  // the newcomer counts its messages anew
  meeting& newcomer = t.seats.back().room;
  for (int i = 0; i < 2; ++i) CHECK(newcomer.write("dropped"));
  auto third = *newcomer.write("the third");
  REQUIRE(back.room.receive(third.message()));
  CHECK(back.room.chat().messages().back().missing == 0);
}

TEST_CASE("M25: who comes back sees another icon where the people or their certificates are worse") {
  fickle_authority authority;
  meeting_options options;
  options.group.identities = &authority;
  options.expects = identity_state::verified_internal;
  table t(2, options);
  (void)t[1].take_events();
  authority.trusts = false;
  auto back = *t[1].come_back(*t[0].entrance());
  REQUIRE(back.room.continue_from(std::move(t[1])));
  CHECK(events_of(back.room) ==
        std::vector{kind::identity_changed, kind::identity_changed, kind::code_changed, kind::degraded});
}

namespace coming_back {

/// compare(t, a, b, b_agrees): they read the same spoken code to each other, whatever b says of it.
void compare(table& t, meeting& a, meeting& b, bool b_agrees = true) {
  const auto carry = [&] {
    for (bool said = true; said;) {
      said = false;
      for (meeting* from : {&a, &b})
        for (const bytes& m : *from->take_messages()) {
          said = true;
          REQUIRE((from == &a ? b : a).receive(m));
        }
    }
  };
  const std::uint32_t other = number(b.own_leaf());
  REQUIRE(a.verification().start(t.env, sas::form::digits_8, {&other, 1}, t.env.steady()));
  carry();
  REQUIRE(b.verification().take_part(t.env, t.env.steady()));
  carry();
  for (meeting* room : {&a, &b}) {
    REQUIRE(room->verification().show(t.env.steady()));
    REQUIRE(room->verification().decide(room == &a || b_agrees, t.env.steady()));
  }
  carry();
}
[[nodiscard]] bool has_compared(const meeting& room) {
  return std::ranges::any_of(room.roster(), [](const participant& p) { return p.compared; });
}

}  // namespace coming_back

TEST_CASE("M25: what was compared holds for who comes back among the same people, and no others") {
  const bool somebody_comes = GENERATE(false, true);
  table t(2);
  compare(t, t[0], t[1]);
  REQUIRE(has_compared(t[1]));
  auto lost = std::move(t.seats[1]);
  t.seats.pop_back();
  if (somebody_comes) REQUIRE(t.bring("stranger"));
  auto back = *lost.room.come_back(*t[0].entrance());
  t.deliver(99, back.commit);
  REQUIRE(back.room.continue_from(std::move(lost.room)));
  CHECK(has_compared(back.room) == !somebody_comes);
}

TEST_CASE("M25: who said that the codes differ, and was removed meanwhile, warns nobody who comes back") {
  const bool is_removed = GENERATE(false, true);
  table t(3);
  const auto warned = [](const meeting& room) {
    return std::ranges::any_of(room.state().reasons, [](const security_reason& reason) {
      return reason.what == security_reason::kind::codes_differ;
    });
  };
  compare(t, t[2], t[1], false);
  REQUIRE(warned(t[2]));
  auto lost = std::move(t.seats[2]);
  t.seats.pop_back();
  if (is_removed) t.commit(0, *t[0].remove(t[1].own_leaf()));
  auto back = *lost.room.come_back(*t[0].entrance());
  REQUIRE(back.room.continue_from(std::move(lost.room)));
  CHECK(warned(back.room) == !is_removed);
}

TEST_CASE("M25: who comes back asks of a spoken code what the meeting asks by now") {
  table t(3);
  auto p = t[0].parameters();
  p.code_bits = 42;
  auto change = *t[0].change_parameters(p);
  REQUIRE(t[1].receive(change.commit()));
  REQUIRE(t[0].apply(std::move(change)));
  auto back = *t[2].come_back(*t[0].entrance());
  t.deliver(2, back.commit);
  REQUIRE(back.room.continue_from(std::move(t[2])));
  const std::uint32_t other = number(t[0].own_leaf());
  auto& run = back.room.verification();
  const auto weak = run.start(t.env, sas::form::digits_8, {&other, 1}, t.env.steady());
  REQUIRE_FALSE(weak);
  CHECK(weak.error().broken_rule() == &sas::rules::strong_enough);
  CHECK(run.start(t.env, sas::form::emoji_7, {&other, 1}, t.env.steady()));
}

namespace coming_back {

/// names: a validator that reads what it likes in a credential, and may run out of memory over it.
class names final : public identity_validator {
 public:
  std::string prefix;
  std::optional<std::size_t> names_left;  // before bad_alloc

  identity_state member(const presented_identity&, unix_time) override { return identity_state::unverified; }
  identity_state external_sender(const presented_identity& who, unix_time now) override { return member(who, now); }
  identity_state successor(const presented_identity&, const presented_identity& who, unix_time now) override {
    return member(who, now);
  }
  result<bytes> identity(const presented_identity& who) override {
    if (names_left && (*names_left)-- == 0) {
      names_left.reset();
      throw std::bad_alloc{};
    }
    return to_bytes(as_bytes(prefix + std::string{as_text(who.credential)}));
  }
};

}  // namespace coming_back

TEST_CASE("M25: who comes back is known by the key, not by the name that is shown") {
  names reader;
  meeting_options options;
  options.group.identities = &reader;
  table t(3, options);
  (void)t[0].take_events();
  reader.prefix = "Dr. ";  // the directory has been corrected meanwhile
  enter(t, 2, *t[2].come_back(*t[0].entrance()));
  const auto events = t[0].take_events();
  REQUIRE(events.size() == 2);
  CHECK(events[0].what == kind::came_back);
  CHECK(events[0].name == "Dr. person 2");
  CHECK(t[0].find("Dr. person 2") == t[2].own_leaf());
  CHECK_FALSE(t[0].find("person 2"));

  // and a newcomer of the same name as somebody who was in is a newcomer
  t.commit(0, *t[0].set_door(door::open));
  t.commit(0, *t[0].remove(t[2].own_leaf()));
  (void)t[0].take_events();
  const auto namesake = *identity::generate(t.env, "person 2");
  auto entered = *meeting::enter(t.env, namesake, *t[0].entrance(), "test", options);
  t.deliver(9, entered.commit);
  CHECK(events_of(t[0]) == std::vector{kind::joined, kind::code_changed});
}

TEST_CASE("where memory runs out in the middle of a new epoch, the meeting makes up for it, once") {
  names reader;
  meeting_options options;
  table t(2);
  options.group.identities = &reader;
  auto host = *meeting::create(t.env, t.seats[0].who, "test", options);
  const auto bob = *identity::generate(t.env, "bob");
  auto wish = *knock::create(t.env, bob, options);
  auto add = *host.admit(wish.key_package());
  auto room = *meeting::join(std::move(wish), add.welcome(), std::nullopt, "test");
  REQUIRE(host.apply(std::move(add)));
  auto mic = *host.open_sender(0);
  auto ear = *room.open_receiver();

  const auto carol = *identity::generate(t.env, "carol"), dave = *identity::generate(t.env, "dave");
  const auto first = *knock::create(t.env, carol), second = *knock::create(t.env, dave);
  const std::array packages{first.key_package(), second.key_package()};
  auto both = *host.admit(packages);
  (void)room.take_events();
  for (const std::size_t names_left : {0U, 1U}) {
    CAPTURE(names_left);
    meeting& follower = names_left == 0 ? room : host;
    if (names_left == 0) {
      reader.names_left = names_left;
      CHECK_THROWS_AS(follower.receive(both.commit()), std::bad_alloc);
    } else {
      (void)host.take_events();
      reader.names_left = names_left;
      CHECK_THROWS_AS(follower.apply(std::move(both)), std::bad_alloc);
    }
    // nothing of it, and nothing is out of bounds
    CHECK(follower.roster().size() == 4);
    CHECK(follower.roster()[3].name == "dave");
    CHECK(follower.find("carol") == std::nullopt);
    CHECK(follower.facts(meeting_kind::scheduled).present == 4);
    // then all of it, once
    CHECK(events_of(follower) == std::vector{kind::joined, kind::joined, kind::code_changed});
    CHECK(events_of(follower).empty());
    CHECK(follower.find("carol"));
  }
  CHECK(room.code() == host.code());
  auto new_mic = *host.open_sender(1);
  CHECK(opens(ear, sealed_by(new_mic, "in the new epoch")));
}

TEST_CASE("where memory runs out in the first fresh epoch after a restore, the old one stays closed to senders") {
  names reader;
  meeting_options options;
  options.group.identities = &reader;
  table t(1, options);
  auto again = after_a_crash(t, 0, t[0], options);
  const auto bob = *identity::generate(t.env, "bob");
  const auto wish = *knock::create(t.env, bob);
  auto add = *again.admit(wish.key_package());
  reader.names_left = 0;
  CHECK_THROWS_AS(again.apply(std::move(add)), std::bad_alloc);
  silent(again);  // media is in the old epoch still
  (void)again.take_events();
  auto mic = *again.open_sender(0);
  CHECK(mic.epoch() == again.epoch());
}

TEST_CASE("a meeting that is over is not restored") {
  table t(2);
  t.commit(0, *t[0].remove(t[1].own_leaf()));
  const bytes stored = *t[1].snapshot(a_key());
  CHECK(meeting::restore(t.env, a_key(), t[1].sequence(), stored, t.seats[1].who).error().code() == errc::misuse);
}

TEST_CASE("a group that was stored with anything else beside it is no meeting") {
  table t(1);
  secret_bytes unknown{9}, longer;
  secret_writer w{longer};
  t[0].verification().save(w);
  const auto restored = [&](const secret_bytes& beside) {
    const bytes stored = *group_of(t[0]).snapshot(t.env, a_key(), beside);
    const auto got = meeting::restore(t.env, a_key(), t[0].sequence(), stored, t.seats[0].who);
    return got ? errc{} : got.error().code();
  };
  CHECK(restored(longer) == errc{});
  longer.push_back(0);
  CHECK(restored(longer) == errc::malformed);
  CHECK(restored(unknown) == errc::unsupported);
}

TEST_CASE("a name is as short everywhere as in create()") {
  table t(2);
  const std::string name(limits::name_bytes, 'n'), longer = name + "n";
  const auto who = *identity::generate(t.env, "visitor");
  CHECK(meeting::create(t.env, who, longer).error().code() == errc::over_limit);
  auto wish = *knock::create(t.env, who);
  auto add = *t[0].admit(wish.key_package());
  CHECK(meeting::join(std::move(wish), add.welcome(), std::nullopt, longer).error().code() == errc::over_limit);
  CHECK(meeting::join(std::move(wish), add.welcome(), std::nullopt, name));  // it is not used up

  const bytes entrance = *t[0].entrance();
  CHECK(meeting::come_back(t.env, t.seats[1].who, entrance, longer).error().code() == errc::over_limit);
  CHECK(meeting::come_back(t.env, t.seats[1].who, entrance, name));
  CHECK(meeting::enter(t.env, who, entrance, longer).error().code() == errc::over_limit);
  const bytes stored = *t[1].snapshot(a_key());
  CHECK(meeting::restore(t.env, a_key(), 1, stored, t.seats[1].who, longer).error().code() == errc::over_limit);
  CHECK(meeting::restore(t.env, a_key(), 1, stored, t.seats[1].who, name));
  auto guest = *knock::create(t.env, t.seats[1].who);
  const byte_view package = guest.key_package();
  CHECK(t[0].open_room({&package, 1}, longer).error().code() == errc::over_limit);
  const auto opened = *t[0].open_room({&package, 1}, name);
  CHECK(t[1].enter_room(std::move(guest), opened.welcome, std::nullopt, longer).error().code() == errc::over_limit);
  CHECK(t[1].enter_room(std::move(guest), opened.welcome, std::nullopt, name));
}

}  // namespace meeting_test

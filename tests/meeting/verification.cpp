// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A spoken verification in a real meeting: every message is an MLS application message.
#include <catch2/catch.hpp>
#include <conclave/conclave.hpp>

#include <deque>

namespace cv = conclave;

namespace {

struct participant {
  cv::meeting room;
  cv::sas::verification verifier{26};
};

class meeting_of_five {
 public:
  explicit meeting_of_five(cv::environment& env) : env_{&env} {
    auto host = *cv::identity::generate(env, "person 0");
    people.push_back({*cv::meeting::create(env, host, "standup")});
    std::vector<cv::knock> knocks;
    std::vector<cv::byte_view> packages;
    for (int i = 1; i < 5; ++i) {
      auto who = *cv::identity::generate(env, "person " + std::to_string(i));
      knocks.push_back(*cv::knock::create(env, who));
    }
    for (const auto& k : knocks) packages.push_back(k.key_package());
    auto add = *people[0].room.admit(packages);
    for (auto& k : knocks) people.push_back({*cv::meeting::join(std::move(k), add.welcome())});
    REQUIRE(people[0].room.apply(std::move(add)));
    enter();
  }

  std::deque<participant> people;
  cv::steady_time now{1000};

  void enter() {
    for (auto& p : people)
      if (p.room.active()) p.verifier.enter_epoch(*p.room.verification_epoch(), now);
  }
  /// commit(change): everybody follows the first person's change.
  void commit(cv::meeting::change&& change) {
    const cv::bytes message = cv::to_bytes(change.commit());
    for (std::size_t i = 1; i < people.size(); ++i)
      if (people[i].room.active()) REQUIRE(people[i].room.receive(message));
    REQUIRE(people[0].room.apply(std::move(change)));
    enter();
  }
  /// deliver(): everything that the verifications say, to everybody, until they fall silent; who is invited takes part.
  void deliver() {
    for (bool said = true; said;) {
      said = false;
      for (auto& from : people) {
        for (const cv::bytes& data : from.verifier.take_messages()) {
          const cv::bytes message = *from.room.say(data);
          said = true;
          for (auto& to : people) {
            if (&to == &from || !to.room.active()) continue;
            const auto event = *to.room.receive(message);
            const auto& got = std::get<cv::mls::application_message>(event);
            REQUIRE(cv::sas::message::is(got.plaintext));
            (void)to.verifier.receive(number(got.sender), got.epoch, got.plaintext, now).has_value();
          }
        }
      }
      if (said) continue;
      for (auto& p : people)
        if (p.verifier.phase() == cv::sas::phase::invited) {
          REQUIRE(p.verifier.take_part(*env_, now));
          said = true;
        }
    }
  }

 private:
  cv::environment* env_;
};

}  // namespace

TEST_CASE("five people in a meeting verify it, and it stays verified until somebody leaves") {
  cv::system_environment env;
  meeting_of_five meeting(env);
  auto& people = meeting.people;
  REQUIRE(people[0].verifier.start(env, cv::sas::form::words_3, std::vector<std::uint32_t>{1, 2, 3, 4}, meeting.now));
  meeting.deliver();
  const auto code = *people[0].verifier.show(meeting.now);
  const auto long_code = people[0].room.long_code();
  for (auto& p : people) {
    CHECK(*p.verifier.show(meeting.now) == code);
    CHECK(compare(p.room.long_code(), people[0].room.long_code()) == cv::sas::comparison::same);
    CHECK(compare(p.room.machine_code(), people[0].room.machine_code()) == cv::sas::comparison::same);
    REQUIRE(p.verifier.decide(true, meeting.now));
  }
  meeting.deliver();
  for (auto& p : people) CHECK(p.verifier.verified());
  CHECK(people[0].verifier.results().size() == 4);

  meeting.commit(*people[0].room.refresh());
  for (auto& p : people) CHECK(p.verifier.verified());
  CHECK(compare(people[1].room.long_code(), long_code) == cv::sas::comparison::another_epoch);

  meeting.commit(*people[0].room.remove(people[4].room.own_leaf()));
  for (std::size_t i = 0; i < 4; ++i) CHECK_FALSE(people[i].verifier.verified());
  CHECK(people[4].room.verification_epoch().error() == cv::errc::misuse);
}

TEST_CASE("a commit in the middle of a verification ends it for everybody") {
  cv::system_environment env;
  meeting_of_five meeting(env);
  auto& people = meeting.people;
  REQUIRE(people[2].verifier.start(env, cv::sas::form::digits_9, std::vector<std::uint32_t>{0, 4}, meeting.now));
  meeting.deliver();
  CHECK(people[0].verifier.phase() == cv::sas::phase::ready);
  CHECK(people[1].verifier.phase() == cv::sas::phase::idle);
  meeting.commit(*people[0].room.refresh());
  for (const std::size_t i : {0U, 2U, 4U}) {
    CHECK(people[i].verifier.last()->how == cv::sas::ending::epoch_over);
    CHECK(people[i].verifier.failures().size() == 1);
    CHECK_FALSE(people[i].verifier.verified());
  }
}

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A spoken verification in a real meeting: every message is an MLS application message.
#include <catch2/catch.hpp>
#include <conclave/conclave.hpp>

#include <deque>

namespace cv = conclave;

namespace {

class meeting_of_five {
 public:
  explicit meeting_of_five(cv::environment& env) : env_{&env} {
    auto host = *cv::identity::generate(env, "person 0");
    people.push_back(*cv::meeting::create(env, host, "standup"));
    std::vector<cv::knock> knocks;
    std::vector<cv::byte_view> packages;
    for (int i = 1; i < 5; ++i) {
      auto who = *cv::identity::generate(env, "person " + std::to_string(i));
      knocks.push_back(*cv::knock::create(env, who));
    }
    for (const auto& k : knocks) packages.push_back(k.key_package());
    auto add = *people[0].admit(packages);
    for (auto& k : knocks) people.push_back(*cv::meeting::join(std::move(k), add.welcome()));
    REQUIRE(people[0].apply(std::move(add)));
  }

  std::deque<cv::meeting> people;

  [[nodiscard]] cv::steady_time now() const { return env_->steady(); }
  /// commit(change): everybody follows the first person's change.
  void commit(cv::meeting::change&& change) {
    const cv::bytes message = cv::to_bytes(change.commit());
    for (std::size_t i = 1; i < people.size(); ++i)
      if (people[i].active()) REQUIRE(people[i].receive(message));
    REQUIRE(people[0].apply(std::move(change)));
  }
  /// deliver(): everything that the verifications say, to everybody, until they fall silent; who is invited takes part.
  void deliver() {
    for (bool said = true; said;) {
      said = false;
      for (auto& from : people) {
        if (!from.active()) continue;
        for (const cv::bytes& message : *from.take_messages()) {
          said = true;
          for (auto& to : people)
            if (&to != &from && to.active()) REQUIRE(to.receive(message));
        }
      }
      if (said) continue;
      for (auto& p : people)
        if (p.active() && p.verification().phase() == cv::sas::phase::invited) {
          REQUIRE(p.verification().take_part(*env_, now()));
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
  REQUIRE(people[0].verification().start(env, cv::sas::form::words_3, std::vector<std::uint32_t>{1, 2, 3, 4},
                                         meeting.now()));
  meeting.deliver();
  const auto code = *people[0].verification().show(meeting.now());
  const auto long_code = *people[0].long_code();
  for (auto& p : people) {
    CHECK(*p.verification().show(meeting.now()) == code);
    CHECK(compare(*p.long_code(), *people[0].long_code()) == cv::sas::comparison::same);
    CHECK(compare(*p.machine_code(), *people[0].machine_code()) == cv::sas::comparison::same);
    REQUIRE(p.verification().decide(true, meeting.now()));
  }
  meeting.deliver();
  for (auto& p : people) CHECK(p.verification().verified());
  CHECK(people[0].verification().results().size() == 4);

  meeting.commit(*people[0].refresh());
  for (auto& p : people) CHECK(p.verification().verified());
  CHECK(compare(*people[1].long_code(), long_code) == cv::sas::comparison::another_epoch);

  meeting.commit(*people[0].remove(people[4].own_leaf()));
  for (std::size_t i = 0; i < 4; ++i) CHECK_FALSE(people[i].verification().verified());
  CHECK(people[4].verification_epoch().error() == cv::errc::misuse);
}

TEST_CASE("a commit in the middle of a verification ends it for everybody") {
  cv::system_environment env;
  meeting_of_five meeting(env);
  auto& people = meeting.people;
  REQUIRE(
      people[2].verification().start(env, cv::sas::form::digits_9, std::vector<std::uint32_t>{0, 4}, meeting.now()));
  meeting.deliver();
  CHECK(people[0].verification().phase() == cv::sas::phase::ready);
  CHECK(people[1].verification().phase() == cv::sas::phase::idle);
  meeting.commit(*people[0].refresh());
  for (const std::size_t i : {0U, 2U, 4U}) {
    CHECK(people[i].verification().last()->how == cv::sas::ending::epoch_over);
    CHECK(people[i].verification().failures().size() == 1);
    CHECK_FALSE(people[i].verification().verified());
  }
}

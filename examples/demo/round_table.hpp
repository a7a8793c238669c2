// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// round_table: a handful of people in a real meeting, each with an app that can verify it aloud.
#pragma once

#include "../explain.hpp"

#include <conclave/conclave.hpp>

#include <deque>
#include <string>

namespace demo {

namespace cv = conclave;

struct seat {
  std::string name;
  cv::meeting room;

  [[nodiscard]] cv::sas::verification& app() { return room.verification(); }
};

class round_table {
 public:
  explicit round_table(cv::environment& env) : env_{&env} {}

  /// gather(names): the first one hosts; person i sits at leaf i.
  [[nodiscard]] cv::status gather(const std::vector<std::string>& names) {
    CONCLAVE_TRY(auto host, cv::identity::generate(*env_, names[0]));
    CONCLAVE_TRY(auto room, cv::meeting::create(*env_, host, "standup"));
    seats_.push_back({names[0], std::move(room)});
    std::deque<cv::knock> knocks;
    std::vector<cv::byte_view> packages;
    for (std::size_t i = 1; i < names.size(); ++i) {
      CONCLAVE_TRY(auto who, cv::identity::generate(*env_, names[i]));
      CONCLAVE_TRY(auto knock, cv::knock::create(*env_, who));
      packages.push_back(knocks.emplace_back(std::move(knock)).key_package());
    }
    CONCLAVE_TRY(auto add, seats_[0].room.admit(packages));
    for (std::size_t i = 1; i < names.size(); ++i) {
      CONCLAVE_TRY(auto joined, cv::meeting::join(std::move(knocks[i - 1]), add.welcome()));
      seats_.push_back({names[i], std::move(joined)});
    }
    return seats_[0].room.apply(std::move(add));
  }

  [[nodiscard]] std::deque<seat>& seats() { return seats_; }
  [[nodiscard]] cv::steady_time now() { return env_->steady(); }

  /// start(who, form): with everybody else; all the others are asked and agree. Returns when nobody has anything to say.
  [[nodiscard]] cv::status start(std::size_t who, cv::sas::form form) {
    std::vector<std::uint32_t> others;
    for (const seat& s : seats_) others.push_back(number(s.room.own_leaf()));
    CONCLAVE_CHECK(seats_[who].app().start(*env_, form, others, now()));
    return deliver();
  }

  /// deliver(): what the apps have to say, to all the others, as application messages of the meeting.
  [[nodiscard]] cv::status deliver() {
    for (bool said = true; said;) {
      said = false;
      for (seat& from : seats_) {
        if (!from.room.active()) continue;
        CONCLAVE_TRY(const auto messages, from.room.take_messages());
        for (const cv::bytes& message : messages) {
          said = true;
          for (seat& to : seats_)
            if (&to != &from && to.room.active()) CONCLAVE_CHECK(to.room.receive(message));
        }
      }
      for (seat& s : seats_) {
        if (!s.room.active() || s.app().phase() != cv::sas::phase::invited) continue;
        CONCLAVE_CHECK(s.app().take_part(*env_, now()));
        said = true;
      }
    }
    return {};
  }

  /// remove(who): the host lets somebody go, and everybody follows.
  [[nodiscard]] cv::status remove(std::size_t who) {
    CONCLAVE_TRY(auto change, seats_[0].room.remove(seats_[who].room.own_leaf()));
    const cv::bytes message = cv::to_bytes(change.commit());
    for (seat& s : seats_)
      if (&s != &seats_[0]) CONCLAVE_CHECK(s.room.receive(message));
    return seats_[0].room.apply(std::move(change));
  }

 private:
  cv::environment* env_;
  std::deque<seat> seats_;
};

/// advice(app, names): what an app should say when a run is over, with the names of its leaves.
[[nodiscard]] inline std::string advice(const cv::sas::verification& app, const std::vector<std::string>& names) {
  const auto& last = app.last();
  if (!last) return "Nobody has verified this meeting.";
  const auto name = [&](std::uint32_t leaf) { return leaf < names.size() ? names[leaf] : std::string("somebody"); };
  if (app.verified()) {
    std::string out = "Verified by ";
    const auto& who = app.verified()->contributors;
    for (std::size_t i = 0; i < who.size(); ++i)
      out += (i == 0 ? "" : i + 1 < who.size() ? ", " : " and ") + name(who[i]);
    return out + ".";
  }
  const auto& why = last->aborted.why;
  switch (last->how) {
    case cv::sas::ending::matched:
      return "Verified before; somebody has come, left or changed keys since. Verify again.";
    case cv::sas::ending::differed:
      return "THE CODES DIFFER. Somebody is in between: leave, and say nothing that matters. If one of you misread, "
             "try again.";
    case cv::sas::ending::undecided: return "Nobody said whether the codes are the same. Not verified.";
    case cv::sas::ending::epoch_over: return "Somebody came or left in the middle. Not verified; try again.";
    case cv::sas::ending::aborted: break;
  }
  switch (why.reason) {
    case cv::sas::abort_reason::wrong_commitment:
      return "What " + name(why.leaf) + " sent does not belong to this meeting. Somebody may be in between: leave.";
    case cv::sas::abort_reason::missing: return name(why.leaf) + " did not answer. Not verified; try again.";
    case cv::sas::abort_reason::declined: return name(last->aborted.by) + " does not want to take part. Not verified.";
    default:
      return "Given up by " + name(last->aborted.by) + ". Not verified; " + std::to_string(app.failures_in_epoch()) +
             " attempts have failed so far.";
  }
}

}  // namespace demo

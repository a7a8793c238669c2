// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// breakout: a meeting of twelve splits into three rooms, with real frames in each of them and in the main meeting: who
/// is meant to hear a frame opens it, nobody else can. Somebody moves to another room, then all come back.
#pragma once

#include "../explain.hpp"

#include <conclave/conclave.hpp>

#include <cstdio>
#include <deque>

namespace demo {

namespace cv = conclave;

class breakout {
 public:
  breakout(cv::environment& env, std::span<const cv::byte_view> frames) : env_{&env}, frames_{frames} {}

  /// run(): an error text, empty for success.
  [[nodiscard]] std::string run() {
    const auto done = play();
    return done ? std::string{} : explain("the rooms failed", done.error());
  }

 private:
  [[nodiscard]] cv::status play() {
    CONCLAVE_CHECK(meet());
    std::printf("  %zu people meet. The code on every screen: %s\n", people_.size(), main(0).code().digits().c_str());
    CONCLAVE_CHECK(split());
    for (std::size_t r = 0; r < rooms; ++r)
      std::printf("  Room %zu: persons %zu to %zu; its code: %s\n", r + 1, r * per_room, r * per_room + per_room - 1,
                  places_[r * per_room]->code().digits().c_str());
    CONCLAVE_CHECK(speak("While they are in the rooms, and the first person speaks to everybody"));
    CONCLAVE_CHECK(move(per_room - 1, 1));
    std::printf("  Person %zu moves to room 2.\n", per_room - 1);
    CONCLAVE_CHECK(speak("After that"));
    for (auto& place : places_) place.reset();
    std::printf("  All come back: %zu people in the main meeting, whose code never changed: %s\n", main(0).size(),
                main(0).code().digits().c_str());
    return {};
  }

  static constexpr std::size_t rooms = 3, per_room = 4;

  struct somebody {
    cv::identity self;
    cv::meeting main;
  };

  [[nodiscard]] cv::meeting& main(std::size_t i) { return people_[i].main; }

  [[nodiscard]] cv::status meet() {
    CONCLAVE_TRY(auto host, cv::identity::generate(*env_, "person 0"));
    CONCLAVE_TRY(auto room, cv::meeting::create(*env_, host, "standup"));
    people_.push_back({std::move(host), std::move(room)});
    std::vector<cv::identity> guests;
    std::deque<cv::knock> wishes;
    std::vector<cv::byte_view> packages;
    for (std::size_t i = 1; i < rooms * per_room; ++i) {
      CONCLAVE_TRY(auto who, cv::identity::generate(*env_, "person " + std::to_string(i)));
      CONCLAVE_TRY(auto wish, cv::knock::create(*env_, who));
      guests.push_back(std::move(who));
      packages.push_back(wishes.emplace_back(std::move(wish)).key_package());
    }
    CONCLAVE_TRY(auto add, main(0).admit(packages));
    for (std::size_t i = 0; i < guests.size(); ++i) {
      CONCLAVE_TRY(auto joined, cv::meeting::join(std::move(wishes[i]), add.welcome()));
      people_.push_back({std::move(guests[i]), std::move(joined)});
    }
    return main(0).apply(std::move(add));
  }

  /// The first person of each room opens it for the others.
  [[nodiscard]] cv::status split() {
    places_.resize(people_.size());
    room_of_.resize(people_.size());
    for (std::size_t r = 0; r < rooms; ++r) {
      const std::size_t first = r * per_room;
      std::deque<cv::knock> wishes;
      std::vector<cv::byte_view> packages;
      for (std::size_t i = first + 1; i < first + per_room; ++i) {
        CONCLAVE_TRY(auto wish, cv::knock::create(*env_, people_[i].self));
        packages.push_back(wishes.emplace_back(std::move(wish)).key_package());
      }
      CONCLAVE_TRY(auto opened, main(first).open_room(packages, "room " + std::to_string(r + 1)));
      places_[first].emplace(std::move(opened.room));
      for (std::size_t i = first; i < first + per_room; ++i) {
        room_of_[i] = r;
        if (i == first) continue;
        CONCLAVE_TRY(auto joined, main(i).enter_room(std::move(wishes[i - first - 1]), opened.welcome));
        places_[i].emplace(std::move(joined));
      }
    }
    return {};
  }

  [[nodiscard]] cv::status move(std::size_t who, std::size_t to) {
    const std::size_t from_host = room_of_[who] * per_room, to_host = to * per_room;
    CONCLAVE_TRY(auto out, places_[from_host]->remove(places_[who]->own_leaf()));
    for (std::size_t i = 0; i < people_.size(); ++i)
      if (room_of_[i] == room_of_[who] && i != from_host) CONCLAVE_CHECK(places_[i]->receive(out.commit()));
    CONCLAVE_CHECK(places_[from_host]->apply(std::move(out)));
    CONCLAVE_TRY(auto wish, cv::knock::create(*env_, people_[who].self));
    CONCLAVE_TRY(auto in, places_[to_host]->admit(wish.key_package()));
    for (std::size_t i = 0; i < people_.size(); ++i)
      if (room_of_[i] == to && i != to_host) CONCLAVE_CHECK(places_[i]->receive(in.commit()));
    CONCLAVE_TRY(auto joined, cv::meeting::join(std::move(wish), in.welcome()));
    CONCLAVE_CHECK(places_[to_host]->apply(std::move(in)));
    places_[who].emplace(std::move(joined));
    room_of_[who] = to;
    return {};
  }

  /// The frames of the clip, in each room and in the main meeting; everybody is offered all of them.
  [[nodiscard]] cv::status speak(const char* when) {
    struct packet {
      cv::bytes bytes;
      std::size_t frame, room;  // room: `rooms` for the main meeting
    };
    std::vector<packet> relay;
    const auto seal = [&](cv::meeting::sender& mic, std::size_t frame, std::size_t room) -> cv::status {
      const cv::byte_view said = frames_[frame];
      packet p{cv::bytes(cv::sealed_size(said.size())), frame, room};
      CONCLAVE_TRY(const auto sealed, mic.seal(said, {}, p.bytes));
      p.bytes.resize(sealed.size());
      relay.push_back(std::move(p));
      return {};
    };
    CONCLAVE_TRY(auto to_all, main(0).open_sender(0));
    for (std::size_t f = 0; f < frames_.size(); ++f) CONCLAVE_CHECK(seal(to_all, f, rooms));
    for (std::size_t r = 0; r < rooms; ++r) {
      CONCLAVE_TRY(auto mic, places_[r * per_room]->open_sender(0));
      for (std::size_t f = 0; f < frames_.size(); ++f) CONCLAVE_CHECK(seal(mic, f, r));
    }
    std::size_t opened = 0, kept_out = 0;
    for (std::size_t i = 0; i < people_.size(); ++i) {
      CONCLAVE_TRY(auto outside, main(i).open_receiver());
      CONCLAVE_TRY(auto inside, places_[i]->open_receiver());
      for (const packet& p : relay) {
        cv::bytes heard_outside(p.bytes.size()), heard_inside(p.bytes.size());
        const auto a = outside.open(p.bytes, {}, heard_outside), b = inside.open(p.bytes, {}, heard_inside);
        const bool meant_outside = p.room == rooms, meant_inside = p.room == room_of_[i];
        if (i == (p.room == rooms ? 0 : p.room * per_room)) continue;  // who has sealed it
        if (a.has_value() != meant_outside || b.has_value() != meant_inside) return cv::errc::unauthentic;
        for (const auto* got : {&a, &b}) {
          if (!*got) continue;
          if (!cv::equal((*got)->bytes, frames_[p.frame])) return cv::errc::unauthentic;
          ++opened;
        }
        kept_out += (a ? 0U : 1U) + (b ? 0U : 1U);
      }
    }
    std::printf("  %s: %zu frames sealed, %zu opened by those they were meant for, %zu attempts of others failed.\n",
                when, relay.size(), opened, kept_out);
    return {};
  }

  cv::environment* env_;
  std::span<const cv::byte_view> frames_;
  std::deque<somebody> people_;
  std::vector<std::optional<cv::meeting>> places_;
  std::vector<std::size_t> room_of_;
};

}  // namespace demo

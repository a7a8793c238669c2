// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// story: what happens in the demo, scene by scene. Everything is checked on the way; the first thing that is not as it
/// should be ends the story with a message.
#pragma once

#include "crowd.hpp"
#include "person.hpp"

#include <cstring>
#include <map>

namespace demo {

/// summary: what there is to tell at the end.
struct summary {
  std::size_t people = 0;
  std::uint64_t epochs = 0;
  std::string first_code, last_code;
  std::size_t codes_compared = 0;
  std::size_t frames_sealed = 0, bytes_sealed = 0;
  std::size_t frames_opened = 0, bytes_opened = 0, late_frames = 0;
  std::size_t refused_to_leaver = 0;
  std::size_t handshake_bytes = 0;
  double join_seconds = 0, commit_seconds = 0, seal_seconds = 0, open_seconds = 0, total_seconds = 0;
};

/// spoken_frame: what is sealed: which stream, when, and the encoded audio or video.
struct spoken_frame {
  std::uint32_t stream;
  std::uint64_t microseconds;
  cv::byte_view data;
};

/// packet: a sealed frame as the relay has it; who sealed which frame is the demo's own note, to compare with.
struct packet {
  cv::bytes bytes;
  std::size_t speaker;
  std::size_t frame;
};

class story {
 public:
  story(cv::environment& env, std::size_t people) : env_{&env} {
    static constexpr const char* first_names[] = {"Ada",    "Bela", "Chidi", "Dana", "Emre", "Fay",  "Goro",
                                                  "Hana",   "Ines", "Jonas", "Kofi", "Lena", "Mira", "Nils",
                                                  "Oksana", "Pia",  "Quinn", "Rosa", "Sami", "Tove"};
    for (std::size_t i = 0; i < people; ++i) {
      std::string name = first_names[i % std::size(first_names)];
      if (i >= std::size(first_names)) name += ' ' + std::to_string(i / std::size(first_names) + 1);
      crowd_.push_back(std::make_unique<person>(std::move(name), env, net_));
    }
    told_.people = people;
  }

  [[nodiscard]] person& at(std::size_t i) { return *crowd_[i]; }
  [[nodiscard]] std::size_t size() const { return crowd_.size(); }
  [[nodiscard]] summary& told() { return told_; }

  /// open_meeting(title): the first person opens it; all others knock.
  [[nodiscard]] std::string open_meeting(const std::string& title) {
    const auto start = clock::now();
    if (auto bad = at(0).host(title); !bad.empty()) return bad;
    told_.first_code = at(0).room().code().digits();
    auto bad = for_all(size() - 1, "key packages", [&](std::size_t i) { return at(i + 1).knock(); });
    told_.join_seconds += seconds_since(start);
    return bad;
  }

  /// admit(host, from, to): one commit lets these people in; everybody follows, the new ones join.
  [[nodiscard]] std::string admit(std::size_t host, std::size_t from, std::size_t to) {
    auto start = clock::now();
    std::vector<cv::bytes> packages;
    for (std::size_t i = from; i < to; ++i) {
      auto package = net_.fetch_key_package(at(i).name());
      if (!package) return explain(at(i).name() + " did not knock", package.error());
      packages.push_back(*std::move(package));
    }
    const std::vector<cv::byte_view> views(packages.begin(), packages.end());
    auto change = at(host).room().admit(views);
    if (!change) return explain("the host cannot admit", change.error());
    const auto welcome = std::make_shared<const cv::bytes>(cv::to_bytes(change->welcome()));
    const auto won = at(host).publish(*std::move(change));
    if (!won) return explain("the host cannot admit", won.error());
    if (!*won) return "somebody else changed the meeting at the same moment";
    for (std::size_t i = from; i < to; ++i) net_.send_welcome(at(i).name(), welcome);
    told_.handshake_bytes += welcome->size();
    if (auto bad = everybody_follows(); !bad.empty()) return bad;
    told_.commit_seconds += seconds_since(start);

    start = clock::now();
    const std::size_t position = net_.position();
    if (auto bad = for_all(to - from, "joining", [&](std::size_t i) { return at(from + i).enter(position); });
        !bad.empty())
      return bad;
    told_.join_seconds += seconds_since(start);
    return compare_codes();
  }

  /// make_co_host(who): the host gives somebody the right to admit and to remove.
  [[nodiscard]] std::string make_co_host(std::size_t who) {
    auto change = at(0).room().set_role(at(who).room().own_leaf(), cv::role::co_host);
    if (!change) return explain("the host has nobody to help", change.error());
    const auto won = at(0).publish(*std::move(change));
    if (!won) return explain("the host has nobody to help", won.error());
    if (!*won) return "somebody else changed the meeting at the same moment";
    if (auto bad = everybody_follows(); !bad.empty()) return bad;
    return compare_codes();
  }

  /// two_at_once(a, b): both prepare a change of the same epoch; one wins, the other learns it, catches up and tries
  /// again.
  [[nodiscard]] std::string two_at_once(std::size_t a, std::size_t b) {
    const auto start = clock::now();
    auto first = at(a).room().refresh(), second = at(b).room().refresh();
    if (!first) return explain("a host cannot refresh", first.error());
    if (!second) return explain("a host cannot refresh", second.error());
    const auto won = at(a).publish(*std::move(first));
    const auto lost = at(b).publish(*std::move(second));
    if (!won || !lost) return explain("a host cannot refresh", (won ? lost : won).error());
    if (!*won || *lost) return "two commits of one epoch were not put in order";
    if (auto bad = at(b).catch_up(); !bad.empty()) return bad;
    auto again = at(b).room().refresh();
    if (!again) return explain("the retry failed", again.error());
    const auto retried = at(b).publish(*std::move(again));
    if (!retried) return explain("the retry failed", retried.error());
    if (!*retried) return "the retry lost too";
    told_.commit_seconds += seconds_since(start);
    return {};
  }

  /// leave(who, host): who proposes to go; the host commits that.
  [[nodiscard]] std::string leave(std::size_t who, std::size_t host) {
    const auto start = clock::now();
    if (auto bad = at(who).propose_to_leave(); !bad.empty()) return bad;
    if (auto bad = at(host).catch_up(); !bad.empty()) return bad;
    auto change = at(host).room().refresh();
    if (!change) return explain("the host cannot let go", change.error());
    const auto won = at(host).publish(*std::move(change));
    if (!won) return explain("the host cannot let go", won.error());
    if (!*won) return "somebody else changed the meeting at the same moment";
    if (auto bad = everybody_follows(); !bad.empty()) return bad;
    if (at(who).in_meeting()) return at(who).name() + " left and is still in";
    told_.commit_seconds += seconds_since(start);
    return compare_codes();
  }

  [[nodiscard]] std::string everybody_follows() {
    return for_all(size(), "following", [&](std::size_t i) { return at(i).in_meeting() ? at(i).catch_up() : ""; });
  }

  /// compare_codes(): equal on all screens now, never shown before.
  [[nodiscard]] std::string compare_codes() {
    const auto code = at(0).room().code();
    for (auto& p : crowd_) {
      if (!p->in_meeting()) continue;
      if (!(p->room().code() == code)) return p->name() + " sees another security code";
      ++told_.codes_compared;
    }
    const std::string digits = code.digits();
    if (!codes_.emplace(digits, code.epoch()).second) return "a security code came twice";
    told_.last_code = digits;
    told_.epochs = code.epoch();
    told_.handshake_bytes += net_.bytes_carried() - carried_;
    carried_ = net_.bytes_carried();
    return {};
  }

  // ---- frames ----------------------------------------------------------------------------------------------------

  /// take_the_floor(speaker, streams): opens the speaker's senders.
  [[nodiscard]] std::string take_the_floor(std::size_t speaker, std::uint32_t streams) {
    for (std::uint32_t s = 0; s < streams; ++s) {
      auto mic = at(speaker).room().open_sender(s);
      if (!mic) return explain(at(speaker).name() + " cannot speak", mic.error());
      mics_.emplace(std::pair{speaker, s}, *std::move(mic));
    }
    return {};
  }

  /// seal(speaker, frame, note): one packet for everybody.
  [[nodiscard]] std::string seal(std::size_t speaker, const spoken_frame& frame, std::size_t note,
                                 std::vector<packet>& relay) {
    cv::bytes plain(header + frame.data.size());
    plain[0] = static_cast<std::uint8_t>(frame.stream);
    cv::store_be(frame.microseconds, cv::byte_span{plain}.subspan(1));
    std::ranges::copy(frame.data, plain.begin() + header);
    packet out{cv::bytes(cv::sealed_size(plain.size())), speaker, note};
    const auto start = clock::now();
    const auto sealed = mics_.at({speaker, frame.stream}).seal(plain, {}, out.bytes);
    told_.seal_seconds += seconds_since(start);
    if (!sealed) return explain(at(speaker).name() + " cannot send", sealed.error());
    out.bytes.resize(sealed->size());
    ++told_.frames_sealed;
    told_.bytes_sealed += sealed->size();
    relay.push_back(std::move(out));
    return {};
  }

  /// deliver(relay, frames, outsiders, on_heard): everybody catches up, then gets every packet but the own ones; each
  /// plaintext is compared with what was said. Those who are not in the meeting get the packets too, and must not be
  /// able to open any.
  template <class OnHeard>
  [[nodiscard]] std::string deliver(const std::vector<packet>& relay, const std::vector<spoken_frame>& frames,
                                    const std::vector<std::size_t>& outsiders, OnHeard&& on_heard) {
    const auto start = clock::now();
    auto bad = for_all(size(), "listening", [&](std::size_t i) -> std::string {
      person& listener = at(i);
      if (!listener.in_meeting()) return {};
      if (auto behind = listener.catch_up(); !behind.empty()) return behind;
      cv::bytes buffer;
      for (const packet& p : relay) {
        if (p.speaker == i) continue;
        const auto plain = listener.open(p.bytes, buffer);
        const spoken_frame& said = frames[p.frame];
        if (!plain) return listener.name() + " cannot open a frame of " + at(p.speaker).name();
        if (plain->size() != header + said.data.size() || (*plain)[0] != said.stream ||
            cv::load_be<std::uint64_t>(plain->subspan(1)) != said.microseconds ||
            !cv::equal(plain->subspan(header), said.data))
          return listener.name() + " opened a frame that differs from what was sent";
        on_heard(i, p, plain->subspan(header));
      }
      return {};
    });
    told_.open_seconds += seconds_since(start);
    if (!bad.empty()) return bad;
    cv::bytes buffer;
    for (const std::size_t i : outsiders) {
      for (const packet& p : relay) {
        if (at(i).open(p.bytes, buffer)) return at(i).name() + " has left and could still open a frame";
        ++told_.refused_to_leaver;
      }
    }
    return {};
  }

  void add_up() {
    for (const auto& p : crowd_) {
      told_.frames_opened += p->ears().opened;
      told_.bytes_opened += p->ears().bytes;
      told_.late_frames += p->ears().late;
    }
  }

 private:
  static constexpr std::size_t header = 9;  // stream, time stamp

  cv::environment* env_;
  cv::delivery::in_process net_;
  std::vector<std::unique_ptr<person>> crowd_;
  std::map<std::pair<std::size_t, std::uint32_t>, cv::meeting::sender> mics_;
  std::map<std::string, std::uint64_t> codes_;
  std::size_t carried_ = 0;
  summary told_;
};

}  // namespace demo

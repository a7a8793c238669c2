// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// preset: an evening at the door. All kinds of clients knock at a meeting under the rules of a preset; what becomes of
/// them, and why, in the words of the help desk; then which features the meeting has.
#pragma once

#include "../explain.hpp"

#include <conclave/conclave.hpp>

#include <cstdio>
#include <deque>

namespace demo {

namespace cv = conclave;

/// caller: somebody at the door.
struct caller {
  const char* name;
  cv::client_claims client;
  bool must_be_recorded = false;
};

[[nodiscard]] inline std::vector<caller> callers() {
  using cv::platform;
  const auto with = [](platform on, cv::client_version version = {{99, 0}},
                       cv::audio_route sound = cv::audio_route::computer) {
    cv::client_claims out;
    out.platform = on;
    out.version = version;
    out.audio = sound;
    return out;
  };
  return {{"Bela", with(platform::desktop_macos)},
          {"Chidi", with(platform::mobile_android)},
          {"Dana", with(platform::desktop_windows, {{41, 6}})},
          {"Emre", with(platform::web)},
          {"Fay", with(platform::vdi)},
          {"Goro", with(platform::desktop_windows, {{99, 0}}, cv::audio_route::call_me)},
          {"Hana", with(platform::pstn)},
          {"room 12", with(platform::room_device)},
          {"room 3", with(platform::sx_series)},
          {"Ines", with(platform::desktop_linux)},
          {"Jonas", with(platform::mobile_ios), true}};
}

/// at_the_door(env, chosen): on standard output. Returns an error text, empty for success.
[[nodiscard]] inline std::string at_the_door(cv::environment& env, cv::preset chosen) {
  const cv::meeting_rules& rules = cv::rules_of(chosen);
  cv::encryption_facts facts;
  facts.premium_licence = facts.organizer_wants_it = true;
  facts.devices_enabled_for_site = facts.devices_enabled_for_user = true;
  const auto decision = cv::decide_encryption(facts, rules.encryption);
  std::printf("  Rules: %s.\n  %s\n\n", std::string(name(chosen)).c_str(), explain(decision).c_str());

  cv::meeting_options options;
  options.parameters.capacity = rules.admission.participants;
  options.client.platform = cv::platform::desktop_macos;
  auto ada = cv::identity::generate(env, "Ada");
  if (!ada) return explain("Ada has no key", ada.error());
  auto room = cv::meeting::create(env, *ada, "standup", options);
  if (!room) return explain("no meeting", room.error());
  cv::lobby hall(rules.admission, cv::meeting_kind::scheduled, decision.devices);
  std::deque<cv::knock> wishes;
  std::map<std::uint64_t, const char*> waiting;
  const auto all = callers();
  std::printf("  They knock:\n");
  for (const caller& c : all) {
    cv::meeting_options own;
    own.client = c.client;
    auto who = cv::identity::generate(env, c.name);
    if (!who) return explain("a visitor has no key", who.error());
    auto wish = cv::knock::create(env, *who, own);
    if (!wish) return explain("a visitor cannot knock", wish.error());
    const auto answer = hall.knock(*room, wish->key_package(), c.must_be_recorded);
    if (!answer) return explain("the lobby failed", answer.error());
    std::printf("    %-8s %s\n", c.name, explain(answer->decision).c_str());
    if (answer->ticket != 0) waiting[answer->ticket] = c.name;
    wishes.push_back(*std::move(wish));
  }

  std::printf("\n  Ada looks at the %zu who wait, and lets all of them in but the last:\n", waiting.size());
  for (const auto& [ticket, name] : waiting) {
    if (ticket == waiting.rbegin()->first && waiting.size() > 1) {
      const auto away = hall.turn_away(ticket);
      if (!away) return explain("nobody can be turned away", away.error());
      std::printf("    %-8s %s\n", name, explain(away->decision).c_str());
    } else if (const auto done = hall.agree(ticket); !done) {
      return explain("Ada cannot agree", done.error());
    }
  }
  const auto out = hall.take(*room);
  for (const auto& [ticket, decision_now] : out.answers)
    std::printf("    %-8s %s\n", waiting.at(ticket), explain(decision_now).c_str());
  for (const auto& p : out.admitted) std::printf("    %-8s %s\n", waiting.at(p.ticket), explain(p.decision).c_str());
  auto add = room->admit(out.key_packages());
  if (!add) return explain("Ada cannot admit", add.error());
  std::size_t joined = 0;
  for (cv::knock& wish : wishes) joined += cv::meeting::join(std::move(wish), add->welcome()) ? 1 : 0;
  if (const auto done = room->apply(*std::move(add)); !done) return explain("Ada cannot admit", done.error());
  if (joined != out.admitted.size() || room->size() != joined + 1) return "not everybody who was admitted is in";
  std::printf("  %zu people are in the meeting.\n\n", room->size());

  std::printf("  What there is in it, and what is not:\n");
  for (std::size_t i = 0; i < cv::count<cv::feature>(); ++i) {
    const auto f = static_cast<cv::feature>(i);
    std::printf("    %s\n", explain(f, cv::availability(rules.features, f, decision.encrypted)).c_str());
  }
  return {};
}

}  // namespace demo

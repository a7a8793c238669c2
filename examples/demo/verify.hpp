// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// verify: five people make sure that nobody is in between.
#pragma once

#include "round_table.hpp"

#include <cstdio>

namespace demo {

[[nodiscard]] inline std::vector<std::string> five_names() { return {"Ada", "Bela", "Chidi", "Dana", "Emre"}; }

inline void print_screen(const std::string& name, const std::string& text) {
  std::printf("    %-7s %s\n", name.c_str(), text.c_str());
}

/// verify(env): what each screen shows, on standard output. Returns an error text, empty for success.
[[nodiscard]] inline std::string verify(cv::environment& env) {
  const auto names = five_names();
  round_table table(env);
  if (const auto done = table.gather(names); !done) return explain("the meeting did not come about", done.error());
  std::printf("  The security code on every screen:\n");
  for (seat& s : table.seats()) print_screen(s.name, s.room.code().digits());
  std::printf("  Two halves of an intercepted meeting with the same one: about 2^%u trials.\n\n",
              cv::sas::security_code::strength_bits() + 1);

  for (const auto form : {cv::sas::form::words_3, cv::sas::form::emoji_5}) {
    if (const auto done = table.start(0, form); !done) return explain("no verification", done.error());
    std::printf("  Ada starts a verification, the others agree, everybody asks for the code (%u bits):\n",
                cv::sas::parameters(form)->bits);
    std::optional<cv::sas::short_code> first;
    for (seat& s : table.seats()) {
      const auto code = s.app().show(table.now());
      if (!code) return explain(s.name + " sees no code", code.error());
      if (first && !(*first == *code)) return s.name + " sees another code";
      first = *code;
      const std::string spoken = code->spoken(cv::sas::language::english);
      print_screen(s.name, code->text() + (spoken == code->text() ? "" : "   " + spoken));
    }
    std::printf("  They read it aloud, and each says that it is the same:\n");
    for (seat& s : table.seats())
      if (const auto done = s.app().decide(true, table.now()); !done)
        return explain(s.name + " cannot say so", done.error());
    if (const auto done = table.deliver(); !done) return explain("the verdicts did not arrive", done.error());
    for (seat& s : table.seats()) {
      if (!s.app().verified()) return s.name + " has not verified the meeting";
      print_screen(s.name, advice(s.app(), names));
    }
    std::printf("\n");
  }

  if (const auto done = table.remove(4); !done) return explain("Emre cannot leave", done.error());
  std::printf("  Emre leaves:\n");
  for (seat& s : table.seats()) {
    if (!s.room.active()) continue;
    if (s.app().verified()) return s.name + " still counts the meeting as verified";
    print_screen(s.name, advice(s.app(), names));
  }
  return {};
}

}  // namespace demo

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// intercept: a man in the middle, who has made two meetings out of one. In each of them he plays those who are in the
/// other. Nobody vouches for names here, so he can; what the screens tell is the only defence.
#pragma once

#include "crowd.hpp"
#include "verify.hpp"

#include <set>

namespace demo {

/// shorten(authenticator, n): the first n digits of a security code, which nobody should ever show.
[[nodiscard]] inline std::string shorten(cv::byte_view authenticator, std::size_t n) {
  std::string digits = cv::sas::security_code::make(authenticator, 0)->digits();
  std::erase(digits, ' ');
  return digits.substr(0, n);
}

/// search(n): how many keys he tries on each side until both halves show the same n digits. In a real meeting each trial
/// is a key schedule; here it is one hash.
[[nodiscard]] inline std::size_t search(std::size_t n) {
  std::set<std::string> seen[2];
  for (std::uint64_t i = 1;; ++i) {
    for (std::uint8_t side = 0; side < 2; ++side) {
      std::array<std::uint8_t, 9> key{side};
      cv::store_be(i, cv::byte_span{key}.subspan(1));
      std::array<std::uint8_t, 32> authenticator;
      const std::array<cv::byte_view, 1> parts{key};
      cv::default_provider::hash(cv::hash_id::sha256, parts, authenticator);
      const std::string digits = shorten(authenticator, n);
      if (seen[1 - side].contains(digits)) return i;
      seen[side].insert(digits);
    }
  }
}

/// intercept(env): what he can do, and what the screens show. Returns an error text, empty for success.
[[nodiscard]] inline std::string intercept(cv::environment& env) {
  const auto names = five_names();
  static constexpr std::size_t real_on_the_left = 2;  // Ada and Bela; the others are on the right
  round_table left(env), right(env);
  for (round_table* half : {&left, &right})
    if (const auto done = half->gather(names); !done) return explain("the meeting did not come about", done.error());
  const auto each_screen = [&](auto&& show) {
    for (std::size_t i = 0; i < names.size(); ++i) show((i < real_on_the_left ? left : right).seats()[i]);
  };

  std::printf(
      "  Ada and Bela are in one meeting, Chidi, Dana and Emre in another; somebody in between is in both, under\n"
      "  the names of those who are missing. The security code on every screen:\n");
  each_screen([](seat& s) { print_screen(s.name, s.room.code().digits()); });
  std::printf("  Whoever compares, sees it. A short code of that kind would not help:\n");
  for (const std::size_t n : {6U, 8U, 10U}) {
    const auto start = clock::now();
    const std::size_t trials = search(n);
    std::printf("    %2zu digits: both halves show the same after %zu trials, in %.0f ms\n", n, trials,
                seconds_since(start) * 1e3);
  }

  for (round_table* half : {&left, &right})
    if (const auto done = half->start(0, cv::sas::form::words_3); !done)
      return explain("no verification", done.error());
  std::printf("\n  Ada starts a verification. He takes part in both halves, for everybody who is missing there:\n");
  std::set<std::string> shown;
  std::string trouble;
  each_screen([&](seat& s) {
    const auto code = s.app().show(left.now());
    if (!code) trouble = explain(s.name + " sees no code", code.error());
    if (!code) return;
    print_screen(s.name, code->text());
    shown.insert(code->text());
  });
  if (!trouble.empty()) return trouble;
  if (shown.size() != 2) return "the two halves do not show two codes";
  std::printf(
      "  He could not choose: that both are the same happens in one of 2^33 runs. They read aloud, and differ:\n");
  each_screen([&](seat& s) {
    if (!s.app().decide(false, left.now()) || s.app().verified()) trouble = s.name + " was deceived";
    print_screen(s.name, advice(s.app(), names));
  });
  return trouble;
}

/// intercept_by_relaying(env): he passes on what the real people send in the other half.
[[nodiscard]] inline std::string intercept_by_relaying(cv::environment& env) {
  const auto names = five_names();
  round_table left(env), right(env);
  for (round_table* half : {&left, &right})
    if (const auto done = half->gather({names[0], names[1]}); !done)
      return explain("the meeting did not come about", done.error());
  cv::sas::verification& ada = left.seats()[0].app();
  cv::sas::verification& bela = right.seats()[1].app();
  const auto now = left.now();
  const std::uint64_t epoch = left.seats()[0].room.epoch();
  const std::vector<std::uint32_t> other{1};
  if (!ada.start(env, cv::sas::form::words_3, other, now)) return "Ada cannot start a verification";
  // in each half he says in the other one's name, signed with his own keys there, what that one has said
  const auto relay = [&](cv::sas::verification& from, std::uint32_t leaf, cv::sas::verification& to) {
    for (const cv::bytes& m : from.take_messages()) (void)to.receive(leaf, epoch, m, now).has_value();
  };
  relay(ada, 0, bela);
  if (!bela.take_part(env, now)) return "Bela was not asked";
  relay(bela, 1, ada);
  relay(ada, 0, bela);
  std::printf(
      "\n  In another meeting, of Ada and Bela, he passes on their messages between the halves, without a change:\n");
  const std::vector<std::string> two{names[0], names[1]};
  print_screen(names[0], advice(ada, two));
  print_screen(names[1], advice(bela, two));
  if (ada.phase() != cv::sas::phase::idle || ada.verified()) return "Ada was deceived";
  if (bela.phase() != cv::sas::phase::idle || bela.verified()) return "Bela was deceived";
  return {};
}

}  // namespace demo

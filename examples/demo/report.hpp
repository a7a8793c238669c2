// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What the demo prints at the end.
#pragma once

#include "story.hpp"

namespace demo {

[[nodiscard]] inline std::string megabytes(std::size_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MB", static_cast<double>(bytes) / 1e6);
  return text;
}

inline void print_summary(const summary& s, const std::string& out) {
  const auto per = [](double seconds, std::size_t n) { return n == 0 ? 0 : seconds / static_cast<double>(n) * 1e6; };
  std::printf("\n");
  std::printf("  people          %zu, one of them left, one came late\n", s.people);
  std::printf("  epochs          %llu, each with its own keys and its own security code\n",
              static_cast<unsigned long long>(s.epochs));
  std::printf("  code, at first  %s\n", s.first_code.c_str());
  std::printf("  code, at last   %s\n", s.last_code.c_str());
  std::printf("                  %zu screens compared, all agreed in each epoch\n", s.codes_compared);
  std::printf("  frames sealed   %zu, %s, %.2f us each\n", s.frames_sealed, megabytes(s.bytes_sealed).c_str(),
              per(s.seal_seconds, s.frames_sealed));
  std::printf("  frames opened   %zu, %s, every one identical to what was sent\n", s.frames_opened,
              megabytes(s.bytes_opened).c_str());
  std::printf("  late frames     %zu opened after their epoch was over\n", s.late_frames);
  std::printf("  after leaving   %zu frames offered to the one who left, none could be opened\n", s.refused_to_leaver);
  std::printf("  on the wire     %s of commits and Welcomes\n", megabytes(s.handshake_bytes).c_str());
  std::printf("  time            %.1f s: joining %.1f, commits %.1f, opening frames %.1f\n", s.total_seconds,
              s.join_seconds, s.commit_seconds, s.open_seconds);
  if (!out.empty()) std::printf("  written         what one listener opened, to %s\n", out.c_str());
}

inline void print_json(const summary& s) {
  std::printf(
      "{\"people\": %zu, \"epochs\": %llu, \"first_code\": \"%s\", \"last_code\": \"%s\", \"codes_compared\": %zu,\n"
      " \"frames_sealed\": %zu, \"bytes_sealed\": %zu, \"frames_opened\": %zu, \"bytes_opened\": %zu,\n"
      " \"late_frames\": %zu, \"refused_to_leaver\": %zu, \"handshake_bytes\": %zu,\n"
      " \"join_seconds\": %.3f, \"commit_seconds\": %.3f, \"seal_seconds\": %.6f, \"open_seconds\": %.3f, "
      "\"total_seconds\": %.3f}\n",
      s.people, static_cast<unsigned long long>(s.epochs), s.first_code.c_str(), s.last_code.c_str(), s.codes_compared,
      s.frames_sealed, s.bytes_sealed, s.frames_opened, s.bytes_opened, s.late_frames, s.refused_to_leaver,
      s.handshake_bytes, s.join_seconds, s.commit_seconds, s.seal_seconds, s.open_seconds, s.total_seconds);
}

}  // namespace demo

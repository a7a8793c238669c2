// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// input: what somebody types, or a pipe brings; nobody is waited for without end.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include <poll.h>
#include <unistd.h>

namespace demo {

class input {
 public:
  explicit input(std::chrono::seconds patience) noexcept : patience_{patience} {}

  /// line(): the next one, cut after 64 characters; nothing at the end, or when nobody has typed one in time.
  [[nodiscard]] std::optional<std::string> line() {
    const auto end = std::chrono::steady_clock::now() + patience_;
    for (std::string out;;) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
      pollfd ready{STDIN_FILENO, POLLIN, 0};
      char c = 0;
      if (left.count() <= 0 || ::poll(&ready, 1, static_cast<int>(left.count())) <= 0) return std::nullopt;
      if (::read(STDIN_FILENO, &c, 1) != 1) return out.empty() ? std::nullopt : std::optional{out};
      if (c == '\n') return out;
      if (c != '\r' && out.size() < 64) out += c;
    }
  }

 private:
  std::chrono::seconds patience_;
};

}  // namespace demo

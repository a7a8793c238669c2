// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// A QR code as text: one character shows two squares, one above the other.
#pragma once

#include "code.hpp"

#include <string>

namespace demo::qr {

/// terminal(code, colours): lines of UTF-8. With colours black on white is asked for, whatever the terminal has;
/// without, the text is right where it is dark on a light ground.
[[nodiscard]] inline std::string terminal(const code& c, bool colours) {
  static constexpr const char* halves[] = {" ", "\u2580", "\u2584", "\u2588"};  // nothing, upper, lower, both
  std::string out;
  for (std::size_t y = 0; y < c.size(); y += 2) {
    if (colours) out += "\x1b[30;107m";
    for (std::size_t x = 0; x < c.size(); ++x) out += halves[(c.dark(x, y) ? 1 : 0) + (c.dark(x, y + 1) ? 2 : 0)];
    if (colours) out += "\x1b[0m";
    out += '\n';
  }
  return out;
}

}  // namespace demo::qr

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// A QR code as a picture that stays sharp at any size.
#pragma once

#include "code.hpp"

#include <string>

namespace demo::qr {

/// svg(code): an SVG 1.1 document; a square is one unit.
[[nodiscard]] inline std::string svg(const code& c) {
  const std::string size = std::to_string(c.size());
  std::string out =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + size +
      ' ' + size + "\" width=\"" + size + "mm\" height=\"" + size +
      "mm\" shape-rendering=\"crispEdges\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n<path d=\"";
  for (std::size_t y = 0; y < c.size(); ++y) {
    for (std::size_t x = 0; x < c.size(); ++x) {
      if (!c.dark(x, y)) continue;
      const std::size_t from = x;
      while (c.dark(x + 1, y)) ++x;
      const std::string length = std::to_string(x + 1 - from);
      out += 'M' + std::to_string(from) + ' ' + std::to_string(y) + 'h' + length + "v1h-" + length + 'z';
    }
  }
  return out + "\"/>\n</svg>\n";
}

}  // namespace demo::qr

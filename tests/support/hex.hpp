// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Hexadecimal, strictly: what is not a whole number of lower- or upper-case octets throws.
#pragma once

#include <conclave/bytes.hpp>

#include <stdexcept>
#include <string>

namespace conclave_test {

[[nodiscard]] inline conclave::bytes from_hex(std::string_view text) {
  const auto digit = [](char c) -> unsigned {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
    if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
    throw std::invalid_argument("not a hexadecimal digit");
  };
  if (text.size() % 2 != 0) throw std::invalid_argument("an odd number of hexadecimal digits");
  conclave::bytes out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2)
    out.push_back(static_cast<std::uint8_t>(16 * digit(text[i]) + digit(text[i + 1])));
  return out;
}

[[nodiscard]] inline std::string to_hex(conclave::byte_view view) {
  std::string out;
  out.reserve(2 * view.size());
  for (const std::uint8_t octet : view) {
    out += "0123456789abcdef"[octet >> 4U];
    out += "0123456789abcdef"[octet & 15U];
  }
  return out;
}

}  // namespace conclave_test

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// is_utf8: whether bytes are text (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <conclave/bytes.hpp>

namespace conclave::inline CONCLAVE_ABI::detail {

[[nodiscard]] constexpr bool is_utf8(byte_view text) noexcept {
  for (std::size_t i = 0; i < text.size();) {
    const std::uint8_t lead = text[i++];
    if (lead < 0x80) continue;
    const std::size_t more = lead < 0xc2 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf5 ? 3 : 0;
    if (more == 0 || text.size() - i < more) return false;
    const std::uint8_t least = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    const std::uint8_t most = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (text[i] < least || text[i] > most) return false;
    for (std::size_t k = 1; k < more; ++k)
      if (text[i + k] < 0x80 || text[i + k] > 0xbf) return false;
    i += more;
  }
  return true;
}

}  // namespace conclave::detail

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// code: a QR code as dark and light squares, computed by libqrencode.
#pragma once

#include <conclave/bytes.hpp>

#include <qrencode.h>

#include <memory>

namespace demo::qr {

/// quiet: the light border around a code that cameras need, in squares (ISO/IEC 18004, 6.3.8).
inline constexpr std::size_t quiet = 4;

class code {
 public:
  /// of(text): up to some 2300 bytes. Errors: over_limit.
  [[nodiscard]] static conclave::result<code> of(conclave::byte_view text) {
    code out;
    out.squares_.reset(
        QRcode_encodeData(static_cast<int>(text.size()), text.data(), /*smallest version that fits*/ 0, QR_ECLEVEL_M));
    if (!out.squares_) return conclave::errc::over_limit;
    return out;
  }

  /// size(): squares along an edge, with the border.
  [[nodiscard]] std::size_t size() const noexcept { return inner() + 2 * quiet; }

  /// dark(x, y): whether that square is; what is beyond the edges is light.
  [[nodiscard]] bool dark(std::size_t x, std::size_t y) const noexcept {
    if (x < quiet || y < quiet || x >= quiet + inner() || y >= quiet + inner()) return false;
    return (squares_->data[(y - quiet) * inner() + (x - quiet)] & 1U) != 0;
  }

 private:
  struct free {
    void operator()(QRcode* c) const noexcept { QRcode_free(c); }
  };

  [[nodiscard]] std::size_t inner() const noexcept { return static_cast<std::size_t>(squares_->width); }

  std::unique_ptr<QRcode, free> squares_;
};

}  // namespace demo::qr

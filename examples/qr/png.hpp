// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// A QR code as a PNG, written by libpng.
#pragma once

#include "code.hpp"

#include <png.h>

namespace demo::qr {

/// png(code, scale): the content of a file; `scale` pixels along the edge of a square, at least 1. Errors: storage,
/// where libpng fails.
[[nodiscard]] inline conclave::result<conclave::bytes> png(const code& c, std::size_t scale) {
  const std::size_t edge = c.size() * scale;
  conclave::bytes pixels(edge * edge);
  for (std::size_t y = 0; y < edge; ++y)
    for (std::size_t x = 0; x < edge; ++x)
      pixels[y * edge + x] = c.dark(x / scale, y / scale) ? std::uint8_t{0} : std::uint8_t{255};

  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = image.height = static_cast<png_uint_32>(edge);
  image.format = PNG_FORMAT_GRAY;
  png_alloc_size_t size = 0;
  if (png_image_write_to_memory(&image, nullptr, &size, 0, pixels.data(), 0, nullptr) == 0)
    return conclave::errc::storage;
  conclave::bytes out(size);
  if (png_image_write_to_memory(&image, out.data(), &size, 0, pixels.data(), 0, nullptr) == 0)
    return conclave::errc::storage;
  out.resize(size);
  return out;
}

}  // namespace demo::qr

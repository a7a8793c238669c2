// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Writing the presentation language of RFC 9420 (section 2).
#pragma once

#include <conclave/codec/varint.hpp>
#include <conclave/detail/wipe.hpp>

#include <array>

namespace conclave::inline CONCLAVE_ABI {

/// basic_writer: appends to a container the caller owns; `bytes`, or `secret_bytes` where the content is secret.
template <class Container>
class basic_writer {
 public:
  explicit basic_writer(Container& out) noexcept : out_{&out} {}

  void raw(byte_view data) {
    // room first: g++ 12 at -O3 wrongly sees overflows where a small vector grows inside insert()
    const std::size_t size = out_->size() + data.size();
    if (size > out_->capacity()) out_->reserve(std::max<std::size_t>(64, 2 * size));
    out_->insert(out_->end(), data.begin(), data.end());
  }

  template <std::unsigned_integral T>
  void number(T value) {
    std::array<std::uint8_t, sizeof(T)> buffer;
    store_be(value, buffer);
    raw(buffer);
  }

  /// opaque(content): opaque<V>.
  void opaque(byte_view content) {
    length(content.size());
    raw(content);
  }

  /// vector(body): runs `body`, which writes the elements, and puts the header for their length before them.
  template <class Body>
  void vector(Body&& body) {
    const std::size_t start = out_->size();
    body();
    const std::size_t size = out_->size() - start;
    std::array<std::uint8_t, 4> header;
    const std::size_t n = store_varint(checked(size), header);
    out_->insert(out_->begin() + static_cast<std::ptrdiff_t>(start), header.begin(),
                 header.begin() + static_cast<std::ptrdiff_t>(n));
  }

  /// length(n): the header of a vector of n bytes, which the caller writes next.
  void length(std::size_t n) {
    std::array<std::uint8_t, 4> header;
    raw(byte_view{header}.first(store_varint(checked(n), header)));
  }

 private:
  // what this side writes is bounded by limits.hpp long before 2^30 bytes
  [[nodiscard]] static std::uint32_t checked(std::size_t n) noexcept {
    if (n > max_varint) CONCLAVE_PANIC();
    return static_cast<std::uint32_t>(n);
  }

  Container* out_;
};

using writer = basic_writer<bytes>;
using secret_writer = basic_writer<secret_bytes>;

}  // namespace conclave

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// shared_bytes: immutable bytes with shared ownership, and slices of them.
#pragma once

#include <conclave/bytes.hpp>

#include <memory>

namespace conclave::inline CONCLAVE_ABI::detail {

/// shared_bytes: copies share the memory; a slice keeps the whole block alive. Empty by default.
class shared_bytes {
 public:
  shared_bytes() noexcept = default;

  /// copy_of(view): new memory with these bytes.
  [[nodiscard]] static shared_bytes copy_of(byte_view view) {
    shared_bytes out;
    auto block = std::make_shared<std::uint8_t[]>(view.size());
    std::ranges::copy(view, block.get());
    out.data_ = std::shared_ptr<const std::uint8_t>(block, block.get());
    out.size_ = static_cast<std::uint32_t>(view.size());
    return out;
  }

  /// adopt(content): these bytes, where they are.
  [[nodiscard]] static shared_bytes adopt(bytes&& content) {
    shared_bytes out;
    const auto block = std::make_shared<const bytes>(std::move(content));
    out.data_ = std::shared_ptr<const std::uint8_t>(block, block->data());
    out.size_ = static_cast<std::uint32_t>(block->size());
    return out;
  }

  /// slice(view): `view` lies inside these bytes.
  [[nodiscard]] shared_bytes slice(byte_view view) const {
    shared_bytes out;
    out.data_ = std::shared_ptr<const std::uint8_t>(data_, view.data());
    out.size_ = static_cast<std::uint32_t>(view.size());
    return out;
  }

  [[nodiscard]] byte_view view() const noexcept { return {data_.get(), size_}; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

 private:
  std::shared_ptr<const std::uint8_t> data_;
  std::uint32_t size_ = 0;
};

}  // namespace conclave::detail

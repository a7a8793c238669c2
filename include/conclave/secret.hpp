// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// secret<Tag>: a short secret as a type of its own.
#pragma once

#include <conclave/bytes.hpp>
#include <conclave/detail/wipe.hpp>
#include <conclave/result.hpp>

#include <array>
#include <iosfwd>

namespace conclave::inline CONCLAVE_ABI {

namespace detail {
template <class Tag>
struct secret_capacity {
  static constexpr std::size_t value = 64;  // the longest KDF output of any registered suite
};
template <class Tag>
  requires requires { Tag::capacity; }
struct secret_capacity<Tag> {
  static constexpr std::size_t value = Tag::capacity;
};
}  // namespace detail

/// secret<Tag>: up to `capacity` bytes, held in place and named by Tag (a Tag may ask for more with a member
/// `capacity`). It moves and does not copy, wipes itself when it dies or is moved from, has no == and no <<. Every
/// place that looks inside says reveal(), every place that duplicates one says clone(). Threads: as any value type.
/// Lifetime: what reveal() returns lives as long as the secret stays where it is.
template <class Tag>
class secret {
 public:
  static constexpr std::size_t capacity = detail::secret_capacity<Tag>::value;

  /// An empty secret.
  secret() noexcept = default;

  /// A secret of `size` zero bytes, to be filled through writable(). Panics over the capacity, which no input reaches:
  /// lengths come from the suite's parameters.
  explicit secret(std::size_t size) noexcept : size_{static_cast<std::uint8_t>(size)} {
    static_assert(capacity <= 255);
    if (size > capacity) CONCLAVE_PANIC();
  }

  /// copy_of(view): a secret with these bytes. over_limit where they exceed the capacity.
  [[nodiscard]] static result<secret> copy_of(byte_view view) noexcept {
    if (view.size() > capacity) return errc::over_limit;
    secret out(view.size());
    std::ranges::copy(view, out.bytes_.begin());
    return out;
  }

  secret(secret&& other) noexcept : bytes_{other.bytes_}, size_{other.size_} { other.wipe(); }
  secret& operator=(secret&& other) noexcept {
    if (this != &other) {
      wipe();
      bytes_ = other.bytes_;
      size_ = other.size_;
      other.wipe();
    }
    return *this;
  }
  secret(const secret&) = delete;
  secret& operator=(const secret&) = delete;
  ~secret() { wipe(); }

  [[nodiscard]] secret clone() const noexcept {
    secret out(size_);
    out.bytes_ = bytes_;
    return out;
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

  [[nodiscard]] byte_view reveal() const& noexcept { return byte_view{bytes_}.first(size_); }
  byte_view reveal() const&& = delete;

  /// writable(): the bytes to fill in, size() of them.
  [[nodiscard]] byte_span writable() & noexcept { return byte_span{bytes_}.first(size_); }

  /// wipe(): erases the bytes; the secret is empty afterwards.
  void wipe() noexcept {
    detail::secure_wipe(bytes_);
    size_ = 0;
  }

  friend bool operator==(const secret&, const secret&) = delete;
  friend std::ostream& operator<<(std::ostream&, const secret&) = delete;

 private:
  std::array<std::uint8_t, capacity> bytes_{};
  std::uint8_t size_ = 0;
};

}  // namespace conclave

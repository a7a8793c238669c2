// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// An environment that tests command: the same seed gives the same run on every machine.
#pragma once

#include <conclave/crypto/provider.hpp>
#include <conclave/environment.hpp>

#include <limits>
#include <utility>

namespace conclave_test {

/// deterministic_environment: SHA-256 in counter mode for randomness, clocks that stand still until they are moved.
class deterministic_environment final : public conclave::environment {
 public:
  explicit deterministic_environment(std::uint64_t seed) noexcept : seed_{seed} {}

  [[nodiscard]] conclave::status random(conclave::byte_span out) noexcept override {
    std::ranges::fill(out, std::uint8_t{0});
    if (calls_left_ == 0) {
      has_failed_ = true;
      if (once_) calls_left_ = unlimited;
      return conclave::errc::no_entropy;
    }
    --calls_left_;
    while (!out.empty()) {
      std::array<std::uint8_t, 16> input;
      conclave::store_be(seed_, input);
      conclave::store_be(block_++, conclave::byte_span{input}.subspan(8));
      std::array<std::uint8_t, 32> block;
      const std::array<conclave::byte_view, 1> parts{input};
      conclave::default_provider::hash(conclave::hash_id::sha256, parts, block);
      const std::size_t n = std::min(out.size(), block.size());
      std::copy_n(block.begin(), n, out.begin());
      out = out.subspan(n);
    }
    return {};
  }
  [[nodiscard]] conclave::unix_time wall() noexcept override { return wall_; }
  [[nodiscard]] conclave::steady_time steady() noexcept override { return steady_; }

  /// advance(d): both clocks go on.
  void advance(std::chrono::seconds d) noexcept {
    wall_ += d;
    steady_ += d;
  }
  /// fail_after(n): n more calls of random() succeed; the rest fails until recover(), which says whether any has.
  /// fail_once_after(n): of the rest only the first.
  void fail_after(std::uint64_t n) noexcept {
    calls_left_ = n;
    once_ = false;
  }
  void fail_once_after(std::uint64_t n) noexcept {
    calls_left_ = n;
    once_ = true;
  }
  bool recover() noexcept {
    calls_left_ = unlimited;
    return std::exchange(has_failed_, false);
  }

  /// below(n): a number from 0 to n - 1, for choices of a test; n > 0.
  [[nodiscard]] std::size_t below(std::size_t n) noexcept {
    std::array<std::uint8_t, 8> raw;
    (void)random(raw).has_value();
    return static_cast<std::size_t>(conclave::load_be<std::uint64_t>(raw) % n);
  }

 private:
  static constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

  std::uint64_t seed_;
  std::uint64_t block_ = 0;
  std::uint64_t calls_left_ = unlimited;
  bool once_ = false, has_failed_ = false;
  conclave::unix_time wall_{std::chrono::seconds{1'750'000'000}};
  conclave::steady_time steady_{1'000'000};
};

}  // namespace conclave_test

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// An environment whose random bytes are written down beforehand.
#pragma once

#include <conclave/environment.hpp>

namespace conclave_test {

/// scripted_environment: hands out the given bytes as random ones, and has no entropy afterwards. Time stands still.
class scripted_environment final : public conclave::environment {
 public:
  explicit scripted_environment(conclave::bytes script) : script_{std::move(script)} {}

  [[nodiscard]] conclave::status random(conclave::byte_span out) noexcept override {
    if (out.size() > script_.size() - at_) {
      std::ranges::fill(out, std::uint8_t{0});
      return conclave::errc::no_entropy;
    }
    std::ranges::copy(conclave::byte_view{script_}.subspan(at_, out.size()), out.begin());
    at_ += out.size();
    return {};
  }
  [[nodiscard]] conclave::unix_time wall() noexcept override { return {}; }
  [[nodiscard]] conclave::steady_time steady() noexcept override { return {}; }

 private:
  conclave::bytes script_;
  std::size_t at_ = 0;
};

}  // namespace conclave_test

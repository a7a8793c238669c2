// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// output_guard: an output that is zeroed unless the work succeeds.
#pragma once

#include <conclave/detail/wipe.hpp>

namespace conclave::inline CONCLAVE_ABI::detail {

/// output_guard(out): wipes `out` when the scope ends by an error or an exception; keep() says that it is good.
class [[nodiscard]] output_guard {
 public:
  explicit output_guard(byte_span out) noexcept : out_{out} {}
  output_guard(const output_guard&) = delete;
  output_guard& operator=(const output_guard&) = delete;
  ~output_guard() { secure_wipe(out_); }

  void keep() noexcept { out_ = {}; }

 private:
  byte_span out_;
};

}  // namespace conclave::detail

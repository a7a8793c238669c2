// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What operator new has given out in this program (defined in memory.cpp).
#pragma once

#include <cstddef>

namespace sframe_test {

/// allocations(): calls of operator new so far; live_bytes(): what has not been given back.
std::size_t allocations() noexcept;
std::size_t live_bytes() noexcept;

}  // namespace sframe_test

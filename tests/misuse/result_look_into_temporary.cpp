// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expect-error: deleted
#include <conclave/bytes.hpp>
#include <conclave/result.hpp>

using namespace conclave;

result<bytes> read();

#ifdef CONCLAVE_MISUSE
byte_view found() { return {read()->data(), 1}; }  // of what is gone
#else
std::uint8_t found() {
  const auto got = read();
  return got ? got->front() : std::uint8_t{};
}
#endif

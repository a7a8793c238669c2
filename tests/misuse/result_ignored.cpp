// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expect-error: nodiscard
#include <conclave/result.hpp>

conclave::result<int> count();

int total() {
#ifdef CONCLAVE_MISUSE
  count();
  return 0;
#else
  return *count();
#endif
}

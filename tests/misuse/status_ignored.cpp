// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expect-error: nodiscard
#include <conclave/result.hpp>

conclave::status save();

void stop() {
#ifdef CONCLAVE_MISUSE
  save();
#else
  if (!save()) CONCLAVE_PANIC();
#endif
}

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expect-error: deleted
#include <conclave/meeting/recording.hpp>

using conclave::recording::recorder;

recorder hand_over(recorder& tape) {
#ifdef CONCLAVE_MISUSE
  return tape;  // both would write to the same places
#else
  return std::move(tape);
#endif
}

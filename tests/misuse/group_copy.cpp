// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expect-error: deleted
#include <conclave/mls/group.hpp>

using conclave::mls::group;

group hand_over(group& room) {
#ifdef CONCLAVE_MISUSE
  return room;  // both would use the same keys
#else
  return std::move(room);
#endif
}

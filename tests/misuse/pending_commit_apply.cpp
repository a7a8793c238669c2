// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expect-error: rvalue reference
#include <conclave/mls/group.hpp>

using conclave::mls::group;

bool accepted(group& room, group::pending& commit) {
#ifdef CONCLAVE_MISUSE
  return room.apply(commit).has_value();  // it would still be there, to be applied again
#else
  return room.apply(std::move(commit)).has_value();
#endif
}

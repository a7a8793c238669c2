// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expect-error: deleted
#include <conclave/mls/group.hpp>

using conclave::mls::group;

group::pending keep(group::pending& commit) {
#ifdef CONCLAVE_MISUSE
  return commit;  // two of them, and both could be applied
#else
  return std::move(commit);
#endif
}

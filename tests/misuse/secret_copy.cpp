// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expect-error: deleted
#include <conclave/secret.hpp>

struct epoch_tag;
using epoch_secret = conclave::secret<epoch_tag>;

epoch_secret duplicate(const epoch_secret& from) {
#ifdef CONCLAVE_MISUSE
  return from;
#else
  return from.clone();
#endif
}

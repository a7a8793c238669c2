// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expect-error: deleted
#include <conclave/secret.hpp>

struct epoch_tag;
using epoch_secret = conclave::secret<epoch_tag>;

conclave::byte_view look(const epoch_secret& secret) {
#ifdef CONCLAVE_MISUSE
  return secret.clone().reveal();
#else
  return secret.reveal();
#endif
}

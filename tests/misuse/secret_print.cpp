// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expect-error: deleted
#include <conclave/secret.hpp>

struct epoch_tag;
using epoch_secret = conclave::secret<epoch_tag>;

#include <ostream>

void log(std::ostream& out, const epoch_secret& secret) {
#ifdef CONCLAVE_MISUSE
  out << secret;
#else
  out << secret.size();
#endif
}

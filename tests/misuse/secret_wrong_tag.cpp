// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expect-error: no matching function|cannot convert|could not convert|no viable|invalid initialization
#include <conclave/secret.hpp>

struct epoch_tag;
using epoch_secret = conclave::secret<epoch_tag>;

struct sender_tag;
void use(const epoch_secret&);
void mix(const epoch_secret& epoch, const conclave::secret<sender_tag>& sender);

void mix(const epoch_secret& epoch, const conclave::secret<sender_tag>& sender) {
#ifdef CONCLAVE_MISUSE
  use(sender);
#else
  use(epoch);
#endif
  (void)epoch;
  (void)sender;
}

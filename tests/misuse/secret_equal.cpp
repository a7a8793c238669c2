// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expect-error: deleted
#include <conclave/detail/ct.hpp>
#include <conclave/secret.hpp>

struct epoch_tag;
using epoch_secret = conclave::secret<epoch_tag>;

bool same(const epoch_secret& a, const epoch_secret& b) {
#ifdef CONCLAVE_MISUSE
  return a == b;
#else
  return conclave::detail::ct_equal(a.reveal(), b.reveal());
#endif
}

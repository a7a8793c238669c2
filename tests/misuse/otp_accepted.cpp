// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expect-error: private
#include <conclave/otp/sign_in.hpp>

#include <utility>

namespace otp = conclave::otp;

// only a second factor says that a code was right
bool pretend(const otp::policy& p, const otp::person& who, conclave::unix_time now) {
#ifdef CONCLAVE_MISUSE
  const otp::accepted mine(who.name, 1, 0);
  const otp::evidence shown{false, true, &mine};
#else
  const otp::evidence shown{false, true};
#endif
  return otp::decide(p, who, {}, shown, now).stage == otp::stage::signed_in;
}

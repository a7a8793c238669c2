// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Every provider that is built in, one after the other.
#pragma once

#include <conclave/crypto/provider.hpp>

namespace conclave_test {

/// for_each_provider(work): calls work.operator()<P>(name) for each library on its own and for their composition. Gives
/// the number of calls that returned true: how many providers served what was tested.
template <class F>
int for_each_provider(F&& work) {
  using namespace conclave;
  int served = 0;
  served += work.template operator()<default_provider>("default_provider");
  served += work.template operator()<sodium>("sodium");
#if CONCLAVE_WITH_BOTAN
  served += work.template operator()<botan>("botan");
#endif
#if CONCLAVE_WITH_OPENSSL
  served += work.template operator()<openssl>("openssl");
#endif
  return served;
}

/// How many of these serve what libsodium, Botan and OpenSSL serve: the composition serves what any of them does.
[[nodiscard]] inline int servers(bool in_sodium, bool in_botan, bool in_openssl) {
  const int libraries =
      (in_sodium ? 1 : 0) + (in_botan ? CONCLAVE_WITH_BOTAN : 0) + (in_openssl ? CONCLAVE_WITH_OPENSSL : 0);
  return libraries == 0 ? 0 : libraries + 1;
}

}  // namespace conclave_test

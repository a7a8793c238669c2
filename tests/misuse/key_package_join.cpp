// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expect-error: rvalue reference
#include <conclave/mls/group.hpp>

using namespace conclave;
using mls::group;

result<group> enter(environment& env, mls::client& me, mls::prepared_key_package& package, byte_view welcome) {
#ifdef CONCLAVE_MISUSE
  return group::join(env, std::move(me), package, welcome, {}, {});  // a key package is for one group
#else
  return group::join(env, std::move(me), std::move(package), welcome, {}, {});
#endif
}

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// KeyPackage: what a client publishes so that it can be added (RFC 9420, section 10).
#pragma once

#include <conclave/mls/leaf_node.hpp>

namespace conclave::inline CONCLAVE_ABI::mls {

struct key_package {
  protocol_version version{};
  cipher_suite suite{};
  byte_view init_key;
  located_leaf leaf;
  extension_list extensions;
  byte_view signature;

  static constexpr auto fields(auto& self) {
    return std::tie(self.version, self.suite, self.init_key, self.leaf, self.extensions, self.signature);
  }
};

/// A KeyPackage with the bytes it was decoded from.
using located_key_package = wire::located<key_package>;

/// key_package_ref(suite, encoded): KeyPackageRef (RFC 9420 5.2).
template <crypto_provider P>
[[nodiscard]] digest key_package_ref(const basic_suite<P>& s, byte_view encoded) {
  return s.ref_hash("MLS 1.0 KeyPackage Reference", encoded);
}

}  // namespace conclave::mls

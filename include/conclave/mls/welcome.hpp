// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Welcome and GroupInfo: the structures (RFC 9420, section 12.4.3).
#pragma once

#include <conclave/mls/group_context.hpp>
#include <conclave/mls/psk.hpp>

namespace conclave::inline CONCLAVE_ABI::mls {

struct group_info {
  group_context context;
  extension_list extensions;
  byte_view confirmation_tag;
  leaf_index signer{};
  byte_view signature;

  static constexpr auto fields(auto& self) {
    return std::tie(self.context, self.extensions, self.confirmation_tag, self.signer, self.signature);
  }
};
using located_group_info = wire::located<group_info>;

struct group_secrets {
  struct path_secret_field {
    byte_view path_secret;
    static constexpr auto fields(auto& self) { return std::tie(self.path_secret); }
  };
  byte_view joiner_secret;
  std::optional<path_secret_field> path_secret;
  wire::list<pre_shared_key_id> psks;

  static constexpr auto fields(auto& self) { return std::tie(self.joiner_secret, self.path_secret, self.psks); }
};

struct encrypted_group_secrets {
  byte_view new_member;  ///< KeyPackageRef
  hpke_ciphertext encrypted;
  static constexpr auto fields(auto& self) { return std::tie(self.new_member, self.encrypted); }
};

struct welcome {
  cipher_suite suite{};
  wire::list<encrypted_group_secrets> secrets;
  byte_view encrypted_group_info;
  static constexpr auto fields(auto& self) { return std::tie(self.suite, self.secrets, self.encrypted_group_info); }
};

}  // namespace conclave::mls

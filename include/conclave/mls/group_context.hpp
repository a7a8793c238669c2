// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// GroupContext: what all members of an epoch agree on (RFC 9420, section 8.1).
#pragma once

#include <conclave/mls/suite.hpp>

namespace conclave::inline CONCLAVE_ABI::mls {

struct group_context {
  protocol_version version = protocol_version::mls10;
  cipher_suite suite{};
  byte_view group_id;
  std::uint64_t epoch = 0;
  byte_view tree_hash;
  byte_view confirmed_transcript_hash;
  extension_list extensions;

  static constexpr auto fields(auto& self) {
    return std::tie(self.version, self.suite, self.group_id, self.epoch, self.tree_hash, self.confirmed_transcript_hash,
                    self.extensions);
  }
};

}  // namespace conclave::mls

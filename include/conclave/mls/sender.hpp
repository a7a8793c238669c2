// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Sender: who sent a handshake or application message (RFC 9420, section 6).
#pragma once

#include <conclave/mls/rules.hpp>
#include <conclave/mls/types.hpp>

namespace conclave::inline CONCLAVE_ABI::mls {

/// sender: `index` is the leaf of a member or the position in external_senders; 0 for new members.
struct sender {
  sender_type type = sender_type::member;
  std::uint32_t index = 0;

  [[nodiscard]] static result<sender> read(reader& in) {
    sender out;
    CONCLAVE_TRY(out.type, wire::read<sender_type>(in));
    if (out.type < sender_type::member || out.type > sender_type::new_member_commit)
      return failure{errc::malformed, rules::known_sender_type};
    if (out.has_index()) {
      CONCLAVE_TRY(out.index, in.number<std::uint32_t>());
    }
    return out;
  }
  void write(auto& out) const {
    wire::write(out, type);
    if (has_index()) out.number(index);
  }
  [[nodiscard]] bool has_index() const noexcept { return type == sender_type::member || type == sender_type::external; }
};

}  // namespace conclave::mls

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Registered numbers of MLS (RFC 9420, section 17) and the two kinds of index. Unknown numbers are legal values.
#pragma once

#include <conclave/codec/wire.hpp>
#include <conclave/interfaces.hpp>

#include <compare>

namespace conclave::inline CONCLAVE_ABI::mls {

enum class protocol_version : std::uint16_t { mls10 = 1 };

enum class wire_format : std::uint16_t {
  public_message = 1,
  private_message = 2,
  welcome = 3,
  group_info = 4,
  key_package = 5,
};

enum class content_type : std::uint8_t { application = 1, proposal = 2, commit = 3 };

enum class sender_type : std::uint8_t { member = 1, external = 2, new_member_proposal = 3, new_member_commit = 4 };

enum class proposal_type : std::uint16_t {
  add = 1,
  update = 2,
  remove = 3,
  psk = 4,
  reinit = 5,
  external_init = 6,
  group_context_extensions = 7,
  self_remove = 0x000a,  ///< draft-ietf-mls-extensions
};

enum class extension_type : std::uint16_t {
  application_id = 1,
  ratchet_tree = 2,
  required_capabilities = 3,
  external_pub = 4,
  external_senders = 5,
  last_resort = 0x000a,  ///< of key packages: may be used more than once
};

using conclave::credential_type;  // which validators outside MLS know as well

enum class leaf_node_source : std::uint8_t { key_package = 1, update = 2, commit = 3 };

enum class node_type : std::uint8_t { leaf = 1, parent = 2 };

/// A proposal or extension type that every client implements and nobody lists (RFC 9420 7.2).
[[nodiscard]] constexpr bool is_default(proposal_type type) noexcept {
  return type >= proposal_type::add && type <= proposal_type::group_context_extensions;
}
[[nodiscard]] constexpr bool is_default(extension_type type) noexcept {
  return type >= extension_type::application_id && type <= extension_type::external_senders;
}

/// grease(seed): one of the 15 values 0x0A0A, 0x1A1A, ... 0xEAEA that nobody may give a meaning (RFC 9420 13.5).
[[nodiscard]] constexpr std::uint16_t grease(std::uint8_t seed) noexcept {
  return static_cast<std::uint16_t>(0x0a0a + 0x1010 * (seed % 15));
}

/// leaf_index counts leaves from the left, node_index counts nodes in the array of RFC 9420 appendix C.
enum class leaf_index : std::uint32_t {};
enum class node_index : std::uint32_t {};

[[nodiscard]] constexpr std::uint32_t number(leaf_index i) noexcept { return static_cast<std::uint32_t>(i); }
[[nodiscard]] constexpr std::uint32_t number(node_index i) noexcept { return static_cast<std::uint32_t>(i); }

/// extension: RFC 9420 section 7.2.
struct extension {
  extension_type type{};
  byte_view data;
  static constexpr auto fields(auto& self) { return std::tie(self.type, self.data); }
};
using extension_list = wire::list<extension>;

/// find(extensions, type): the data of the first extension of this type.
[[nodiscard]] inline std::optional<byte_view> find(const extension_list& extensions, extension_type type) {
  for (const extension e : extensions)
    if (e.type == type) return e.data;
  return std::nullopt;
}

}  // namespace conclave::mls

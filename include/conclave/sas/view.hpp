// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// view: what one member believes the meeting to be in an epoch. Somebody in between can make two halves of a meeting
/// believe two different things, but not the same one.
#pragma once

#include <conclave/codec/wire.hpp>
#include <conclave/crypto/concepts.hpp>

#include <vector>

namespace conclave::inline CONCLAVE_ABI::sas {

/// view: from the GroupContext (RFC 9420 8.1) and the key schedule (RFC 9420 8.7). It points into what it was made of.
struct view {
  byte_view group_id;
  std::uint64_t epoch = 0;
  std::uint16_t cipher_suite = 0;
  byte_view tree_hash;
  byte_view confirmed_transcript_hash;
  byte_view epoch_authenticator;
  static constexpr auto fields(auto& self) {
    return std::tie(self.group_id, self.epoch, self.cipher_suite, self.tree_hash, self.confirmed_transcript_hash,
                    self.epoch_authenticator);
  }
};

/// view_hash<P>(hash, view): H("conclave sas view" || View). `hash` is that of the epoch's cipher suite.
template <crypto_provider P>
[[nodiscard]] digest view_hash(hash_id hash, const view& v) {
  const bytes encoded = wire::encode(v);
  const std::array<byte_view, 2> parts{as_bytes("conclave sas view"), encoded};
  digest out(hash_size(hash));
  P::hash(hash, parts, out.writable());
  return out;
}

/// member: one leaf, as far as it says who somebody is.
struct member {
  std::uint32_t leaf = 0;
  byte_view signature_key;
  std::uint16_t credential_type = 0;
  byte_view credential;
  static constexpr auto fields(auto& self) {
    return std::tie(self.leaf, self.signature_key, self.credential_type, self.credential);
  }
};

/// members_hash<P>(hash, members): changes where somebody is added or removed, or gets another key or credential. The
/// members are in leaf order.
template <crypto_provider P>
[[nodiscard]] digest members_hash(hash_id hash, std::span<const member> members) {
  const bytes encoded = wire::encode_items(members);
  const std::array<byte_view, 2> parts{as_bytes("conclave sas members"), encoded};
  digest out(hash_size(hash));
  P::hash(hash, parts, out.writable());
  return out;
}

/// epoch_view: an epoch, for a verification.
struct epoch_view {
  std::uint64_t epoch = 0;
  hash_id hash{};  ///< of the cipher suite's KDF
  std::uint32_t own_leaf = 0;
  digest view;     ///< view_hash()
  digest members;  ///< members_hash()
};

}  // namespace conclave::sas

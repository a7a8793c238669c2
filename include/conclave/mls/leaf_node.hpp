// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// LeafNode: how one client appears in the tree (RFC 9420, section 7.2).
#pragma once

#include <conclave/mls/credential.hpp>
#include <conclave/mls/suite.hpp>

namespace conclave::inline CONCLAVE_ABI::mls {

struct capabilities {
  wire::list<protocol_version> versions;
  wire::list<cipher_suite> cipher_suites;
  wire::list<extension_type> extensions;
  wire::list<proposal_type> proposals;
  wire::list<credential_type> credentials;

  static constexpr auto fields(auto& self) {
    return std::tie(self.versions, self.cipher_suites, self.extensions, self.proposals, self.credentials);
  }

  /// supports(x): listed, or among the defaults that are never listed.
  [[nodiscard]] bool supports(protocol_version x) const { return lists(versions, x); }
  [[nodiscard]] bool supports(cipher_suite x) const { return lists(cipher_suites, x); }
  [[nodiscard]] bool supports(credential_type x) const { return lists(credentials, x); }
  [[nodiscard]] bool supports(extension_type x) const { return is_default(x) || lists(extensions, x); }
  [[nodiscard]] bool supports(proposal_type x) const { return is_default(x) || lists(proposals, x); }

 private:
  template <class T>
  [[nodiscard]] static bool lists(const wire::list<T>& list, T wanted) {
    for (const T x : list)
      if (x == wanted) return true;
    return false;
  }
};

/// lifetime: seconds since 1970, both ends included.
struct lifetime {
  std::uint64_t not_before = 0;
  std::uint64_t not_after = 0;

  static constexpr auto fields(auto& self) { return std::tie(self.not_before, self.not_after); }

  [[nodiscard]] bool covers(unix_time t) const noexcept {
    const auto now = static_cast<std::uint64_t>(t.time_since_epoch().count());
    return not_before <= now && now <= not_after;
  }
  /// lasts_at_most(most): in all, whenever it began; seconds::max() is any.
  [[nodiscard]] bool lasts_at_most(std::chrono::seconds most) const noexcept {
    const bool limited = most != std::chrono::seconds::max();
    return not_before <= not_after && !(limited && not_after - not_before > static_cast<std::uint64_t>(most.count()));
  }
};

struct leaf_node {
  byte_view encryption_key;
  byte_view signature_key;
  mls::credential credential;
  mls::capabilities capabilities;
  leaf_node_source source{};
  mls::lifetime lifetime;  ///< source key_package
  byte_view parent_hash;   ///< source commit
  extension_list extensions;
  byte_view signature;

  [[nodiscard]] static result<leaf_node> read(reader& in) {
    leaf_node out;
    CONCLAVE_TRY(out.encryption_key, in.opaque());
    CONCLAVE_TRY(out.signature_key, in.opaque());
    CONCLAVE_TRY(out.credential, mls::credential::read(in));
    CONCLAVE_TRY(out.capabilities, wire::read<mls::capabilities>(in));
    CONCLAVE_TRY(out.source, wire::read<leaf_node_source>(in));
    switch (out.source) {
      case leaf_node_source::key_package: {
        CONCLAVE_TRY(out.lifetime, wire::read<mls::lifetime>(in));
        break;
      }
      case leaf_node_source::update: break;
      case leaf_node_source::commit: {
        CONCLAVE_TRY(out.parent_hash, in.opaque());
        break;
      }
      default: return failure{errc::malformed, rules::known_leaf_node_source};
    }
    CONCLAVE_TRY(out.extensions, wire::read<extension_list>(in));
    CONCLAVE_TRY(out.signature, in.opaque());
    return out;
  }

  void write(auto& out) const {
    write_unsigned(out);
    out.opaque(signature);
  }

  /// The fields above the signature, the first part of LeafNodeTBS.
  void write_unsigned(auto& out) const {
    out.opaque(encryption_key);
    out.opaque(signature_key);
    credential.write(out);
    wire::write(out, capabilities);
    wire::write(out, source);
    if (source == leaf_node_source::key_package) wire::write(out, lifetime);
    if (source == leaf_node_source::commit) out.opaque(parent_hash);
    wire::write(out, extensions);
  }
};

/// A LeafNode with the bytes it was decoded from.
using located_leaf = wire::located<leaf_node>;

/// The prefix of a signed structure that its signature covers; the signature is its last field.
[[nodiscard]] inline byte_view without_signature(byte_view encoded, byte_view signature) noexcept {
  return encoded.first(encoded.size() - varint_size(signature.size()) - signature.size());
}

/// leaf_node_tbs(unsigned fields, source, group_id, index): LeafNodeTBS. Outside a group (source key_package) the last
/// two are not covered.
[[nodiscard]] inline bytes leaf_node_tbs(byte_view unsigned_fields, leaf_node_source source, byte_view group_id,
                                         leaf_index index) {
  bytes out = to_bytes(unsigned_fields);
  if (source != leaf_node_source::key_package) {
    writer w{out};
    w.opaque(group_id);
    w.number(number(index));
  }
  return out;
}
[[nodiscard]] inline bytes leaf_node_tbs(const located_leaf& leaf, byte_view group_id, leaf_index index) {
  return leaf_node_tbs(without_signature(leaf.encoded, leaf->signature), leaf->source, group_id, index);
}

}  // namespace conclave::mls

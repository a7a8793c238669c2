// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// client: what one device brings into every group, and the leaf nodes and key packages it makes.
#pragma once

#include <conclave/mls/key_package.hpp>

namespace conclave::inline CONCLAVE_ABI::mls {

/// client: a credential with its signature key, and what the device supports beyond the defaults (RFC 9420 7.2).
struct client {
  signature_key signer;
  mls::credential_type credential_type = mls::credential_type::basic;
  bytes credential;                           ///< as in mls::credential::data
  std::vector<extension_type> extensions;     ///< non-default ones that are supported
  std::vector<proposal_type> proposals;       ///< non-default ones that are supported
  std::vector<mls::credential_type> credentials{mls::credential_type::basic, mls::credential_type::x509};

  [[nodiscard]] client clone() const {
    return {signer.clone(), credential_type, credential, extensions, proposals, credentials};
  }
};

/// leaf_place: what distinguishes the three sources of a leaf node.
struct leaf_place {
  leaf_node_source source = leaf_node_source::key_package;
  mls::lifetime lifetime;   ///< source key_package
  byte_view parent_hash;    ///< source commit
  byte_view group_id;       ///< sources update and commit
  leaf_index index{};       ///< sources update and commit
};

/// make_leaf(env, suite, client, encryption_key, place): a signed LeafNode, encoded. Errors: misuse where the client's key is
/// not of the suite's signature scheme; what signing says.
template <crypto_provider P>
[[nodiscard]] result<bytes> make_leaf(environment& env, const basic_suite<P>& s, const client& who,
                                      byte_view encryption_key, const leaf_place& place) {
  if (who.signer.scheme() != s.signature()) return errc::misuse;
  const auto list_of = []<class T>(const bytes& items, const std::vector<T>& values) {
    return wire::list<T>::of(items, values.size());
  };
  const std::vector versions{protocol_version::mls10};
  std::vector<cipher_suite> suites;
  for (std::uint16_t id = 1; id <= 7; ++id)
    if (const auto served = basic_suite<P>::make(cipher_suite{id}); served && served->signature() == s.signature())
      suites.push_back(cipher_suite{id});
  const bytes versions_items = wire::encode_items(versions), suites_items = wire::encode_items(suites),
              extension_items = wire::encode_items(who.extensions),
              proposal_items = wire::encode_items(who.proposals),
              credential_items = wire::encode_items(who.credentials);

  leaf_node leaf;
  leaf.encryption_key = encryption_key;
  leaf.signature_key = who.signer.public_view();
  leaf.credential = {who.credential_type, who.credential};
  leaf.capabilities = {list_of(versions_items, versions), list_of(suites_items, suites),
                       list_of(extension_items, who.extensions), list_of(proposal_items, who.proposals),
                       list_of(credential_items, who.credentials)};
  leaf.source = place.source;
  leaf.lifetime = place.lifetime;
  leaf.parent_hash = place.parent_hash;

  bytes out;
  writer w{out};
  leaf.write_unsigned(w);
  CONCLAVE_TRY(const auto signature,
               s.sign_with_label(env, who.signer, "LeafNodeTBS",
                                 leaf_node_tbs(out, place.source, place.group_id, place.index)));
  w.opaque(signature);
  return out;
}

/// prepared_key_package: a KeyPackage to publish and the private keys to keep for it. One-time: joining consumes it.
struct prepared_key_package {
  bytes message;         ///< the MLSMessage
  digest reference;      ///< KeyPackageRef
  hpke::key_pair init;
  hpke::key_pair leaf;

  /// key_package(): the encoded KeyPackage inside the message.
  [[nodiscard]] byte_view key_package() const noexcept { return byte_view{message}.subspan(4); }
};

/// make_key_package(env, suite, client, lifetime): Errors: no_entropy, misuse (as make_leaf). Lifetimes count from
/// env.wall(), an hour back for clocks that are slow.
template <crypto_provider P>
[[nodiscard]] result<prepared_key_package> make_key_package(environment& env, const basic_suite<P>& s,
                                                            const client& who, std::chrono::seconds valid_for) {
  prepared_key_package out;
  CONCLAVE_TRY(out.init, hpke::generate_key_pair<P>(env, s.hpke_suite().kem));
  CONCLAVE_TRY(out.leaf, hpke::generate_key_pair<P>(env, s.hpke_suite().kem));

  const auto now = env.wall().time_since_epoch();
  leaf_place place;
  place.lifetime = {static_cast<std::uint64_t>((now - std::chrono::hours{1}).count()),
                    static_cast<std::uint64_t>((now + valid_for).count())};
  CONCLAVE_TRY(const auto leaf, make_leaf(env, s, who, out.leaf.pub.view(), place));

  writer w{out.message};
  wire::write(w, protocol_version::mls10);
  wire::write(w, wire_format::key_package);
  wire::write(w, protocol_version::mls10);
  wire::write(w, s.id());
  w.opaque(out.init.pub.view());
  w.raw(leaf);
  w.opaque({});  // no extensions
  CONCLAVE_TRY(const auto signature, s.sign_with_label(env, who.signer, "KeyPackageTBS", out.key_package()));
  w.opaque(signature);
  out.reference = key_package_ref(s, out.key_package());
  return out;
}

}  // namespace conclave::mls

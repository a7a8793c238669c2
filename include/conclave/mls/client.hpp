// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// client: what one device brings into every group, and the leaf nodes and key packages it makes.
#pragma once

#include <conclave/mls/key_package.hpp>

namespace conclave::inline CONCLAVE_ABI::mls {

/// client: a credential with its signature key, and what the device supports beyond the defaults (RFC 9420 7.2).
struct client {
  signature_key signer;
  mls::credential_type credential_type = mls::credential_type::basic;
  bytes credential{};                        ///< as in mls::credential::data
  std::vector<extension_type> extensions{};  ///< non-default ones that are supported
  std::vector<proposal_type> proposals{};    ///< non-default ones that are supported
  std::vector<mls::credential_type> credentials{mls::credential_type::basic, mls::credential_type::x509};
  bytes leaf_extensions{};  ///< the items that each of its leaf nodes carries; `extensions` lists their types

  [[nodiscard]] client clone() const {
    return {signer.clone(), credential_type, credential, extensions, proposals, credentials, leaf_extensions};
  }
};

/// leaf_place: what distinguishes the three sources of a leaf node.
struct leaf_place {
  leaf_node_source source = leaf_node_source::key_package;
  mls::lifetime lifetime;                 ///< source key_package
  byte_view parent_hash;                  ///< source commit
  byte_view group_id;                     ///< sources update and commit
  leaf_index index{};                     ///< sources update and commit
  std::optional<std::uint16_t> grease{};  ///< the GREASE value to list; a random one where there is none
};

/// make_leaf(env, suite, client, encryption_key, place): a signed LeafNode, encoded. Errors: misuse where the client's
/// key is not of the suite's signature scheme, or its leaf extensions are no list of them; what signing says.
template <crypto_provider P>
[[nodiscard]] result<bytes> make_leaf(environment& env, const basic_suite<P>& s, const client& who,
                                      byte_view encryption_key, const leaf_place& place) {
  if (who.signer.scheme() != s.signature()) return errc::misuse;
  const auto list_of = []<class T>(const bytes& items, const std::vector<T>& values) {
    return wire::list<T>::of(items, values.size());
  };
  std::uint16_t noise = place.grease.value_or(0);  // RFC 9420 13.5
  if (!place.grease) {
    std::array<std::uint8_t, 1> random_byte;
    CONCLAVE_CHECK(env.random(random_byte));
    noise = grease(random_byte[0]);
  }
  const auto with_noise = [&]<class T>(std::vector<T> values) {
    values.push_back(T{noise});
    return values;
  };
  const std::vector versions{protocol_version::mls10};
  std::vector<cipher_suite> suites;
  for (std::uint16_t id = 1; id <= 7; ++id)
    if (const auto served = basic_suite<P>::make(cipher_suite{id}); served && served->signature() == s.signature())
      suites.push_back(cipher_suite{id});
  suites = with_noise(std::move(suites));
  const auto extensions = with_noise(who.extensions);
  const auto proposals = with_noise(who.proposals);
  const auto credentials = with_noise(who.credentials);
  const bytes versions_items = wire::encode_items(versions), suites_items = wire::encode_items(suites),
              extension_items = wire::encode_items(extensions), proposal_items = wire::encode_items(proposals),
              credential_items = wire::encode_items(credentials);

  leaf_node leaf;
  leaf.encryption_key = encryption_key;
  leaf.signature_key = who.signer.public_view();
  leaf.credential = {who.credential_type, who.credential};
  leaf.capabilities = {list_of(versions_items, versions), list_of(suites_items, suites),
                       list_of(extension_items, extensions), list_of(proposal_items, proposals),
                       list_of(credential_items, credentials)};
  leaf.source = place.source;
  leaf.lifetime = place.lifetime;
  leaf.parent_hash = place.parent_hash;
  const auto own_extensions = extension_list::check(who.leaf_extensions);
  if (!own_extensions) return errc::misuse;
  leaf.extensions = *own_extensions;

  bytes out;
  writer w{out};
  leaf.write_unsigned(w);
  CONCLAVE_TRY(const auto signature, s.sign_with_label(env, who.signer, "LeafNodeTBS",
                                                       leaf_node_tbs(out, place.source, place.group_id, place.index)));
  w.opaque(signature);
  return out;
}

/// prepared_key_package: a KeyPackage to publish and the private keys to keep for it. One-time: joining consumes it.
struct prepared_key_package {
  bytes message;     ///< the MLSMessage
  digest reference;  ///< KeyPackageRef
  hpke::key_pair init;
  hpke::key_pair leaf;
  bool last_resort = false;  ///< joining does not use it up

  /// key_package(): the encoded KeyPackage inside the message.
  [[nodiscard]] byte_view key_package() const noexcept { return byte_view{message}.subspan(4); }
};

/// key_package_options: `last_resort` marks a package that may be used more than once (the client lists the extension).
struct key_package_options {
  std::chrono::seconds valid_for = std::chrono::hours{24};
  bool last_resort = false;
};

/// make_key_package(env, suite, client, options): Errors: no_entropy, misuse (as make_leaf). Lifetimes count from
/// env.wall(), an hour back for clocks that are slow.
template <crypto_provider P>
[[nodiscard]] result<prepared_key_package> make_key_package(environment& env, const basic_suite<P>& s,
                                                            const client& who, const key_package_options& options) {
  prepared_key_package out;
  CONCLAVE_TRY(out.init, hpke::generate_key_pair<P>(env, s.hpke_suite().kem));
  CONCLAVE_TRY(out.leaf, hpke::generate_key_pair<P>(env, s.hpke_suite().kem));

  const auto now = env.wall().time_since_epoch();
  leaf_place place;
  place.lifetime = {static_cast<std::uint64_t>((now - std::chrono::hours{1}).count()),
                    static_cast<std::uint64_t>((now + options.valid_for).count())};
  std::array<std::uint8_t, 1> random_byte;
  CONCLAVE_CHECK(env.random(random_byte));
  place.grease = grease(random_byte[0]);
  CONCLAVE_TRY(const auto leaf, make_leaf(env, s, who, out.leaf.pub.view(), place));

  writer w{out.message};
  wire::write(w, protocol_version::mls10);
  wire::write(w, wire_format::key_package);
  wire::write(w, protocol_version::mls10);
  wire::write(w, s.id());
  w.opaque(out.init.pub.view());
  w.raw(leaf);
  std::vector<extension> extensions{{extension_type{*place.grease}, {}}};
  if (options.last_resort) extensions.push_back({extension_type::last_resort, {}});
  out.last_resort = options.last_resort;
  w.opaque(wire::encode_items(extensions));
  CONCLAVE_TRY(const auto signature, s.sign_with_label(env, who.signer, "KeyPackageTBS", out.key_package()));
  w.opaque(signature);
  out.reference = key_package_ref(s, out.key_package());
  return out;
}

}  // namespace conclave::mls

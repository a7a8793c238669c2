// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// forger: a member who signs, MACs and encrypts with its real keys whatever a test wants, so that a message breaks one
/// rule and no other. Fuzzers use it too.
#pragma once

#include "observers.hpp"

#include <functional>

namespace mls_test {

using provider = default_provider;

/// leaf_draft: a LeafNode as values, to be changed and then signed.
struct leaf_draft {
  bytes encryption_key, signature_key;
  credential_type credential = credential_type::basic;
  bytes credential_data;
  std::vector<protocol_version> versions{protocol_version::mls10};
  std::vector<cipher_suite> suites{suite_1};
  std::vector<extension_type> extensions;
  std::vector<proposal_type> proposals;
  std::vector<credential_type> credentials{credential_type::basic, credential_type::x509};
  leaf_node_source source = leaf_node_source::key_package;
  lifetime valid;
  bytes parent_hash;
  std::vector<std::pair<extension_type, bytes>> leaf_extensions;
  // where it says it stands
  bytes group_id;
  leaf_index index{};
  const conclave::signature_key* signer = nullptr;

  /// encode(env): the LeafNode, signed.
  [[nodiscard]] bytes encode(environment& env) const;
};

/// package_draft: a KeyPackage as values.
struct package_draft {
  client who;
  hpke::key_pair init, leaf_key;
  leaf_draft leaf;
  protocol_version version = protocol_version::mls10;
  cipher_suite suite = suite_1;
  bytes init_key;
  std::vector<std::pair<extension_type, bytes>> extensions;

  explicit package_draft(party& p);
  package_draft(const package_draft&) = delete;
  package_draft& operator=(const package_draft&) = delete;

  /// encode(env): what a client would have made of it; join with it where it is valid.
  [[nodiscard]] prepared_key_package encode(environment& env) const;
};

/// path_draft: an UpdatePath without its leaf.
struct path_draft {
  struct node {
    bytes key;
    std::vector<std::pair<bytes, bytes>> ciphertexts;  // kem_output, ciphertext
  };
  std::vector<node> nodes;
  bytes context;  ///< the provisional GroupContext, which the ciphertexts are bound to
};

/// commit_draft: a commit and where it goes wrong. Each hook may spoil one thing; all that comes after follows from
/// what it has left.
struct commit_draft {
  std::vector<proposal> proposals;   ///< by value, applied in the order of RFC 9420 12.3
  std::vector<bytes> references;     ///< ProposalRefs; nothing is applied for them
  std::vector<proposal> referenced;  ///< applied like `proposals`, and not written
  bool path = true;
  std::function<void(leaf_draft&)> leaf;          ///< before it is signed
  std::function<void(std::vector<bytes>&)> keys;  ///< public keys of the path, before parent hashes
  std::function<void(path_draft&)> nodes;         ///< before they are encoded
  std::function<void(bytes&)> body;               ///< all of the Commit, before it is signed
  std::function<void(bytes&)> confirmation_tag;
  bytes psk_secret = bytes(32);
};

/// welcome_draft: a Welcome into the epoch that the forger says is the next one.
struct welcome_draft {
  std::function<void(ratchet_tree<provider>&)> tree;  ///< the newcomer is in it
  std::function<void(bytes&)> tree_items;
  std::function<void(group_context&)> context;
  std::function<void(group_info&)> info;  ///< before it is signed
  std::function<void(bytes&)> signed_info;
  std::function<void(bytes&)> encrypted_info;  ///< before the secrets are sealed, which are bound to it
  std::function<void(group_secrets&)> secrets;
  bool with_tree = true;
  std::vector<pre_shared_key_id> psks;
  bytes psk_secret = bytes(32);
  cipher_suite suite = suite_1;
};

/// info_draft: a GroupInfo of the present epoch; what the hooks leave of it is signed.
struct info_draft {
  std::function<void(group_context&)> context;
  std::function<void(std::vector<std::pair<extension_type, bytes>>&)> extensions;  ///< ratchet_tree, external_pub
  std::function<void(bytes&)> confirmation_tag;
};

class forger {
 public:
  /// Joins the party. Its honest self is p[person()], and the state here is that of the same member, as long as the
  /// group stays in its epoch.
  explicit forger(party& p);

  /// Is a member of the party already.
  forger(party& p, std::size_t person);

  [[nodiscard]] std::size_t person() const noexcept { return person_; }
  [[nodiscard]] const client& who() const noexcept { return party_->who(person_).who; }
  [[nodiscard]] epoch<provider>& state() noexcept { return state_; }
  [[nodiscard]] const basic_suite<provider>& suite() const noexcept { return state_.suite(); }

  /// content(type, body): an honest frame around a body. The body outlives the content.
  [[nodiscard]] framed_content content(content_type type, byte_view body) const;
  [[nodiscard]] bytes sign(wire_format format, const framed_content& content, const signature_key& key) const;

  /// in_public(content), in_private(content): an MLSMessage, signed by the forger.
  [[nodiscard]] bytes in_public(const framed_content& content, byte_view confirmation_tag = {}) const;
  [[nodiscard]] bytes in_public_signed(const framed_content& content, byte_view signature,
                                       byte_view confirmation_tag = {}) const;
  struct private_options {
    bytes padding;
    std::optional<leaf_index> claimed_leaf;
    std::optional<std::uint32_t> claimed_generation;
    const signature_key* signer = nullptr;
    bytes confirmation_tag;
    std::function<void(bytes&)> ciphertext;  ///< before the sender data are sealed, whose key depends on it
  };
  [[nodiscard]] bytes in_private(const framed_content& content, const private_options& options);
  [[nodiscard]] bytes in_private(const framed_content& content) { return in_private(content, private_options{}); }

  /// propose(p), propose(encoded): a proposal in a PublicMessage.
  [[nodiscard]] bytes propose(const proposal& p) const { return propose_encoded(wire::encode(p)); }
  [[nodiscard]] bytes propose_encoded(byte_view encoded) const;
  /// propose_add(package): by its encoding.
  [[nodiscard]] bytes propose_add(const prepared_key_package& package) const;

  /// commit(draft): a Commit in a PublicMessage.
  [[nodiscard]] bytes commit(const commit_draft& draft) const;
  /// welcome(package, draft): a Welcome for it.
  [[nodiscard]] bytes welcome(const prepared_key_package& package, const welcome_draft& draft) const;

  /// in_group_info(draft): an MLSMessage for external joiners and servers.
  [[nodiscard]] bytes in_group_info(const info_draft& draft = {}) const;

  /// update(change): an Update of the forger's leaf.
  [[nodiscard]] bytes update_leaf(const std::function<void(leaf_draft&)>& change) const;

  /// own_leaf(): as a draft of source commit, with a new encryption key.
  [[nodiscard]] leaf_draft own_leaf(byte_view encryption_key) const;

 private:
  party* party_;
  std::size_t person_;
  epoch<provider> state_;
};

[[nodiscard]] proposal remove_of(leaf_index target);
[[nodiscard]] proposal add_of(const prepared_key_package& package);

}  // namespace mls_test

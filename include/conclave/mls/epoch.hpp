// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// epoch: everything a commit replaces at once.
#pragma once

#include <conclave/mls/group_context.hpp>
#include <conclave/mls/protection.hpp>
#include <conclave/mls/transcript.hpp>
#include <conclave/mls/treekem.hpp>

namespace conclave::inline CONCLAVE_ABI::mls {

/// epoch<P>: one member's state in one epoch. A new one is computed beside the old and then takes its place as a whole.
template <crypto_provider P>
struct epoch {
  bytes group_id;
  std::uint64_t number = 0;
  bytes extensions;  ///< the items of GroupContext.extensions
  ratchet_tree<P> tree;
  digest confirmed_transcript_hash;
  digest interim_transcript_hash;
  digest confirmation_tag;
  bytes context;  ///< the encoded GroupContext
  epoch_secrets secrets;
  secret_tree<P> message_secrets;
  leaf_index own{};
  private_path keys;

  explicit epoch(const ratchet_tree<P>& t) : tree{t} {}

  [[nodiscard]] const basic_suite<P>& suite() const noexcept { return tree.suite(); }
  [[nodiscard]] extension_list extension_items() const { return *extension_list::check(extensions); }

  /// encode_context(): the GroupContext for the present tree and the given transcript hash.
  [[nodiscard]] bytes encode_context(byte_view transcript_hash) {
    group_context out;
    const digest tree_hash = tree.tree_hash();
    out.suite = suite().id();
    out.group_id = group_id;
    out.epoch = number;
    out.tree_hash = tree_hash.view();
    out.confirmed_transcript_hash = transcript_hash;
    out.extensions = extension_items();
    return wire::encode(out);
  }

  /// enter(joiner, psk): derives the secrets of the epoch from a complete context; computes the confirmation tag and
  /// the interim transcript hash.
  void enter(const joiner_secret& joiner, const psk_secret& psk) {
    secrets = derive_epoch_secrets(suite(), derive_epoch_secret(suite(), joiner, psk, context));
    begin();
  }

  /// begin(): the part of enter() behind the epoch's secrets.
  void begin() {
    message_secrets = secret_tree<P>(suite(), tree.leaf_count(), std::move(secrets.encryption));
    confirmation_tag = suite().mac(secrets.confirm.reveal(), {confirmed_transcript_hash.view()});
    interim_transcript_hash =
        mls::interim_transcript_hash(suite(), confirmed_transcript_hash.view(), confirmation_tag.view());
  }
};

}  // namespace conclave::mls

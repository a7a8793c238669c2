// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// epoch: everything a commit replaces at once.
#pragma once

#include <conclave/mls/protection.hpp>
#include <conclave/mls/public_epoch.hpp>
#include <conclave/mls/treekem.hpp>

namespace conclave::inline CONCLAVE_ABI::mls {

/// epoch<P>: one member's state in one epoch. A new one is computed beside the old and then takes its place as a whole.
template <crypto_provider P>
struct epoch : public_epoch<P> {
  epoch_secrets secrets;
  secret_tree<P> message_secrets;
  leaf_index own{};
  private_path keys;

  explicit epoch(const ratchet_tree<P>& t) : public_epoch<P>(t) {}
  explicit epoch(public_epoch<P>&& known) : public_epoch<P>(std::move(known)) {}

  /// enter(joiner, psk): derives the secrets of the epoch from a complete context; computes the confirmation tag and
  /// the interim transcript hash.
  void enter(const joiner_secret& joiner, const psk_secret& psk) {
    secrets = derive_epoch_secrets(this->suite(), derive_epoch_secret(this->suite(), joiner, psk, this->context));
    begin();
  }

  /// begin(): the part of enter() behind the epoch's secrets.
  void begin() {
    const auto& s = this->suite();
    message_secrets = secret_tree<P>(s, this->tree.leaf_count(), std::move(secrets.encryption));
    this->confirm(s.mac(secrets.confirm.reveal(), {this->confirmed_transcript_hash.view()}));
  }
};

}  // namespace conclave::mls

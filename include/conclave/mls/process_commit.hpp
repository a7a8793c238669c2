// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The recipient's side of a Commit (RFC 9420, section 12.4.2). Works on a new epoch beside the current one.
#pragma once

#include <conclave/detail/ct.hpp>
#include <conclave/mls/epoch.hpp>
#include <conclave/mls/follow_commit.hpp>

namespace conclave::inline CONCLAVE_ABI::mls {

/// next_epoch: an epoch that is ready to take its place, and what changed on the way.
template <crypto_provider P>
struct next_epoch {
  epoch<P> state;
  epoch_change change;
};

/// find_psks(suite, ids, source): psk_secret of the listed keys. Errors: what the source says; unknown_key without a
/// source.
template <crypto_provider P>
[[nodiscard]] result<psk_secret> find_psks(const basic_suite<P>& s, std::span<const pre_shared_key_id> ids,
                                           psk_source* source) {
  if (ids.size() > limits::preshared_keys) return failure{errc::over_limit, rules::psk_count};
  std::vector<secret_bytes> keys;
  std::vector<psk_value> values;
  for (const auto& id : ids) {
    if (source == nullptr) return failure{errc::unknown_key, rules::psk_available};
    auto key =
        id.type == psk_type::external ? source->external(id.psk_id) : source->resumption(id.psk_group_id, id.psk_epoch);
    if (!key) return failure{key.error().code(), rules::psk_available};
    keys.push_back(*std::move(key));
    values.push_back({id, keys.back()});
  }
  return derive_psk_secret(s, values);
}

/// external_init_secret(suite, external_secret, kem_output): RFC 9420 section 8.3.
template <crypto_provider P>
[[nodiscard]] result<init_secret> external_init_secret(const basic_suite<P>& s, const external_secret& external,
                                                       byte_view kem_output) {
  CONCLAVE_TRY(const auto key, hpke::derive_key_pair<P>(s.hpke_suite().kem, external.reveal()));
  init_secret out(s.nh());
  CONCLAVE_CHECK(hpke::receive_export<P>(s.hpke_suite(), key, kem_output, {}, as_bytes("MLS 1.0 external init secret"),
                                         out.writable()));
  return out;
}

/// process_commit(epoch, message, list, own_update, policy): `message` is authentic, of the current epoch, not by this
/// member; `list` are its proposals in order, resolved; `own_update` is the key of this member's Update where the list
/// has it. Errors: refused, malformed, unauthentic, unknown_key, each with its rule; `current` is never changed.
template <crypto_provider P>
[[nodiscard]] result<next_epoch<P>> process_commit(const epoch<P>& current, const authenticated_content& message,
                                                   std::span<const listed_proposal> list,
                                                   const hpke::key_pair* own_update, const group_policy& policy) {
  const auto& s = current.suite();
  const commit& received = message.content.body.commit;
  CONCLAVE_TRY(auto followed, follow_commit(current, message, list, policy));
  next_epoch<P> out{epoch<P>(std::move(followed.next)), std::move(followed.change)};
  epoch<P>& next = out.state;
  next.own = current.own;
  if (std::ranges::find(out.change.removed, current.own) != out.change.removed.end()) {
    out.change.removed_me = true;
    return out;
  }

  next.keys = current.keys.clone_current(next.tree);
  if (own_update != nullptr) next.keys.set(to_node(current.own), {own_update->secret.clone(), own_update->pub});
  commit_secret committed(s.nh());
  if (received.path) {
    CONCLAVE_TRY(auto opened,
                 decrypt_path(next.tree, followed.path, *received.path, current.own, next.keys, followed.added,
                              next.encode_context(current.confirmed_transcript_hash.view())));
    next.keys = std::move(opened.keys);
    committed = std::move(opened.commit_secret);
  }
  CONCLAVE_TRY(const auto psk, find_psks(s, followed.psks, policy.psks));
  init_secret init = current.secrets.init.clone();
  if (followed.external_init) {
    CONCLAVE_TRY(init, external_init_secret(s, current.secrets.external, *followed.external_init));
  }
  next.enter(derive_joiner_secret(s, init, committed, next.context), psk);
  if (!detail::ct_equal(next.confirmation_tag.view(), message.auth.confirmation_tag))
    return failure{errc::unauthentic, rules::confirmation_tag};
  return out;
}

}  // namespace conclave::mls

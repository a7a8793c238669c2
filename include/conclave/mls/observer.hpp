// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// observer: the public side of a group, for a delivery service that follows the handshakes without any secret.
#pragma once

#include <conclave/crypto/provider.hpp>
#include <conclave/mls/follow_commit.hpp>
#include <conclave/mls/group_info_validation.hpp>
#include <conclave/mls/handshake.hpp>
#include <conclave/mls/identities.hpp>
#include <conclave/mls/message.hpp>

namespace conclave::inline CONCLAVE_ABI::mls {

/// opaque_message: a PrivateMessage of the group, which only members can read.
struct opaque_message {
  std::uint64_t epoch = 0;
  content_type type{};  ///< as it claims: nothing in a PrivateMessage can be verified here
};

using observed_event = std::variant<opaque_message, received_proposal, epoch_change>;

/// basic_observer<P>: Follows a group whose members send their handshakes as PublicMessages (group_policy::handshakes)
/// and checks in them all that can be checked without secrets: signatures, senders, proposal lists, leaves, key
/// uniqueness, paths with their parent hashes and numbers of ciphertexts. What it cannot check are membership tags,
/// confirmation tags (but for their length), pre-shared keys and what the ciphertexts hold: a member can send a Commit
/// that the observer follows and all members refuse. Whoever hears of that from the members follows again from a
/// GroupInfo, as after a Commit that came as PrivateMessage. Nobody outside the group can cause it: all that counts here
/// is signed.
/// Every function succeeds or changes nothing. Move-only. Threads: one at a time. What the view-returning functions
/// return lives until the next non-const call. Source: RFC 9420 16.4 and 12.4.2.
template <class P>
class basic_observer {
  static_assert(crypto_provider<P>);

 public:
  /// follow(env, group_info, options, policy): from the epoch of a GroupInfo on, which is an MLSMessage with the ratchet
  /// tree in it or beside it. Of the policy matter rules, max_lifetime and identities. Errors:
  /// malformed, unauthentic, refused (what GroupInfo and tree break), unsupported, over_limit, no_entropy; misuse (no
  /// GroupInfo).
  [[nodiscard]] static result<basic_observer> follow(environment& env, byte_view group_info,
                                                     const join_options& options, const group_policy& policy) {
    CONCLAVE_TRY(const auto info, group_info_of(group_info));
    CONCLAVE_TRY(const auto s, basic_suite<P>::make(info.value.context.suite));
    CONCLAVE_TRY(const auto tree, import_verified_tree(env, s, info, options, policy));
    CONCLAVE_TRY(auto current, public_epoch<P>::described_by(info.value, tree));
    return basic_observer(std::move(current), policy);
  }

  /// process(env, message): one MLSMessage of the group, in the order of the delivery service; the time of `env` is for
  /// the policy's validator, which can show here what members should know. Errors: as basic_group::process but for what
  /// takes secrets. A PrivateMessage is `early` or, where it holds a handshake, `stale_epoch` too.
  [[nodiscard]] result<observed_event> process(environment& env, byte_view input) {
    return process_at(env.wall(), input);
  }
  [[nodiscard]] result<observed_event> process(byte_view input) {
    if (policy_.identities != nullptr) return errc::misuse;
    return process_at({}, input);
  }

  /// check_group_info(message): a GroupInfo describes the present epoch, is signed by a member and fit for external
  /// joiners, as far as it goes: its external_pub is the signer's word. Errors: stale_epoch, early, unknown_key (another
  /// group), refused (another state of the epoch, no external_pub), malformed, unauthentic; misuse (no GroupInfo).
  [[nodiscard]] status check_group_info(byte_view input) const {
    CONCLAVE_TRY(const auto info, group_info_of(input));
    CONCLAVE_CHECK(expect_epoch(current_, info->context.group_id, info->context.epoch));
    CONCLAVE_TRY(const auto items, tree_items(info.value));
    if (!equal(wire::encode(info->context), current_.context) ||
        !equal(info->confirmation_tag, current_.confirmation_tag.view()) || (items && !equal(*items, ratchet_tree())))
      return failure{errc::refused, rules::group_info_current};
    CONCLAVE_CHECK(unique_types(info->extensions));
    CONCLAVE_CHECK(verify_group_info(current_.tree, info));
    const auto external_data = find(info->extensions, extension_type::external_pub);
    if (!external_data) return failure{errc::refused, rules::external_pub_present};
    CONCLAVE_TRY(const auto external_pub, wire::decode<byte_view>(*external_data));
    if (!P::dh_check_public_key(current_.suite().hpke_suite().kem, external_pub))
      return failure{errc::malformed, rules::valid_public_key};
    return {};
  }

  // ---- facts ---------------------------------------------------------------------------------------------------

  [[nodiscard]] byte_view group_id() const noexcept { return current_.group_id; }
  [[nodiscard]] std::uint64_t epoch_number() const noexcept { return current_.number; }
  [[nodiscard]] const basic_suite<P>& suite() const noexcept { return current_.suite(); }
  /// tree(): the members, by for_each_leaf() and leaf().
  [[nodiscard]] const mls::ratchet_tree<P>& tree() const noexcept { return current_.tree; }
  [[nodiscard]] byte_view group_context() const noexcept { return current_.context; }
  [[nodiscard]] std::size_t pending_proposals() const noexcept { return proposals_.size(); }
  /// reinitialized(): the parameters of the group that follows, once a ReInit took effect.
  [[nodiscard]] const std::optional<reinit_parameters>& reinitialized() const noexcept { return reinit_; }
  /// identities(now): as basic_group::identities.
  [[nodiscard]] std::vector<judged_identity> identities(unix_time now) const {
    return judge_members(judge_of(policy_, current_, now), current_.tree);
  }
  /// ratchet_tree(): the content of a ratchet_tree extension for the present epoch, for joiners who get none with their
  /// Welcome or GroupInfo.
  [[nodiscard]] bytes ratchet_tree() const { return current_.tree.encode_items(); }

  // ---- snapshots -------------------------------------------------------------------------------------------------

  /// snapshot(): the whole state. Nothing in it is secret, but restore() takes its word: it rests where only the host
  /// writes.
  [[nodiscard]] bytes snapshot() const {
    bytes out;
    writer w{out};
    w.opaque(current_.context);
    w.opaque(current_.confirmation_tag.view());
    w.opaque(ratchet_tree());
    w.number(static_cast<std::uint8_t>(reinit_.has_value()));
    if (reinit_) reinit_->save(w);
    w.vector([&] {
      for (const stored_proposal& p : proposals_.all()) w.opaque(p.content.encoded);
    });
    return out;
  }

  /// restore(env, snapshot, policy): the observer as it was. Errors: malformed, unsupported, no_entropy.
  [[nodiscard]] static result<basic_observer> restore(environment& env, byte_view saved, const group_policy& policy) {
    reader in{saved};
    group_info info;
    CONCLAVE_TRY(const auto context, in.opaque());
    CONCLAVE_TRY(info.context, wire::decode<mls::group_context>(context));
    CONCLAVE_TRY(info.confirmation_tag, in.opaque());
    CONCLAVE_TRY(const auto items, in.opaque());
    CONCLAVE_TRY(const auto s, basic_suite<P>::make(info.context.suite));
    hash_seed seed;
    CONCLAVE_CHECK(env.random(seed));
    CONCLAVE_TRY(const auto tree, mls::ratchet_tree<P>::import(s, seed, items));
    CONCLAVE_TRY(auto current, public_epoch<P>::described_by(info, tree));
    basic_observer out(std::move(current), policy);
    CONCLAVE_TRY(const auto has_reinit, in.number<std::uint8_t>());
    if (has_reinit != 0) {
      CONCLAVE_TRY(out.reinit_, reinit_parameters::load(in));
    }
    CONCLAVE_TRY(const auto proposals, in.opaque());
    for (reader each{proposals}; !each.empty();) {
      CONCLAVE_TRY(const auto encoded, each.opaque());
      CONCLAVE_TRY(auto content, authenticated_content::decode(secret_bytes(encoded.begin(), encoded.end())));
      out.proposals_.add(s, std::move(content));
    }
    CONCLAVE_CHECK(in.finish());
    return out;
  }

 private:
  basic_observer(public_epoch<P>&& current, const group_policy& policy)
      : current_{std::move(current)}, policy_{policy} {}

  [[nodiscard]] static result<located_group_info> group_info_of(byte_view input) {
    CONCLAVE_TRY(const auto received, message::decode(input));
    if (received.format != wire_format::group_info) return failure{errc::misuse, rules::known_wire_format};
    return received.group_info;
  }

  [[nodiscard]] result<observed_event> process_at(unix_time now, byte_view input) {
    CONCLAVE_TRY(const auto received, message::decode(input));
    switch (received.format) {
      case wire_format::public_message: return process_public(received.public_message, now);
      case wire_format::private_message: return process_private(received.private_message);
      default: return failure{errc::misuse, rules::known_wire_format};
    }
  }

  [[nodiscard]] result<observed_event> process_private(const private_message& received) const {
    const status now = expect_epoch(current_, received.group_id, received.epoch);
    const bool late = !now && now.error() == errc::stale_epoch && received.type == content_type::application;
    if (!now && !late) return now.error();
    return observed_event{opaque_message{received.epoch, received.type}};
  }

  [[nodiscard]] result<observed_event> process_public(const public_message& received, unix_time now) {
    CONCLAVE_TRY(const auto tbs, public_tbs(current_, received));
    CONCLAVE_TRY(auto message, verified_content(current_, received, tbs));
    if (reinit_) return failure{errc::refused, rules::no_message_after_reinit};
    const judge j = judge_of(policy_, current_, now);
    if (message.content.body.type == content_type::proposal) {
      CONCLAVE_CHECK(may_wait(current_, proposals_, message, policy_));
      const auto identity = identity_brought_by(j, current_, message.content.body.proposal, message.content.sender);
      received_proposal out = proposals_.add(suite(), std::move(message));
      out.identity = identity;
      return observed_event{std::move(out)};
    }
    const byte_view tag = message.auth.confirmation_tag;
    if (tag.size() != suite().nh()) return failure{errc::unauthentic, rules::confirmation_tag};
    CONCLAVE_TRY(const auto resolved, proposals_.resolve(message.content));
    CONCLAVE_TRY(auto followed, follow_commit(current_, message, resolved.list, policy_));
    CONCLAVE_TRY(const auto confirmation, digest::copy_of(tag));
    followed.next.confirm(confirmation);
    judge_change(j, current_, followed.next, followed.change);
    auto reinit = followed.change.reinit;  // should memory run out, nothing has changed yet
    proposals_.clear();
    reinit_ = std::move(reinit);
    current_ = std::move(followed.next);
    return observed_event{std::move(followed.change)};
  }

  public_epoch<P> current_;
  group_policy policy_;
  proposal_cache proposals_;
  std::optional<reinit_parameters> reinit_;
};

/// observer: over the default provider.
using observer = basic_observer<default_provider>;

}  // namespace conclave::mls

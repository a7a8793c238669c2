// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// meeting: an end-to-end encrypted meeting as one participant holds it: MLS for who is in, SFrame for what is said.
#pragma once

#include <conclave/identity/identity.hpp>
#include <conclave/meeting/media.hpp>
#include <conclave/meeting/roster.hpp>
#include <conclave/meeting/verification.hpp>
#include <conclave/mls/group.hpp>
#include <conclave/sas/code.hpp>

namespace conclave::inline CONCLAVE_ABI {

/// meeting_options: what a host chooses for a meeting, and a participant for itself.
struct meeting_options {
  mls::cipher_suite suite = mls::cipher_suite::mls_128_dhkemx25519_aes128gcm_sha256_ed25519;
  sframe::cipher_suite media = sframe::cipher_suite::aes_128_gcm_sha256_128;
  mls::group_policy group;
  /// What everybody has to be, for the meeting to be shown as end-to-end encrypted without reservation.
  identity_state expects = identity_state::unverified;
  std::chrono::seconds key_package_valid_for = std::chrono::hours{24};
};

template <crypto_provider P>
class basic_meeting;

/// basic_knock<P>: a wish to be let in: a key package to hand to a host, and the private keys for the Welcome.
/// One-time.
template <crypto_provider P>
class basic_knock {
 public:
  /// create(env, who, options): Errors: unsupported, no_entropy, misuse (the identity's key does not fit the suite).
  [[nodiscard]] static result<basic_knock> create(environment& env, const identity& who,
                                                  const meeting_options& options = {}) {
    CONCLAVE_TRY(const auto suite, mls::basic_suite<P>::make(options.suite));
    auto me = basic_meeting<P>::client_of(who);
    CONCLAVE_TRY(auto package, mls::make_key_package(env, suite, me, {options.key_package_valid_for, false}));
    return basic_knock(env, std::move(me), std::move(package), options);
  }

  /// key_package(): an MLSMessage, for the host.
  [[nodiscard]] byte_view key_package() const noexcept { return package_.message; }

 private:
  friend basic_meeting<P>;
  basic_knock(environment& env, mls::client&& me, mls::prepared_key_package&& package, const meeting_options& options)
      : env_{&env}, me_{std::move(me)}, package_{std::move(package)}, options_{options} {}

  environment* env_;
  mls::client me_;
  mls::prepared_key_package package_;
  meeting_options options_;
};

/// basic_meeting<P>: Move-only. Every call succeeds or changes nothing. Threads: one at a time; senders and receivers
/// may live on other threads. Lifetime: the environment outlives the meeting, its senders and its receivers.
template <crypto_provider P>
class basic_meeting {
 public:
  using knock = basic_knock<P>;
  using sender = basic_media_sender<P>;
  using receiver = basic_media_receiver<P>;

  /// change: a change of the meeting that is ready to be sent; nothing has happened yet. When the delivery service
  /// accepts commit(), apply it; when it does not, drop it.
  class change {
   public:
    [[nodiscard]] byte_view commit() const noexcept { return pending_.message(); }
    [[nodiscard]] byte_view welcome() const noexcept { return pending_.welcome(); }
    [[nodiscard]] bytes ratchet_tree() const { return pending_.ratchet_tree(); }

   private:
    friend basic_meeting;
    explicit change(mls::pending_commit<P>&& pending) : pending_{std::move(pending)} {}
    mls::pending_commit<P> pending_;
  };

  /// create(env, me, name, options): a meeting with one participant. The MLS group id is random; the name is what this
  /// participant calls the meeting, and does not travel. Errors: over_limit (name), unsupported, no_entropy, misuse.
  [[nodiscard]] static result<basic_meeting> create(environment& env, const identity& me, std::string_view name,
                                                    const meeting_options& options = {}) {
    if (name.size() > limits::name_bytes) return errc::over_limit;
    std::array<std::uint8_t, 32> group_id;
    CONCLAVE_CHECK(env.random(group_id));
    CONCLAVE_TRY(auto group,
                 mls::basic_group<P>::create(env, options.suite, client_of(me), group_id, {}, options.group));
    return start(env, std::move(group), name, options);
  }

  /// join(knock, welcome, ratchet_tree): the knock is used up by a success. Errors: unknown_key (the Welcome is for
  /// somebody else), unauthentic, malformed, refused, unsupported, no_entropy.
  [[nodiscard]] static result<basic_meeting> join(knock&& wish, byte_view welcome,
                                                  std::optional<byte_view> ratchet_tree = std::nullopt,
                                                  std::string_view name = {}) {
    CONCLAVE_TRY(auto group, mls::basic_group<P>::join(*wish.env_, wish.me_.clone(), std::move(wish.package_), welcome,
                                                       {ratchet_tree, {}}, wish.options_.group));
    return start(*wish.env_, std::move(group), name, wish.options_);
  }

  // ---- who is in -------------------------------------------------------------------------------------------------

  /// admit(key_packages), remove(leaves), refresh(): one commit each. Errors: refused, malformed, unauthentic with the
  /// rule that was broken; misuse after leaving; no_entropy.
  [[nodiscard]] result<change> admit(std::span<const byte_view> key_packages) {
    mls::commit_request request;
    request.add = key_packages;
    return commit(request);
  }
  [[nodiscard]] result<change> admit(byte_view key_package) { return admit({&key_package, 1}); }
  [[nodiscard]] result<change> remove(std::span<const mls::leaf_index> leaves) {
    mls::commit_request request;
    request.remove = leaves;
    return commit(request);
  }
  [[nodiscard]] result<change> remove(mls::leaf_index leaf) { return remove({&leaf, 1}); }
  [[nodiscard]] result<change> refresh() { return commit({}); }

  /// leave(): a proposal to remove this participant, for a host to commit. Until then it stays in.
  [[nodiscard]] result<bytes> leave() { return group_.propose_remove(*env_, group_.own_leaf()); }

  /// apply(change): the delivery service accepted it: new epoch, new media keys, new security code. stale_epoch where
  /// another change came first.
  [[nodiscard]] status apply(change&& accepted) {
    change taken = std::move(accepted);
    CONCLAVE_TRY(const auto applied, group_.apply(std::move(taken.pending_)));
    attendance_.follow(applied);
    return publish(!applied.removed.empty());
  }

  /// receive(message): a message from the delivery service, in its order. Errors: as mls::basic_group::process.
  [[nodiscard]] result<mls::event> receive(byte_view message) {
    CONCLAVE_TRY(auto event, group_.process(*env_, message));
    if (const auto* changed = std::get_if<mls::epoch_change>(&event)) {
      attendance_.follow(*changed);
      if (changed->removed_me)
        keys_->close();
      else
        CONCLAVE_CHECK(publish(!changed->removed.empty()));
    }
    return event;
  }

  /// say(plaintext): a message to everybody, signed and ordered by the delivery service.
  [[nodiscard]] result<bytes> say(byte_view plaintext) { return group_.protect(*env_, plaintext, {}); }

  // ---- media -----------------------------------------------------------------------------------------------------

  /// open_sender(stream): the stream's only sender; misuse while another one lives. open_receiver(): any number.
  [[nodiscard]] result<sender> open_sender(std::uint32_t stream) { return sender::open(keys_, stream); }
  [[nodiscard]] result<receiver> open_receiver() { return receiver::open(*env_, keys_); }

  // ---- facts -----------------------------------------------------------------------------------------------------

  /// code(): what every screen shows in this epoch.
  [[nodiscard]] sas::security_code code() const noexcept {
    return *sas::security_code::make(group_.authenticator().reveal(), group_.epoch_number());
  }
  /// long_code(), machine_code(): the same code for those who have patience, and for cameras.
  [[nodiscard]] sas::long_security_code long_code() const {
    return sas::long_security_code::make<P>(group_.suite().hash_algorithm(), group_.authenticator().reveal(), epoch());
  }
  [[nodiscard]] sas::machine_code machine_code() const {
    return sas::machine_code::make<P>(group_.suite().hash_algorithm(), group_.authenticator().reveal(), epoch());
  }
  /// verification_epoch(): this epoch for sas::verification; misuse after leaving.
  [[nodiscard]] result<sas::epoch_view> verification_epoch() const { return conclave::verification_epoch(group_); }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] bool active() const noexcept { return group_.active(); }
  [[nodiscard]] std::uint64_t epoch() const noexcept { return group_.epoch_number(); }
  [[nodiscard]] std::size_t size() const noexcept { return group_.tree().member_count(); }
  [[nodiscard]] mls::leaf_index own_leaf() const noexcept { return group_.own_leaf(); }
  [[nodiscard]] byte_view group_id() const noexcept { return group_.group_id(); }
  /// ratchet_tree(): for joiners whose Welcome does not carry it.
  [[nodiscard]] bytes ratchet_tree() const { return group_.ratchet_tree_items(); }
  /// roster(aloud), security(people, aloud): who is in, and what the header shows of it, judged at env.wall(): after
  /// each change, and now and then, because certificates expire and are revoked. `aloud` is what verification of the
  /// spoken code has come to.
  [[nodiscard]] std::vector<participant> roster(const spoken_state& aloud = {}) const {
    std::vector<participant> out;
    out.reserve(size());
    for (const mls::judged_identity& who : group_.identities(env_->wall())) {
      const auto seen = attendance_.of(who.leaf);
      out.push_back({who.leaf, name_of(who.leaf), seen.since, who.state, seen.device, aloud.compared_with(who.leaf)});
    }
    return out;
  }
  [[nodiscard]] meeting_security security(std::span<const participant> people, const spoken_state& aloud = {}) const {
    return security_of(active(), people, expects_, aloud);
  }
  /// visitor(key_package): who knocks, for the host to look at before admit(); the signatures are verified. Errors:
  /// those of admit(), but for the identity, which is shown.
  [[nodiscard]] result<conclave::visitor> visitor(byte_view key_package) const {
    CONCLAVE_TRY(const auto knocks, mls::message::decode(key_package));
    if (knocks.format != mls::wire_format::key_package) return errc::malformed;
    CONCLAVE_TRY(const auto context, wire::decode<mls::group_context>(group_.group_context()));
    const auto& package = knocks.key_package;
    CONCLAVE_CHECK(mls::valid_key_package(group_.suite(), package.value, context.extensions, max_lifetime_));
    mls::signature_batch<P> signatures(group_.suite());
    signatures.add_key_package(package);
    CONCLAVE_CHECK(signatures.verify());
    const mls::judge by(identities_, group_.suite().signature(), env_->wall());
    const auto& leaf = package->leaf.value;
    return conclave::visitor{shown_name(identities_, present_leaf(leaf)), by.member(leaf)};
  }
  /// claim_device(leaf, device): what a participant says of its device, in a message; forgotten when it leaves.
  void claim_device(mls::leaf_index leaf, device_kind device) { attendance_.claim(leaf, device); }
  /// find(name): the leaf of the first participant with this name.
  [[nodiscard]] std::optional<mls::leaf_index> find(std::string_view who) const {
    std::optional<mls::leaf_index> out;
    group_.tree().for_each_leaf([&](mls::leaf_index i) {
      if (!out && name_of(i) == who) out = i;
    });
    return out;
  }

  /// client_of(identity): how an identity appears in MLS.
  [[nodiscard]] static mls::client client_of(const identity& who) {
    mls::client out;
    out.signer = who.key().clone();
    out.credential_type = who.type();
    out.credential = who.credential();
    return out;
  }

 private:
  basic_meeting(environment& env, mls::basic_group<P>&& group, std::string_view name, const meeting_options& options)
      : env_{&env},
        group_{std::move(group)},
        name_{name},
        media_suite_{options.media},
        identities_{options.group.identities},
        expects_{options.expects},
        max_lifetime_{options.group.max_lifetime} {
    attendance_.begin(group_.tree(), group_.epoch_number());
  }

  [[nodiscard]] static result<basic_meeting> start(environment& env, mls::basic_group<P>&& group, std::string_view name,
                                                   const meeting_options& options) {
    basic_meeting out(env, std::move(group), name, options);
    CONCLAVE_CHECK(out.publish(false));
    return out;
  }

  [[nodiscard]] presented_identity present_leaf(const mls::leaf_node& leaf) const {
    return mls::present(group_.suite().signature(), leaf.credential, leaf.signature_key);
  }
  [[nodiscard]] std::string name_of(mls::leaf_index i) const {
    return shown_name(identities_, present_leaf(group_.tree().leaf(i).value));
  }

  [[nodiscard]] result<change> commit(const mls::commit_request& request) {
    CONCLAVE_TRY(auto pending, group_.commit(*env_, request));
    return change(std::move(pending));
  }

  /// Media follows the epoch (RFC 9605 5.2). After a removal the old epoch closes sooner: until then the removed member
  /// could still speak in it.
  [[nodiscard]] status publish(bool removal) {
    CONCLAVE_TRY(const auto row, sframe::parameters(media_suite_));
    media_epoch next{{group_.epoch_number(), media_suite_, group_.tree().leaf_count(), number(group_.own_leaf())},
                     sframe::base_key(row.Nk),
                     removal ? limits::sframe_overlap_after_remove : limits::sframe_overlap,
                     env_->steady()};
    CONCLAVE_CHECK(group_.export_secret("SFrame 1.0 Base Key", {}, next.base.writable()));
    keys_->publish(std::move(next));
    return {};
  }

  environment* env_;
  mls::basic_group<P> group_;
  std::string name_;
  sframe::cipher_suite media_suite_;
  identity_validator* identities_;
  identity_state expects_;
  std::chrono::seconds max_lifetime_;
  attendance attendance_;
  std::shared_ptr<media_keys> keys_ = std::make_shared<media_keys>();
};

/// meeting, knock: over the default provider.
using meeting = basic_meeting<default_provider>;
using knock = basic_knock<default_provider>;

}  // namespace conclave

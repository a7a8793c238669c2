// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// group: one member's view of one MLS group.
#pragma once

#include <conclave/crypto/provider.hpp>
#include <conclave/mls/external_commit.hpp>
#include <conclave/mls/group_state.hpp>

namespace conclave::inline CONCLAVE_ABI::mls {

template <class P>
class basic_group;

/// pending_commit: a commit that is ready to be sent. It has changed nothing yet: applying it makes the new epoch
/// current, dropping it is the rollback. (A PrivateMessage has used up one generation of the sender's ratchet; that
/// stays used.)
template <crypto_provider P>
class pending_commit {
 public:
  /// message(): to all members, and to nobody as a new member.
  [[nodiscard]] byte_view message() const noexcept { return prepared_.message; }
  /// welcome(): to those who are added; empty where nobody is. welcomes(): one each, in the order of the Adds, where
  /// the policy says so.
  [[nodiscard]] byte_view welcome() const noexcept {
    return prepared_.welcomes.empty() ? byte_view{} : byte_view{prepared_.welcomes.front()};
  }
  [[nodiscard]] std::span<const bytes> welcomes() const noexcept { return prepared_.welcomes; }
  [[nodiscard]] const epoch_change& change() const noexcept { return prepared_.next.change; }
  /// ratchet_tree(): the tree of the new epoch, for joiners whose Welcome does not carry it.
  [[nodiscard]] bytes ratchet_tree() const { return prepared_.next.state.tree.encode_items(); }

 private:
  friend basic_group<P>;
  pending_commit(prepared_commit<P> prepared, const digest& base) : prepared_{std::move(prepared)}, base_{base} {}

  prepared_commit<P> prepared_;
  digest base_;  // the interim transcript hash it follows
};

/// commit_request: what a commit does besides the proposals that were received.
struct commit_request {
  std::span<const byte_view> add{};  ///< MLSMessages with key packages
  std::span<const leaf_index> remove{};
  byte_view authenticated_data{};             ///< sent in the clear, authenticated
  bool path = true;                           ///< false: leave out the UpdatePath where the RFC allows it
  std::span<const pre_shared_key_id> psks{};  ///< each with a fresh nonce of Nh bytes, see fresh_nonce
  std::optional<byte_view> extensions{};      ///< new items of GroupContext.extensions, all of them
  std::optional<reinit> reinit_as{};          ///< end this group; alone
  std::span<const mls::proposal> custom{};    ///< proposals of the application's own types
  /// From the new epoch on this member shows another credential, signature key or extensions (RFC 9420 7.3); the commit
  /// has a path then. Lives as long as the call.
  const client* becomes = nullptr;
  bool proposed_adds = true;  ///< false: leave out whom others have proposed to add
};

/// fresh_nonce(env, suite): the psk_nonce of a new pre_shared_key_id (RFC 9420 8.4). Errors: no_entropy.
template <crypto_provider P>
[[nodiscard]] result<bytes> fresh_nonce(environment& env, const basic_suite<P>& s) {
  bytes out(s.nh());
  CONCLAVE_CHECK(env.random(out));
  return out;
}

/// external_join: a group that is joined once the delivery service has accepted the commit; dropping it is the
/// rollback.
template <crypto_provider P>
struct external_join {
  basic_group<P> group;
  bytes commit;  ///< an MLSMessage, public
};

/// successor_group: a new group that continues another, and the Welcomes for those who come along.
template <crypto_provider P>
struct successor_group {
  basic_group<P> group;
  std::vector<bytes> welcomes;
};

/// basic_group<P>: Move-only. Every function either succeeds or leaves the group as it was, down to each byte, but for
/// a used generation of the own ratchet. Threads: one at a time. What the view-returning functions return lives until
/// the next non-const call. Source: RFC 9420.
template <class P>
class basic_group : private group_state<P> {
  static_assert(crypto_provider<P>);

  template <crypto_provider>
  friend struct group_testing;

 public:
  using pending = pending_commit<P>;

  /// create(env, suite, client, group_id, extensions, policy): a group of one (RFC 9420 11). `extensions` are the
  /// encoded items of GroupContext.extensions. Errors: unsupported, misuse (the client's key is of another scheme),
  /// no_entropy, malformed, refused or over_limit (extensions).
  [[nodiscard]] static result<basic_group> create(environment& env, cipher_suite id, client&& me, byte_view group_id,
                                                  byte_view extensions, const group_policy& policy) {
    CONCLAVE_TRY(const auto s, basic_suite<P>::make(id));
    CONCLAVE_TRY(const auto extension_items, extension_list::check(extensions));
    CONCLAVE_CHECK(valid_group_extensions(extension_items));
    hash_seed seed;
    CONCLAVE_CHECK(env.random(seed));
    epoch<P> first{ratchet_tree<P>(s, seed)};
    CONCLAVE_TRY(auto key, hpke::generate_key_pair<P>(env, s.hpke_suite().kem));
    leaf_place place;
    const auto now = env.wall().time_since_epoch();
    const auto valid_for = std::min(policy.max_lifetime, limits::key_package_lifetime);
    place.lifetime = {static_cast<std::uint64_t>((now - std::chrono::hours{1}).count()),
                      static_cast<std::uint64_t>((now - std::chrono::hours{1} + valid_for).count())};
    CONCLAVE_TRY(const auto leaf, make_leaf(env, s, me, key.pub.view(), place));
    const byte_view leaf_view{leaf};
    CONCLAVE_CHECK(first.tree.add_leaves({&leaf_view, 1}));
    CONCLAVE_CHECK(
        valid_leaf(s, first.tree.leaf({}).value, leaf_node_source::key_package, extension_items, policy.max_lifetime));
    first.group_id = to_bytes(group_id);
    first.extensions = to_bytes(extensions);
    first.keys.set(to_node(first.own), std::move(key));
    first.context = first.encode_context({});
    epoch_secret random_secret(s.nh());
    CONCLAVE_CHECK(env.random(random_secret.writable()));
    first.secrets = derive_epoch_secrets(s, std::move(random_secret));
    first.begin();
    return basic_group(std::move(first), std::move(me), policy);
  }

  /// join(env, client, package, welcome, options, policy): by Welcome (RFC 9420 12.4.3.1). The key package is used up
  /// by a success. Whom the joiner finds there is shown by identities(), for the host to decide. Errors: unknown_key (not
  /// for this package), unauthentic, malformed, refused, unsupported, no_entropy.
  [[nodiscard]] static result<basic_group> join(environment& env, client&& me, prepared_key_package&& package,
                                                byte_view welcome, const join_options& options,
                                                const group_policy& policy) {
    return join_as(env, std::move(me), std::move(package), welcome, options, policy, nullptr);
  }

  /// join_successor(...): the same, for the group that continues `this` one after a ReInit or as a branch; which of the
  /// two follows from whether this group was reinitialized. Everything that RFC 9420 11.2 and 11.3 ask for is checked.
  [[nodiscard]] result<basic_group> join_successor(environment& env, client&& me, prepared_key_package&& package,
                                                   byte_view welcome, const join_options& options,
                                                   const group_policy& policy) const {
    if (!active_) return errc::misuse;
    const predecessor<P> before = as_predecessor();
    return join_as(env, std::move(me), std::move(package), welcome, options, policy, &before);
  }

  /// join_external(env, client, group_info, options, policy): by external Commit, as a newcomer or back from being lost
  /// (RFC 9420 12.4.3.2). Errors: as join_by_external_commit.
  [[nodiscard]] static result<external_join<P>> join_external(environment& env, client&& me, byte_view group_info,
                                                              const external_join_options& options,
                                                              const group_policy& policy) {
    CONCLAVE_TRY(auto prepared, join_by_external_commit<P>(env, me, group_info, options, policy));
    return external_join<P>{basic_group(std::move(prepared.next.state), std::move(me), policy),
                            std::move(prepared.message)};
  }

  /// reinitialize(env, client, key_packages): after a ReInit took effect: the new group, with everybody else's key
  /// packages for its suite. branch(env, client, group_id, key_packages, extensions): a group of some members with the
  /// same parameters. This group does not change. Errors: misuse (no ReInit; a group that is over), refused (members
  /// that do not match).
  [[nodiscard]] result<successor_group<P>> reinitialize(environment& env, client&& me,
                                                        std::span<const byte_view> key_packages) const {
    if (!active_ || !reinit_) return errc::misuse;
    return succeed(env, std::move(me), reinit_->suite, reinit_->group_id, reinit_->extensions, key_packages);
  }
  [[nodiscard]] result<successor_group<P>> branch(environment& env, client&& me, byte_view group_id,
                                                  std::span<const byte_view> key_packages,
                                                  byte_view extensions = {}) const {
    if (!active_ || reinit_) return errc::misuse;
    return succeed(env, std::move(me), suite().id(), group_id, extensions, key_packages);
  }

  // ---- facts ---------------------------------------------------------------------------------------------------

  [[nodiscard]] byte_view group_id() const noexcept { return current_.group_id; }
  [[nodiscard]] std::uint64_t epoch_number() const noexcept { return current_.number; }
  [[nodiscard]] leaf_index own_leaf() const noexcept { return current_.own; }
  [[nodiscard]] const basic_suite<P>& suite() const noexcept { return current_.suite(); }
  [[nodiscard]] const ratchet_tree<P>& tree() const noexcept { return current_.tree; }
  [[nodiscard]] byte_view group_context() const noexcept { return current_.context; }
  /// active(): false once this member was removed.
  [[nodiscard]] bool active() const noexcept { return active_; }
  [[nodiscard]] std::size_t pending_proposals() const noexcept { return proposals_.size(); }
  /// waiting_removals(): whom Remove proposals that wait for a commit would remove, ascending.
  [[nodiscard]] std::vector<leaf_index> waiting_removals() const {
    std::vector<leaf_index> out;
    for (const stored_proposal& p : proposals_.all())
      if (p.proposal().type == proposal_type::remove) out.push_back(p.proposal().remove);
    std::ranges::sort(out);
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
  }
  /// epoch_authenticator(): equal for all members of an epoch (RFC 9420 8.7).
  [[nodiscard]] const epoch_authenticator& authenticator() const noexcept { return current_.secrets.authentication; }
  /// resumption(): the resumption_psk of the epoch, for a psk_source that is asked for it later (RFC 9420 8.6).
  [[nodiscard]] const resumption_psk& resumption() const noexcept { return current_.secrets.resumption; }
  /// export_secret(label, context, out): MLS-Exporter (RFC 9420 8.5); at most 255 Nh bytes. Errors: misuse.
  [[nodiscard]] status export_secret(std::string_view label, byte_view context, byte_span out) const {
    if (!active_ || out.size() > 255 * suite().nh()) return errc::misuse;
    mls_exporter(suite(), current_.secrets.exporter, label, context, out);
    return {};
  }
  /// reinitialized(): the parameters of the group that follows, once a ReInit took effect; this one sends nothing more.
  [[nodiscard]] const std::optional<reinit_parameters>& reinitialized() const noexcept { return reinit_; }
  /// identities(now): what this member's validator says of everybody: after joining, and now and then, because time goes
  /// on and certificates are revoked.
  [[nodiscard]] std::vector<judged_identity> identities(unix_time now) const {
    return judge_members(judge_of(policy_, current_, now), current_.tree);
  }
  /// group_info(env, content): a signed GroupInfo of the current epoch as MLSMessage, for external joiners.
  [[nodiscard]] result<bytes> group_info(environment& env, const group_info_content& content) const {
    if (!active_) return errc::misuse;
    CONCLAVE_TRY(const auto info, make_group_info(env, current_, me_.signer, content));
    bytes out;
    writer w{out};
    write_message_header(w, wire_format::group_info);
    w.raw(info);
    return out;
  }
  /// ratchet_tree_items(): the content of a ratchet_tree extension for the current epoch.
  [[nodiscard]] bytes ratchet_tree_items() const { return current_.tree.encode_items(); }

  // ---- snapshots -------------------------------------------------------------------------------------------------

  /// snapshot(env, key, beside): the whole state, sealed under a key of the host's; `beside` is what the owner of the group
  /// wants to find with it. The host stores it durably, and then says stored(sequence()). From the first one on, the group
  /// sends only what a stored snapshot has reserved: at most limits::snapshot_reserve messages of each kind, none in a new
  /// epoch, so that a restored group never uses a generation twice. Errors: misuse (key), no_entropy, unsupported; nothing
  /// has changed then.
  [[nodiscard]] result<bytes> snapshot(environment& env, const snapshot_key& key, byte_view beside = {}) {
    CONCLAVE_CHECK(current_.message_secrets.prepare_sending(suite(), current_.own));
    const secret_bytes state_bytes = this->save_state(limits::snapshot_reserve, beside);
    CONCLAVE_TRY(auto out, seal_snapshot(env, suite(), key, sequence_ + 1, state_bytes));
    ++sequence_;
    reserved_ = current_.message_secrets.sending(current_.own);
    reserved_.handshake += limits::snapshot_reserve;
    reserved_.application += limits::snapshot_reserve;
    // before the first one, there is nothing that could be restored in its place
    if (!durable_) current_.message_secrets.limit_sending(reserved_);
    durable_ = true;
    return out;
  }
  /// sequence(): the number of the newest snapshot; the host keeps that of the one it has stored, where nobody can turn it
  /// back.
  [[nodiscard]] std::uint64_t sequence() const noexcept { return sequence_; }
  /// stored(sequence): the snapshot of this number is what restore() would be given from now on, so what it has reserved
  /// may be sent. Of one that is not the newest any more, nothing follows. Errors: misuse where there was no such snapshot.
  [[nodiscard]] status stored(std::uint64_t sequence) {
    if (sequence == 0 || sequence > sequence_) return errc::misuse;
    if (sequence == sequence_ && active_) current_.message_secrets.limit_sending(reserved_);
    return {};
  }

  /// restore(env, key, newest, snapshot, policy, beside): the group as it was, and what was stored beside it. It receives
  /// at once, and sends when its next snapshot is stored. Errors: malformed (no snapshot), unsupported (version, suite),
  /// replayed (older than the newest), unauthentic (damaged, another key), misuse (key size), no_entropy.
  [[nodiscard]] static result<basic_group> restore(environment& env, const snapshot_key& key, std::uint64_t newest,
                                                   byte_view sealed, const group_policy& policy,
                                                   secret_bytes* beside = nullptr) {
    CONCLAVE_TRY(const auto opened, open_snapshot<P>(key, newest, sealed));
    hash_seed seed;
    CONCLAVE_CHECK(env.random(seed));
    secret_bytes stored_beside;
    CONCLAVE_TRY(auto loaded, state::load_state(opened.suite, seed, opened.state, policy, stored_beside));
    if (beside != nullptr) *beside = std::move(stored_beside);
    basic_group out(std::move(loaded));
    out.durable_ = true;
    out.sequence_ = opened.sequence;
    out.current_.message_secrets.limit_sending({0, 0});
    return out;
  }

  // ---- changing the group ----------------------------------------------------------------------------------------

  /// commit(env, request): prepares a commit of the request and of the proposals received in this epoch, without those
  /// that would break it or bring in whom the policy does not admit. Errors: what the request breaks, with its rule;
  /// misuse after removal; no_entropy; exhausted.
  [[nodiscard]] result<pending> commit(environment& env, const commit_request& request) {
    CONCLAVE_CHECK(may_send_now());
    std::unordered_set<std::uint32_t> changed;
    for (const leaf_index i : request.remove) changed.insert(number(i));
    std::vector<const stored_proposal*> received;
    if (!request.reinit_as) received = proposals_.select(current_.tree, current_.own, changed);
    std::erase_if(received, [&](const stored_proposal* stored) {
      const mls::proposal& p = stored->proposal();
      return (p.type == proposal_type::add && !request.proposed_adds) || !admit(policy_, current_, p, env.wall());
    });
    CONCLAVE_TRY(const auto own, requested(env, request));
    auto prepared = prepare(env, request, own, received);
    if (!prepared && !received.empty() && prepared.error() != errc::no_entropy) {
      // somebody has proposed what no commit can contain, and must not block them all by it
      const byte_view key = (request.becomes == nullptr ? me_ : *request.becomes).signer.public_view();
      CONCLAVE_CHECK(this->fits(own, {}, key));
      prepared = prepare(env, request, own, this->fitting(own, received, key));
    }
    if (!prepared) return prepared.error();
    return pending(*std::move(prepared), current_.interim_transcript_hash);
  }

  /// apply(commit): the delivery service has accepted it. It is used up, but where memory runs out: then it can be applied
  /// again. Errors: stale_epoch where another commit came first, misuse after removal or where another member has made it.
  [[nodiscard]] result<epoch_change> apply(pending&& commit) {
    const auto applies = [&]() -> status {
      if (!active_) return errc::misuse;
      if (commit.prepared_.next.state.own != current_.own) return errc::misuse;  // another member's
      if (commit.base_ != current_.interim_transcript_hash) return failure{errc::stale_epoch, rules::current_epoch};
      return {};
    }();
    if (applies) {
      this->enter(std::move(commit.prepared_.next));
      if (commit.prepared_.becomes) me_ = *std::move(commit.prepared_.becomes);
    }
    pending used = std::move(commit);
    if (!applies) return applies.error();
    return std::move(used.prepared_.next.change);
  }

  /// propose(env, proposal): the MLSMessage for the others; the proposal is also recorded here. `proposal` may be of
  /// any type but Update and ExternalInit. Errors: as for a commit of it.
  [[nodiscard]] result<bytes> propose(environment& env, const proposal& p) {
    if (p.type == proposal_type::update || p.type == proposal_type::external_init) return errc::misuse;
    return send_proposal(env, p, std::nullopt);
  }
  [[nodiscard]] result<bytes> propose_add(environment& env, byte_view key_package_message) {
    CONCLAVE_TRY(const auto p, add_of(env, key_package_message));
    return send_proposal(env, p, std::nullopt);
  }
  [[nodiscard]] result<bytes> propose_remove(environment& env, leaf_index target) {
    proposal p;
    p.type = proposal_type::remove;
    p.remove = target;
    return send_proposal(env, p, std::nullopt);
  }
  [[nodiscard]] result<bytes> propose_update(environment& env) {
    CONCLAVE_TRY(auto key, hpke::generate_key_pair<P>(env, suite().hpke_suite().kem));
    CONCLAVE_TRY(const auto leaf, make_leaf(env, suite(), me_, key.pub.view(),
                                            {leaf_node_source::update, {}, {}, current_.group_id, current_.own}));
    proposal p;
    p.type = proposal_type::update;
    CONCLAVE_TRY(p.update, wire::decode<located_leaf>(leaf));
    return send_proposal(env, p, std::move(key));
  }

  // ---- messages --------------------------------------------------------------------------------------------------

  /// protect(env, plaintext, authenticated_data): an application message as MLSMessage. Errors: refused while proposals
  /// wait for a commit (RFC 9420 12.4), over_limit, misuse after removal, exhausted, no_entropy.
  [[nodiscard]] result<bytes> protect(environment& env, byte_view plaintext, byte_view authenticated_data) {
    CONCLAVE_CHECK(may_send_now());
    if (!proposals_.empty()) return failure{errc::refused, rules::commit_before_application};
    if (plaintext.size() + authenticated_data.size() > limits::message_bytes) return errc::over_limit;
    secret_bytes body;
    secret_writer w{body};
    w.opaque(plaintext);
    CONCLAVE_TRY(auto sent,
                 this->send(env, wire_format::private_message, content_type::application, body, authenticated_data));
    return std::move(sent.message);
  }

  /// process(env, message): one MLSMessage from the delivery service. Commits must come in their order, at most one per
  /// epoch. The time of `env` is for the validator and decides nothing but what it shows; without a validator it is not
  /// needed. Errors: stale_epoch (an epoch that is over; late application messages of kept epochs still open), early (an
  /// epoch to come), unauthentic, replayed, malformed, refused, unknown_key, over_limit, unsupported, exhausted
  /// (a commit of the last epoch there can be); misuse after removal, and for a validator without a time.
  [[nodiscard]] result<event> process(environment& env, byte_view input) { return process_at(env.wall(), input); }
  [[nodiscard]] result<event> process(byte_view input) {
    if (policy_.identities != nullptr) return errc::misuse;
    return process_at({}, input);
  }

 private:
  using state = group_state<P>;
  using state::active_;
  using state::current_;
  using state::durable_;
  using state::me_;
  using state::policy_;
  using state::proposals_;
  using state::reinit_;
  using state::reserved_;
  using state::sequence_;

  explicit basic_group(state&& restored) : state(std::move(restored)) {}

  basic_group(epoch<P>&& first, client&& me, const group_policy& policy)
      : state(std::move(first), std::move(me), policy) {}

  [[nodiscard]] result<event> process_at(unix_time now, byte_view input) {
    if (!active_) return errc::misuse;
    CONCLAVE_TRY(const auto received, message::decode(input));
    switch (received.format) {
      case wire_format::public_message: return this->process_public(received.public_message, now);
      case wire_format::private_message: return this->process_private(received.private_message, now);
      default: return failure{errc::misuse, rules::known_wire_format};
    }
  }

  [[nodiscard]] static result<basic_group> join_as(environment& env, client&& me, prepared_key_package&& package,
                                                   byte_view welcome, const join_options& options,
                                                   const group_policy& policy, const predecessor<P>* before) {
    CONCLAVE_TRY(auto first, join_by_welcome<P>(env, package, welcome, options, policy, before));
    if (policy.rules != nullptr) CONCLAVE_CHECK(by_rules(policy.rules->allow_group(facts_of<P>(first))));
    if (!package.last_resort) {
      const prepared_key_package used = std::move(package);
    }
    return basic_group(std::move(first), std::move(me), policy);
  }

  [[nodiscard]] predecessor<P> as_predecessor() const noexcept {
    return {&current_, reinit_ ? resumption_psk_usage::reinit : resumption_psk_usage::branch,
            reinit_ ? &*reinit_ : nullptr};
  }

  /// Creates a group and adds everybody in one commit that carries this group's resumption_psk.
  [[nodiscard]] result<successor_group<P>> succeed(environment& env, client&& me, cipher_suite id, byte_view group_id,
                                                   byte_view extensions,
                                                   std::span<const byte_view> key_packages) const {
    const predecessor<P> before = as_predecessor();
    predecessor_psks<P> psks(before, policy_.psks);
    group_policy policy = policy_;
    policy.psks = &psks;
    CONCLAVE_TRY(auto next, create(env, id, std::move(me), group_id, extensions, policy));
    CONCLAVE_TRY(const auto nonce, fresh_nonce(env, next.suite()));
    pre_shared_key_id link{psk_type::resumption, {}, before.usage, current_.group_id, current_.number, nonce};
    commit_request request;
    request.add = key_packages;
    request.psks = {&link, 1};
    CONCLAVE_TRY(auto commit, next.commit(env, request));
    std::vector<bytes> welcomes(commit.welcomes().begin(), commit.welcomes().end());
    CONCLAVE_CHECK(next.apply(std::move(commit)));
    CONCLAVE_TRY(const auto context, wire::decode<mls::group_context>(next.current_.context));
    CONCLAVE_CHECK(valid_successor(before, context, next.current_.tree));
    next.policy_ = policy_;
    return successor_group<P>{std::move(next), std::move(welcomes)};
  }

  [[nodiscard]] status may_send_now() const {
    if (!active_) return errc::misuse;
    if (reinit_) return failure{errc::refused, rules::no_message_after_reinit};
    return {};
  }

  [[nodiscard]] static result<proposal> add_of(environment& env, byte_view key_package_message) {
    CONCLAVE_TRY(const auto received, message::decode(key_package_message));
    if (received.format != wire_format::key_package) return failure{errc::malformed, rules::known_wire_format};
    if (!received.key_package->leaf->lifetime.covers(env.wall()))
      return failure{errc::refused, rules::lifetime_is_current};
    proposal out;
    out.type = proposal_type::add;
    out.add = received.key_package;
    return out;
  }

  /// The proposals of a request.
  [[nodiscard]] result<std::vector<listed_proposal>> requested(environment& env, const commit_request& request) const {
    std::vector<listed_proposal> out;
    out.reserve(request.remove.size() + request.add.size() + 4);  // each is large
    const auto add = [&](proposal_type type, auto&& fill) {
      out.push_back({{}, {sender_type::member, number(current_.own)}});
      out.back().proposal.type = type;
      fill(out.back().proposal);
    };
    if (request.extensions) {
      CONCLAVE_TRY(const auto items, extension_list::check(*request.extensions));
      add(proposal_type::group_context_extensions, [&](proposal& p) { p.group_context_extensions = items; });
    }
    for (const leaf_index i : request.remove) add(proposal_type::remove, [&](proposal& p) { p.remove = i; });
    for (const byte_view package : request.add) {
      CONCLAVE_TRY(const auto wanted, add_of(env, package));
      add(proposal_type::add, [&](proposal& p) { p.add = wanted.add; });
    }
    for (const auto& id : request.psks) add(proposal_type::psk, [&](proposal& p) { p.psk = id; });
    if (request.reinit_as) add(proposal_type::reinit, [&](proposal& p) { p.reinit = *request.reinit_as; });
    for (const auto& custom : request.custom) {
      if (is_default(custom.type) || custom.type == proposal_type::self_remove) return errc::misuse;
      add(custom.type, [&](proposal& p) { p.custom = custom.custom; });
    }
    return out;
  }

  /// A commit of what was received, by reference, and of the request's own proposals, by value.
  [[nodiscard]] result<prepared_commit<P>> prepare(environment& env, const commit_request& request,
                                                   std::span<const listed_proposal> own,
                                                   std::span<const stored_proposal* const> received) {
    std::vector<listed_proposal> list;
    bytes encoded;
    std::size_t size = 256;
    for (const byte_view package : request.add) size += package.size() + 4;
    encoded.reserve(size);
    list.reserve(own.size() + received.size());
    writer w{encoded};
    for (const stored_proposal* p : received)
      append_item(w, list, {p->proposal(), p->sender(), true}, p->reference.view());
    for (const listed_proposal& p : own) append_item(w, list, p);
    return create_commit(env, current_, me_,
                         {list, encoded, request.authenticated_data, request.path, nullptr, request.becomes}, policy_);
  }

  [[nodiscard]] result<bytes> send_proposal(environment& env, const proposal& p,
                                            std::optional<hpke::key_pair> own_update) {
    CONCLAVE_CHECK(may_send_now());
    if (proposals_.full()) return failure{errc::over_limit, rules::pending_proposal_limit};
    CONCLAVE_CHECK(check_proposal(current_, p, {sender_type::member, number(current_.own)}, policy_));
    CONCLAVE_CHECK(admit(policy_, current_, p, env.wall()));
    // outsiders have to be able to read a SelfRemove
    const wire_format format = p.type == proposal_type::self_remove ? wire_format::public_message : policy_.handshakes;
    CONCLAVE_TRY(auto sent, this->send(env, format, content_type::proposal, wire::encode(p), {}));
    (void)proposals_.add(suite(), std::move(sent.content), std::move(own_update));
    return std::move(sent.message);
  }
};

/// group: the group over the default provider.
using group = basic_group<default_provider>;

}  // namespace conclave::mls

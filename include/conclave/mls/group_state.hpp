// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// group_state: what a group holds, and how received messages and accepted commits change it.
#pragma once

#include <conclave/mls/create_commit.hpp>
#include <conclave/mls/handshake.hpp>
#include <conclave/mls/message.hpp>
#include <conclave/mls/snapshot.hpp>

namespace conclave::inline CONCLAVE_ABI::mls {

/// group_state<P>: the part of basic_group behind its interface. Nothing changes before everything is checked.
template <crypto_provider P>
class group_state {
 protected:
  template <crypto_provider>
  friend struct group_testing;

  struct past_epoch {
    std::uint64_t number;
    ratchet_tree<P> tree;
    bytes context;
    sender_data_secret sender_data;
    secret_tree<P> message_secrets;
  };
  struct sent_content {
    bytes message;
    authenticated_content content;
  };

  group_state(epoch<P>&& first, client&& me, const group_policy& policy)
      : current_{std::move(first)}, me_{std::move(me)}, policy_{policy} {}

  [[nodiscard]] const basic_suite<P>& suite() const noexcept { return current_.suite(); }

  /// The state of the group moves on; the old one is kept for late messages as far as the policy says. Should memory run
  /// out, neither the group nor `next` has changed: all of it is taken first.
  void enter(next_epoch<P>&& next) {
    auto reinit = next.change.reinit;
    past_.push_back({current_.number, current_.tree, {}, {}, {}});
    past_.back().context = std::move(current_.context);
    past_.back().sender_data = std::move(current_.secrets.sender_data);
    past_.back().message_secrets = std::move(current_.message_secrets);
    proposals_.clear();
    reinit_ = std::move(reinit);
    while (past_.size() > std::min(policy_.past_epochs, limits::past_epochs)) past_.erase(past_.begin());
    current_ = std::move(next.state);
    reserved_ = {0, 0};
    if (durable_) current_.message_secrets.limit_sending(reserved_);
  }

  void leave(epoch_change& change) {
    change.removed_me = true;
    active_ = false;
    proposals_.clear();
    past_.clear();
    current_.secrets = {};
    current_.message_secrets = {};
    current_.keys = {};
  }

  /// Signs and wraps content of this member.
  [[nodiscard]] result<sent_content> send(environment& env, wire_format format, content_type type, byte_view body,
                                          byte_view authenticated_data) {
    framed_content content{
        current_.group_id, current_.number, {sender_type::member, number(current_.own)}, authenticated_data, {}};
    content.body.type = type;
    content.body.encoded = body;
    secret_bytes encoded;
    secret_writer w{encoded};
    wire::write(w, format);
    content.write(w);
    const auto tbs = framed_content_tbs<secret_bytes>(format, byte_view{encoded}.subspan(2), current_.context);
    CONCLAVE_TRY(const auto signature, suite().sign_with_label(env, me_.signer, "FramedContentTBS", tbs));
    const content_auth auth{signature, {}};
    auth.write(w, type);
    CONCLAVE_TRY(auto authenticated, authenticated_content::decode(std::move(encoded)));
    CONCLAVE_TRY(auto message, protect_content(env, current_, format, content, auth, tbs, policy_));
    return sent_content{std::move(message), std::move(authenticated)};
  }

  /// fits(own, received, key): success where a commit of these is valid, as far as that is known before its path is made.
  [[nodiscard]] status fits(std::span<const listed_proposal> own, std::span<const stored_proposal* const> received,
                            byte_view key) const {
    std::vector<listed_proposal> list(own.begin(), own.end());
    for (const stored_proposal* p : received) list.push_back({p->proposal(), p->sender(), true});
    ratchet_tree<P> tree = current_.tree;
    CONCLAVE_TRY(const auto applied,
                 apply_proposals(current_, {{sender_type::member, number(current_.own)}, key, list}, policy_, tree));
    std::vector<leaf_index> changed = applied.added;
    changed.insert(changed.end(), applied.updated.begin(), applied.updated.end());
    CONCLAVE_CHECK(valid_members(current_.tree, tree, changed, applied.extensions));
    CONCLAVE_CHECK(find_psks(suite(), applied.psks, policy_.psks));
    return {};
  }

  /// fitting(own, received, key): those that fit beside `own`, found by halves; what is still in question after
  /// limits::commit_attempts failures is left out.
  [[nodiscard]] std::vector<const stored_proposal*> fitting(std::span<const listed_proposal> own,
                                                            std::span<const stored_proposal* const> received,
                                                            byte_view key) const {
    std::vector<const stored_proposal*> kept;
    std::size_t attempts = limits::commit_attempts;
    const auto keep = [&](auto& self, std::span<const stored_proposal* const> part) -> void {
      if (part.empty() || attempts == 0) return;
      std::vector<const stored_proposal*> tried = kept;
      tried.insert(tried.end(), part.begin(), part.end());
      if (fits(own, tried, key)) {
        kept = std::move(tried);
        return;
      }
      --attempts;
      if (part.size() == 1) return;
      self(self, part.first(part.size() / 2));
      self(self, part.subspan(part.size() / 2));
    };
    keep(keep, received);
    return kept;
  }

  [[nodiscard]] result<event> process_public(const public_message& received, unix_time now) {
    CONCLAVE_TRY(const auto tbs, public_tbs(current_, received));
    const framed_content& content = received.content.value;
    if (content.sender.type == sender_type::member) {
      const digest expected =
          membership_tag(suite(), current_.secrets.membership, tbs, received.auth, content.body.type);
      if (!detail::ct_equal(expected.view(), received.membership_tag))
        return failure{errc::unauthentic, rules::membership_tag};
    }
    CONCLAVE_TRY(auto authenticated, verified_content(current_, received, tbs));
    return process_handshake(std::move(authenticated), now);
  }

  [[nodiscard]] result<event> process_private(const private_message& received, unix_time now) {
    if (!equal(received.group_id, current_.group_id)) return failure{errc::unknown_key, rules::known_group};
    if (received.epoch == current_.number)
      return process_private_of(received, current_.tree, current_.context, current_.secrets.sender_data,
                                current_.message_secrets, now);
    if (received.type == content_type::application)
      for (past_epoch& past : past_)
        if (past.number == received.epoch)
          return process_private_of(received, past.tree, past.context, past.sender_data, past.message_secrets, now);
    return expect_epoch(current_, received.group_id, received.epoch).error();
  }

  [[nodiscard]] result<event> process_private_of(const private_message& received, const ratchet_tree<P>& tree,
                                                 byte_view context, const sender_data_secret& sender_data_key,
                                                 secret_tree<P>& secrets, unix_time now) {
    CONCLAVE_TRY(const auto from, open_sender_data(suite(), sender_data_key, received));
    if (!tree.contains(from.leaf)) return failure{errc::refused, rules::sender_is_member};
    if (from.leaf == current_.own) return failure{errc::refused, rules::own_message};
    CONCLAVE_TRY(auto opened, open_private(suite(), secrets, from, received));
    const auto tbs =
        framed_content_tbs<secret_bytes>(wire_format::private_message, opened.content.encoded_content(), context);
    CONCLAVE_CHECK(verify_content(tree, current_.extension_items(), opened.content, tbs));
    secrets.prepare(opened.step);
    if (received.type != content_type::application) {
      // the key is used up only if the proposal or commit is accepted; a commit has made its epoch a past one
      auto outcome = process_handshake(std::move(opened.content), now);
      if (outcome && received.type == content_type::proposal)
        secrets.accept(std::move(opened.step));
      else if (outcome && !past_.empty() && past_.back().number == received.epoch)
        past_.back().message_secrets.accept(std::move(opened.step));
      return outcome;
    }
    const framed_content& content = opened.content.content;
    application_message out{from.leaf, content.epoch,
                            secret_bytes(content.body.application_data.begin(), content.body.application_data.end()),
                            to_bytes(content.authenticated_data)};
    secrets.accept(std::move(opened.step));
    return event{std::move(out)};
  }

  [[nodiscard]] result<event> process_handshake(authenticated_content&& message, unix_time now) {
    const framed_content& content = message.content;
    if (content.sender.type == sender_type::member && content.sender.index == number(current_.own))
      return failure{errc::refused, rules::own_message};
    if (reinit_) return failure{errc::refused, rules::no_message_after_reinit};
    const judge j = judge_of(policy_, current_, now);
    if (content.body.type == content_type::proposal) {
      CONCLAVE_CHECK(may_wait(current_, proposals_, message, policy_));
      const auto identity = identity_brought_by(j, current_, content.body.proposal, content.sender);
      received_proposal out = proposals_.add(suite(), std::move(message));
      out.identity = identity;
      return event{std::move(out)};
    }
    CONCLAVE_TRY(const auto resolved, proposals_.resolve(content));
    CONCLAVE_TRY(auto next, process_commit(current_, message, resolved.list, resolved.own_update, policy_));
    judge_change(j, current_, next.state, next.change);
    if (next.change.removed_me)
      leave(next.change);
    else
      enter(std::move(next));
    return event{std::move(next.change)};
  }

  // ---- snapshots -------------------------------------------------------------------------------------------------

  /// save_state(skip, beside): the whole state; the own ratchets as after `skip` more messages.
  [[nodiscard]] secret_bytes save_state(std::uint32_t skip, byte_view beside = {}) const {
    secret_bytes out;
    std::size_t size = current_.tree.encoded_size() + beside.size() + 16384;
    for (const past_epoch& past : past_) size += past.tree.encoded_size();
    out.reserve(size);
    secret_writer w{out};
    save_epoch(w, skip);
    save_client(w);
    w.number(static_cast<std::uint8_t>(active_));
    w.number(static_cast<std::uint8_t>(reinit_.has_value()));
    if (reinit_) reinit_->save(w);
    w.vector([&] {
      for (const stored_proposal& p : proposals_.all()) {
        w.opaque(p.content.encoded);
        w.number(static_cast<std::uint8_t>(p.own_update.has_value()));
        if (p.own_update) private_path::save_key(w, *p.own_update);
      }
    });
    w.vector([&] {
      for (const past_epoch& past : past_) {
        w.number(past.number);
        past.tree.write_items(w);
        w.opaque(past.context);
        w.opaque(past.sender_data.reveal());
        past.message_secrets.save(suite(), w, current_.own, 0);
      }
    });
    w.opaque(beside);
    return out;
  }

  /// load_state(suite, seed, state, policy, beside): what save_state wrote. Errors: malformed.
  [[nodiscard]] static result<group_state> load_state(const basic_suite<P>& s, const hash_seed& seed, byte_view state,
                                                      const group_policy& policy, secret_bytes& beside) {
    reader in{state};
    CONCLAVE_TRY(auto current, load_epoch(s, seed, in));
    CONCLAVE_TRY(auto me, load_client(in));
    group_state out(std::move(current), std::move(me), policy);
    CONCLAVE_TRY(const auto active, in.number<std::uint8_t>());
    out.active_ = active != 0;
    if (out.active_ && !out.current_.tree.contains(out.current_.own))
      return failure{errc::malformed, rules::snapshot_format};
    CONCLAVE_TRY(const auto has_reinit, in.number<std::uint8_t>());
    if (has_reinit != 0) {
      CONCLAVE_TRY(out.reinit_, reinit_parameters::load(in));
    }
    CONCLAVE_TRY(const auto proposals, in.opaque());
    for (reader each{proposals}; !each.empty();) {
      CONCLAVE_TRY(const auto encoded, each.opaque());
      CONCLAVE_TRY(auto content, authenticated_content::decode(secret_bytes(encoded.begin(), encoded.end())));
      CONCLAVE_TRY(const auto has_key, each.number<std::uint8_t>());
      std::optional<hpke::key_pair> own_update;
      if (has_key != 0) {
        CONCLAVE_TRY(own_update, private_path::load_key(each));
      }
      (void)out.proposals_.add(s, std::move(content), std::move(own_update));
    }
    CONCLAVE_TRY(const auto past, in.opaque());
    for (reader each{past}; !each.empty();) {
      CONCLAVE_TRY(const auto number, each.number<std::uint64_t>());
      CONCLAVE_TRY(const auto items, each.opaque());
      CONCLAVE_TRY(auto tree, ratchet_tree<P>::import(out.current_.tree, items));
      CONCLAVE_TRY(const auto context, each.opaque());
      CONCLAVE_TRY(const auto raw, each.opaque());
      CONCLAVE_TRY(auto sender_data_key, sender_data_secret::copy_of(raw));
      CONCLAVE_TRY(auto message_secrets, secret_tree<P>::load(each));
      out.past_.push_back(
          {number, std::move(tree), to_bytes(context), std::move(sender_data_key), std::move(message_secrets)});
    }
    CONCLAVE_TRY(const auto others, in.opaque());
    beside.assign(others.begin(), others.end());
    CONCLAVE_CHECK(in.finish());
    return out;
  }

  epoch<P> current_;
  client me_;
  group_policy policy_;
  proposal_cache proposals_;
  std::optional<reinit_parameters> reinit_;
  std::vector<past_epoch> past_;  // oldest first; few, and moved without new memory
  bool active_ = true;
  bool durable_ = false;        // a snapshot exists: no message may go out that a stored one does not know of
  std::uint64_t sequence_ = 0;  // of the newest snapshot
  typename secret_tree<P>::generations reserved_{0, 0};  // what may be sent in this epoch once that one is stored

 private:
  /// The secrets of an epoch that outlive its beginning.
  [[nodiscard]] static auto kept_secrets(auto& secrets) {
    return std::tie(secrets.sender_data, secrets.exporter, secrets.external, secrets.confirm, secrets.membership,
                    secrets.resumption, secrets.authentication, secrets.init);
  }

  void save_epoch(secret_writer& w, std::uint32_t skip) const {
    w.opaque(current_.group_id);
    w.number(current_.number);
    w.opaque(current_.extensions);
    current_.tree.write_items(w);
    w.opaque(current_.confirmed_transcript_hash.view());
    w.opaque(current_.interim_transcript_hash.view());
    w.opaque(current_.confirmation_tag.view());
    w.opaque(current_.context);
    std::apply([&](const auto&... secret_) { (w.opaque(secret_.reveal()), ...); }, kept_secrets(current_.secrets));
    current_.message_secrets.save(suite(), w, current_.own, skip);
    w.number(number(current_.own));
    current_.keys.save(w);
  }

  [[nodiscard]] static result<epoch<P>> load_epoch(const basic_suite<P>& s, const hash_seed& seed, reader& in) {
    CONCLAVE_TRY(const auto group_id, in.opaque());
    CONCLAVE_TRY(const auto number, in.number<std::uint64_t>());
    CONCLAVE_TRY(const auto extensions, in.opaque());
    CONCLAVE_CHECK(extension_list::check(extensions));
    CONCLAVE_TRY(const auto items, in.opaque());
    CONCLAVE_TRY(const auto tree, ratchet_tree<P>::import(s, seed, items));
    epoch<P> out(tree);
    out.group_id = to_bytes(group_id);
    out.number = number;
    out.extensions = to_bytes(extensions);
    for (digest* d : {&out.confirmed_transcript_hash, &out.interim_transcript_hash, &out.confirmation_tag}) {
      CONCLAVE_TRY(const auto raw, in.opaque());
      CONCLAVE_TRY(*d, digest::copy_of(raw));
    }
    CONCLAVE_TRY(const auto context, in.opaque());
    out.context = to_bytes(context);
    status loaded;
    const auto load = [&]<class Tag>(secret<Tag>& into) -> status {
      CONCLAVE_CHECK(loaded);
      CONCLAVE_TRY(const auto raw, in.opaque());
      CONCLAVE_TRY(into, secret<Tag>::copy_of(raw));
      return {};
    };
    std::apply([&](auto&... secret_) { ((loaded = load(secret_)), ...); }, kept_secrets(out.secrets));
    CONCLAVE_CHECK(loaded);
    CONCLAVE_TRY(out.message_secrets, secret_tree<P>::load(in));
    CONCLAVE_TRY(const auto own, in.number<std::uint32_t>());
    out.own = leaf_index{own};
    CONCLAVE_TRY(out.keys, private_path::load(in));
    return out;
  }

  void save_client(secret_writer& w) const {
    wire::write(w, me_.signer.scheme());
    w.opaque(me_.signer.private_key().reveal());
    wire::write(w, me_.credential_type);
    w.opaque(me_.credential);
    w.opaque(wire::encode_items(me_.extensions));
    w.opaque(wire::encode_items(me_.proposals));
    w.opaque(wire::encode_items(me_.credentials));
    w.opaque(me_.leaf_extensions);
  }

  [[nodiscard]] static result<client> load_client(reader& in) {
    client out;
    CONCLAVE_TRY(const auto scheme, wire::read<signature_scheme>(in));
    CONCLAVE_TRY(const auto raw, in.opaque());
    CONCLAVE_TRY(out.signer, signature_key::from_private<P>(scheme, raw));
    CONCLAVE_TRY(out.credential_type, wire::read<credential_type>(in));
    CONCLAVE_TRY(const auto data, in.opaque());
    out.credential = to_bytes(data);
    const auto load_list = [&]<class T>(std::vector<T>& into) -> status {
      CONCLAVE_TRY(const auto list, wire::read<wire::list<T>>(in));
      into.clear();
      for (const T x : list) into.push_back(x);
      return {};
    };
    CONCLAVE_CHECK(load_list(out.extensions));
    CONCLAVE_CHECK(load_list(out.proposals));
    CONCLAVE_CHECK(load_list(out.credentials));
    CONCLAVE_TRY(const auto leaf_extensions, in.opaque());
    CONCLAVE_CHECK(extension_list::check(leaf_extensions));
    out.leaf_extensions = to_bytes(leaf_extensions);
    return out;
  }
};

}  // namespace conclave::mls

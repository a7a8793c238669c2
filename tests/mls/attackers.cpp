// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Attackers who have recorded all messages and then steal the whole state of somebody (RFC 9420 16.5, 16.6): what they
/// must not read with it, each beside something that they can read, or the attack itself would prove nothing.
#include "forger.hpp"
#include "support.hpp"

namespace mls_test {

namespace {

using stolen_from = group_testing<provider>;

/// recorded_text: an application message, and what an attacker is given besides: who sent it with which generation.
struct recorded_text {
  bytes message;
  sender_data from;
  std::uint32_t leaf_count;
};

recorded_text record_text(party& p, std::size_t i, std::string_view text) {
  recorded_text out{must(p[i].protect(p.env, as_bytes(text), {})), {}, p[i].tree().leaf_count()};
  out.from = must(open_sender_data(p[i].suite(), stolen_from::epoch_of(p[i]).secrets.sender_data,
                                   must(message::decode(out.message)).private_message));
  return out;
}

/// recorded_commit: a public Commit, and the GroupContext that its path was encrypted for.
struct recorded_commit {
  bytes message, context, welcome;
};

recorded_commit record_commit(party& p, std::size_t from, const changes& what = {}) {
  const bytes before = to_bytes(p[from].group_context());
  auto pending = p.prepare(from, what);
  recorded_commit out{to_bytes(pending.message()), {}, to_bytes(pending.welcome())};
  p.publish(from, std::move(pending));
  auto context = must(wire::decode<group_context>(p[from].group_context()));
  context.confirmed_transcript_hash = must(wire::decode<group_context>(before)).confirmed_transcript_hash;
  out.context = wire::encode(context);
  return out;
}

/// thief: somebody with all of a member's state, who tries everything in it that could be a key.
class thief {
 public:
  explicit thief(const group& g) : s_{g.suite()}, state_{whole_state(g)} {}

  /// reads(text): as a key, as the secret of a ratchet at any generation, or of any node of the secret tree above it.
  [[nodiscard]] bool reads(const recorded_text& text) const {
    const auto m = must(message::decode(text.message)).private_message;
    for (std::size_t at = 0; at < state_.size(); ++at) {
      const byte_view rest = byte_view{state_}.subspan(at);
      if (rest[0] == s_.nk() && rest.size() > s_.nk() + aead_nonce_size)
        if (opens(m, text.from, rest.subspan(1, s_.nk()), rest.subspan(1 + s_.nk(), aead_nonce_size))) return true;
      if (rest[0] != s_.nh() || rest.size() <= s_.nh()) continue;
      const bytes secret = to_bytes(rest.subspan(1, s_.nh()));
      for (std::uint32_t start = 0; start <= text.from.generation; ++start)
        if (opens_from(m, text.from, secret, start)) return true;
      for (node_index top = to_node(text.from.leaf);; top = parent(top)) {
        bytes node = secret;
        for (node_index x = top; !is_leaf(x);) {
          const bool go_left = number(to_node(text.from.leaf)) < number(x);
          node = expanded(node, "tree", go_left ? "left" : "right");
          x = go_left ? left(x) : right(x);
        }
        if (opens_from(m, text.from, expanded(node, "application", {}), 0)) return true;
        if (top == root(text.leaf_count)) break;
      }
    }
    return false;
  }

  /// follows(commit): opens one of its path secrets with a private key of the state.
  [[nodiscard]] bool follows(const recorded_commit& c) const {
    const auto m = must(message::decode(c.message));
    for (const update_path_node node : m.public_message.content->body.commit.path->nodes)
      for (const hpke_ciphertext sealed : node.encrypted_path_secret)
        if (unlocks("UpdatePathNode", c.context, sealed)) return true;
    return false;
  }
  /// enters(welcome): opens the secrets for one of the new members.
  [[nodiscard]] bool enters(byte_view welcome) const {
    const auto m = must(message::decode(welcome));
    return std::ranges::any_of(m.welcome.secrets.begin(), m.welcome.secrets.end(),
                               [&](const encrypted_group_secrets& e) {
                                 return unlocks("Welcome", m.welcome.encrypted_group_info, e.encrypted);
                               });
  }

  /// loot(more): what else was stolen.
  void loot(const hpke::key_pair& key) {
    secret_bytes more;
    secret_writer w{more};
    private_path::save_key(w, key);
    state_.insert(state_.end(), more.begin(), more.end());
  }

 private:
  [[nodiscard]] bytes expanded(byte_view secret, std::string_view label, std::string_view context) const {
    bytes out(s_.nh());
    s_.expand_with_label(secret, label, as_bytes(context), out);
    return out;
  }
  [[nodiscard]] bool opens(const private_message& m, const sender_data& from, byte_view key, byte_view nonce) const {
    namespace detail = detail_protection;
    std::array<std::uint8_t, aead_nonce_size> guarded;
    std::ranges::copy(nonce, guarded.begin());
    detail::apply_reuse_guard(guarded, from.reuse_guard);
    bytes plaintext(m.ciphertext.size() - aead_tag_size);
    auto opening = must(provider::aead_key::make(s_.hpke_suite().aead, key));
    return opening
        .open(guarded, detail::content_aad(m.group_id, m.epoch, m.type, m.authenticated_data), m.ciphertext, plaintext)
        .has_value();
  }
  /// The secret is taken for that of the sender's ratchet at generation `start`.
  [[nodiscard]] bool opens_from(const private_message& m, const sender_data& from, bytes secret,
                                std::uint32_t start) const {
    for (std::uint32_t g = start; g < from.generation; ++g) {
      bytes next(s_.nh());
      s_.derive_tree_secret(secret, "secret", g, next);
      secret = std::move(next);
    }
    bytes key(s_.nk()), nonce(aead_nonce_size);
    s_.derive_tree_secret(secret, "key", from.generation, key);
    s_.derive_tree_secret(secret, "nonce", from.generation, nonce);
    return opens(m, from, key, nonce);
  }
  [[nodiscard]] bool unlocks(std::string_view label, byte_view context, const hpke_ciphertext& sealed) const {
    for (std::size_t at = 0; at < state_.size(); ++at) {
      reader in{byte_view{state_}.subspan(at)};
      const auto key = private_path::load_key(in);
      if (!key || key->secret.size() != 32 || key->pub.view().size() != 32) continue;
      if (s_.decrypt_with_label(*key, label, context, sealed)) return true;
    }
    return false;
  }

  basic_suite<provider> s_;
  bytes state_;
};

/// open_party: its commits are public, so that an attacker sees their paths.
struct open_party : party {
  explicit open_party(std::size_t members) : party{members, options()} {}
  static party_options options() {
    party_options out;
    out.policy.handshakes = wire_format::public_message;
    return out;
  }
};

}  // namespace

TEST_CASE("forward secrecy: a message that was opened is closed to whoever steals the state afterwards") {
  open_party p(5);
  std::vector<recorded_text> texts;
  for (const char* text : {"0", "1", "2"}) texts.push_back(record_text(p, 3, text));
  for (const auto& t : texts) {
    CHECK(thief(p[1]).reads(t));
    CHECK_FALSE(thief(p[3]).reads(t));  // not even their sender's state
  }
  must(p[1].process(texts[0].message));
  must(p[1].process(texts[2].message));
  CHECK_FALSE(thief(p[1]).reads(texts[0]));
  CHECK(thief(p[1]).reads(texts[1]));  // skipped, and expected still
  CHECK_FALSE(thief(p[1]).reads(texts[2]));
  must(p[1].process(texts[1].message));
  group stolen = stolen_from::copy_of(p[1]);
  for (const auto& t : texts) {
    CHECK_FALSE(thief(p[1]).reads(t));
    check_fails(stolen.process(t.message), errc::replayed, rules::generation_used);
  }
  CHECK(thief(p[1]).reads(record_text(p, 3, "later in the epoch")));
}

TEST_CASE("forward secrecy: what was never opened is closed once its epoch is forgotten") {
  open_party p(5);
  const auto text = record_text(p, 3, "never delivered");
  for (std::size_t i = 0; i < limits::past_epochs; ++i) {
    p.commit(i);
    CHECK(thief(p[1]).reads(text));
  }
  p.commit(4);
  for (const std::size_t i : p.inside()) CHECK_FALSE(thief(p[i]).reads(text));
  check_fails(stolen_from::copy_of(p[1]).process(text.message), errc::stale_epoch, rules::current_epoch);
}

TEST_CASE("forward secrecy: a member who has renewed its keys does not hold those of older commits") {
  open_party p(5);
  const thief before(p[2]);
  const auto old = record_commit(p, 0);
  CHECK(before.follows(old));
  p.commit(2);
  CHECK_FALSE(thief(p[2]).follows(old));
  CHECK_FALSE(thief(p[0]).follows(old));
}

TEST_CASE("forward secrecy: the Welcome is closed to whoever steals the state of somebody who has joined") {
  open_party p(3);
  const std::size_t i = p.arrive();
  (void)p.package(i);
  const hpke::key_pair init{p.who(i).package->init.secret.clone(), p.who(i).package->init.pub};
  const auto added = record_commit(p, 0, {{i}, {}});
  thief late(p[i]);
  CHECK_FALSE(late.enters(added.welcome));
  late.loot(init);
  CHECK(late.enters(added.welcome));
}

TEST_CASE(
    "post-compromise security: a stolen state follows the group until its owner renews its keys, and no further") {
  const bool by_commit = GENERATE(true, false);
  CAPTURE(by_commit);
  open_party p(6);
  for (const std::size_t i : {1U, 4U}) p.commit(i);
  group spy = stolen_from::copy_of(p[2]);
  // a passive owner does not shake it off
  const auto passive = record_commit(p, 0);
  CHECK(thief(spy).follows(passive));
  must(spy.process(passive.message));
  CHECK(observe(spy) == observe(p[2]));
  const auto heard = record_text(p, 3, "overheard");
  CHECK(thief(spy).reads(heard));
  CHECK(text_of(as<application_message>(must(spy.process(heard.message)))) == "overheard");

  if (!by_commit) {
    const bytes update = must(p[2].propose_update(p.env));
    p.deliver(2, update);
    CHECK_FALSE(spy.process(update).has_value());
  }
  const auto healing = record_commit(p, by_commit ? 2 : 5);
  const bytes before = whole_state(spy);
  CHECK_FALSE(spy.process(healing.message).has_value());
  CHECK_FALSE(thief(spy).follows(healing));
  CHECK((whole_state(spy) == before));
  const auto secret = record_text(p, 3, "among ourselves");
  CHECK(thief(p[0]).reads(secret));
  CHECK_FALSE(thief(spy).reads(secret));
  check_fails(spy.process(secret.message), errc::early, rules::current_epoch);
  for (const std::size_t i : {0U, 3U, 5U, 1U}) {
    const thief honest(p[2]);
    const auto later = record_commit(p, i);
    CHECK(honest.follows(later));
    CHECK_FALSE(thief(spy).follows(later));
    CHECK_FALSE(thief(spy).reads(record_text(p, i, "later")));
    CHECK_FALSE(observe(spy).exported == observe(p[0]).exported);
  }
}

TEST_CASE("whoever was removed can open nothing later, alone or with another") {
  open_party p(7);
  for (const std::size_t i : {1U, 4U, 6U}) p.commit(i);
  // copies that nobody tells to forget
  group first = stolen_from::copy_of(p[5]), second = stolen_from::copy_of(p[2]);
  const auto removal = record_commit(p, 0, {{}, {5}});
  CHECK(thief(second).follows(removal));
  CHECK_FALSE(thief(first).follows(removal));
  CHECK_FALSE(thief(p[5]).follows(removal));
  must(second.process(removal.message));
  const auto text = record_text(p, 0, "without them");
  CHECK(thief(second).reads(text));
  CHECK_FALSE(thief(first).reads(text));
  check_fails(first.process(text.message), errc::early, rules::current_epoch);
  CHECK(as<epoch_change>(must(first.process(removal.message))).removed_me);

  // both are gone now, and somebody new sits where the first was
  const auto replacement = record_commit(p, 3, {{p.arrive()}, {2}});
  CHECK(thief(p[1]).reads(record_text(p, 0, "to the others")));
  for (const group* thrown_out : {&first, &second}) {
    CHECK_FALSE(thief(*thrown_out).follows(replacement));
    CHECK_FALSE(thief(*thrown_out).enters(replacement.welcome));
    for (const std::size_t i : p.inside()) CHECK_FALSE(thief(*thrown_out).reads(record_text(p, i, "later")));
  }
  CHECK_FALSE(thief(second).follows(record_commit(p, 7)));
}

TEST_CASE("whoever joins can open nothing from before") {
  const bool external = GENERATE(false, true);
  CAPTURE(external);
  open_party p(4);
  const auto old = record_text(p, 1, "before");
  const auto commit_before = record_commit(p, 2);
  const auto text = record_text(p, 1, "just before");
  const std::size_t i = p.arrive();
  if (external)
    p.enter(i, 0);
  else
    p.commit(0, {{i}, {}});
  CHECK(thief(p[3]).reads(old));
  CHECK(thief(p[3]).reads(text));
  CHECK_FALSE(thief(p[i]).reads(old));
  CHECK_FALSE(thief(p[i]).reads(text));
  CHECK_FALSE(thief(p[i]).follows(commit_before));
  for (const auto& message : {old.message, text.message, commit_before.message})
    check_fails(p[i].process(message), errc::stale_epoch, rules::current_epoch);
  CHECK(thief(p[i]).reads(record_text(p, 1, "after")));
}

}  // namespace mls_test

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Groups of any size in one process, with the delivery service between their members. What is not expected to fail and
/// fails throws, with the rule that was broken in what().
#pragma once

#include <support/deterministic_environment.hpp>
#include <support/hex.hpp>

#include <conclave/mls/group.hpp>

#include <deque>
#include <stdexcept>
#include <string>

namespace conclave::inline CONCLAVE_ABI::mls {

/// group_testing: the window through which tests look into a group.
template <crypto_provider P>
struct group_testing {
  /// state_of(g, beside): all there is, serialized, with what its owner stores beside it.
  [[nodiscard]] static bytes state_of(const basic_group<P>& g, byte_view beside = {}) {
    const group_state<P>& state = g;
    const secret_bytes all = state.save_state(0, beside);
    return {all.begin(), all.end()};
  }
  /// copy_of(g): what somebody who has stolen the state of a member has.
  [[nodiscard]] static basic_group<P> copy_of(const basic_group<P>& g) {
    const group_state<P>& state = g;
    secret_bytes beside;
    return basic_group<P>(*group_state<P>::load_state(state.suite(), {}, state.save_state(0), state.policy_, beside));
  }
  /// loaded(like, state): a group of the same suite and policy as another one, with such a state as state_of() gives.
  [[nodiscard]] static result<basic_group<P>> loaded(const basic_group<P>& like, byte_view state) {
    const group_state<P>& old = like;
    secret_bytes beside;
    CONCLAVE_TRY(auto out, group_state<P>::load_state(old.suite(), {}, state, old.policy_, beside));
    return basic_group<P>(std::move(out));
  }
  /// stolen_epoch(g): the epoch of a copy.
  [[nodiscard]] static epoch<P> stolen_epoch(const basic_group<P>& g) {
    basic_group<P> copy = copy_of(g);
    group_state<P>& state = copy;
    return std::move(state.current_);
  }
  /// epoch_of(g): the secrets of the epoch too.
  [[nodiscard]] static const epoch<P>& epoch_of(const basic_group<P>& g) {
    const group_state<P>& state = g;
    return state.current_;
  }
  /// proposals_of(g): those that wait for a commit.
  [[nodiscard]] static const proposal_cache& proposals_of(const basic_group<P>& g) {
    const group_state<P>& state = g;
    return state.proposals_;
  }
};

}  // namespace conclave::mls

namespace mls_test {

using namespace conclave;
using namespace conclave::mls;
using conclave_test::deterministic_environment;

// not those of the codec, conclave::rules, which `using` would mix in
namespace rules = conclave::mls::rules;

inline constexpr auto suite_1 = cipher_suite::mls_128_dhkemx25519_aes128gcm_sha256_ed25519;

[[nodiscard]] inline std::string describe(const failure& f) {
  std::string out = text(f.code());
  if (f.broken_rule() != nullptr) out += std::string(": ") + f.broken_rule()->name;
  return out;
}

/// must(result): its value.
template <class T>
T must(result<T>&& r) {
  if (!r) throw std::runtime_error(describe(r.error()));
  if constexpr (!std::is_void_v<T>) return *std::move(r);
}

[[nodiscard]] inline client make_client(environment& env, std::string_view name, cipher_suite suite = suite_1) {
  client out;
  out.signer = must(signature_key::generate<default_provider>(env, parameters(suite)->signature));
  out.credential = to_bytes(as_bytes(name));
  return out;
}

[[nodiscard]] inline prepared_key_package make_package(environment& env, const client& who,
                                                       cipher_suite suite = suite_1,
                                                       std::chrono::seconds valid_for = std::chrono::hours{24}) {
  return must(
      make_key_package<default_provider>(env, must(basic_suite<default_provider>::make(suite)), who, {valid_for}));
}

/// observed: what can be seen of a group from outside. Two members agree where shared() is equal.
struct observed {
  bytes group_context, tree, authenticator, exported;
  std::uint64_t epoch = 0;
  std::uint32_t own_leaf = 0;
  std::size_t pending_proposals = 0;
  bool active = false;

  friend bool operator==(const observed&, const observed&) = default;
  [[nodiscard]] observed shared() const {
    observed out = *this;
    out.own_leaf = 0;
    return out;
  }
};

[[nodiscard]] inline observed observe(const group& g) {
  observed out{to_bytes(g.group_context()),
               g.ratchet_tree_items(),
               to_bytes(g.authenticator().reveal()),
               bytes(32),
               g.epoch_number(),
               number(g.own_leaf()),
               g.pending_proposals(),
               g.active()};
  if (g.active()) must(g.export_secret("test", as_bytes("context"), out.exported));
  return out;
}

/// whole_state(g): down to each key of each ratchet. A group is unchanged where this is.
[[nodiscard]] inline bytes whole_state(const group& g) { return group_testing<default_provider>::state_of(g); }

/// person: somebody with a client, and a group while they are in it.
struct person {
  client who;
  std::optional<prepared_key_package> package;  // published, and not used yet
  std::optional<group> room;

  [[nodiscard]] bool in() const noexcept { return room && room->active(); }
};

struct party_options {
  std::uint64_t seed = 1;
  cipher_suite suite = suite_1;
  group_policy policy;
  std::string_view group_id = "party";
  std::vector<proposal_type> proposals;  // beyond the default ones, that everybody supports
};

/// changes: who a commit adds and removes, by person.
struct changes {
  std::vector<std::size_t> add, remove;
  bool path = true;
};

/// party: people, numbered in the order they came, and one group. The first founds it, the others are added by one
/// commit, so that at first person i sits at leaf i.
class party {
 public:
  explicit party(std::size_t members, const party_options& options = {}) : options_{options}, env{options.seed} {
    const std::size_t founder = arrive();
    people_[founder].room.emplace(must(group::create(env, options.suite, people_[founder].who.clone(),
                                                     as_bytes(options.group_id), {}, options.policy)));
    changes first;
    while (people_.size() < members) first.add.push_back(arrive());
    if (!first.add.empty()) commit(founder, first);
  }

 private:
  party_options options_;
  std::deque<person> people_;

 public:
  deterministic_environment env;

  /// arrive(): one more person, outside the group.
  std::size_t arrive() {
    people_.push_back({make_client(env, "person " + std::to_string(people_.size()), options_.suite), {}, {}});
    people_.back().who.proposals = options_.proposals;
    return people_.size() - 1;
  }

  [[nodiscard]] std::size_t size() const noexcept { return people_.size(); }
  [[nodiscard]] group& operator[](std::size_t i) { return people_[i].room.value(); }
  [[nodiscard]] person& who(std::size_t i) { return people_[i]; }
  [[nodiscard]] const party_options& options() const noexcept { return options_; }
  [[nodiscard]] std::vector<std::size_t> inside() const {
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < people_.size(); ++i)
      if (people_[i].in()) out.push_back(i);
    return out;
  }
  [[nodiscard]] leaf_index leaf(std::size_t i) { return (*this)[i].own_leaf(); }

  /// package(i): the MLSMessage with the KeyPackage that person i has published, now or before.
  byte_view package(std::size_t i) {
    if (!people_[i].package) people_[i].package = make_package(env, people_[i].who, options_.suite);
    return people_[i].package->message;
  }

  /// prepare(from, what): a commit that nobody has seen yet.
  [[nodiscard]] group::pending prepare(std::size_t from, const changes& what = {}) {
    std::vector<byte_view> add;
    std::vector<leaf_index> remove;
    for (const std::size_t i : what.add) add.push_back(package(i));
    for (const std::size_t i : what.remove) remove.push_back(leaf(i));
    return must((*this)[from].commit(env, {add, remove, {}, what.path}));
  }

  /// publish(from, commit): the delivery service accepts it: everybody processes it, those who are added join.
  epoch_change publish(std::size_t from, group::pending&& commit) {
    const bytes message = to_bytes(commit.message()), welcome_message = to_bytes(commit.welcome());
    const bytes tree = commit.ratchet_tree();
    deliver(from, message);
    epoch_change out = must((*this)[from].apply(std::move(commit)));
    if (!welcome_message.empty()) welcome(welcome_message, tree);
    return out;
  }

  /// commit(from, what): prepare and publish.
  epoch_change commit(std::size_t from, const changes& what = {}) { return publish(from, prepare(from, what)); }

  /// deliver(from, message): everybody in the group but the sender processes it. Returns what they made of it, in the
  /// order of inside() without `from`.
  std::vector<event> deliver(std::size_t from, byte_view message) {
    std::vector<event> out;
    for (const std::size_t i : inside())
      if (i != from) out.push_back(must((*this)[i].process(env, message)));
    return out;
  }

  /// welcome(message, tree): all whom it names join. Their policies decide whether the tree is taken from beside it.
  void welcome(byte_view input, byte_view tree) {
    const auto decoded = must(message::decode(input));
    for (const encrypted_group_secrets entry : decoded.welcome.secrets) {
      const auto joiner = std::ranges::find_if(
          people_, [&](const person& p) { return p.package && equal(p.package->reference.view(), entry.new_member); });
      if (joiner == people_.end()) throw std::runtime_error("a Welcome for somebody unknown");
      join_options options;
      if (!options_.policy.tree_in_welcome) options.ratchet_tree = tree;
      joiner->room.emplace(
          must(group::join(env, joiner->who.clone(), *std::move(joiner->package), input, options, options_.policy)));
      joiner->package.reset();
    }
  }

  /// enter(i, from, options): person i joins by external Commit, with a GroupInfo of person `from`; where it is in the group
  /// already, it has lost its state and takes its own place again.
  epoch_change enter(std::size_t i, std::size_t from, external_join_options options = {}) {
    if (people_[i].in()) options.replaces = leaf(i);
    const bytes info = must((*this)[from].group_info(env, {true, true}));
    people_[i].room.reset();
    auto joined = must(group::join_external(env, people_[i].who.clone(), info, options, options_.policy));
    const auto events = deliver(i, joined.commit);
    people_[i].room.emplace(std::move(joined.group));
    return std::get<epoch_change>(events.front());
  }

  /// disagreement(): what the first member and another one see differently; empty where all see the same.
  [[nodiscard]] std::string disagreement() {
    const auto members = inside();
    if (members.empty()) return "nobody is left";
    const observed first = observe((*this)[members[0]]).shared();
    for (const std::size_t i : members) {
      const observed other = observe((*this)[i]).shared();
      const std::string who = " of " + std::to_string(members[0]) + " and " + std::to_string(i);
      if (other.group_context != first.group_context) return "GroupContexts" + who;
      if (other.tree != first.tree) return "trees" + who;
      if (other.authenticator != first.authenticator) return "epoch authenticators" + who;
      if (other.exported != first.exported) return "exported secrets" + who;
      if (other.pending_proposals != first.pending_proposals) return "pending proposals" + who;
    }
    return {};
  }
};

}  // namespace mls_test

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// A second opinion: real groups take random steps, and a model beside them, which knows nothing of cryptography,
/// foretells who is a member, what everybody has received, which message still opens and which step must fail.
///
/// CONCLAVE_WALK_SEED=<number> takes another way; whatever goes wrong names the seed and the step.
#include "support.hpp"

#include <cstdlib>
#include <iostream>
#include <map>
#include <set>

namespace mls_test {

namespace {

struct walk_options {
  std::size_t members, steps;
  wire_format handshakes;
  std::uint64_t seed;
};

std::uint64_t chosen_seed(std::uint64_t usual) {
  const char* chosen = std::getenv("CONCLAVE_WALK_SEED");
  return chosen == nullptr ? usual : std::strtoull(chosen, nullptr, 10);
}

/// One external key that everybody has, and the resumption keys of all epochs so far.
struct all_psks final : psk_source {
  std::map<std::uint64_t, bytes> resumption_keys;

  [[nodiscard]] result<secret_bytes> external(byte_view id) override {
    if (as_text(id) != "shared") return errc::unknown_key;
    return secret_bytes(32, 7);
  }
  [[nodiscard]] result<secret_bytes> resumption(byte_view, std::uint64_t epoch) override {
    const auto at = resumption_keys.find(epoch);
    if (at == resumption_keys.end()) return errc::unknown_key;
    return secret_bytes(at->second.begin(), at->second.end());
  }
};

class walk {
 public:
  explicit walk(const walk_options& options)
      : options_{options}, party_{options.members, for_party(options)}, dice_{options.seed + 1} {
    for (const std::size_t i : party_.inside()) seat(i);
    remember(0);
  }

  void go() {
    for (step_ = 1; step_ <= options_.steps; ++step_) {
      party_.env.advance(std::chrono::seconds{10});
      if (step_ % (options_.steps / 2) == 0) {
        CAPTURE(step_);
        reinitialize();
        ++done_["reinit"];
        continue;
      }
      take_a_step();
    }
    for (const auto& [i, m] : members_)
      if (!m.online) catch_up(i);
    std::cout << "walked " << options_.steps << " steps from seed " << options_.seed << ", " << epochs_ << " epochs:";
    for (const auto& [name, count] : done_) std::cout << " " << count << " " << name << ",";
    std::cout << " " << members_.size() << " members in the end\n";
  }

  /// left_out(): a kind of step that was never taken; empty where each was.
  [[nodiscard]] std::string left_out() const {
    for (const kind_of_step& s : possible())
      if (!done_.contains(s.name)) return s.name;
    return {};
  }

 private:
  // what everybody in an epoch has in common
  struct shared_view {
    bytes context, authenticator, exported;
    friend bool operator==(const shared_view&, const shared_view&) = default;
  };
  struct saved_member {
    bytes sealed;
    std::size_t heard;
    std::set<std::size_t> opened;
  };
  struct member {
    std::size_t heard = 0;         // entries of the log that it has processed
    std::uint64_t since = 0;       // its first epoch
    bool online = true;            // offline, it has some of the log before it
    std::set<std::size_t> opened;  // texts
    std::optional<saved_member> saved;
    std::uint64_t restored_in = ~std::uint64_t{0};  // an epoch
  };
  struct log_entry {
    bytes message;
    std::optional<epoch_change> change;  // of a commit
    bool self_remove = false;
    std::size_t from = 0;
  };
  struct spoken {
    bytes message;
    std::string text;
    std::size_t from;
    leaf_index leaf;
    std::uint64_t epoch;
  };
  struct kind_of_step {
    const char* name;
    std::size_t chance;
    bool (walk::*take)();
  };

  static std::vector<kind_of_step> possible() {
    return {{"say", 10, &walk::say},
            {"hear", 14, &walk::hear},
            {"update", 5, &walk::propose_update},
            {"remove proposal", 2, &walk::propose_remove},
            {"add proposal", 3, &walk::propose_add},
            {"self-remove", 2, &walk::propose_self_remove},
            {"psk proposal", 2, &walk::propose_psk},
            {"commit", 4, &walk::commit_plain},
            {"add", 4, &walk::commit_add},
            {"remove", 4, &walk::commit_remove},
            {"add and remove", 2, &walk::commit_both},
            {"psk", 2, &walk::commit_psk},
            {"extensions", 2, &walk::commit_extensions},
            {"race", 3, &walk::race},
            {"external join", 3, &walk::external_join},
            {"resync", 2, &walk::resync},
            {"branch", 1, &walk::branch},
            {"go offline", 5, &walk::go_offline},
            {"overtaken commit", 4, &walk::overtake},
            {"come back", 2, &walk::come_back},
            {"snapshot", 5, &walk::save_somebody},
            {"crash", 3, &walk::crash},
            {"damaged message", 4, &walk::damage},
            {"old commit", 3, &walk::old_commit},
            {"wrong request", 4, &walk::wrong_request}};
  }

  party_options for_party(const walk_options& options) {
    party_options out;
    out.seed = options.seed;
    out.policy.handshakes = options.handshakes;
    out.policy.psks = &psks_;
    out.proposals = {proposal_type::self_remove};
    return out;
  }

  void take_a_step() {
    auto all = possible();
    if (step_ > options_.steps / 2)  // what has not come up yet
      for (kind_of_step& s : all) s.chance *= done_.contains(s.name) ? 1 : 20;
    std::size_t sum = 0;
    for (const auto& s : all) sum += s.chance;
    for (;;) {
      std::size_t at = dice_.below(sum);
      const auto chosen = std::ranges::find_if(all, [&](const kind_of_step& s) {
        if (at < s.chance) return true;
        at -= s.chance;
        return false;
      });
      INFO("step " << step_ << ": " << chosen->name);
      if (!(this->*chosen->take)()) continue;  // not possible now
      ++done_[chosen->name];
      return;
    }
  }

  // ---- the model ---------------------------------------------------------------------------------------------------

  group& room(std::size_t i) { return party_[i]; }

  std::size_t any_of(const std::vector<std::size_t>& list) { return list[dice_.below(list.size())]; }
  std::vector<std::size_t> online() const {
    std::vector<std::size_t> out;
    for (const auto& [i, m] : members_)
      if (m.online) out.push_back(i);
    return out;
  }
  std::size_t anybody() { return any_of(online()); }
  /// Somebody with a seat, here or offline, but not `i`.
  std::size_t another(std::size_t i) {
    for (;;) {
      const auto at = std::next(seats_.begin(), static_cast<std::ptrdiff_t>(dice_.below(seats_.size())));
      if (at->second != i) return at->second;
    }
  }
  leaf_index seat_of(std::size_t i) const {
    return std::ranges::find(seats_, i, &std::pair<const leaf_index, std::size_t>::second)->first;
  }
  bool few() const { return seats_.size() <= std::max<std::size_t>(5, options_.members * 4 / 5); }
  bool many() const { return seats_.size() >= options_.members * 6 / 5; }

  std::size_t newcomer() { return !outside_.empty() && dice_.below(2) == 0 ? any_of(outside_) : party_.arrive(); }

  void seat(std::size_t i) {
    members_[i] = {log_.size(), room(i).epoch_number(), true, {}, {}};
    seats_[room(i).own_leaf()] = i;
    std::erase(outside_, i);
  }

  shared_view view_of(std::size_t i) {
    shared_view out{to_bytes(room(i).group_context()), to_bytes(room(i).authenticator().reveal()), bytes(32)};
    must(room(i).export_secret("walk", {}, out.exported));
    return out;
  }
  /// Person i has made the present epoch, or founded it.
  void remember(std::size_t i) {
    history_[room(i).epoch_number()] = view_of(i);
    psks_.resumption_keys[room(i).epoch_number()] = to_bytes(room(i).resumption().reveal());
    ++epochs_;
  }
  void agrees(std::size_t i) {
    REQUIRE((view_of(i) == history_.at(room(i).epoch_number())));
    REQUIRE(room(i).pending_proposals() == 0);
  }

  /// Member i processes one entry of the log, and agrees with all others about what it means.
  void read(std::size_t i) {
    member& m = members_.at(i);
    log_entry& entry = log_[m.heard++];
    CAPTURE(i);
    event e = must(room(i).process(entry.message));
    if (!std::holds_alternative<epoch_change>(e)) {
      REQUIRE(std::holds_alternative<received_proposal>(e));
      return;
    }
    const auto change = std::get<epoch_change>(std::move(e));
    if (!entry.change) entry.change = change;
    REQUIRE((change.epoch == entry.change->epoch && change.committer == entry.change->committer));
    REQUIRE((change.added == entry.change->added && change.updated == entry.change->updated));
    REQUIRE(change.removed == entry.change->removed);
    if (room(i).active()) agrees(i);
  }
  void catch_up(std::size_t i) {
    member& m = members_.at(i);
    m.online = true;
    while (m.heard < log_.size() && room(i).active()) read(i);
    if (room(i).active()) return;
    REQUIRE(std::ranges::find(seats_, i, &std::pair<const leaf_index, std::size_t>::second) == seats_.end());
    REQUIRE(room(i).process(log_.back().message).error() == errc::misuse);
    REQUIRE(room(i).protect(party_.env, {}, {}).error() == errc::misuse);
    members_.erase(i);
    outside_.push_back(i);
  }

  /// Those who keep snapshots take one before and after whatever they send.
  void save(std::size_t i) {
    member& m = members_.at(i);
    if (!m.saved) return;
    m.saved = saved_member{must(room(i).snapshot(party_.env, key_)), m.heard, m.opened};
    must(room(i).stored(room(i).sequence()));
  }

  /// The delivery service has taken a message, which its sender has dealt with already.
  void post(std::size_t from, byte_view message, const epoch_change* change = nullptr, bool self_remove = false) {
    log_.push_back({to_bytes(message), {}, self_remove, from});
    if (change != nullptr) {
      log_.back().change = *change;
      for (const leaf_index i : change->removed) seats_.erase(i);
    }
    members_.at(from).heard = log_.size();
    for (const std::size_t i : online())
      if (i != from) catch_up(i);
    save(from);
  }
  void propose(std::size_t from, result<bytes>&& message, bool self_remove = false) {
    post(from, must(std::move(message)), nullptr, self_remove);
  }
  void publish(std::size_t from, group::pending&& commit) {
    const bytes message = to_bytes(commit.message()), welcome = to_bytes(commit.welcome());
    const bytes tree = commit.ratchet_tree();
    const epoch_change change = must(room(from).apply(std::move(commit)));
    remember(from);
    post(from, message, &change);
    if (!welcome.empty()) party_.welcome(welcome, tree);
    for (const std::size_t i : party_.inside()) {
      if (members_.contains(i)) continue;
      seat(i);
      agrees(i);
    }
    REQUIRE(room(from).tree().member_count() == seats_.size());
  }
  group::pending prepare(std::size_t from, const commit_request& request) {
    save(from);
    return must(room(from).commit(party_.env, request));
  }
  bool commit(std::size_t from, const commit_request& request) {
    publish(from, prepare(from, request));
    return true;
  }

  // ---- proposals and commits ---------------------------------------------------------------------------------------

  bool propose_update() {
    const std::size_t i = anybody();
    save(i);
    propose(i, room(i).propose_update(party_.env));
    return true;
  }
  bool propose_remove() {
    if (few()) return false;
    const std::size_t i = anybody();
    save(i);
    propose(i, room(i).propose_remove(party_.env, seat_of(another(i))));
    return true;
  }
  bool propose_add() {
    if (many()) return false;
    const std::size_t i = anybody();
    save(i);
    propose(i, room(i).propose_add(party_.env, party_.package(newcomer())));
    return true;
  }
  bool propose_self_remove() {
    const std::size_t i = anybody();
    if (few() || std::ranges::count(leaving(), i, &log_entry::from) != 0) return false;
    proposal leave;
    leave.type = proposal_type::self_remove;
    save(i);
    propose(i, room(i).propose(party_.env, leave), true);
    return true;
  }
  bool propose_psk() {
    const std::size_t i = anybody();
    const bytes nonce = must(fresh_nonce(party_.env, room(i).suite()));
    proposal p;
    p.type = proposal_type::psk;
    p.psk = {psk_type::external, as_bytes("shared"), {}, {}, 0, nonce};
    save(i);
    propose(i, room(i).propose(party_.env, p));
    return true;
  }

  bool commit_plain() { return commit(anybody(), {}); }
  bool commit_add() {
    if (many()) return false;
    return commit_changes(1 + dice_.below(3), false, dice_.below(2) == 0);
  }
  bool commit_remove() {
    if (few()) return false;
    return commit_changes(0, true, true);
  }
  bool commit_both() { return commit_changes(1 + dice_.below(2), true, true); }
  bool commit_changes(std::size_t add, bool remove, bool path) {
    const std::size_t i = anybody();
    std::set<std::size_t> come;
    while (come.size() < add) come.insert(newcomer());
    std::vector<byte_view> packages;
    for (const std::size_t n : come) packages.push_back(party_.package(n));
    std::vector<leaf_index> go;
    if (remove) go.push_back(seat_of(another(i)));
    return commit(i, {packages, go, as_bytes("changes"), path});
  }
  bool commit_psk() {
    const std::size_t i = anybody();
    const auto old = std::next(history_.begin(), static_cast<std::ptrdiff_t>(dice_.below(history_.size())));
    const bytes nonce = must(fresh_nonce(party_.env, room(i).suite()));
    const std::array ids{
        pre_shared_key_id{psk_type::external, as_bytes("shared"), {}, {}, 0, nonce},
        pre_shared_key_id{
            psk_type::resumption, {}, resumption_psk_usage::application, room(i).group_id(), old->first, nonce}};
    commit_request request;
    request.psks = ids;
    request.path = dice_.below(2) == 0;
    return commit(i, request);
  }
  bool commit_extensions() {
    const std::array one{extension{extension_type::external_senders, {}}};
    const bytes items = dice_.below(2) == 0 ? wire::encode_items(one) : bytes{};
    commit_request request;
    request.extensions = items;
    return commit(anybody(), request);
  }

  /// Two commits for one epoch; the first may even remove the maker of the second.
  bool race() {
    const std::size_t first = anybody(), second = anybody();
    if (first == second) return false;
    auto slow = prepare(second, {});
    const bytes lost = to_bytes(slow.message());
    const std::array victim{seat_of(second)};
    commit_request request;
    if (!few() && dice_.below(3) == 0) request.remove = victim;
    commit(first, request);
    const bool out = !room(second).active();
    REQUIRE(room(second).apply(std::move(slow)).error() == (out ? errc::misuse : errc::stale_epoch));
    refused(lost, errc::stale_epoch);
    return true;
  }

  // ---- from outside ------------------------------------------------------------------------------------------------

  /// The SelfRemoves of the present epoch.
  std::vector<log_entry> leaving() const {
    std::vector<log_entry> out;
    for (auto e = log_.rbegin(); e != log_.rend() && !e->change; ++e)
      if (e->self_remove) out.push_back(*e);
    return out;
  }
  void enter(std::size_t i, std::optional<leaf_index> replaces) {
    const auto here = online();
    const std::size_t helper = here[0] == i ? here[1] : here[0];
    const bytes info = must(room(helper).group_info(party_.env, {true, true}));
    const auto wishes = leaving();
    std::vector<byte_view> self_removes;
    for (const log_entry& e : wishes)
      if (e.from != i) self_removes.push_back(e.message);
    external_join_options with;
    with.replaces = replaces;
    with.self_removes = self_removes;
    auto joined =
        must(group::join_external(party_.env, party_.who(i).who.clone(), info, with, party_.options().policy));
    members_.erase(i);
    party_.who(i).room.emplace(std::move(joined.group));
    remember(i);
    log_.push_back({std::move(joined.commit), {}, false, i});
    read(helper);  // which tells what the commit has changed
    for (const leaf_index leaf : log_.back().change->removed) seats_.erase(leaf);
    seat(i);
    for (const std::size_t other : online()) catch_up(other);
    REQUIRE(room(i).tree().member_count() == seats_.size());
  }
  bool external_join() {
    if (many()) return false;
    enter(newcomer(), {});
    return true;
  }
  bool resync() {
    const std::size_t i = another(anybody());
    enter(i, seat_of(i));
    return true;
  }

  bool branch() {
    const auto here = online();
    const std::size_t first = any_of(here);
    std::set<std::size_t> rest;
    for (int n = 0; n < 3; ++n) rest.insert(any_of(here));
    rest.erase(first);
    std::map<std::size_t, prepared_key_package> packages;
    std::vector<byte_view> views;
    for (const std::size_t i : rest) {
      packages.emplace(i, make_package(party_.env, party_.who(i).who));
      views.push_back(packages.at(i).message);
    }
    if (views.empty()) return false;
    const bytes before = whole_state(room(first));
    auto side = must(room(first).branch(party_.env, party_.who(first).who.clone(), as_bytes("side"), views));
    REQUIRE((whole_state(room(first)) == before));
    for (auto& [i, package] : packages) {
      const group there = must(room(i).join_successor(party_.env, party_.who(i).who.clone(), std::move(package),
                                                      side.welcomes[0], {}, party_.options().policy));
      REQUIRE((observe(there).shared() == observe(side.group).shared()));
    }
    return true;
  }

  /// The group ends and goes on as another one, with everybody in it.
  void reinitialize() {
    for (const auto& [i, m] : std::map(members_))
      if (!m.online) catch_up(i);
    const std::size_t first = anybody();
    const std::string name = "party " + std::to_string(step_);
    commit_request request;
    request.reinit_as = reinit{as_bytes(name), protocol_version::mls10, suite_1, {}};
    commit(first, request);
    std::map<std::size_t, prepared_key_package> packages;
    std::vector<byte_view> views;
    for (const auto& [i, m] : members_) {
      check_fails(room(i).protect(party_.env, {}, {}), errc::refused, rules::no_message_after_reinit);
      if (i == first) continue;
      packages.emplace(i, make_package(party_.env, party_.who(i).who));
      views.push_back(packages.at(i).message);
    }
    auto next = must(room(first).reinitialize(party_.env, party_.who(first).who.clone(), views));
    for (auto& [i, package] : packages) {
      group joined = must(room(i).join_successor(party_.env, party_.who(i).who.clone(), std::move(package),
                                                 next.welcomes[0], {}, party_.options().policy));
      party_.who(i).room.emplace(std::move(joined));
    }
    party_.who(first).room.emplace(std::move(next.group));
    members_.clear();
    seats_.clear();
    log_.clear();
    spoken_.clear();
    history_.clear();
    psks_.resumption_keys.clear();
    for (const std::size_t i : party_.inside()) seat(i);
    remember(first);
    for (const auto& [i, m] : members_) agrees(i);
  }

  // ---- what is said ------------------------------------------------------------------------------------------------

  bool say() {
    const std::size_t i = anybody();
    if (room(i).pending_proposals() != 0) {
      const bytes before = whole_state(room(i));
      check_fails(room(i).protect(party_.env, {}, {}), errc::refused, rules::commit_before_application);
      REQUIRE((whole_state(room(i)) == before));
      return true;
    }
    save(i);
    for (std::size_t n = 1 + dice_.below(3); n > 0; --n) {
      const std::size_t id = said_++;
      const std::string text = "text " + std::to_string(id);
      spoken_[id] = {must(room(i).protect(party_.env, as_bytes(text), {})), text, i, room(i).own_leaf(),
                     room(i).epoch_number()};
    }
    while (spoken_.size() > 40) spoken_.erase(spoken_.begin());
    return true;
  }
  /// Some hear some of what was said lately, in any order, some of it twice, some of it never.
  bool hear() {
    if (spoken_.empty()) return false;
    for (int n = 0; n < 12; ++n) {
      const auto at = std::next(spoken_.begin(), static_cast<std::ptrdiff_t>(dice_.below(spoken_.size())));
      hear(anybody(), at->first, at->second);
    }
    return true;
  }
  void hear(std::size_t i, std::size_t id, const spoken& what) {
    CAPTURE(i, what.text, what.from, what.epoch);
    member& m = members_.at(i);
    const std::uint64_t now = room(i).epoch_number();
    auto outcome = room(i).process(what.message);
    if (what.epoch < m.since || now - what.epoch > limits::past_epochs) {
      check_fails(outcome, errc::stale_epoch, rules::current_epoch);
    } else if (what.from == i) {
      check_fails(outcome, errc::refused, rules::own_message);
    } else if (m.opened.contains(id)) {
      check_fails(outcome, errc::replayed, rules::generation_used);
    } else {
      const auto heard = as<application_message>(must(std::move(outcome)));
      REQUIRE((text_of(heard) == what.text && heard.sender == what.leaf && heard.epoch == what.epoch));
      m.opened.insert(id);
    }
  }

  // ---- lost and late -----------------------------------------------------------------------------------------------

  bool go_offline() {
    const std::size_t i = anybody();
    if (online().size() <= members_.size() * 3 / 4) return false;
    members_.at(i).online = false;
    return true;
  }
  std::vector<std::size_t> behind() const {
    std::vector<std::size_t> out;
    for (const auto& [i, m] : members_)
      if (!m.online && m.heard < log_.size()) out.push_back(i);
    return out;
  }
  bool come_back() {
    const auto those = behind();
    if (those.empty()) return false;
    catch_up(any_of(those));
    return true;
  }
  /// Of two commits the second comes first.
  bool overtake() {
    for (const std::size_t i : behind()) {
      const std::size_t next = members_.at(i).heard;
      const auto late = std::find_if(log_.begin() + static_cast<std::ptrdiff_t>(next), log_.end(),
                                     [](const log_entry& e) { return e.change.has_value(); });
      const auto early = late == log_.end() ? late : std::find_if(late + 1, log_.end(), [](const log_entry& e) {
        return e.change.has_value();
      });
      if (early == log_.end()) continue;
      const bytes before = whole_state(room(i));
      check_fails(room(i).process(early->message), errc::early, rules::current_epoch);
      REQUIRE((whole_state(room(i)) == before));
      return true;
    }
    return false;
  }
  bool save_somebody() {
    const std::size_t i = anybody();
    members_.at(i).saved.emplace();
    save(i);
    return true;
  }
  /// Somebody goes on where their last snapshot was taken, with what has come since.
  bool crash() {
    for (auto& [i, m] : members_) {
      if (!m.online || !m.saved || m.restored_in == room(i).epoch_number()) continue;
      const std::uint64_t newest = room(i).sequence();
      party_.who(i).room.emplace(
          must(group::restore(party_.env, key_, newest, m.saved->sealed, party_.options().policy)));
      m.heard = m.saved->heard;
      m.opened = m.saved->opened;
      std::erase_if(spoken_, [&](const auto& entry) { return entry.second.from == i; });
      while (m.heard < log_.size()) {
        read(i);
        if (!room(i).active()) break;
      }
      REQUIRE(room(i).active());
      m.restored_in = room(i).epoch_number();
      save(i);
      return true;
    }
    return false;
  }

  // ---- what must fail ----------------------------------------------------------------------------------------------

  /// Nobody takes the message, all for one reason, and nothing changes.
  void refused(byte_view message, std::optional<errc> code = {}) {
    std::optional<std::string> reason;
    const auto here = online();
    const std::size_t looked_at = std::max<std::size_t>(1, here.size() / 12);
    for (std::size_t n = 0; n < here.size(); ++n) {
      group& g = room(here[n]);
      const bool look = n % looked_at == 0;
      const bytes before = look ? whole_state(g) : bytes{};
      const auto outcome = g.process(message);
      CAPTURE(here[n]);
      REQUIRE_FALSE(outcome.has_value());
      if (code) REQUIRE(outcome.error().code() == *code);
      if (!reason) reason = describe(outcome.error());
      REQUIRE(describe(outcome.error()) == *reason);
      if (look) REQUIRE((whole_state(g) == before));
    }
  }
  /// One bit of an honest message, anywhere behind the group's id and the epoch.
  bool damage() {
    const std::size_t i = anybody();
    save(i);
    const bool text = room(i).pending_proposals() == 0 && dice_.below(2) == 0;
    bytes message = text ? must(room(i).protect(party_.env, as_bytes("x"), {}))
                         : to_bytes(must(room(i).commit(party_.env, {})).message());
    const std::size_t start = 4 + 1 + room(i).group_id().size() + 8;
    const std::size_t at = start + dice_.below(message.size() - start);
    message[at] ^= static_cast<std::uint8_t>(1U << dice_.below(8));
    CAPTURE(at);
    members_.at(i).online = false;  // its maker would see its own message
    refused(message);
    members_.at(i).online = true;
    return true;
  }
  bool old_commit() {
    for (std::size_t n = 0; n < 10 && !log_.empty(); ++n) {
      const log_entry& e = log_[dice_.below(log_.size())];
      if (!e.change) continue;
      refused(e.message, errc::stale_epoch);
      return true;
    }
    return false;
  }
  bool wrong_request() {
    const std::size_t i = anybody();
    const std::size_t member_again = another(i);
    const auto package = make_package(party_.env, party_.who(member_again).who);
    const byte_view add{package.message};
    const bytes nonce(32);
    const pre_shared_key_id nobodys{psk_type::external, as_bytes("unknown"), {}, {}, 0, nonce};
    const std::array self{room(i).own_leaf()}, nowhere{leaf_index{room(i).tree().leaf_count()}};
    std::array<std::pair<commit_request, const rule*>, 4> wrong;
    wrong[0].second = &rules::removes_committer;
    wrong[0].first.remove = self;
    wrong[1].second = &rules::remove_target;
    wrong[1].first.remove = nowhere;
    wrong[2].second = &rules::unique_keys;
    wrong[2].first.add = {&add, 1};
    wrong[3].second = &rules::psk_available;
    wrong[3].first.psks = {&nobodys, 1};
    const auto& [request, broken] = wrong[dice_.below(wrong.size())];
    const bytes before = whole_state(room(i));
    const auto outcome = room(i).commit(party_.env, request);
    REQUIRE_FALSE(outcome.has_value());
    REQUIRE(outcome.error().broken_rule() == broken);
    REQUIRE((whole_state(room(i)) == before));
    return true;
  }

  walk_options options_;
  all_psks psks_;
  party party_;
  deterministic_environment dice_;
  const snapshot_key key_ = must(snapshot_key::copy_of(bytes(32, 1)));

  std::size_t step_ = 0, epochs_ = 0, said_ = 0;
  std::map<std::string, std::size_t> done_;
  std::map<std::size_t, member> members_;    // by person: those who believe that they are in the group
  std::map<leaf_index, std::size_t> seats_;  // those who are
  std::vector<std::size_t> outside_;         // those who were
  std::vector<log_entry> log_;               // handshake messages in the order of the delivery service
  std::map<std::size_t, spoken> spoken_;     // the latest application messages
  std::map<std::uint64_t, shared_view> history_;
};

void walk_of(std::size_t members, std::size_t steps, wire_format handshakes, std::uint64_t usual_seed) {
  const std::uint64_t seed = chosen_seed(usual_seed);
  INFO("again: CONCLAVE_WALK_SEED=" << seed << " test_mls \"" << Catch::getResultCapture().getCurrentTestName()
                                    << "\"");
  walk taken({members, steps, handshakes, seed});
  taken.go();
  if (seed == usual_seed) CHECK(taken.left_out() == "");
}

}  // namespace

TEST_CASE("a short random walk") {
  const auto format = GENERATE(wire_format::public_message, wire_format::private_message);
  walk_of(12, 150, format, format == wire_format::public_message ? 20230701 : 20240229);
}

TEST_CASE("a random walk of 2,000 steps with 100 members", "[slow]") {
  walk_of(100, 2000, wire_format::private_message, 9420);
}

}  // namespace mls_test

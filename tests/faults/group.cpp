// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Groups without memory and without randomness.
#include "support.hpp"

#include <support/mls_party.hpp>

#include <conclave/mls/observer.hpp>

namespace faults {
namespace groups {

using namespace mls_test;
using look = group_testing<default_provider>;

[[nodiscard]] party_options options(wire_format handshakes = wire_format::public_message) {
  party_options out;
  out.policy.handshakes = handshakes;
  return out;
}

/// A group of eight with blank and unmerged leaves, and proposals that wait for a commit.
struct scene {
  party p;
  explicit scene(wire_format handshakes = wire_format::public_message) : p{7, options(handshakes)} {
    p.commit(2, {{}, {3}});
    p.commit(0, {{p.arrive(), p.arrive()}, {}, false});
  }
  void propose() {
    p.deliver(4, must(p[4].propose_update(p.env)));
    p.deliver(5, must(p[5].propose_remove(p.env, p.leaf(6))));
    p.deliver(1, must(p[1].propose_add(p.env, p.package(p.arrive()))));
  }
  [[nodiscard]] auto state_of(std::size_t i) {
    return [this, i] { return whole_state(p[i]); };
  }
  /// received(operation, who, message): by somebody with too little memory, and then by everybody else.
  void received(const std::string& operation, std::size_t from, std::size_t who, byte_view message) {
    out_of_memory(operation, state_of(who), [&] { return failed(p[who].process(p.env, message)); });
    for (const std::size_t i : p.inside())
      if (i != from && i != who) must(p[i].process(p.env, message));
  }
};

}  // namespace groups

using namespace groups;

TEST_CASE("a group without memory receives messages, or stays as it was", "[faults]") {
  const auto format = GENERATE(wire_format::public_message, wire_format::private_message);
  const std::string kind = format == wire_format::public_message ? " (public)" : " (private)";
  scene s(format);
  party& p = s.p;

  s.received("process Update" + kind, 4, 0, must(p[4].propose_update(p.env)));
  s.received("process Remove" + kind, 5, 0, must(p[5].propose_remove(p.env, p.leaf(6))));
  s.received("process Add" + kind, 1, 0, must(p[1].propose_add(p.env, p.package(p.arrive()))));

  auto commit = p.prepare(2);
  const bytes message = to_bytes(commit.message());
  s.received("process Commit" + kind, 2, 0, message);
  out_of_memory("apply" + kind, s.state_of(2), [&] { return failed(p[2].apply(std::move(commit))); });
  p.who(6).room.reset();
  CHECK(p.disagreement() == "");

  // nobody has opened anything of this sender in this epoch; some messages are late, one is of the epoch before
  std::vector<bytes> words;
  for (int i = 0; i < 4; ++i) words.push_back(must(p[4].protect(p.env, as_bytes("words"), {})));
  p.commit(0);
  s.received("process application message" + kind, 4, 1, words[2]);
  s.received("process late application message" + kind, 4, 1, words[0]);
  CHECK(p[1].process(p.env, words[0]).error() == errc::replayed);

  auto removal = p.prepare(0, {{}, {5}});
  out_of_memory("process one's own removal" + kind, s.state_of(5),
                [&] { return failed(p[5].process(p.env, removal.message())); });
  CHECK_FALSE(p[5].active());
}

TEST_CASE("a group without memory or randomness sends messages, or stays as it was", "[faults]") {
  scene s;
  party& p = s.p;
  const bytes newcomer = to_bytes(p.package(p.arrive()));
  const byte_view add = newcomer;
  s.propose();
  std::optional<group::pending> commit;
  const auto committing = [&] {
    auto made = p[2].commit(p.env, {{&add, 1}, {}, {}, true});
    const auto out = failed(made);
    if (made) commit.emplace(*std::move(made));
    return out;
  };
  no_randomness("commit", p.env, s.state_of(2), committing);
  commit.reset();
  out_of_memory("commit", s.state_of(2), committing);
  p.who(6).room.reset();
  p.publish(2, *std::move(commit));
  CHECK(p.disagreement() == "");

  // a PrivateMessage may use up generations on the way, and says nothing twice with one
  const auto seen = [&] { return observe(p[0]); };
  bytes message;
  const auto protecting = [&] {
    auto made = p[0].protect(p.env, as_bytes("words"), {});
    const auto out = failed(made);
    if (made) message = *std::move(made);
    return out;
  };
  out_of_memory("protect", seen, protecting);
  const bytes first = message;
  no_randomness("protect", p.env, seen, protecting);
  must(p[1].process(p.env, message));
  must(p[1].process(p.env, first));

  const auto proposing = [&] {
    auto made = p[0].propose_update(p.env);
    const auto out = failed(made);
    if (made) message = *std::move(made);
    return out;
  };
  no_randomness("propose", p.env, s.state_of(0), proposing);
  p.deliver(0, message);
  out_of_memory("propose", s.state_of(0), proposing);
  p.deliver(0, message);
  p.commit(1);
  CHECK(p.disagreement() == "");
}

TEST_CASE("who joins without memory or randomness can try again", "[faults]") {
  party p(4, options());
  std::size_t i = p.arrive();
  const std::string how = GENERATE("Welcome", "external Commit");
  if (how == "Welcome") {
    const std::size_t other = p.arrive();
    const std::array add{p.package(i), p.package(other)};
    const auto commit = must(p[1].commit(p.env, {add, {}, {}, true}));
    must(p[0].process(p.env, commit.message()));
    const auto kept = [&] {
      return bytes(p.who(i).package->init.secret.reveal().begin(), p.who(i).package->init.secret.reveal().end());
    };
    const auto joining = [&] {
      auto joined = group::join(p.env, p.who(i).who.clone(), *std::move(p.who(i).package), commit.welcome(), {},
                                p.options().policy);
      const auto out = failed(joined);
      if (joined) p.who(i).room.emplace(*std::move(joined));
      return out;
    };
    for (const bool random : {true, false}) {
      CHECK_FALSE(kept().empty());
      if (random)
        no_randomness("join by Welcome", p.env, kept, joining);
      else
        out_of_memory("join by Welcome", kept, joining);
      CHECK(kept().empty());
      CHECK(observe(p[i]).shared() == observe(p[0]).shared());
      i = other;
    }
  } else {
    const bytes info = must(p[0].group_info(p.env, {true, true}));
    bytes commit;
    const auto joining = [&] {
      auto joined = group::join_external(p.env, p.who(i).who.clone(), info, {}, p.options().policy);
      const auto out = failed(joined);
      if (joined) {
        commit = joined->commit;
        p.who(i).room.emplace(std::move(joined->group));
      }
      return out;
    };
    no_randomness("join by external Commit", p.env, nothing_to_see{}, joining);
    p.who(i).room.reset();
    out_of_memory("join by external Commit", nothing_to_see{}, joining);
    p.deliver(i, commit);
    CHECK(p.disagreement() == "");
  }
}

TEST_CASE("creating, saving and restoring without memory or randomness can be tried again", "[faults]") {
  scene s;
  party& p = s.p;
  s.propose();
  std::optional<group> made;
  const auto creating = [&] {
    auto g = group::create(p.env, suite_1, p.who(0).who.clone(), as_bytes("another"), {}, {});
    const auto out = failed(g);
    if (g) made.emplace(*std::move(g));
    return out;
  };
  no_randomness("create", p.env, nothing_to_see{}, creating);
  out_of_memory("create", nothing_to_see{}, creating);

  const auto packing = [&] {
    return failed(make_key_package<default_provider>(p.env, p[0].suite(), p.who(0).who, {}));
  };
  no_randomness("make a key package", p.env, nothing_to_see{}, packing);
  out_of_memory("make a key package", nothing_to_see{}, packing);

  const auto key = *snapshot_key::copy_of(bytes(32, 7));
  bytes saved;
  const auto all = [&] { return std::pair(observe(p[0]), p[0].sequence()); };
  const auto saving = [&] {
    auto out = p[0].snapshot(p.env, key);
    const auto error = failed(out);
    if (out) saved = *std::move(out);
    return error;
  };
  no_randomness("snapshot", p.env, all, saving);
  out_of_memory("snapshot", all, saving);
  CHECK(p[0].sequence() == 2);

  std::optional<group> back;
  const auto restoring = [&] {
    auto g = group::restore(p.env, key, p[0].sequence(), saved, p.options().policy);
    const auto error = failed(g);
    if (g) back.emplace(*std::move(g));
    return error;
  };
  no_randomness("restore", p.env, nothing_to_see{}, restoring);
  out_of_memory("restore", nothing_to_see{}, restoring);
  CHECK(observe(*back) == observe(p[0]));
}

TEST_CASE("a server without memory follows a group, or stays as it was", "[faults]") {
  party p(5, options());
  const bytes info = must(p[0].group_info(p.env, {true, true}));
  std::optional<observer> server;
  const auto observing = [&] {
    auto made = observer::follow(p.env, info, {}, {});
    const auto error = failed(made);
    if (made) server.emplace(*std::move(made));
    return error;
  };
  no_randomness("observe", p.env, nothing_to_see{}, observing);
  out_of_memory("observe", nothing_to_see{}, observing);
  const auto state = [&] { return server->snapshot(); };
  no_randomness("observer: restore", p.env, state, [&] {
    auto back = observer::restore(p.env, server->snapshot(), {});
    const auto error = failed(back);
    if (back) server.emplace(*std::move(back));
    return error;
  });
  const bytes wish = must(p[4].propose_remove(p.env, p.leaf(3)));
  p.deliver(4, wish);
  out_of_memory("observer: process Remove", state, [&] { return failed(server->process(p.env, wish)); });
  const auto commit = p.prepare(0);
  out_of_memory("observer: process Commit", state, [&] { return failed(server->process(p.env, commit.message())); });
  CHECK(server->epoch_number() == p[0].epoch_number() + 1);
}

TEST_CASE("who crashes around a commit is in the same group again", "[faults]") {
  const bool own = GENERATE(true, false);
  const auto key = *snapshot_key::copy_of(bytes(32, 7));
  for (int step = 0; step < 4; ++step) {
    CAPTURE(own, step);
    party p(4, options());
    bytes saved = must(p[1].snapshot(p.env, key));
    std::uint64_t newest = p[1].sequence();
    const std::size_t committer = own ? 1 : 0;
    auto commit = p.prepare(committer);
    const bytes message = to_bytes(commit.message());
    if (step > 0) {  // the delivery service has taken it
      for (const std::size_t i : {0U, 2U, 3U})
        if (i != committer) must(p[i].process(p.env, message));
      if (!own) must(p[0].apply(std::move(commit)));
    }
    if (step > 1) own ? (void)must(p[1].apply(std::move(commit))) : (void)must(p[1].process(p.env, message));
    if (step > 2) {
      saved = must(p[1].snapshot(p.env, key));
      newest = p[1].sequence();
    }

    p.who(1).room.emplace(must(group::restore(p.env, key, newest, saved, p.options().policy)));
    const bool behind = p[1].epoch_number() != p[0].epoch_number();
    CHECK(behind == (step == 1 || step == 2));
    if (behind && own) {  // nobody but it could have applied its own commit, whose secrets are gone
      CHECK(p[1].process(p.env, message).error() == errc::refused);
      p.enter(1, 0);
    } else if (behind) {
      must(p[1].process(p.env, message));
    }
    CHECK(p.disagreement() == "");
    (void)must(p[1].snapshot(p.env, key));
    must(p[1].stored(p[1].sequence()));
    CHECK(p.deliver(1, must(p[1].protect(p.env, as_bytes("back"), {}))).size() == 3);
    p.commit(1);
    CHECK(p.disagreement() == "");
  }
  summary(own ? "commit, apply, snapshot" : "process Commit, snapshot", "crash", 4,
          own ? "in again: restored, or by external Commit" : "in again: restored, and the Commit processed once more");
}

}  // namespace faults

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Snapshots: what comes back, what is refused, and that no generation is ever used twice.
#include "support.hpp"

namespace mls_test {

namespace {

snapshot_key key_of(std::uint8_t fill) { return *snapshot_key::copy_of(bytes(32, fill)); }

/// A snapshot that is taken and stored.
bytes saved(party& p, std::size_t i, const snapshot_key& key) {
  bytes out = must(p[i].snapshot(p.env, key));
  must(p[i].stored(p[i].sequence()));
  return out;
}

}  // namespace

TEST_CASE("a restored member goes on where the snapshot was taken") {
  party p(5);
  const bytes pending = must(p[3].propose_update(p.env));
  p.deliver(3, pending);
  const bytes late = [&] {
    party& q = p;
    return must(q[1].propose_remove(q.env, q.leaf(4)));
  }();
  p.deliver(1, late);
  const auto key = key_of(1);
  const bytes sealed = must(p[2].snapshot(p.env, key));
  const observed before = observe(p[2]);
  p.who(2).room.emplace(must(group::restore(p.env, key, p[2].sequence(), sealed, p.options().policy)));
  CHECK(observe(p[2]) == before);
  CHECK(p[2].pending_proposals() == 2);
  p.commit(0);  // with both proposals
  CHECK(p.disagreement() == "");
  saved(p, 2, key);
  p.commit(2);
  CHECK(p.disagreement() == "");
}

TEST_CASE("a member that was restored still knows its own update, its past epochs and its keys") {
  party p(4);
  const auto key = key_of(2);
  p.commit(1);
  const bytes old_message = must(p[3].protect(p.env, as_bytes("late"), {}));
  p.commit(0);
  const bytes update = must(p[2].propose_update(p.env));
  p.deliver(2, update);
  const bytes sealed = must(p[2].snapshot(p.env, key));
  p.who(2).room.emplace(must(group::restore(p.env, key, 1, sealed, p.options().policy)));
  CHECK(text_of(as<application_message>(must(p[2].process(old_message)))) == "late");
  check_fails(p[2].process(old_message), errc::replayed, rules::generation_used);
  p.commit(3);
  CHECK(p.disagreement() == "");
}

TEST_CASE("no generation is used twice, however often a member is restored") {
  party p(2);
  const auto key = key_of(3);
  std::vector<bytes> sent;
  const auto say = [&] { return p[0].protect(p.env, as_bytes("hello"), {}); };
  sent.push_back(must(say()));
  bytes sealed = saved(p, 0, key);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 5; ++i) sent.push_back(must(say()));
    const std::uint64_t newest = p[0].sequence();
    p.who(0).room.emplace(must(group::restore(p.env, key, newest, sealed, p.options().policy)));
    check_fails(say(), errc::exhausted, rules::generations_reserved);  // not before the next snapshot
    const bytes older = sealed;
    sealed = saved(p, 0, key);
    check_fails(group::restore(p.env, key, p[0].sequence(), older, {}), errc::replayed, rules::snapshot_is_newest);
  }
  // were a generation used twice, the second message of it would be a replay
  for (const bytes& m : sent) CHECK(p[1].process(m));
  CHECK(sent.size() == 16);
}

TEST_CASE("who restarts again and again sends nothing that others do not follow") {
  party p(2);
  const auto key = key_of(8);
  bytes sealed = saved(p, 0, key);
  const auto restart = [&] {
    p.who(0).room.emplace(must(group::restore(p.env, key, p[0].sequence(), sealed, p.options().policy)));
    sealed = saved(p, 0, key);
  };
  std::uint32_t restarts = 0;
  for (;; ++restarts) {
    REQUIRE(restarts <= limits::ratchet_forward / limits::snapshot_reserve + 1);
    // what is not sent is not in the snapshot either
    auto now = group_testing<default_provider>::copy_of(p[0]);
    const auto message = now.protect(p.env, as_bytes("still here"), {});
    if (!message) break;
    CHECK(group_testing<default_provider>::copy_of(p[1]).process(*message));
    CHECK(group_testing<default_provider>::copy_of(p[1]).process(must(now.commit(p.env, {})).message()));
    restart();
  }
  CHECK(restarts == limits::ratchet_forward / limits::snapshot_reserve + 1);
  const bytes before = group_testing<default_provider>::state_of(p[0]);
  check_fails(p[0].protect(p.env, {}, {}), errc::exhausted, rules::generations_in_reach);
  check_fails(p[0].commit(p.env, {}), errc::exhausted, rules::generations_in_reach);
  CHECK(group_testing<default_provider>::state_of(p[0]) == before);
  p.commit(1);
  saved(p, 0, key);
  p.commit(0);  // a new epoch has new ratchets
  CHECK(p.disagreement() == "");
}

TEST_CASE("between two snapshots only so many messages go out, and none in a new epoch") {
  party p(2);
  const auto key = key_of(4);
  saved(p, 0, key);
  for (std::uint32_t i = 0; i < limits::snapshot_reserve; ++i) must(p[0].protect(p.env, {}, {}));
  check_fails(p[0].protect(p.env, {}, {}), errc::exhausted, rules::generations_reserved);
  saved(p, 0, key);
  must(p[0].protect(p.env, {}, {}));
  p.commit(1);
  check_fails(p[0].protect(p.env, {}, {}), errc::exhausted, rules::generations_reserved);
  saved(p, 0, key);
  CHECK(p[1].process(must(p[0].protect(p.env, {}, {}))));
}

TEST_CASE("a snapshot that was never stored lets nothing more out") {
  party p(2);
  const auto key = key_of(7);
  const bytes on_disk = saved(p, 0, key);
  std::vector<bytes> sent;
  for (std::uint32_t i = 0; i < limits::snapshot_reserve; ++i) {
    if (i == 7) must(p[0].snapshot(p.env, key));  // the disk is full, and the host goes on
    sent.push_back(must(p[0].protect(p.env, {}, {})));
  }
  must(p[0].snapshot(p.env, key));
  const auto say = [&] { return p[0].protect(p.env, {}, {}); };
  check_fails(say(), errc::exhausted, rules::generations_reserved);
  CHECK(p[0].stored(0).error() == errc::misuse);
  CHECK(p[0].stored(4).error() == errc::misuse);
  CHECK(p[0].stored(2));  // late, and of one that is not the newest any more
  check_fails(say(), errc::exhausted, rules::generations_reserved);

  p.who(0).room.emplace(must(group::restore(p.env, key, 1, on_disk, p.options().policy)));
  CHECK(p[0].stored(1));
  check_fails(say(), errc::exhausted, rules::generations_reserved);
  saved(p, 0, key);
  sent.push_back(must(say()));
  for (const bytes& m : sent) CHECK(p[1].process(m));  // none is a replay

  must(p[0].snapshot(p.env, key));
  p.commit(1);
  CHECK(p[0].stored(3));  // of an epoch that is over
  check_fails(say(), errc::exhausted, rules::generations_reserved);
}

TEST_CASE("a damaged, cut, foreign or unknown snapshot is refused") {
  party p(2);
  const auto key = key_of(5);
  const bytes sealed = must(p[0].snapshot(p.env, key));
  const auto restore = [&](byte_view bytes_, const snapshot_key& k) { return group::restore(p.env, k, 1, bytes_, {}); };
  check_fails(restore(sealed, key_of(6)), errc::unauthentic, rules::snapshot_opens);
  check_fails(restore(as_bytes("conclave"), key), errc::malformed, rules::snapshot_format);
  CHECK(restore(sealed, *snapshot_key::copy_of(bytes(16))).error() == errc::misuse);
  for (std::size_t cut = 0; cut < sealed.size(); cut += 7) CHECK_FALSE(restore(byte_view{sealed}.first(cut), key));
  for (std::size_t i = 0; i < sealed.size(); i += 3) {
    bytes damaged = sealed;
    damaged[i] ^= 0x20;
    CHECK_FALSE(restore(damaged, key));
  }
  bytes newer = sealed;
  ++newer[9];
  check_fails(restore(newer, key), errc::unsupported, rules::snapshot_version);
}

}  // namespace mls_test

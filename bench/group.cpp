// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Groups: group/<op>/<suite>/<N>/<bare|full> and group/key_package/<suite>. In a bare group one commit has added
/// everybody and all parents are blank, in a full one everybody has committed once. What does not depend on the shape
/// is measured in bare groups only. Handshakes are PrivateMessages, as by default. With CONCLAVE_BENCH_LARGE in the
/// environment there are bare groups of 30,000 and 100,000 too. The counter peak_bytes_per_member is the most memory that
/// an operation has at a time, beyond what is there before it; a joined group is part of it, and no Welcome.
#include "allocations.hpp"

#include <conclave/mls/group.hpp>

#include <support/threads.hpp>

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <map>
#include <string>

namespace {

using namespace conclave;
using namespace conclave::mls;
using provider = default_provider;

enum class shape { bare, full };

system_environment env;

[[noreturn]] void give_up(const failure& f) {
  std::fprintf(stderr, "a benchmark failed: %s\n", f.message());
  std::abort();
}
template <class T>
T must(result<T>&& r) {
  if (!r) give_up(r.error());
  return *std::move(r);
}

[[nodiscard]] client make_client(const basic_suite<provider>& s, std::uint32_t number) {
  client out;
  out.signer = must(signature_key::generate<provider>(env, s.signature()));
  out.credential = to_bytes(as_bytes("member " + std::to_string(number)));
  return out;
}

[[nodiscard]] prepared_key_package make_package(const basic_suite<provider>& s, const client& who) {
  return must(make_key_package<provider>(env, s, who, {std::chrono::hours{24}}));
}

/// clone(package): joining uses one up.
[[nodiscard]] prepared_key_package clone(const prepared_key_package& p) {
  return {p.message, p.reference, {p.init.secret.clone(), p.init.pub}, {p.leaf.secret.clone(), p.leaf.pub}};
}

/// crowd: a group of N, of whom two are real: leaf 0, who commits, and leaf N - 1, who receives. N is even.
struct crowd {
  group committer, receiver;

  /// move_on(): one commit that both have seen.
  void move_on() {
    auto pending = must(committer.commit(env, {}));
    must(receiver.process(pending.message()));
    must(committer.apply(std::move(pending)));
  }
};

[[nodiscard]] crowd make_bare(const basic_suite<provider>& s, std::uint32_t n, const group_policy& policy = {}) {
  auto founder = must(group::create(env, s.id(), make_client(s, 0), as_bytes("bench"), {}, policy));
  std::vector<bytes> packages;
  for (std::uint32_t i = 1; i + 1 < n; ++i) packages.push_back(make_package(s, make_client(s, i)).message);
  client last = make_client(s, n - 1);
  auto last_package = make_package(s, last);
  packages.push_back(last_package.message);
  const std::vector<byte_view> add(packages.begin(), packages.end());
  auto pending = must(founder.commit(env, {add, {}, {}, false}));
  const bytes tree = pending.ratchet_tree();
  join_options with_tree;
  if (!policy.tree_in_welcome) with_tree.ratchet_tree = tree;
  auto receiver = must(group::join(env, std::move(last), std::move(last_package), pending.welcome(), with_tree, {}));
  must(founder.apply(std::move(pending)));
  return {std::move(founder), std::move(receiver)};
}

/// The N commits that fill a tree would take N members, each with a group. What they leave behind takes neither: leaves
/// and paths are put into the tree directly, for all but the two real members; those join by a Welcome and commit for
/// themselves.
[[nodiscard]] crowd make_full(const basic_suite<provider>& s, std::uint32_t n) {
  std::vector<client> clients;
  for (std::uint32_t i = 0; i < n; ++i) clients.push_back(make_client(s, i));
  auto first_package = make_package(s, clients.front()), last_package = make_package(s, clients.back());

  epoch<provider> e{ratchet_tree<provider>(s, hash_seed{})};
  e.group_id = to_bytes(as_bytes("bench"));
  e.number = n;
  std::vector<bytes> packages(n);
  std::vector<byte_view> leaves(n);
  for (std::uint32_t i = 0; i < n; ++i) {
    packages[i] = i == 0       ? first_package.message
                  : i == n - 1 ? last_package.message
                               : make_package(s, clients[i]).message;
    leaves[i] = must(message::decode(packages[i])).key_package->leaf.encoded;
  }
  must(e.tree.add_leaves(leaves));

  std::vector<path_step> path;
  derived_path derived;
  for (std::uint32_t i = 1; i + 1 < n; ++i) {
    const leaf_index member{i};
    path = e.tree.filtered_direct_path(member);
    path_secret first(s.nh());
    if (!env.random(first.writable())) std::abort();
    derived = must(derive_path(s, std::move(first), path.size()));
    std::vector<byte_view> keys;
    for (const auto& key : derived.keys) keys.push_back(key.pub.view());
    const digest parent_hash = merge_path(e.tree, member, path, keys);
    const auto key = must(hpke::generate_key_pair<provider>(env, s.hpke_suite().kem));
    e.tree.set_leaf(member, must(make_leaf(env, s, clients[i], key.pub.view(),
                                           {leaf_node_source::commit, {}, parent_hash.view(), e.group_id, member})));
  }

  // leaf N - 2, the last of them, knows the secrets of all nodes above leaf N - 1, and of the root
  e.own = leaf_index{n - 2};
  e.confirmed_transcript_hash = s.hash({});
  e.context = e.encode_context(e.confirmed_transcript_hash.view());
  const joiner_secret joiner(s.nh());
  const psk_secret psk(s.nh());
  e.enter(joiner, psk);
  std::vector<new_member> members;
  members.push_back({first_package.reference, first_package.init.pub.view(), derived.secrets.back().clone()});
  members.push_back({last_package.reference, last_package.init.pub.view(), derived.secrets.front().clone()});
  const bytes info = must(make_group_info(env, e, clients[n - 2].signer, {}));
  const bytes welcome = must(make_welcome(env, s, info, joiner, psk, {}, members));
  crowd out{must(group::join(env, std::move(clients.front()), std::move(first_package), welcome, {}, {})),
            must(group::join(env, std::move(clients.back()), std::move(last_package), welcome, {}, {}))};

  out.move_on();
  auto pending = must(out.receiver.commit(env, {}));
  must(out.committer.process(pending.message()));
  must(out.receiver.apply(std::move(pending)));
  return out;
}

[[nodiscard]] basic_suite<provider> suite_of(int id) {
  return must(basic_suite<provider>::make(static_cast<cipher_suite>(id)));
}

/// the_crowd(suite, n, shape): made once, when it is first needed.
[[nodiscard]] crowd& the_crowd(int suite, std::uint32_t n, shape of) {
  static std::map<std::tuple<int, std::uint32_t, shape>, crowd> crowds;
  const auto key = std::make_tuple(suite, n, of);
  auto known = crowds.find(key);
  if (known == crowds.end())
    known =
        crowds.emplace(key, of == shape::bare ? make_bare(suite_of(suite), n) : make_full(suite_of(suite), n)).first;
  return known->second;
}

void report_wire_bytes(benchmark::State& state, std::size_t size) {
  state.counters["wire_bytes"] = benchmark::Counter(static_cast<double>(size));
}

/// Prepared and dropped, which uses up generations of the ratchet: before they run out of the receiver's window, the
/// group moves on.
void create_commit(benchmark::State& state, int suite, std::uint32_t n, shape of) {
  crowd& c = the_crowd(suite, n, of);
  c.move_on();
  std::size_t size = 0;
  for (std::uint32_t dropped = 0; auto _ : state) {
    size = must(c.committer.commit(env, {})).message().size();
    if (++dropped % (limits::ratchet_forward / 2) != 0) continue;
    state.PauseTiming();
    c.move_on();
    state.ResumeTiming();
  }
  report_wire_bytes(state, size);
}

/// An empty commit is received once, so a new one is made while the clock stands.
void receive_commit(benchmark::State& state, int suite, std::uint32_t n, shape of) {
  crowd& c = the_crowd(suite, n, of);
  c.move_on();
  std::size_t size = 0;
  for (auto _ : state) {
    state.PauseTiming();
    auto pending = must(c.committer.commit(env, {}));
    size = pending.message().size();
    state.ResumeTiming();
    must(c.receiver.process(pending.message()));
    state.PauseTiming();
    must(c.committer.apply(std::move(pending)));
    state.ResumeTiming();
  }
  report_wire_bytes(state, size);
}

/// newcomers(suite): as many key packages as one gathered commit adds at most.
[[nodiscard]] std::vector<bytes> newcomers(const basic_suite<provider>& s) {
  std::vector<bytes> out;
  for (std::uint32_t i = 0; i < limits::gathered_joins; ++i)
    out.push_back(make_package(s, make_client(s, limits::leaves + i)).message);
  return out;
}

/// A commit that adds limits::gathered_joins members, without a path; with a Welcome that does not carry the tree.
void create_gathered(benchmark::State& state, int suite, std::uint32_t n, shape) {
  group_policy policy;
  policy.tree_in_welcome = false;
  crowd c = make_bare(suite_of(suite), n, policy);
  const std::vector<bytes> packages = newcomers(suite_of(suite));
  const std::vector<byte_view> add(packages.begin(), packages.end());
  std::size_t size = 0;
  for (auto _ : state) size = must(c.committer.commit(env, {add, {}, {}, false})).message().size();
  report_wire_bytes(state, size);
}

/// Such a commit is received once; then the newcomers go again.
void receive_gathered(benchmark::State& state, int suite, std::uint32_t n, shape) {
  group_policy policy;
  policy.tree_in_welcome = false;
  crowd c = make_bare(suite_of(suite), n, policy);
  std::size_t size = 0;
  for (auto _ : state) {
    state.PauseTiming();
    const std::vector<bytes> packages = newcomers(suite_of(suite));
    const std::vector<byte_view> add(packages.begin(), packages.end());
    auto pending = must(c.committer.commit(env, {add, {}, {}, false}));
    const std::vector<leaf_index> came = pending.change().added;
    size = pending.message().size();
    state.ResumeTiming();
    must(c.receiver.process(pending.message()));
    state.PauseTiming();
    must(c.committer.apply(std::move(pending)));
    auto farewell = must(c.committer.commit(env, {{}, came}));
    must(c.receiver.process(farewell.message()));
    must(c.committer.apply(std::move(farewell)));
    state.ResumeTiming();
  }
  report_wire_bytes(state, size);
}

/// newcomer: one more member, invited to the N that are there.
struct newcomer {
  client who;
  prepared_key_package package;
  group::pending invitation;

  newcomer(crowd& c, const basic_suite<provider>& s, std::uint32_t n)
      : who{make_client(s, n)}, package{make_package(s, who)}, invitation{invite(c)} {}
  [[nodiscard]] group join(const group_policy& policy = {}) const {
    return must(group::join(env, who.clone(), clone(package), invitation.welcome(), {}, policy));
  }

 private:
  [[nodiscard]] group::pending invite(crowd& c) const {
    c.move_on();
    const byte_view add = package.message;
    return must(c.committer.commit(env, {{&add, 1}, {}, {}, true}));
  }
};

/// with_two(f): f(policy) with one worker thread beside the caller's.
template <class F>
void with_two(F&& f) {
  conclave_test::threads two(2);
  group_policy policy;
  policy.workers = &two;
  f(policy);
}

/// report_peak(state, n, operation): runs it once more, and counts the memory.
template <class F>
void report_peak(benchmark::State& state, std::uint32_t n, F&& operation) {
  const conclave_bench::high_water peak;
  operation();
  state.counters["peak_bytes_per_member"] = static_cast<double>(peak.bytes()) / n;
}

void join_as(benchmark::State& state, int suite, std::uint32_t n, shape of, const group_policy& policy) {
  const newcomer one(the_crowd(suite, n, of), suite_of(suite), n);
  for (auto _ : state) benchmark::DoNotOptimize(one.join(policy));
  const std::uint64_t before = conclave_bench::bytes_held();
  report_peak(state, n + 1, [&] {
    const group joined = one.join(policy);
    state.counters["bytes_per_member"] = static_cast<double>(conclave_bench::bytes_held() - before) / (n + 1);
  });
  report_wire_bytes(state, one.invitation.welcome().size());
}
void join(benchmark::State& state, int suite, std::uint32_t n, shape of) { join_as(state, suite, n, of, {}); }
void join_workers(benchmark::State& state, int suite, std::uint32_t n, shape of) {
  with_two([&](const group_policy& policy) { join_as(state, suite, n, of, policy); });
}

/// The whole state, sealed; wire_bytes is its size.
void snapshot(benchmark::State& state, int suite, std::uint32_t n, shape of) {
  group joined = newcomer(the_crowd(suite, n, of), suite_of(suite), n).join();
  const snapshot_key key = must(snapshot_key::copy_of(bytes(32, 1)));
  std::size_t size = 0;
  for (auto _ : state) size = must(joined.snapshot(env, key)).size();
  report_peak(state, n + 1, [&] { (void)must(joined.snapshot(env, key)); });
  report_wire_bytes(state, size);
}

void restore(benchmark::State& state, int suite, std::uint32_t n, shape of) {
  group joined = newcomer(the_crowd(suite, n, of), suite_of(suite), n).join();
  const snapshot_key key = must(snapshot_key::copy_of(bytes(32, 1)));
  const bytes sealed = must(joined.snapshot(env, key));
  for (auto _ : state) benchmark::DoNotOptimize(must(group::restore(env, key, 0, sealed, {})));
  report_peak(state, n + 1, [&] { (void)must(group::restore(env, key, 0, sealed, {})); });
}

/// everybody(suite, n): the key packages of n members, made once.
[[nodiscard]] const std::vector<bytes>& everybody(int suite, std::uint32_t n) {
  static std::map<std::pair<int, std::uint32_t>, std::vector<bytes>> known;
  std::vector<bytes>& packages = known[{suite, n}];
  const auto s = suite_of(suite);
  while (packages.size() < n)
    packages.push_back(make_package(s, make_client(s, static_cast<std::uint32_t>(packages.size()))).message);
  return packages;
}

/// A founder adds everybody else by one commit.
void add_all_as(benchmark::State& state, int suite, std::uint32_t n, const group_policy& policy) {
  const auto s = suite_of(suite);
  auto founder = must(group::create(env, s.id(), make_client(s, 0), as_bytes("bench"), {}, policy));
  const std::vector<bytes>& packages = everybody(suite, n - 1);
  const std::vector<byte_view> add(packages.begin(), packages.end());
  std::size_t size = 0;
  const auto once = [&] {
    const auto pending = must(founder.commit(env, {add, {}, {}, true}));
    size = pending.message().size() + pending.welcome().size();
  };
  for (auto _ : state) once();
  report_peak(state, n, once);
  report_wire_bytes(state, size);
}
void add_all(benchmark::State& state, int suite, std::uint32_t n, shape) { add_all_as(state, suite, n, {}); }
void add_all_workers(benchmark::State& state, int suite, std::uint32_t n, shape) {
  with_two([&](const group_policy& policy) { add_all_as(state, suite, n, policy); });
}

constexpr std::size_t message_bytes = 1200;

void protect(benchmark::State& state, int suite, std::uint32_t n, shape of) {
  crowd& c = the_crowd(suite, n, of);
  c.move_on();
  const bytes text(message_bytes, 0x5a);
  std::size_t size = 0;
  const std::uint64_t before = conclave_bench::allocations();
  for (auto _ : state) size = must(c.committer.protect(env, text, {})).size();
  conclave_bench::report_allocations(state, conclave_bench::allocations() - before);
  report_wire_bytes(state, size);
}

/// A message opens once, so batches of them are made while the clock stands.
void unprotect(benchmark::State& state, int suite, std::uint32_t n, shape of) {
  crowd& c = the_crowd(suite, n, of);
  c.move_on();
  const bytes text(message_bytes, 0x5a);
  std::array<bytes, 64> messages;
  std::uint64_t count = 0;
  while (state.KeepRunningBatch(messages.size())) {
    state.PauseTiming();
    for (bytes& m : messages) m = must(c.committer.protect(env, text, {}));
    const std::uint64_t before = conclave_bench::allocations();
    state.ResumeTiming();
    for (const bytes& m : messages) benchmark::DoNotOptimize(must(c.receiver.process(m)));
    count += conclave_bench::allocations() - before;
  }
  conclave_bench::report_allocations(state, count);
  report_wire_bytes(state, messages[0].size());
}

void export_secret(benchmark::State& state, int suite, std::uint32_t n, shape of) {
  const crowd& c = the_crowd(suite, n, of);
  std::array<std::uint8_t, 32> out{};
  for (auto _ : state) {
    if (!c.committer.export_secret("bench", {}, out)) std::abort();
    benchmark::DoNotOptimize(out);
  }
}

void key_package(benchmark::State& state, int suite) {
  const auto s = suite_of(suite);
  const client who = make_client(s, 0);
  std::size_t size = 0;
  for (auto _ : state) size = make_package(s, who).message.size();
  report_wire_bytes(state, size);
}

bool register_all() {
  const int suite = 1;
  using operation = void(benchmark::State&, int, std::uint32_t, shape);
  const auto add = [suite](const char* op, operation* run, std::uint32_t n, shape of) {
    std::string name = "group/";
    name.append(op).append("/").append(std::to_string(suite)).append("/").append(std::to_string(n));
    auto* const b =
        benchmark::RegisterBenchmark(name.append(of == shape::bare ? "/bare" : "/full").c_str(), run, suite, n, of);
    b->Unit(benchmark::kMicrosecond);
    // making the commit takes far longer than receiving it
    if (run == receive_commit && of == shape::bare && n >= 1000) b->Iterations(n >= 10000 ? 2 : 10);
    if (run == receive_gathered) b->Iterations(2);
  };
  for (const std::uint32_t n : {10U, 200U, 1000U, 10000U}) {
    for (const shape of : {shape::bare, shape::full}) {
      add("create_commit", create_commit, n, of);
      add("receive_commit", receive_commit, n, of);
      add("join", join, n, of);
    }
    add("add_all", add_all, n, shape::bare);
    if (n >= 1000) add("create_gathered", create_gathered, n, shape::bare);
    if (n >= 1000) add("receive_gathered", receive_gathered, n, shape::bare);
    add("snapshot", snapshot, n, shape::bare);
    add("restore", restore, n, shape::bare);
    if (n > 1000) continue;  // nothing below grows with the group
    add("protect", protect, n, shape::bare);
    add("unprotect", unprotect, n, shape::bare);
    add("export", export_secret, n, shape::bare);
  }
  for (const std::uint32_t n : {1000U, 10000U}) {
    add("join_workers", join_workers, n, shape::bare);
    add("add_all_workers", add_all_workers, n, shape::bare);
  }
  if (std::getenv("CONCLAVE_BENCH_LARGE") != nullptr)
    for (const std::uint32_t n : {30000U, 100000U}) {
      add("join", join, n, shape::bare);
      add("join_workers", join_workers, n, shape::bare);
      add("add_all", add_all, n, shape::bare);
      add("snapshot", snapshot, n, shape::bare);
      add("restore", restore, n, shape::bare);
    }
  for (const int id : {1, 2, 3})
    benchmark::RegisterBenchmark(("group/key_package/" + std::to_string(id)).c_str(), key_package, id)
        ->Unit(benchmark::kMicrosecond);
  return true;
}

[[maybe_unused]] const bool registered = register_all();

}  // namespace

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Security codes and verification runs: sas/<what>/<contributors>. Opening and sealing the MLS messages is not in it.
#include <conclave/sas/fingerprint.hpp>
#include <conclave/sas/verification.hpp>

#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>

namespace {

using namespace conclave;
using provider = default_provider;

constexpr auto sha256 = hash_id::sha256;
constexpr steady_time now{1'000'000};

void give_up(const char* what) {
  std::fprintf(stderr, "a benchmark failed: %s\n", what);
  std::abort();
}

/// What a meeting asks for after each commit: the digits as text.
void passive_30(benchmark::State& state) {
  const bytes authenticator(32, 7);
  for (auto _ : state) benchmark::DoNotOptimize(sas::security_code::make(authenticator, 7)->digits());
}
void passive_60(benchmark::State& state) {
  const bytes authenticator(32, 7);
  for (auto _ : state)
    benchmark::DoNotOptimize(sas::long_security_code::make<provider>(sha256, authenticator, 7).digits());
}
void passive_machine(benchmark::State& state) {
  const bytes authenticator(32, 7);
  for (auto _ : state) benchmark::DoNotOptimize(sas::machine_code::make<provider>(sha256, authenticator, 7));
}
BENCHMARK(passive_30)->Name("sas/code/30 digits");
BENCHMARK(passive_60)->Name("sas/code/60 digits");
BENCHMARK(passive_machine)->Name("sas/code/machine");

/// One member's whole share of a run: commit, hear the others commit, reveal, check the others' reveals, make the code.
void run(benchmark::State& state) {
  const auto n = static_cast<std::uint32_t>(state.range(0));
  system_environment env;
  const bytes same(32, 7);
  const sas::view view{as_bytes("meeting"), 7, 1, same, same, same};
  const digest vh = sas::view_hash<provider>(sha256, view);
  const sas::epoch_view epoch{7, sha256, 0, vh, digest(32)};
  std::vector<std::uint32_t> others;
  for (std::uint32_t i = 1; i < n; ++i) others.push_back(i);

  for (auto _ : state) {
    state.PauseTiming();
    sas::verification me(26);
    me.enter_epoch(epoch, now);
    state.ResumeTiming();
    if (!me.start(env, sas::form::emoji_7, others, now)) give_up("start");
    state.PauseTiming();
    const bytes start = me.take_messages()[0];
    const byte_view start_view{start};
    sas::run_binding binding{sha256, wire::decode<sas::message>(start)->run_id, digest(32), vh};
    provider::hash(sha256, byte_parts{&start_view, 1}, binding.start.writable());
    std::vector<bytes> commits, reveals;
    for (const std::uint32_t leaf : others) {
      sas::message m;
      m.run_id = binding.run_id;
      m.nonce.fill(static_cast<std::uint8_t>(leaf));
      const digest c = sas::commitment<provider>(binding, leaf, m.nonce);
      m.commitment = c.view();
      m.type = sas::message_type::commit;
      commits.push_back(wire::encode(m));
      m.type = sas::message_type::reveal;
      reveals.push_back(wire::encode(m));
    }
    state.ResumeTiming();
    for (std::size_t i = 0; i < others.size(); ++i)
      if (!me.receive(others[i], 7, commits[i], now)) give_up("commit");
    for (std::size_t i = 0; i < others.size(); ++i)
      if (!me.receive(others[i], 7, reveals[i], now)) give_up("reveal");
    const auto code = me.show(now);
    if (!code) give_up("no code");
    benchmark::DoNotOptimize(code->text());
  }
}
BENCHMARK(run)->Name("sas/run")->Arg(2)->Arg(5)->Arg(200)->Unit(benchmark::kMicrosecond);

void fingerprints(benchmark::State& state) {
  const bytes a(32, 1), b(32, 2);
  for (auto _ : state) {
    const auto made = sas::fingerprint::make({as_bytes("alice"), signature_scheme::ed25519, a},
                                             {as_bytes("bob"), signature_scheme::ed25519, b});
    if (!made) give_up("fingerprint");
    benchmark::DoNotOptimize(made->digits());
  }
}
BENCHMARK(fingerprints)->Name("sas/fingerprint")->Unit(benchmark::kMillisecond);

}  // namespace

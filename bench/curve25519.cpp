// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Curve 25519 for many at once: verify_many/ed25519/<n>/<impl> signatures of 150 bytes, dh_many/x25519/<n>/<impl>
/// products and dh_public_key_many/x25519/<n>/<impl> public keys. conclave is the default provider, sodium is libsodium
/// alone, one by one. The counter says how many operations a second.
#include <conclave/crypto/batch.hpp>
#include <conclave/crypto/provider.hpp>

#include <benchmark/benchmark.h>

#include <string>

namespace {

using namespace conclave;

constexpr auto kem = kem_id::dhkem_x25519_sha256;

template <class P>
void verify(benchmark::State& state, std::size_t n) {
  system_environment env;
  const bytes seed(32, 1), message(150, 2);
  bytes key(32), signature(64);
  if (!P::signature_public_key(signature_scheme::ed25519, seed, key) ||
      !P::sign(env, signature_scheme::ed25519, seed, key, message, signature))
    return state.SkipWithError("cannot sign");
  const std::vector<signed_item> items(n, {key, message, signature});
  for (auto _ : state)
    if (!verify_many<P>(signature_scheme::ed25519, items)) state.SkipWithError("verification failed");
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(n));
}

template <class P>
void dh(benchmark::State& state, std::size_t n) {
  const bytes sk(32, 3);
  bytes pk(32);
  if (!P::dh_public_key(kem, sk, pk)) return state.SkipWithError("no public key");
  std::vector<bytes> out(n, bytes(32));
  std::vector<dh_job> jobs;
  for (bytes& o : out) jobs.push_back({sk, pk, o});
  for (auto _ : state) dh_many<P>(kem, jobs);
  if (!jobs.back().done) state.SkipWithError("dh failed");
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(n));
}

template <class P>
void public_keys(benchmark::State& state, std::size_t n) {
  const bytes sk(32, 3);
  std::vector<bytes> out(n, bytes(32));
  std::vector<dh_public_key_job> jobs;
  for (bytes& o : out) jobs.push_back({sk, o});
  for (auto _ : state) dh_public_key_many<P>(kem, jobs);
  if (!jobs.back().done) state.SkipWithError("dh_public_key failed");
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(n));
}

template <class P>
void add(const std::string& impl) {
  if (!P::ready()) return;
  for (const std::size_t n : {1U, 2U, 8U, 128U, 1000U}) {
    const auto name = [&](const char* what) { return what + std::to_string(n) + "/" + impl; };
    benchmark::RegisterBenchmark(name("verify_many/ed25519/").c_str(), verify<P>, n);
    benchmark::RegisterBenchmark(name("dh_many/x25519/").c_str(), dh<P>, n);
    benchmark::RegisterBenchmark(name("dh_public_key_many/x25519/").c_str(), public_keys<P>, n);
  }
}

[[maybe_unused]] const bool added = [] {
  add<default_provider>("conclave");
  add<sodium>("sodium");
  return true;
}();

}  // namespace

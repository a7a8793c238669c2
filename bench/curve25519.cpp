// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Curve 25519 for many at once: curve/verify/<n>/<impl> signatures of 150 bytes, curve/x25519/<n>/<impl> products and
/// curve/keygen/<n>/<impl> public keys of X25519. conclave is the default provider, conclave:<kernel> the same on a kernel
/// of its choice; sodium and openssl are the libraries, one by one. The counter says how many operations a second.
#include <conclave/crypto/batch.hpp>
#include <conclave/crypto/provider.hpp>

#include <benchmark/benchmark.h>

#if CONCLAVE_WITH_OPENSSL
#include <openssl/evp.h>
#endif

#include <string>

namespace {

using namespace conclave;

constexpr auto kem = kem_id::dhkem_x25519_sha256;

#if CONCLAVE_WITH_OPENSSL
/// openssl_curves: OpenSSL with Ed25519, which conclave does not ask of it.
struct openssl_curves : openssl {
  [[nodiscard]] static status verify(signature_scheme, byte_view pk, byte_view message, byte_view signature) {
    EVP_PKEY* const key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, pk.data(), pk.size());
    EVP_MD_CTX* const context = EVP_MD_CTX_new();
    const bool good =
        EVP_DigestVerifyInit(context, nullptr, nullptr, nullptr, key) == 1 &&
        EVP_DigestVerify(context, signature.data(), signature.size(), message.data(), message.size()) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return good ? status{} : errc::unauthentic;
  }
};
static_assert(crypto_provider<openssl_curves>);
#endif

/// on(kernel, state, work): work() as often as asked, on this kernel, or the CPU's best where it has no name.
template <class F>
void on(const char* kernel, benchmark::State& state, std::size_t n, F&& work) {
  if (!simd::force(kernel)) return state.SkipWithError("no such kernel here");
  for (auto _ : state) work();
  simd::force("best");
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(n));
}

template <class P>
void verify(benchmark::State& state, std::size_t n, const char* kernel) {
  system_environment env;
  const bytes seed(32, 1), message(150, 2);
  bytes key(32), signature(64);
  if (!sodium::ready() || !sodium::signature_public_key(signature_scheme::ed25519, seed, key) ||
      !sodium::sign(env, signature_scheme::ed25519, seed, key, message, signature))
    return state.SkipWithError("cannot sign");
  const std::vector<signed_item> items(n, {key, message, signature});
  on(kernel, state, n, [&] {
    if (!verify_many<P>(signature_scheme::ed25519, items)) state.SkipWithError("verification failed");
  });
}

template <class P>
void x25519(benchmark::State& state, std::size_t n, const char* kernel) {
  const bytes sk(32, 3);
  bytes pk(32);
  if (!P::dh_public_key(kem, sk, pk)) return state.SkipWithError("no public key");
  std::vector<bytes> out(n, bytes(32));
  std::vector<dh_job> jobs;
  for (bytes& o : out) jobs.push_back({sk, pk, o});
  on(kernel, state, n, [&] { dh_many<P>(kem, jobs); });
  if (!jobs.back().done) state.SkipWithError("dh failed");
}

template <class P>
void keygen(benchmark::State& state, std::size_t n, const char* kernel) {
  const bytes sk(32, 3);
  std::vector<bytes> out(n, bytes(32));
  std::vector<dh_public_key_job> jobs;
  for (bytes& o : out) jobs.push_back({sk, o});
  on(kernel, state, n, [&] { dh_public_key_many<P>(kem, jobs); });
  if (!jobs.back().done) state.SkipWithError("dh_public_key failed");
}

template <class P>
void add(const std::string& impl, const char* kernel = "best") {
  if (!P::ready()) return;
  for (const std::size_t n : {1U, 8U, 128U}) {
    const auto name = [&](const char* what) { return what + std::to_string(n) + "/" + impl; };
    benchmark::RegisterBenchmark(name("curve/verify/").c_str(), verify<P>, n, kernel);
    benchmark::RegisterBenchmark(name("curve/x25519/").c_str(), x25519<P>, n, kernel);
    benchmark::RegisterBenchmark(name("curve/keygen/").c_str(), keygen<P>, n, kernel);
  }
}

[[maybe_unused]] const bool added = [] {
  add<default_provider>("conclave");
  for (const simd::curve_kernels* const table : simd::all<simd::curve_kernels>())
    if (simd::cpu_can_run(table->needs)) add<default_provider>(std::string("conclave:") + table->name, table->name);
  add<sodium>("sodium");
#if CONCLAVE_WITH_OPENSSL
  add<openssl_curves>("openssl");
#endif
  return true;
}();

}  // namespace

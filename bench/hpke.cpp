// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Hashes and HPKE: hash/<hash>/<bytes>/<impl>, hash/hmac_sha256/<bytes>/<impl> under a key made ready,
/// hash/hmac_sha256_many/<bytes>x<messages>/<impl>, hash/hkdf_expand/<bytes>/<impl>, and by MLS cipher suite
/// hpke/{seal,open,derive}/<suite>/<impl>, hpke/seal_many/<suite>x<recipients>/<impl>. conclave is the default provider,
/// the others are its libraries alone. The messages are path secrets.
#include <conclave/crypto/batch.hpp>
#include <conclave/crypto/hpke.hpp>
#include <conclave/crypto/provider.hpp>

#include <benchmark/benchmark.h>

#include <string>

namespace {

using namespace conclave;

constexpr std::size_t message_bytes = 32;

constexpr hpke::suite suite_of(int mls_suite) {
  constexpr std::array suites{
      hpke::suite{kem_id::dhkem_x25519_sha256, kdf_id::hkdf_sha256, aead_id::aes_128_gcm},
      hpke::suite{kem_id::dhkem_p256_sha256, kdf_id::hkdf_sha256, aead_id::aes_128_gcm},
      hpke::suite{kem_id::dhkem_x25519_sha256, kdf_id::hkdf_sha256, aead_id::chacha20_poly1305},
      hpke::suite{kem_id::dhkem_x448_sha512, kdf_id::hkdf_sha512, aead_id::aes_256_gcm},
      hpke::suite{kem_id::dhkem_p521_sha512, kdf_id::hkdf_sha512, aead_id::aes_256_gcm},
      hpke::suite{kem_id::dhkem_x448_sha512, kdf_id::hkdf_sha512, aead_id::chacha20_poly1305},
      hpke::suite{kem_id::dhkem_p384_sha384, kdf_id::hkdf_sha384, aead_id::aes_256_gcm},
  };
  return suites[static_cast<std::size_t>(mls_suite) - 1];
}

void add(const std::string& name, auto work) { benchmark::RegisterBenchmark(name.c_str(), work); }

/// messages: a recipient, and room for what is sealed to it some times over.
template <class P>
struct messages {
  explicit messages(const hpke::suite& s, std::size_t count)
      : recipient{*hpke::generate_key_pair<P>(env, s.kem)},
        plaintext(message_bytes),
        enc(count, bytes(kem_sizes(s.kem).public_key)),
        ciphertext(count, bytes(message_bytes + aead_tag_size)) {
    for (std::size_t i = 0; i < count; ++i)
      requests.push_back({recipient.pub.view(), plaintext, enc[i], ciphertext[i]});
  }

  system_environment env;
  hpke::key_pair recipient;
  bytes plaintext;
  std::vector<bytes> enc, ciphertext;
  std::vector<hpke::seal_request> requests;
};

template <class P>
void add_hashes(const std::string& impl) {
  for (const auto& [id, name] : {std::pair{hash_id::sha256, "sha256"}, std::pair{hash_id::sha512, "sha512"}}) {
    if (!P::supports(id)) continue;
    for (const std::size_t size : {64U, 1024U, 65536U}) {
      add("hash/" + std::string(name) + "/" + std::to_string(size) + "/" + impl, [=](benchmark::State& state) {
        const bytes in(size);
        bytes out(hash_size(id));
        for (auto _ : state) P::hash(id, std::array{byte_view{in}}, out);
        state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(size));
      });
    }
  }
  for (const std::size_t size : {160U, 1200U}) {
    add("hash/hmac_sha256/" + std::to_string(size) + "/" + impl, [=](benchmark::State& state) {
      auto key = *P::hmac_key::make(hash_id::sha256, bytes(32));
      const bytes in(size);
      bytes out(32);
      for (auto _ : state) key.mac(std::array{byte_view{in}}, out);
      state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(size));
    });
    add("hash/hmac_sha256_many/" + std::to_string(size) + "x16/" + impl, [=](benchmark::State& state) {
      std::vector<typename P::hmac_key> keys;
      std::vector<mac_job<typename P::hmac_key>> jobs;
      const bytes in(size);
      const byte_view part = in;
      std::array<std::array<std::uint8_t, 32>, 16> out;
      for (std::size_t i = 0; i < 16; ++i) keys.push_back(*P::hmac_key::make(hash_id::sha256, bytes(32)));
      for (std::size_t i = 0; i < 16; ++i) jobs.push_back({&keys[i], {&part, 1}, out[i]});
      for (auto _ : state) mac_many<typename P::hmac_key>(jobs);
      state.SetItemsProcessed(state.iterations() * 16);
      state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(16 * size));
    });
  }
  add("hash/hkdf_expand/32/" + impl, [](benchmark::State& state) {
    const bytes prk(32), info(32);
    bytes out(32);
    for (auto _ : state) hkdf_expand<P>(hash_id::sha256, prk, std::array{byte_view{info}}, out);
  });
}

template <class P>
void add_hpke(const std::string& impl) {
  for (int mls_suite = 1; mls_suite <= 7; ++mls_suite) {
    const hpke::suite s = suite_of(mls_suite);
    if (!hpke::supports<P>(s)) continue;
    const std::string suite = std::to_string(mls_suite);
    add("hpke/seal/" + suite + "/" + impl, [s](benchmark::State& state) {
      messages<P> m(s, 1);
      for (auto _ : state)
        if (!hpke::seal<P>(m.env, s, as_bytes("context"), {}, m.requests[0])) state.SkipWithError("seal failed");
    });
    add("hpke/open/" + suite + "/" + impl, [s](benchmark::State& state) {
      messages<P> m(s, 1);
      if (!hpke::seal<P>(m.env, s, as_bytes("context"), {}, m.requests[0])) state.SkipWithError("seal failed");
      for (auto _ : state)
        if (!hpke::open<P>(s, m.recipient, m.enc[0], as_bytes("context"), {}, m.ciphertext[0], m.plaintext))
          state.SkipWithError("open failed");
    });
    add("hpke/derive/" + suite + "/" + impl, [s](benchmark::State& state) {
      const bytes node_secret(64);
      for (auto _ : state)
        if (!hpke::derive_key_pair<P>(s.kem, node_secret)) state.SkipWithError("derive_key_pair failed");
    });
    add("hpke/seal_many/" + suite + "x16/" + impl, [s](benchmark::State& state) {
      messages<P> m(s, 16);
      for (auto _ : state)
        if (!hpke::seal_many<P>(m.env, s, as_bytes("context"), {}, m.requests)) state.SkipWithError("seal failed");
      state.SetItemsProcessed(state.iterations() * 16);
    });
  }
}

template <class P>
void add_provider(const std::string& impl) {
  if (!P::ready()) return;
  add_hashes<P>(impl);
  add_hpke<P>(impl);
}

[[maybe_unused]] const bool added = [] {
  add_provider<default_provider>("conclave");
  add_provider<sodium>("sodium");
#if CONCLAVE_WITH_BOTAN
  add_provider<botan>("botan");
#endif
#if CONCLAVE_WITH_OPENSSL
  add_provider<openssl>("openssl");
#endif
  return true;
}();

}  // namespace

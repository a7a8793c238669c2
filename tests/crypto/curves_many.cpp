// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Calls for many give what as many single calls give, with kernels and without.
#include "crypto.hpp"
#include "support/kernels.hpp"

#include <conclave/crypto/hpke.hpp>

#include <cstdlib>

using namespace conclave_test;

TEST_CASE("Kernels: a run of the tests on one of them is a run on it") {
  const char* const asked = std::getenv("CONCLAVE_FORCE_ARCH");
  const std::string_view name = asked == nullptr || *asked == '\0' ? "best" : asked;
  const auto names = [] {
    std::vector<std::string_view> out;
    const auto add = [&](const auto* table) {
      if (table != nullptr) out.emplace_back(table->name);
    };
    add(simd::current<simd::aes_kernels>());
    add(simd::current<simd::hash_kernels>());
    add(simd::current<simd::curve_kernels>());
    return out;
  };
  const auto running = names();
  const forced_kernel best("best");
  if (name == "best")
    CHECK(running == names());
  else if (name == "none")
    CHECK(running.empty());
  else
    CHECK(std::ranges::count(running, name) == 1);
}

namespace {

constexpr auto kem = kem_id::dhkem_x25519_sha256;
constexpr auto ed25519 = signature_scheme::ed25519;

/// witness: libsodium, counting who asks.
struct witness : sodium {
  static inline int dhs = 0, public_keys = 0, verified = 0;
  static status dh(kem_id id, byte_view sk, byte_view pk, byte_span out) noexcept {
    ++dhs;
    return sodium::dh(id, sk, pk, out);
  }
  static status dh_public_key(kem_id id, byte_view sk, byte_span out) noexcept {
    ++public_keys;
    return sodium::dh_public_key(id, sk, out);
  }
  static status verify(signature_scheme id, byte_view pk, byte_view message, byte_view signature) noexcept {
    ++verified;
    return sodium::verify(id, pk, message, signature);
  }
};
using P = native_curves<witness>;
static_assert(crypto_provider<P>);

/// with_and_without(work): work(kernels), for each kernel, and for nullptr.
void with_and_without(auto work) {
  REQUIRE(P::ready());
  for_each_kernel<simd::curve_kernels>([&](const simd::curve_kernels& table) { work(&table); });
  const forced_kernel none("none");
  work(static_cast<const simd::curve_kernels*>(nullptr));
}

/// alone(from, kernels, n): how many of n jobs are left to the library, one by one.
int alone(std::size_t from, const simd::curve_kernels* kernels, std::size_t n) {
  if (kernels == nullptr) return static_cast<int>(n);
  const std::size_t rest = n % detail::curve_batch % kernels->lanes;
  return static_cast<int>(rest < from ? rest : 0);
}

constexpr std::size_t counts[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17, 127, 128, 129, 137, 300};

struct letter {
  bytes key, message, signature;
};
std::vector<letter> letters(std::size_t n) {
  system_environment env;
  std::vector<letter> out;
  for (std::size_t i = 0; i < n; ++i) {
    const bytes seed(32, static_cast<std::uint8_t>(i + 1));
    letter l{bytes(32), bytes(i, 3), bytes(64)};
    REQUIRE(sodium::signature_public_key(ed25519, seed, l.key));
    REQUIRE(sodium::sign(env, ed25519, seed, l.key, l.message, l.signature));
    out.push_back(std::move(l));
  }
  return out;
}
std::vector<signed_item> items_of(const std::vector<letter>& all, std::size_t n) {
  std::vector<signed_item> out;
  for (std::size_t i = 0; i < n; ++i) out.push_back({all[i].key, all[i].message, all[i].signature});
  return out;
}

}  // namespace

TEST_CASE("Many signatures: all have to be right, in any number") {
  const auto all = letters(300);
  with_and_without([&](const simd::curve_kernels* kernels) {
    for (const std::size_t n : counts) {
      INFO(n);
      witness::verified = 0;
      CHECK(verify_many<P>(ed25519, items_of(all, n)));
      CHECK(witness::verified == alone(kernels == nullptr ? 0 : kernels->verify_from, kernels, n));
    }
    auto good = items_of(all, 20);
    for (std::size_t i = 0; i < good.size(); ++i) {
      const auto wrong = [&](signed_item item) {
        auto items = good;
        items[i] = item;
        CHECK(verify_many<P>(ed25519, items).error() == errc::unauthentic);
      };
      const signed_item other = good[(i + 1) % good.size()];
      wrong({other.public_key, good[i].message, good[i].signature});
      wrong({good[i].public_key, other.message, good[i].signature});
      wrong({good[i].public_key, good[i].message, other.signature});
      wrong({good[i].public_key.first(31), good[i].message, good[i].signature});
      wrong({good[i].public_key, good[i].message, good[i].signature.first(63)});
      wrong({{}, good[i].message, {}});
    }
    CHECK(verify_many<P>(signature_scheme::ed448, good).error() == errc::unsupported);
  });
}

TEST_CASE("Many signatures: a long message goes to the library, wherever it stands") {
  auto all = letters(20);
  system_environment env;
  const bytes seed(32, 99);
  letter large{bytes(32), bytes(detail::long_message, 5), bytes(64)};
  REQUIRE(sodium::signature_public_key(ed25519, seed, large.key));
  REQUIRE(sodium::sign(env, ed25519, seed, large.key, large.message, large.signature));
  with_and_without([&](const simd::curve_kernels* kernels) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      INFO(i);
      auto items = items_of(all, all.size());
      items[i] = {large.key, large.message, large.signature};
      witness::verified = 0;
      CHECK(verify_many<P>(ed25519, items));
      const auto alone = [&](std::size_t n) { return kernels == nullptr ? n : n % kernels->lanes == 1 ? 1U : 0U; };
      CHECK(witness::verified == static_cast<int>(alone(i) + 1 + alone(items.size() - 1 - i)));
      for (const std::size_t other : {i, std::size_t{0}, items.size() - 1}) {
        auto wrong = items;
        wrong[other].signature = all[(other + 1) % all.size()].signature;
        CHECK(verify_many<P>(ed25519, wrong).error() == errc::unauthentic);
      }
    }
  });
}

namespace {
std::optional<errc> code(const status& s) { return s ? std::nullopt : std::optional(s.error().code()); }
}  // namespace

TEST_CASE("Many DHs: each has the outcome of its own call, failures included") {
  with_and_without([&](const simd::curve_kernels* kernels) {
    for (const std::size_t n : counts) {
      for (const int broken : {0, 1, 2}) {
        INFO(n << " " << broken);
        std::vector<bytes> sk, pk, out, expected, publics;
        for (std::size_t i = 0; i < n; ++i) {
          sk.emplace_back(32, static_cast<std::uint8_t>(i * 3 + 1));
          pk.emplace_back(32, static_cast<std::uint8_t>(i * 5 + 2));
          out.push_back(dirty(32));
          if (broken > 0 && i % 3 == 1) pk[i].assign(32, 0);  // an all-zero product
          if (broken > 1 && i % 11 == 2) pk[i].pop_back();
          if (broken > 1 && i % 11 == 5) sk[i].push_back(1);
          if (broken > 1 && i % 11 == 7) out[i].pop_back();
        }
        expected = publics = out;
        std::vector<dh_job> jobs;
        std::vector<dh_public_key_job> public_jobs;
        for (std::size_t i = 0; i < n; ++i) jobs.push_back({sk[i], pk[i], out[i]});
        for (std::size_t i = 0; i < n; ++i) public_jobs.push_back({sk[i], publics[i]});
        witness::dhs = witness::public_keys = 0;
        dh_many<P>(kem, jobs);
        dh_public_key_many<P>(kem, public_jobs);
        if (broken < 2) {
          CHECK(witness::dhs == alone(kernels == nullptr ? 0 : kernels->x25519_from, kernels, n));
          CHECK(witness::public_keys == static_cast<int>(kernels == nullptr ? n : 0));
        }
        for (std::size_t i = 0; i < n; ++i) {
          const status alone = sodium::dh(kem, sk[i], pk[i], expected[i]);
          CHECK(code(jobs[i].done) == code(alone));
          CHECK(out[i] == expected[i]);
          const status public_alone = sodium::dh_public_key(kem, sk[i], expected[i]);
          CHECK(code(public_jobs[i].done) == code(public_alone));
          CHECK(publics[i] == expected[i]);
        }
      }
    }
    const bytes other_sk(56, 1), other_pk(56, 5);
    dh_job other{other_sk, other_pk, {}};
    dh_many<P>(kem_id::dhkem_x448_sha512, {&other, 1});
    CHECK(other.done.error() == errc::unsupported);
  });
}

TEST_CASE("HPKE: what is sealed to many opens for each, and key pairs derived together are those derived alone") {
  constexpr hpke::suite suite{kem, kdf_id::hkdf_sha256, aead_id::chacha20_poly1305};
  system_environment env;
  with_and_without([&](const simd::curve_kernels*) {
    constexpr std::size_t n = 150;  // more than are worked on at a time
    std::vector<bytes> ikm;
    for (std::size_t i = 0; i < n; ++i) ikm.emplace_back(32, static_cast<std::uint8_t>(i));
    const std::vector<byte_view> ikms(ikm.begin(), ikm.end());
    std::vector<hpke::key_pair> keys(n);
    REQUIRE(hpke::derive_many<P>(kem, ikms, keys));

    std::vector<bytes> plaintext, enc(n, bytes(32)), ciphertext;
    std::vector<hpke::seal_request> requests;
    for (std::size_t i = 0; i < n; ++i) {
      plaintext.emplace_back(i, static_cast<std::uint8_t>(i));
      ciphertext.emplace_back(i + 16);
    }
    for (std::size_t i = 0; i < n; ++i) requests.push_back({keys[i].pub.view(), plaintext[i], enc[i], ciphertext[i]});
    REQUIRE(hpke::seal_many<P>(env, suite, as_bytes("info"), as_bytes("aad"), requests));
    for (std::size_t i = 0; i < n; ++i) {
      const auto alone = *hpke::derive_key_pair<sodium>(kem, ikm[i]);
      CHECK(equal(alone.pub.view(), keys[i].pub.view()));
      CHECK(equal(alone.secret.reveal(), keys[i].secret.reveal()));
      bytes opened(i);
      CHECK(hpke::open<sodium>(suite, alone, enc[i], as_bytes("info"), as_bytes("aad"), ciphertext[i], opened));
      CHECK(opened == plaintext[i]);
      CHECK((i == 0 || enc[i] != enc[i - 1]));
    }
  });
}

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// X25519 and Ed25519 of every kernel: other people's figures in every lane, and what libsodium and OpenSSL say of random
/// and of broken inputs.
#include "support/hex.hpp"
#include "support/kernels.hpp"

#include <conclave/crypto/provider.hpp>
#include <conclave/simd/ed25519.hpp>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#if CONCLAVE_WITH_OPENSSL
#include <openssl/evp.h>
#endif

#include <fstream>
#include <random>

namespace {

using namespace conclave;
using conclave_test::for_each_kernel, conclave_test::from_hex, conclave_test::to_hex;
using nlohmann::json;
using key = std::array<std::uint8_t, 32>;

/// where_it_runs(work): work(kernels) for each kernel; a CPU without any has nothing to test.
template <class F>
void where_it_runs(F&& work) {
  if (for_each_kernel<simd::curve_kernels>(work) == 0) SUCCEED("no kernel for this CPU");
}

/// those_that_run(): all kernels of this CPU, for cases that take longer to make than to try.
std::vector<const simd::curve_kernels*> those_that_run() {
  std::vector<const simd::curve_kernels*> out;
  where_it_runs([&](const simd::curve_kernels& table) { out.push_back(&table); });
  return out;
}

/// for_each_case(path, list, work): work(element) for each element of the file's list.
template <class F>
void for_each_case(const std::string& path, const char* list, F&& work) {
  std::ifstream file(path);
  INFO(path);
  REQUIRE(file);
  const json all = json::parse(file);
  for (const json& c : all.at(list)) work(c);
}
const std::string own = CONCLAVE_VECTORS, extra = CONCLAVE_EXTRA_VECTORS;

key as_key(byte_view from) {
  key out{};
  REQUIRE(from.size() == out.size());
  std::ranges::copy(from, out.begin());
  return out;
}

// --- X25519 -----------------------------------------------------------------------------------------------------------

struct product {
  key scalar, point, out;
};

/// products of RFC 7748 and, where they are at hand, of Wycheproof.
std::vector<product> known_products() {
  std::vector<product> out;
  const auto add = [&](const json& c) {
    const auto field = [&](const char* name) { return as_key(from_hex(c.at(name).get<std::string>())); };
    out.push_back({field("private"), field("public"), field("shared")});
  };
  for_each_case(own + "/crypto/rfc7748-cavs-dh.json", "cases", [&](const json& c) {
    if (c.at("kem") == 32) add(c);
  });
  if (!extra.empty())
    for_each_case(extra + "/wycheproof/x25519_test.json", "testGroups", [&](const json& group) {
      for (const json& c : group.at("tests")) add(c);
    });
  return out;
}

std::vector<simd::x25519_job> jobs_of(const std::vector<product>& cases, std::vector<key>& outs) {
  std::vector<simd::x25519_job> jobs;
  outs.assign(cases.size(), key{});
  for (auto& o : outs) o.fill(0xa5);
  for (std::size_t i = 0; i < cases.size(); ++i)
    jobs.push_back({cases[i].scalar.data(), cases[i].point.data(), outs[i].data(), false});
  return jobs;
}

}  // namespace

TEST_CASE("Curve 25519: known products, in every lane") {
  const auto known = known_products();
  REQUIRE(known.size() >= 3);
  where_it_runs([&](const simd::curve_kernels& table) {
    int wrong = 0;
    for (std::size_t first = 0; first < known.size(); ++first) {
      std::vector<product> group;
      for (std::size_t i = 0; i < table.lanes; ++i) group.push_back(known[(first + i) % known.size()]);
      std::vector<key> outs;
      auto jobs = jobs_of(group, outs);
      table.x25519(jobs.data(), jobs.size());
      for (std::size_t i = 0; i < jobs.size(); ++i)
        wrong += outs[i] != group[i].out || jobs[i].good == (group[i].out == key{}) ? 1 : 0;
    }
    CHECK(wrong == 0);
  });
}

TEST_CASE("RFC 7748 5.2: a thousand iterations of X25519 in every lane") {
  where_it_runs([](const simd::curve_kernels& table) {
    std::vector<product> chains(table.lanes, {{9}, {9}, {}});
    for (int i = 1; i <= 1000; ++i) {
      std::vector<key> outs;
      auto jobs = jobs_of(chains, outs);
      table.x25519(jobs.data(), jobs.size());
      for (std::size_t lane = 0; lane < chains.size(); ++lane)
        chains[lane].point = std::exchange(chains[lane].scalar, outs[lane]);
    }
    for (const product& c : chains)
      CHECK(to_hex(c.scalar) == "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
  });
}

namespace {

/// a scalar and a point, from what breaks implementations: few bits, all bits, small order, beyond p.
product some_product(std::mt19937_64& random) {
  const auto random_key = [&](key& k) {
    for (auto& b : k) b = static_cast<std::uint8_t>(random());
  };
  const auto sparse = [&](key& k) {
    k.fill(random() % 2 == 0 ? 0 : 0xff);
    for (int i = 0; i < 3; ++i) k[random() % 32] ^= static_cast<std::uint8_t>(1U << random() % 8);
  };
  product out{};
  random_key(out.scalar);
  random_key(out.point);
  switch (random() % 8) {
    case 0: sparse(out.scalar); break;
    case 1: sparse(out.point); break;
    case 2: {  // p and its neighbours, 0 and 1
      const bool low = random() % 3 == 0;
      out.point.fill(low ? 0 : 0xff);
      out.point[0] = static_cast<std::uint8_t>(low ? random() % 4 : 0xe9 + random() % 23);
      out.point[31] = static_cast<std::uint8_t>(low ? 0 : 0x7f) | (random() % 2 == 0 ? 0x80 : 0);
      break;
    }
    case 3:
      out.point =
          as_key(from_hex(random() % 2 == 0 ? "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"
                                            : "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"));
      break;
    default: break;
  }
  return out;
}

void compare_products(std::size_t total) {
  constexpr auto kem = kem_id::dhkem_x25519_sha256;
  const auto tables = those_that_run();
  std::mt19937_64 random(total);
  int wrong = 0, refused = 0;
  for (std::size_t done = 0; done < total && !tables.empty();) {
    std::vector<product> cases(1 + random() % 300);
    std::vector<key> publics(cases.size()), outs, base_outs;
    std::vector<bool> good;
    for (std::size_t i = 0; i < cases.size(); ++i) {
      product& c = cases[i];
      c = some_product(random);
      good.push_back(sodium::dh(kem, c.scalar, c.point, c.out).has_value());
      refused += good[i] ? 0 : 1;
      wrong += sodium::dh_public_key(kem, c.scalar, publics[i]) ? 0 : 1;
#if CONCLAVE_WITH_OPENSSL
      key other{};
      wrong += openssl::dh(kem, c.scalar, c.point, other).has_value() != good[i] || other != c.out ? 1 : 0;
#endif
    }
    for (const simd::curve_kernels* const table : tables) {
      auto jobs = jobs_of(cases, outs), base_jobs = jobs_of(cases, base_outs);
      for (auto& j : base_jobs) j.point = nullptr;
      table->x25519(jobs.data(), jobs.size());
      table->x25519_base(base_jobs.data(), base_jobs.size());
      for (std::size_t i = 0; i < cases.size(); ++i) {
        wrong += good[i] != jobs[i].good || cases[i].out != outs[i] ? 1 : 0;
        wrong += !base_jobs[i].good || publics[i] != base_outs[i] ? 1 : 0;
      }
    }
    done += cases.size();
  }
  CHECK(wrong == 0);
  CHECK((refused > 0 || tables.empty()));
}

// --- Ed25519 ----------------------------------------------------------------------------------------------------------

struct signed_message {
  key public_key;
  bytes message;
  std::array<std::uint8_t, 64> signature;
  bool accepted;
};

std::vector<signed_message> known_signatures() {
  std::vector<signed_message> out;
  const auto add = [&](const json& pk, const json& message, const json& signature, bool accepted) {
    const bytes s = from_hex(signature.get<std::string>());
    if (s.size() != 64) return;  // nothing for a kernel
    signed_message m{as_key(from_hex(pk.get<std::string>())), from_hex(message.get<std::string>()), {}, accepted};
    std::ranges::copy(s, m.signature.begin());
    out.push_back(std::move(m));
  };
  for_each_case(own + "/crypto/rfc8032-rfc6979-signatures.json", "cases", [&](const json& c) {
    if (c.at("scheme") == 0x0807) add(c.at("public"), c.at("message"), c.at("signature"), true);
  });
  for_each_case(own + "/crypto/ed25519-edge-cases.json", "cases", [&](const json& c) {
    add(c.at("public"), c.at("message"), c.at("signature"), c.at("accepted").get<bool>());
  });
  if (!extra.empty())
    for_each_case(extra + "/wycheproof/ed25519_test.json", "testGroups", [&](const json& group) {
      for (const json& c : group.at("tests"))
        add(group.at("publicKey").at("pk"), c.at("msg"), c.at("sig"), c.at("result") == "valid");
    });
  return out;
}

std::vector<simd::ed25519_job> jobs_of(const std::vector<signed_message>& cases) {
  std::vector<simd::ed25519_job> jobs;
  for (const signed_message& c : cases)
    jobs.push_back({c.public_key.data(), c.signature.data(), c.message.data(), c.message.size(), !c.accepted});
  return jobs;
}

}  // namespace

TEST_CASE("Curve 25519: known signatures, in every lane") {
  const auto known = known_signatures();
  REQUIRE(known.size() >= 15);
  where_it_runs([&](const simd::curve_kernels& table) {
    int wrong = 0;
    for (std::size_t first = 0; first < known.size(); ++first) {
      std::vector<signed_message> group;
      for (std::size_t i = 0; i < table.lanes; ++i) group.push_back(known[(first + i) % known.size()]);
      auto jobs = jobs_of(group);
      table.ed25519_verify(jobs.data(), jobs.size());
      for (std::size_t i = 0; i < jobs.size(); ++i) wrong += jobs[i].good != group[i].accepted ? 1 : 0;
    }
    CHECK(wrong == 0);
  });
}

TEST_CASE("Curve 25519: any number of signatures, of messages of any length") {
  REQUIRE(sodium::ready());
  key seed{7}, pk{};
  REQUIRE(sodium::signature_public_key(signature_scheme::ed25519, seed, pk));
  std::vector<signed_message> all;
  system_environment env;
  for (std::size_t size = 0; size < 400; ++size) {
    signed_message m{pk, bytes(size, static_cast<std::uint8_t>(size)), {}, true};
    REQUIRE(sodium::sign(env, signature_scheme::ed25519, seed, pk, m.message, m.signature));
    all.push_back(std::move(m));
  }
  where_it_runs([&](const simd::curve_kernels& table) {
    auto jobs = jobs_of(all);
    table.ed25519_verify(jobs.data(), jobs.size());
    CHECK(std::ranges::all_of(jobs, &simd::ed25519_job::good));
    for (std::size_t count = 0; count <= 20; ++count) {
      jobs = jobs_of(all);
      table.ed25519_verify(jobs.data() + 50, count);
      CHECK(std::ranges::count_if(jobs, &simd::ed25519_job::good) == static_cast<std::ptrdiff_t>(count));
    }
  });
}

namespace {

/// forge: signatures that are right, wrong, and on the edge of the rule. libsodium's group operations make them.
class forge {
 public:
  explicit forge(std::uint64_t seed) : random_{seed} {
    torsion_[0] = {1};
    key eighth = as_key(from_hex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"));
    for (std::size_t i = 1; i < 8; ++i)
      REQUIRE(crypto_core_ed25519_add(torsion_[i].data(), torsion_[i - 1].data(), eighth.data()) == 0);
  }

  signed_message next() {
    signed_message m{};
    m.message.resize(random_() % 300);
    for (auto& b : m.message) b = static_cast<std::uint8_t>(random_());
    const auto kind = random_() % 24;
    // A and R with a part of small order are right for one challenge in eight or so
    sign(m, kind == 0 || kind == 1 ? random_() % 8 : 0, kind == 1 || kind == 2 ? random_() % 8 : 0);
    const auto flip = [&](std::uint8_t* p, std::size_t n) {
      p[random_() % n] ^= static_cast<std::uint8_t>(1U << random_() % 8);
    };
    std::uint8_t* const r = m.signature.data();
    std::uint8_t* const s = r + 32;
    switch (kind) {
      case 3: flip(r, 32); break;
      case 4: flip(s, 32); break;
      case 5: flip(m.public_key.data(), 32); break;
      case 6:
        if (!m.message.empty()) flip(m.message.data(), m.message.size());
        break;
      case 7: m.message.push_back(0); break;
      case 8: add_order(s); break;
      case 9:  // L - 1, L, L + 1
        std::ranges::copy(order, s);
        s[0] = static_cast<std::uint8_t>(s[0] - 1 + random_() % 3);
        break;
      case 10: small_order(r); break;
      case 11: small_order(m.public_key.data()); break;
      case 12: m.public_key[31] ^= 0x80; break;
      case 13: r[31] ^= 0x80; break;
      case 14:  // a key that is on no curve, one time in two
        for (auto& b : m.public_key) b = static_cast<std::uint8_t>(random_());
        break;
      case 15: beyond_prime(r); break;
      case 16: beyond_prime(m.public_key.data()); break;
      case 17:  // S = 0, R and A of small order: the equation holds, and nobody has signed
        std::fill(s, s + 32, std::uint8_t{0});
        small_order(r);
        small_order(m.public_key.data());
        break;
      case 18: s[31] |= static_cast<std::uint8_t>(0x20U << random_() % 3); break;
      default: break;
    }
    return m;
  }

 private:
  void scalar(key& out) {
    std::array<std::uint8_t, 64> wide;
    for (auto& b : wide) b = static_cast<std::uint8_t>(random_());
    crypto_core_ed25519_scalar_reduce(out.data(), wide.data());
  }
  // RFC 8032 5.1.6, for A + torsion_[of_key] and R + torsion_[of_r]
  void sign(signed_message& m, std::size_t of_key, std::size_t of_r) {
    key a, r, k, ka;
    scalar(a);
    scalar(r);
    std::array<std::uint8_t, 64> digest;
    int failed = crypto_scalarmult_ed25519_base_noclamp(m.public_key.data(), a.data());
    failed |= crypto_scalarmult_ed25519_base_noclamp(m.signature.data(), r.data());
    if (of_key != 0)
      failed |= crypto_core_ed25519_add(m.public_key.data(), m.public_key.data(), torsion_[of_key].data());
    if (of_r != 0) failed |= crypto_core_ed25519_add(m.signature.data(), m.signature.data(), torsion_[of_r].data());
    if (failed != 0) throw std::logic_error("libsodium does not know its own points");
    const byte_view parts[] = {byte_view{m.signature}.first(32), m.public_key, m.message};
    sodium::hash(hash_id::sha512, parts, digest);
    crypto_core_ed25519_scalar_reduce(k.data(), digest.data());
    crypto_core_ed25519_scalar_mul(ka.data(), k.data(), a.data());
    crypto_core_ed25519_scalar_add(m.signature.data() + 32, ka.data(), r.data());
  }
  static void add_order(std::uint8_t* s) {
    unsigned carry = 0;
    for (std::size_t i = 0; i < 32; ++i) {
      carry += static_cast<unsigned>(s[i] + order[i]);
      s[i] = static_cast<std::uint8_t>(carry);
      carry >>= 8U;
    }
  }
  void small_order(std::uint8_t* to) {
    std::ranges::copy(torsion_[random_() % 8], to);
    if (random_() % 4 == 0) beyond_prime(to);
    if (random_() % 2 == 0) to[31] ^= 0x80;
  }
  void beyond_prime(std::uint8_t* to) {
    std::fill(to, to + 32, std::uint8_t{0xff});
    to[0] = static_cast<std::uint8_t>(0xec + random_() % 20);
    if (random_() % 2 == 0) to[31] = 0x7f;
  }

  static constexpr key order{0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                             0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                             0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};
  std::mt19937_64 random_;
  std::array<key, 8> torsion_;
};

#if CONCLAVE_WITH_OPENSSL
bool openssl_accepts(const signed_message& m) {
  EVP_PKEY* const pk = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, m.public_key.data(), 32);
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  const bool good =
      EVP_DigestVerifyInit(context, nullptr, nullptr, nullptr, pk) == 1 &&
      EVP_DigestVerify(context, m.signature.data(), m.signature.size(), m.message.data(), m.message.size()) == 1;
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(pk);
  return good;
}
bool is_acceptable(const signed_message& m) {
  const auto number = [](const std::uint8_t* p) {
    simd::ed25519::number out{};
    for (std::size_t i = 0; i < 32; ++i) out.word[i / 8] |= std::uint64_t{p[i]} << 8 * (i % 8);
    return out;
  };
  const std::uint8_t* const r = m.signature.data();
  return simd::ed25519::acceptable(number(m.public_key.data()), number(r), number(r + 32));
}
#endif

void compare_signatures(std::size_t total) {
  REQUIRE(sodium::ready());
  const auto tables = those_that_run();
  forge f(total);
  std::mt19937_64 random(total);
  std::size_t wrong = 0, accepted = 0, count = 0;
  while (count < total && !tables.empty()) {
    std::vector<signed_message> cases(1 + random() % 200);
    for (signed_message& c : cases) {
      c = f.next();
      c.accepted = sodium::verify(signature_scheme::ed25519, c.public_key, c.message, c.signature).has_value();
      accepted += c.accepted ? 1U : 0U;
#if CONCLAVE_WITH_OPENSSL
      // OpenSSL does not look for small order, nor for a key that is not canonical
      wrong += c.accepted != (openssl_accepts(c) && is_acceptable(c)) ? 1U : 0U;
#endif
    }
    for (const simd::curve_kernels* const table : tables) {
      auto jobs = jobs_of(cases);
      table->ed25519_verify(jobs.data(), jobs.size());
      for (std::size_t i = 0; i < jobs.size(); ++i) wrong += jobs[i].good != cases[i].accepted ? 1U : 0U;
    }
    count += cases.size();
  }
  CHECK(wrong == 0);
  CHECK(accepted >= count / 8);
  CHECK(accepted <= count * 7 / 8);
}

}  // namespace

// AddressSanitizer keeps frames elsewhere, and MemorySanitizer does not like how the stack is read
#if defined(__SANITIZE_ADDRESS__)
#define CONCLAVE_PLAIN_STACK 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define CONCLAVE_PLAIN_STACK 0
#endif
#endif
#ifndef CONCLAVE_PLAIN_STACK
#define CONCLAVE_PLAIN_STACK 1
#endif

#if CONCLAVE_PLAIN_STACK
namespace {

/// dead_stack_holds(words): whether one of them lies where functions that have returned had their frames.
[[gnu::noinline]] bool dead_stack_holds(std::span<const std::uint64_t> words) {
  std::uint64_t area[16384];
  __asm__ volatile("" : "=m"(area));  // as if it had been written: it is read as it was found
  return std::ranges::any_of(area, [&](std::uint64_t w) { return std::ranges::count(words, w) != 0; });
}
[[gnu::noinline]] void leave_behind(std::uint64_t word) {
  std::uint64_t area[4096];
  std::ranges::fill(area, word);
  __asm__ volatile("" : : "m"(area));
}

}  // namespace

TEST_CASE("Curve 25519: neither scalars nor products stay on the stack") {
  leave_behind(0x0123456789abcdef);
  const std::uint64_t planted = 0x0123456789abcdef;
  CHECK(dead_stack_holds({&planted, 1}));

  where_it_runs([](const simd::curve_kernels& table) {
    for (const auto work : {table.x25519, table.x25519_base}) {
      std::mt19937_64 random(1);
      std::vector<product> cases(9);
      for (product& c : cases) {
        for (auto& b : c.scalar) b = static_cast<std::uint8_t>(random());
        c.point[0] = 9;
      }
      std::vector<key> outs;
      auto jobs = jobs_of(cases, outs);
      work(jobs.data(), jobs.size());  // tables are made on first use
      leave_behind(0);
      work(jobs.data(), jobs.size());
      const auto found = [&](const key& k) {
        std::array<std::uint64_t, 2> words;  // clamping changes the first and the last
        std::memcpy(words.data(), k.data() + 8, sizeof words);
        return dead_stack_holds(words);
      };
      // the last job is what a workspace would still hold
      const bool left = found(cases.back().scalar);
      CHECK_FALSE(left);
      work(jobs.data(), jobs.size());
      const bool product_left = found(outs.back());
      CHECK_FALSE(product_left);
    }
  });
}
#endif

TEST_CASE("Curve 25519: random and broken signatures have libsodium's verdict") { compare_signatures(40'000); }
TEST_CASE("Curve 25519: random and extreme products are libsodium's and OpenSSL's") {
  REQUIRE(sodium::ready());
  compare_products(30'000);
}
TEST_CASE("Curve 25519: a million comparisons", "[slow]") {
  REQUIRE(sodium::ready());
  compare_signatures(400'000);
  compare_products(300'000);
}

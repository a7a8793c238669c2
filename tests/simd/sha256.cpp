// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// SHA-256 and its HMAC on every kernel that can run here.
#include "support/hex.hpp"

#include <conclave/crypto/hkdf.hpp>
#include <conclave/crypto/native_hash.hpp>
#if CONCLAVE_WITH_SODIUM
#include <conclave/crypto/sodium.hpp>
#endif
#if CONCLAVE_WITH_BOTAN
#include <conclave/crypto/botan.hpp>
#endif
#if CONCLAVE_WITH_OPENSSL
#include <conclave/crypto/openssl.hpp>
#endif

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <fstream>
#include <random>

namespace {

using namespace conclave;
using conclave_test::from_hex, conclave_test::to_hex;
using nlohmann::json;

/// no_library: stands where a library would, and counts who asks for it.
struct no_library {
  static inline int asked = 0;
  static void hash(hash_id, byte_parts, byte_span) { ++asked; }
  static void hmac(hash_id, byte_view, byte_parts, byte_span) { ++asked; }
  class hmac_key {
   public:
    [[nodiscard]] static result<hmac_key> make(hash_id, byte_view) {
      ++asked;
      return hmac_key{};
    }
    void mac(byte_parts, byte_span) { ++asked; }
  };
};
using native = native_hashes<no_library>;

/// with_each_kernel(work): forces one SHA-256 kernel after the other, and checks that no library was asked meanwhile.
template <class F>
void with_each_kernel(F work) {
  int ran = 0;
  for (const simd::hash_kernels* const kernels : simd::all<simd::hash_kernels>()) {
    if (!simd::cpu_can_run(kernels->needs)) continue;
    INFO("kernel " << kernels->name);
    REQUIRE(simd::force(kernels->name));
    REQUIRE(simd::current<simd::hash_kernels>() == kernels);
    no_library::asked = 0;
    work(*kernels);
    CHECK(no_library::asked == 0);
    ++ran;
  }
  REQUIRE(simd::force("best"));
  if (ran == 0) WARN("this CPU has no instructions for SHA-256: nothing was checked here");
  CHECK((ran != 0) == (simd::current<simd::hash_kernels>() != nullptr));
}

json own_vectors(const std::string& name) {
  std::ifstream file(std::string(CONCLAVE_VECTORS "/crypto/") + name);
  REQUIRE(file);
  return json::parse(file);
}

bytes hash_of(byte_parts parts) {
  bytes out(32, 0xa5);
  native::hash(hash_id::sha256, parts, out);
  return out;
}
bytes hash_of(byte_view message) { return hash_of(std::array{message}); }

/// in_pieces(message, random): the same bytes as parts of random sizes, empty ones among them.
std::vector<byte_view> in_pieces(byte_view message, std::mt19937& random) {
  std::vector<byte_view> out;
  const std::size_t most = std::array<std::size_t, 4>{1, 20, 70, 400}[random() % 4];
  while (!message.empty()) {
    const std::size_t n = std::min<std::size_t>(random() % (most + 1), message.size());
    out.push_back(message.first(n));
    message = message.subspan(n);
  }
  return out;
}

bytes random_bytes(std::size_t size, std::mt19937& random) {
  bytes out(size);
  for (std::uint8_t& b : out) b = static_cast<std::uint8_t>(random());
  return out;
}

}  // namespace

TEST_CASE("SHA-256: a CPU with the instructions uses them, and \"none\" leaves the hash to the library") {
  const bool has_kernel = simd::current<simd::hash_kernels>() != nullptr;
  bytes out(32);
  no_library::asked = 0;
  native::hash(hash_id::sha256, {}, out);
  CHECK(no_library::asked == (has_kernel ? 0 : 1));
  CHECK((to_hex(out) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855") == has_kernel);

  REQUIRE(simd::force("none"));
  no_library::asked = 0;
  native::hash(hash_id::sha256, {}, out);
  native::hmac(hash_id::sha256, {}, {}, out);
  (*native::hmac_key::make(hash_id::sha256, {})).mac({}, out);
  CHECK(no_library::asked == 4);
  REQUIRE(simd::force("best"));

  no_library::asked = 0;
  for (const hash_id other : {hash_id::sha1, hash_id::sha384, hash_id::sha512}) native::hash(other, {}, out);
  CHECK(no_library::asked == 3);
}

TEST_CASE("SHA-256: the examples of FIPS 180-4, HMAC of RFC 4231") {
  const json hashes = own_vectors("fips180-hashes.json"), macs = own_vectors("rfc4231-hmac.json");
  with_each_kernel([&](const simd::hash_kernels&) {
    int hashed = 0, maced = 0;
    for (const json& c : hashes.at("cases")) {
      if (c.at("hash") != "sha256") continue;
      bytes message;
      if (c.contains("repeat"))
        message.assign(c["repeat"][0].get<std::size_t>(), from_hex(c["repeat"][1].get<std::string>()).at(0));
      else
        message = from_hex(c.at("message").get<std::string>());
      CHECK(to_hex(hash_of(message)) == c.at("digest").get<std::string>());
      ++hashed;
    }
    for (const json& c : macs.at("cases")) {
      if (c.at("hash") != "sha256") continue;
      const bytes key = from_hex(c.at("key").get<std::string>());
      const bytes message = from_hex(c.at("message").get<std::string>());
      bytes out(32);
      native::hmac(hash_id::sha256, key, std::array{byte_view{message}}, out);
      CHECK(to_hex(out) == c.at("mac").get<std::string>());
      auto made = native::hmac_key::make(hash_id::sha256, key);
      for (int again = 0; again < 2; ++again) {
        std::ranges::fill(out, std::uint8_t{0xa5});
        made->mac(std::array{byte_view{message}}, out);
        CHECK(to_hex(out) == c.at("mac").get<std::string>());
      }
      ++maced;
    }
    CHECK(hashed >= 4);
    CHECK(maced >= 6);
  });
}

TEST_CASE("SHA-256: every length up to 2048 at every alignment, whole and in pieces") {
  const json known = own_vectors("hash-lengths.json");
  with_each_kernel([&](const simd::hash_kernels&) {
    std::mt19937 random(1);
    bytes digests;
    for (std::size_t n = 0; n <= 2048; ++n) {
      bytes memory(n + 16);
      const byte_span message = byte_span{memory}.subspan(n % 16, n);
      for (std::size_t i = 0; i < n; ++i) message[i] = static_cast<std::uint8_t>((i * i + n) % 251);
      const bytes whole = hash_of(message);
      REQUIRE(hash_of(in_pieces(message, random)) == whole);
      append(digests, whole);
    }
    const auto& cases = known.at("cases");
    const auto c = std::ranges::find_if(cases, [](const json& each) { return each.at("hash") == "sha256"; });
    REQUIRE(c != cases.end());
    REQUIRE(c->at("messages") == 2049);
    CHECK(to_hex(hash_of(digests)) == c->at("digest").get<std::string>());
  });
}

TEST_CASE("SHA-256: streams side by side are the streams one by one") {
  with_each_kernel([&](const simd::hash_kernels& kernels) {
    std::mt19937 random(2);
    for (std::size_t streams = 1; streams <= simd::sha256_streams; ++streams) {
      for (std::size_t blocks = 0; blocks <= 5; ++blocks) {
        std::vector<bytes> data;
        std::vector<detail::sha256_state> many(streams), single;
        std::uint32_t* states[simd::sha256_streams];
        const std::uint8_t* from[simd::sha256_streams];
        for (std::size_t i = 0; i < streams; ++i) {
          data.push_back(random_bytes(64 * blocks + 1, random));
          for (std::uint32_t& word : many[i]) word = static_cast<std::uint32_t>(random());
          single.push_back(many[i]);
          states[i] = many[i].data();
          from[i] = data[i].data() + 1;
          kernels.sha256(single[i].data(), from[i], blocks);
        }
        kernels.sha256_many(states, from, blocks, streams);
        CHECK(many == single);
      }
    }
  });
}

TEST_CASE("SHA-256, HMAC: many messages, under many keys, are the messages one by one") {
  with_each_kernel([&](const simd::hash_kernels&) {
    std::mt19937 random(3);
    for (const std::size_t count : {0U, 1U, 2U, 3U, 4U, 5U, 7U, 16U, 33U}) {
      std::vector<native::hmac_key> keys;
      std::vector<bytes> messages;
      std::vector<std::vector<byte_view>> parts;
      for (std::size_t i = 0; i < count; ++i) {
        keys.push_back(*native::hmac_key::make(hash_id::sha256, random_bytes(random() % 100, random)));
        messages.push_back(random_bytes(random() % 700, random));
        parts.push_back(in_pieces(messages[i], random));
      }
      std::vector<bytes> out(count, bytes(32)), expected = out;
      std::vector<mac_job<native::hmac_key>> jobs;
      for (std::size_t i = 0; i < count; ++i) {
        jobs.push_back({&keys[i], parts[i], out[i]});
        keys[i].mac(std::array{byte_view{messages[i]}}, expected[i]);
      }
      mac_many<native::hmac_key>(jobs);
      CHECK(out == expected);

      std::vector<hash_job> hashes;
      for (std::size_t i = 0; i < count; ++i) {
        hashes.push_back({parts[i], out[i]});
        expected[i] = hash_of(messages[i]);
      }
      native::hash_many(hash_id::sha256, hashes);
      CHECK(out == expected);
    }
  });
}

#if CONCLAVE_WITH_SODIUM || CONCLAVE_WITH_BOTAN || CONCLAVE_WITH_OPENSSL
namespace {

template <class F>
void with_each_library(F work) {
#if CONCLAVE_WITH_SODIUM
  REQUIRE(sodium::ready());
  work.template operator()<sodium>("libsodium");
#endif
#if CONCLAVE_WITH_BOTAN
  work.template operator()<botan>("Botan");
#endif
#if CONCLAVE_WITH_OPENSSL
  work.template operator()<openssl>("OpenSSL");
#endif
}

}  // namespace

TEST_CASE("SHA-256, HMAC, HKDF: the libraries say the same of random input of every length up to 2048") {
  with_each_kernel([&](const simd::hash_kernels&) {
    with_each_library([&]<class L>(const char* name) {
      INFO(name);
      std::mt19937 random(4);
      for (std::size_t n = 0; n <= 2048; ++n) {
        const bytes memory = random_bytes(n + 16, random), key = random_bytes(n % 150, random);
        const byte_view message = byte_view{memory}.subspan(random() % 16, n);
        bytes theirs(32), ours(32);
        L::hash(hash_id::sha256, std::array{message}, theirs);
        REQUIRE(hash_of(in_pieces(message, random)) == theirs);
        L::hmac(hash_id::sha256, key, std::array{message}, theirs);
        native::hmac(hash_id::sha256, key, in_pieces(message, random), ours);
        REQUIRE(ours == theirs);
      }
    });
  });
}
#endif

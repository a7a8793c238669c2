// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Project Wycheproof, where CONCLAVE_EXTRA_VECTORS holds a folder wycheproof of its testvectors_v1. Every case either
// runs or is left out for a reason that is counted, and the two add up to what the file says it holds.
#include "vectors.hpp"

#include <conclave/crypto/hkdf.hpp>

#include <map>
#include <sstream>

using namespace conclave_test;

namespace {

constexpr std::string_view extra = CONCLAVE_EXTRA_VECTORS;

/// run_file(name, work): work(group, test) gives the reason why a case is left out, or nullptr where it was checked.
template <class F>
void run_file(const std::string& name, F&& work) {
  if (extra.empty()) {
    SUCCEED("CONCLAVE_EXTRA_VECTORS is not set");
    return;
  }
  const json file = load(std::string(extra) + "/wycheproof/" + name + "_test.json");
  int run = 0, left_out = 0;
  std::map<std::string, int> reasons;
  for (const json& group : file.at("testGroups")) {
    for (const json& test : group.at("tests")) {
      INFO(name << ", tcId " << test.at("tcId") << ": " << test.at("comment") << ' ' << test.at("flags"));
      const char* reason = work(group, test);
      reason ? ++left_out : ++run;
      if (reason) ++reasons[reason];
    }
  }
  CHECK(run + left_out == file.at("numberOfTests"));
  CHECK(run > 0);
  std::ostringstream summary;
  summary << name << ": " << run << " cases";
  for (const auto& [reason, count] : reasons) summary << ", " << count << " left out: " << reason;
  SUCCEED(summary.str());
}

bool is_valid(const json& test) { return test.at("result") == "valid"; }
bool has_flag(const json& test, std::string_view flag) {
  return std::ranges::any_of(test.at("flags"), [&](const json& f) { return f.get<std::string>() == flag; });
}

void run_aead(const std::string& name, aead_id (*aead_of)(const json& group)) {
  run_file(name, [&](const json& group, const json& test) -> const char* {
    if (group.at("keySize") == 192) return "AES-192 is in no suite";
    if (group.at("tagSize") != 128) return "a tag of another length";
    const aead_id aead = aead_of(group);
    const bytes nonce = hex(test, "iv"), aad = hex(test, "aad"), plaintext = hex(test, "msg");
    bytes sealed = hex(test, "ct");
    append(sealed, hex(test, "tag"));
    const int served = for_each_provider([&]<class P>() {
      if (!P::supports(aead)) return false;
      auto key = P::aead_key::make(aead, hex(test, "key"));
      REQUIRE(key);
      bytes out(plaintext.size(), 0xa5), resealed(sealed.size(), 0xa5);
      const status opened = key->open(nonce, aad, sealed, out), done = key->seal(nonce, aad, plaintext, resealed);
      if (nonce.size() != aead_nonce_size) {
        CHECK(opened.error() == errc::misuse);
        CHECK(done.error() == errc::misuse);
      } else if (is_valid(test)) {
        REQUIRE(opened);
        CHECK(out == plaintext);
        REQUIRE(done);
        CHECK(resealed == sealed);
      } else {
        CHECK(opened.error() == errc::unauthentic);
        CHECK(all_zero(out));
      }
      return true;
    });
    return served > 0 ? nullptr : "no provider serves it";
  });
}

void run_hmac(const std::string& name, hash_id hash) {
  run_file(name, [&](const json& group, const json& test) -> const char* {
    if (group.at("tagSize") != 8 * hash_size(hash)) return "a truncated tag";
    const int served = for_each_provider([&]<class P>() {
      if (!P::supports(hash)) return false;
      bytes out(hash_size(hash));
      const bytes message = hex(test, "msg");
      P::hmac(hash, hex(test, "key"), std::array{byte_view{message}}, out);
      CHECK((out == hex(test, "tag")) == is_valid(test));
      return true;
    });
    return served > 0 ? nullptr : "no provider serves it";
  });
}

void run_hkdf(const std::string& name, hash_id hash) {
  run_file(name, [&](const json&, const json& test) -> const char* {
    if (has_flag(test, "SizeTooLarge")) return "over 255 blocks, which only a broken caller can ask for";
    REQUIRE(is_valid(test));
    const int served = for_each_provider([&]<class P>() {
      if (!P::supports(hash)) return false;
      const bytes ikm = hex(test, "ikm"), info = hex(test, "info");
      bytes prk(hash_size(hash)), okm(test.at("size").get<std::size_t>());
      hkdf_extract<P>(hash, hex(test, "salt"), std::array{byte_view{ikm}}, prk);
      hkdf_expand<P>(hash, prk, std::array{byte_view{info}}, okm);
      CHECK(okm == hex(test, "okm"));
      return true;
    });
    return served > 0 ? nullptr : "no provider serves it";
  });
}

// RFC 7748 asks for every u-coordinate to be taken; the all-zero output is refused as in RFC 9180 7.1.4.
void run_xdh(const std::string& name, kem_id kem) {
  run_file(name, [&](const json&, const json& test) -> const char* {
    const bool refused = has_flag(test, "ZeroSharedSecret") || test.at("result") == "invalid";
    const int served = for_each_provider([&]<class P>() {
      if (!P::supports(kem)) return false;
      bytes out(kem_sizes(kem).private_key, 0xa5);
      const status done = P::dh(kem, hex(test, "private"), hex(test, "public"), out);
      CHECK(done.has_value() != refused);
      CHECK(out == (refused ? bytes(out.size()) : hex(test, "shared")));
      return true;
    });
    return served > 0 ? nullptr : "no provider serves it";
  });
}

// Only uncompressed points are taken, as SerializePublicKey of RFC 9180 7.1.1 makes them.
void run_ecdh(const std::string& name, kem_id kem) {
  run_file(name, [&](const json&, const json& test) -> const char* {
    const std::size_t size = kem_sizes(kem).private_key;
    bytes sk = hex(test, "private");
    while (sk.size() > size && sk.front() == 0) sk.erase(sk.begin());
    sk.insert(sk.begin(), size - std::min(size, sk.size()), 0);
    const int served = for_each_provider([&]<class P>() {
      if (!P::supports(kem)) return false;
      bytes out(size, 0xa5);
      const status done = P::dh(kem, sk, hex(test, "public"), out);
      CHECK(done.has_value() == is_valid(test));
      if (done)
        CHECK(out == hex(test, "shared"));
      else
        CHECK((done.error() == errc::malformed && all_zero(out)));
      return true;
    });
    return served > 0 ? nullptr : "no provider serves it";
  });
}

void run_signatures(const std::string& name, signature_scheme scheme, const char* key_name) {
  run_file(name, [&](const json& group, const json& test) -> const char* {
    const int served = for_each_provider([&]<class P>() {
      if (!P::supports(scheme)) return false;
      const status done = P::verify(scheme, hex(group.at("publicKey"), key_name), hex(test, "msg"), hex(test, "sig"));
      CHECK(done.has_value() == is_valid(test));
      return true;
    });
    return served > 0 ? nullptr : "no provider serves it";
  });
}

}  // namespace

TEST_CASE("Wycheproof: AES-GCM and ChaCha20-Poly1305") {
  run_aead("aes_gcm",
           [](const json& g) { return g.at("keySize") == 128 ? aead_id::aes_128_gcm : aead_id::aes_256_gcm; });
  run_aead("chacha20_poly1305", [](const json&) { return aead_id::chacha20_poly1305; });
}

TEST_CASE("Wycheproof: HMAC and HKDF") {
  run_hmac("hmac_sha256", hash_id::sha256);
  run_hmac("hmac_sha512", hash_id::sha512);
  run_hkdf("hkdf_sha256", hash_id::sha256);
  run_hkdf("hkdf_sha512", hash_id::sha512);
  if (!default_provider::supports(hash_id::sha384)) return;
  run_hmac("hmac_sha384", hash_id::sha384);
  run_hkdf("hkdf_sha384", hash_id::sha384);
}

TEST_CASE("Wycheproof: X25519 and X448") {
  run_xdh("x25519", kem_id::dhkem_x25519_sha256);
  if (default_provider::supports(kem_id::dhkem_x448_sha512)) run_xdh("x448", kem_id::dhkem_x448_sha512);
}

TEST_CASE("Wycheproof: EdDSA") {
  run_signatures("ed25519", signature_scheme::ed25519, "pk");
  if (default_provider::supports(signature_scheme::ed448)) run_signatures("ed448", signature_scheme::ed448, "pk");
}

#if CONCLAVE_WITH_BOTAN || CONCLAVE_WITH_OPENSSL
TEST_CASE("Wycheproof: ECDH") {
  run_ecdh("ecdh_secp256r1_ecpoint", kem_id::dhkem_p256_sha256);
  run_ecdh("ecdh_secp384r1_ecpoint", kem_id::dhkem_p384_sha384);
  run_ecdh("ecdh_secp521r1_ecpoint", kem_id::dhkem_p521_sha512);
}

TEST_CASE("Wycheproof: ECDSA") {
  run_signatures("ecdsa_secp256r1_sha256", signature_scheme::ecdsa_secp256r1_sha256, "uncompressed");
  run_signatures("ecdsa_secp384r1_sha384", signature_scheme::ecdsa_secp384r1_sha384, "uncompressed");
  run_signatures("ecdsa_secp521r1_sha512", signature_scheme::ecdsa_secp521r1_sha512, "uncompressed");
}
#endif

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Project Wycheproof, testvectors_v1: cases that implementations got wrong.
#include "crypto.hpp"
#include "registry.hpp"

#include <functional>
#include <map>

namespace conclave_vectors {
namespace {

bool is_valid(const json& test) { return test.at("result") == "valid"; }
bool has_flag(const json& test, std::string_view flag) {
  return std::ranges::any_of(test.at("flags"), [&](const json& f) { return f.get<std::string>() == flag; });
}

/// kind: how the cases of one file are checked. `leave_out` says why one is not, and is empty where it is.
struct kind {
  std::function<int(const json& group, const json& test)> check;
  std::function<std::string(const json& group, const json& test)> leave_out;
};

template <class Id>
auto where_served(Id id) {
  return [id](const json&, const json&) { return reason_unserved(id); };
}

kind aead(std::function<aead_id(const json& group)> id) {
  return {[id](const json& group, const json& test) {
            bytes sealed = hex(test, "ct");
            append(sealed, hex(test, "tag"));
            const aead_answer a{id(group),        hex(test, "key"), hex(test, "iv"),
                                hex(test, "aad"), hex(test, "msg"), std::move(sealed)};
            if (a.nonce.size() != aead_nonce_size) return aead_refuses(a, errc::misuse);
            return is_valid(test) ? aead_gives(a) : aead_refuses(a, errc::unauthentic);
          },
          [id](const json& group, const json&) -> std::string {
            if (group.at("keySize") == 192) return "AES-192 is in no suite";
            return group.at("tagSize") == 128 ? reason_unserved(id(group)) : "a tag of another size";
          }};
}

kind xchacha() {
  return {[](const json&, const json& test) {
            bytes sealed = hex(test, "ct");
            append(sealed, hex(test, "tag"));
            const aead_answer a{
                {}, hex(test, "key"), hex(test, "iv"), hex(test, "aad"), hex(test, "msg"), std::move(sealed)};
            if (a.nonce.size() != extended_nonce_size) return xchacha_refuses(a, errc::misuse);
            return is_valid(test) ? xchacha_gives(a) : xchacha_refuses(a, errc::unauthentic);
          },
          [](const json&, const json&) { return std::string{}; }};
}

kind hmac(hash_id hash) {
  return {[hash](const json&, const json& test) {
            const bytes key = hex(test, "key"), message = hex(test, "msg"), mac = hex(test, "tag");
            return is_valid(test) ? hmac_gives(hash, key, message, mac) : hmac_differs(hash, key, message, mac);
          },
          where_served(hash)};
}

kind hkdf(hash_id hash) {
  return {[hash](const json&, const json& test) {
            return hkdf_gives(hash, hex(test, "salt"), hex(test, "ikm"), hex(test, "info"), hex(test, "okm"));
          },
          [hash](const json&, const json& test) -> std::string {
            return has_flag(test, "SizeTooLarge") ? "an HKDF output over 255 blocks breaks the contract"
                                                  : reason_unserved(hash);
          }};
}

// RFC 7748 takes every u-coordinate of the right length; the all-zero output is refused (RFC 9180 7.1.4)
kind xdh(kem_id kem) {
  return {[kem](const json&, const json& test) {
            const bytes sk = hex(test, "private"), pk = hex(test, "public");
            const bool taken = test.at("result") != "invalid" && !has_flag(test, "ZeroSharedSecret");
            return taken ? dh_gives(kem, sk, pk, hex(test, "shared")) : dh_refuses(kem, sk, pk);
          },
          where_served(kem)};
}

// Only uncompressed points are taken (RFC 9180 7.1.1). Scalars are signed integers here.
kind ecdh(kem_id kem) {
  return {[kem](const json&, const json& test) {
            const std::size_t size = kem_sizes(kem).private_key;
            bytes sk = hex(test, "private");
            while (sk.size() > size && sk.front() == 0) sk.erase(sk.begin());
            sk.insert(sk.begin(), size - std::min(size, sk.size()), 0);
            const bytes pk = hex(test, "public");
            return is_valid(test) ? dh_gives(kem, sk, pk, hex(test, "shared")) : dh_refuses(kem, sk, pk);
          },
          where_served(kem)};
}

kind signature(signature_scheme scheme, const char* key) {
  return {[scheme, key](const json& group, const json& test) {
            return verify_says(is_valid(test), scheme, hex(group.at("publicKey"), key), hex(test, "msg"),
                               hex(test, "sig"));
          },
          where_served(scheme)};
}

const std::map<std::string, kind>& kinds() {
  static const std::map<std::string, kind> all{
      {"aes_gcm_test",
       aead([](const json& g) { return g.at("keySize") == 128 ? aead_id::aes_128_gcm : aead_id::aes_256_gcm; })},
      {"chacha20_poly1305_test", aead([](const json&) { return aead_id::chacha20_poly1305; })},
      {"xchacha20_poly1305_test", xchacha()},
      {"hmac_sha1_test", hmac(hash_id::sha1)},
      {"hmac_sha256_test", hmac(hash_id::sha256)},
      {"hmac_sha384_test", hmac(hash_id::sha384)},
      {"hmac_sha512_test", hmac(hash_id::sha512)},
      {"hkdf_sha1_test", hkdf(hash_id::sha1)},
      {"hkdf_sha256_test", hkdf(hash_id::sha256)},
      {"hkdf_sha384_test", hkdf(hash_id::sha384)},
      {"hkdf_sha512_test", hkdf(hash_id::sha512)},
      {"x25519_test", xdh(kem_id::dhkem_x25519_sha256)},
      {"x448_test", xdh(kem_id::dhkem_x448_sha512)},
      {"ecdh_secp256r1_ecpoint_test", ecdh(kem_id::dhkem_p256_sha256)},
      {"ecdh_secp384r1_ecpoint_test", ecdh(kem_id::dhkem_p384_sha384)},
      {"ecdh_secp521r1_ecpoint_test", ecdh(kem_id::dhkem_p521_sha512)},
      {"ed25519_test", signature(signature_scheme::ed25519, "pk")},
      {"ed448_test", signature(signature_scheme::ed448, "pk")},
      {"ecdsa_secp256r1_sha256_test", signature(signature_scheme::ecdsa_secp256r1_sha256, "uncompressed")},
      {"ecdsa_secp384r1_sha384_test", signature(signature_scheme::ecdsa_secp384r1_sha384, "uncompressed")},
      {"ecdsa_secp521r1_sha512_test", signature(signature_scheme::ecdsa_secp521r1_sha512, "uncompressed")},
  };
  return all;
}

}  // namespace

std::optional<case_list> wycheproof_cases(const std::string& stem, const nlohmann::json& file) {
  if (!file.is_object() || !file.contains("testGroups")) return std::nullopt;
  const auto found = kinds().find(stem);
  case_list out;
  for (const json& group : file.at("testGroups")) {
    for (const json& test : group.at("tests")) {
      vector_case c{"tcId " + test.at("tcId").dump() + ", " + test.value("comment", ""), {}};
      if (found == kinds().end()) {
        c.not_offered = "algorithms and encodings that no suite uses";
      } else {
        c.not_offered = found->second.leave_out(group, test);
        c.run = [&k = found->second, &group, &test] { expect(k.check(group, test) > 0, "no provider served it"); };
      }
      out.push_back(std::move(c));
    }
  }
  expect(out.size() == file.at("numberOfTests"), "numberOfTests is another number");
  return out;
}

}  // namespace conclave_vectors

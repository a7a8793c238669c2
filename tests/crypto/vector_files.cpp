// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// tests/vectors runs the files it finds. That none is missing, which would look like success, is checked here.
#include "crypto.hpp"

#include <filesystem>

using namespace conclave_test;

namespace {

void require_files(const std::filesystem::path& folder, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const auto path = folder / (std::string(name) + ".json");
    INFO(path);
    CHECK((std::filesystem::is_regular_file(path) && std::filesystem::file_size(path) > 0));
  }
}

}  // namespace

TEST_CASE("The vectors of the standards are all there") {
  require_files(std::filesystem::path(CONCLAVE_VECTORS) / "crypto",
                {"ed25519-edge-cases", "fips180-hashes", "nist-aes-gcm", "rfc4226-hotp", "rfc4231-hmac", "rfc5869-hkdf",
                 "rfc6238-totp", "rfc7748-cavs-dh", "rfc8032-rfc6979-signatures", "rfc8439-chacha20-poly1305",
                 "rfc9180-hpke", "siphash-2-4"});
}

TEST_CASE("The vectors of Wycheproof are all there, where CONCLAVE_EXTRA_VECTORS is set") {
  constexpr std::string_view extra = CONCLAVE_EXTRA_VECTORS;
  if (extra.empty()) {
    SUCCEED("it is not set");
    return;
  }
  require_files(
      std::filesystem::path(extra) / "wycheproof",
      {"aes_gcm_test", "chacha20_poly1305_test", "ecdh_secp256r1_ecpoint_test", "ecdh_secp384r1_ecpoint_test",
       "ecdh_secp521r1_ecpoint_test", "ecdsa_secp256r1_sha256_test", "ecdsa_secp384r1_sha384_test",
       "ecdsa_secp521r1_sha512_test", "ed25519_test", "ed448_test", "hkdf_sha256_test", "hkdf_sha384_test",
       "hkdf_sha512_test", "hmac_sha256_test", "hmac_sha384_test", "hmac_sha512_test", "x25519_test", "x448_test"});
}

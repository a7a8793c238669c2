// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "crypto.hpp"
#include "support/hex.hpp"

#include <conclave/crypto/signature.hpp>

using namespace conclave_test;

namespace {

constexpr std::array nist_kems{kem_id::dhkem_p256_sha256, kem_id::dhkem_p384_sha384, kem_id::dhkem_p521_sha512};

}  // namespace

TEST_CASE("RFC 7748 5.2: a thousand iterations of X25519") {
  in_every_provider([&]<class P>() {
    constexpr auto kem = kem_id::dhkem_x25519_sha256;
    if (!P::supports(kem)) return false;
    bytes k(32), u(32), r(32);
    k[0] = u[0] = 9;
    for (int i = 1; i <= 1000; ++i) {
      REQUIRE(P::dh(kem, k, u, r));
      u = std::exchange(k, r);
      if (i == 1) CHECK(k == from_hex("422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"));
    }
    CHECK(k == from_hex("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"));
    return true;
  });
}

TEST_CASE("DH: X25519 and X448 refuse points of small order, whose output is all zero") {
  const std::string zeros(64, '0');
  const std::vector<std::string> x25519{
      zeros,
      "01" + zeros.substr(2),
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  // p-1
      "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  // p, that is 0
      "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  // p+1
      "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",  // order 8
      "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  };
  int refused = 0;
  for (const auto& [kem, points] :
       {std::pair{kem_id::dhkem_x25519_sha256, x25519},
        std::pair{kem_id::dhkem_x448_sha512,
                  std::vector<std::string>{std::string(112, '0'), "01" + std::string(110, '0'),
                                           "fe" + std::string(54, 'f') + "fe" + std::string(54, 'f')}}}) {
    for (const std::string& point : points) {
      in_every_provider([&]<class P>() {
        if (!P::supports(kem)) return false;
        bytes out(kem_sizes(kem).private_key, 0xa5);
        CHECK(P::dh(kem, bytes(out.size(), 0x42), from_hex(point), out).error() == errc::malformed);
        CHECK(all_zero(out));
        ++refused;
        return true;
      });
    }
  }
  CHECK(refused >= 14);
}

TEST_CASE("DH: wrong sizes") {
  for (const auto kem : {kem_id::dhkem_x25519_sha256, kem_id::dhkem_x448_sha512, nist_kems[0], nist_kems[2]}) {
    in_every_provider([&]<class P>() {
      if (!P::supports(kem)) return false;
      const auto [secret_size, pk_size, sk_size] = kem_sizes(kem);
      bytes sk(sk_size, 1), pk(pk_size), out(sk_size, 0xa5);
      REQUIRE(P::dh_public_key(kem, sk, pk));
      REQUIRE(P::dh(kem, sk, pk, out));
      for (const std::size_t n : {std::size_t{0}, pk_size - 1, pk_size + 1}) {
        bytes other = pk;
        other.resize(n);
        out.assign(sk_size, 0xa5);
        CHECK(P::dh(kem, sk, other, out).error() == errc::malformed);
        CHECK(all_zero(out));
        CHECK(P::dh_check_public_key(kem, other).error() == errc::malformed);
        other.assign(n, 0xa5);
        CHECK(P::dh_public_key(kem, sk, other).error() == errc::misuse);
        CHECK(all_zero(other));
      }
      for (const std::size_t n : {std::size_t{0}, sk_size - 1, sk_size + 1}) {
        out.assign(sk_size, 0xa5);
        CHECK(P::dh(kem, bytes(n, 1), pk, out).error() == errc::malformed);
        CHECK(all_zero(out));
        CHECK(P::dh_public_key(kem, bytes(n, 1), pk).error() == errc::malformed);
        REQUIRE(P::dh_public_key(kem, sk, pk));
        out.assign(n, 0xa5);
        CHECK(P::dh(kem, sk, pk, out).error() == errc::misuse);
        CHECK(all_zero(out));
      }
      return true;
    });
  }
}

TEST_CASE("DH: a NIST point is uncompressed and on the curve, a scalar in range") {
  for (const auto kem : nist_kems) {
    in_every_provider([&]<class P>() {
      if (!P::supports(kem)) return false;
      const std::size_t size = kem_sizes(kem).private_key;
      bytes sk(size), pk(kem_sizes(kem).public_key), out(size);
      sk.back() = 1;  // the public key is the base point
      REQUIRE(P::dh_public_key(kem, sk, pk));
      REQUIRE(P::dh(kem, sk, pk, out));
      CHECK(equal(out, byte_view{pk}.subspan(1, size)));

      const auto refused = [&](byte_view point) {
        out.assign(size, 0xa5);
        return P::dh_check_public_key(kem, point).error() == errc::malformed &&
               P::dh(kem, sk, point, out).error() == errc::malformed && all_zero(out);
      };
      bytes off = pk;
      off.back() ^= 1;
      CHECK(refused(off));
      for (const int form : {0, 1, 2, 3, 5, 6, 7}) {  // infinity, compressed and hybrid forms, and none
        bytes other = pk;
        other[0] = static_cast<std::uint8_t>(form);
        CHECK(refused(other));
      }
      bytes compressed = pk;
      compressed[0] = static_cast<std::uint8_t>(2 | (pk.back() & 1));
      compressed.resize(1 + size);
      CHECK(refused(compressed));
      CHECK(refused(bytes{0}));
      bytes zero(pk.size());
      zero[0] = 4;
      CHECK(refused(zero));
      bytes large(pk.size(), 0xff);
      large[0] = 4;
      CHECK(refused(large));

      for (const bytes& bad : {bytes(size), bytes(size, 0xff)}) {
        CHECK(P::dh_public_key(kem, bad, pk).error() == errc::malformed);
        CHECK(all_zero(pk));
        REQUIRE(P::dh_public_key(kem, sk, pk));
        CHECK(P::dh(kem, bad, pk, out).error() == errc::malformed);
      }
      return true;
    });
  }
}

TEST_CASE("Signatures: whatever is altered, nothing verifies") {
  system_environment env;
  for (const auto scheme :
       {signature_scheme::ed25519, signature_scheme::ed448, signature_scheme::ecdsa_secp256r1_sha256,
        signature_scheme::ecdsa_secp384r1_sha384, signature_scheme::ecdsa_secp521r1_sha512}) {
    in_every_provider([&]<class P>() {
      if (!P::supports(scheme)) return false;
      const auto key = signature_key::generate<P>(env, scheme);
      REQUIRE(key);
      const bytes message(50, 0x42), pk = to_bytes(key->public_view());
      const auto signature = key->template sign<P>(env, message);
      REQUIRE(signature);
      REQUIRE(P::verify(scheme, pk, message, *signature));
      const auto refused = [&](byte_view k, byte_view m, byte_view s) {
        return P::verify(scheme, k, m, s).error() == errc::unauthentic;
      };
      const auto altered = [](bytes b, std::size_t i) {
        b[i] ^= 1;
        return b;
      };
      for (std::size_t i = 0; i < signature->size(); i += 7) CHECK(refused(pk, message, altered(*signature, i)));
      for (std::size_t i = 0; i < pk.size(); i += 7) CHECK(refused(altered(pk, i), message, *signature));
      CHECK(refused(pk, altered(message, 49), *signature));
      CHECK(refused(pk, {}, *signature));
      CHECK(refused(pk, message, {}));
      CHECK(refused({}, message, *signature));
      CHECK(refused(pk, message, byte_view{*signature}.first(signature->size() - 1)));
      CHECK(refused(byte_view{pk}.first(pk.size() - 1), message, *signature));
      bytes longer = *signature;
      longer.push_back(0);
      CHECK(refused(pk, message, longer));
      CHECK(refused(pk, message, bytes(max_signature_size)));
      return true;
    });
  }
}

TEST_CASE("Signatures: keys out of range, and wrong sizes") {
  system_environment env;
  for (const auto scheme : {signature_scheme::ed25519, signature_scheme::ed448,
                            signature_scheme::ecdsa_secp256r1_sha256, signature_scheme::ecdsa_secp521r1_sha512}) {
    in_every_provider([&]<class P>() {
      if (!P::supports(scheme)) return false;
      const std::size_t sk_size = signature_private_key_size(scheme);
      bytes sk(sk_size, 1), pk(signature_public_key_size(scheme)), out(max_signature_size, 0xa5);
      REQUIRE(P::signature_public_key(scheme, sk, pk));
      for (const std::size_t n : {std::size_t{0}, sk_size - 1, sk_size + 1}) {
        bytes dirty(pk.size(), 0xa5);
        CHECK(P::signature_public_key(scheme, bytes(n, 1), dirty).error() == errc::malformed);
        CHECK(all_zero(dirty));
        out.assign(max_signature_size, 0xa5);
        CHECK(P::sign(env, scheme, bytes(n, 1), pk, {}, out).error() == errc::misuse);
        CHECK(all_zero(out));
      }
      bytes wrong(pk.size() + 1, 0xa5);
      CHECK(P::signature_public_key(scheme, sk, wrong).error() == errc::misuse);
      CHECK(all_zero(wrong));
      out.assign(8, 0xa5);
      CHECK(P::sign(env, scheme, sk, pk, {}, out).error() == errc::misuse);
      CHECK(all_zero(out));
      if (scheme != signature_scheme::ed25519 && scheme != signature_scheme::ed448) {
        CHECK(P::signature_public_key(scheme, bytes(sk_size), pk).error() == errc::malformed);
        CHECK(P::signature_public_key(scheme, bytes(sk_size, 0xff), pk).error() == errc::malformed);
      }
      return true;
    });
  }
}

TEST_CASE("Keys are not generated without entropy") {
  scripted_environment nothing({});
  CHECK(signature_key::generate<default_provider>(nothing, signature_scheme::ed25519).error() == errc::no_entropy);
}

#if CONCLAVE_WITH_OPENSSL
TEST_CASE("OpenSSL: what failed leaves nothing in the host's error queue, and what was there stays") {
  const auto fail_in_many_ways = [] {
    constexpr auto kem = kem_id::dhkem_p256_sha256;
    constexpr auto scheme = signature_scheme::ecdsa_secp256r1_sha256;
    bytes point(65, 1), out(32);
    point[0] = 4;
    CHECK_FALSE(openssl::dh(kem, bytes(32, 1), point, out));
    CHECK_FALSE(openssl::dh_public_key(kem, bytes(32, 0xff), point));
    CHECK_FALSE(openssl::dh(kem_id::dhkem_x448_sha512, bytes(56, 1), bytes(56), out));
    CHECK_FALSE(openssl::verify(scheme, point, {}, bytes(70, 0x30)));
    CHECK_FALSE(openssl::verify(signature_scheme::ed448, bytes(57, 1), {}, bytes(114, 1)));
    auto key = openssl::aead_key::make(aead_id::aes_128_gcm, bytes(16));
    CHECK_FALSE(key->open(bytes(12), {}, bytes(48), out));
  };
  ERR_clear_error();
  fail_in_many_ways();
  CHECK(ERR_peek_error() == 0);
  ERR_raise(ERR_LIB_USER, 42);
  fail_in_many_ways();
  CHECK(ERR_GET_REASON(ERR_get_error()) == 42);
  CHECK(ERR_peek_error() == 0);
}
#endif

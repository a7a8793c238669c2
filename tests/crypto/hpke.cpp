// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "crypto.hpp"

#include <conclave/crypto/hpke.hpp>

using namespace conclave_test;

namespace {

constexpr hpke::suite x25519_chacha{kem_id::dhkem_x25519_sha256, kdf_id::hkdf_sha256, aead_id::chacha20_poly1305};

hpke::key_pair some_key(std::uint8_t seed) {
  return *hpke::derive_key_pair<default_provider>(kem_id::dhkem_x25519_sha256, bytes(32, seed));
}

}  // namespace

TEST_CASE("HPKE: whatever is altered, nothing opens and the output is zeroed") {
  const auto recipient = some_key(1);
  const bytes message(100, 0x42);
  system_environment env;
  bytes enc(32), ct(116);
  REQUIRE(hpke::seal<default_provider>(env, x25519_chacha, as_bytes("info"), as_bytes("aad"),
                                       {recipient.pub.view(), message, enc, ct}));
  const auto open = [&](byte_view e, const char* info, const char* aad, byte_view c) {
    bytes out = dirty(c.size() < 16 ? 0 : c.size() - 16);
    const auto opened =
        hpke::open<default_provider>(x25519_chacha, recipient, e, as_bytes(info), as_bytes(aad), c, out);
    CHECK((opened ? out == message : all_zero(out)));
    return opened;
  };
  CHECK(open(enc, "info", "aad", ct));
  CHECK(open(enc, "other", "aad", ct).error() == errc::unauthentic);
  CHECK(open(enc, "info", "other", ct).error() == errc::unauthentic);
  for (std::size_t i = 0; i < ct.size(); ++i) {
    bytes bad = ct;
    bad[i] ^= 1;
    CHECK(open(enc, "info", "aad", bad).error() == errc::unauthentic);
  }
  for (std::size_t n = 0; n < ct.size(); ++n)
    CHECK(open(enc, "info", "aad", byte_view{ct}.first(n)).error() == errc::unauthentic);
  bytes other_enc = enc;
  other_enc[5] ^= 1;
  CHECK(open(other_enc, "info", "aad", ct).error() == errc::unauthentic);
  CHECK(open(byte_view{enc}.first(31), "info", "aad", ct).error() == errc::malformed);
  CHECK(open(bytes(32), "info", "aad", ct).error() == errc::malformed);  // the all-zero shared secret

  bytes wrong_size = dirty(99);
  CHECK(hpke::open<default_provider>(x25519_chacha, recipient, enc, as_bytes("info"), as_bytes("aad"), ct, wrong_size)
            .error() == errc::misuse);
  CHECK(all_zero(wrong_size));
}

TEST_CASE("HPKE: a batch that fails anywhere leaves nothing behind") {
  const auto a = some_key(1), b = some_key(2);
  const bytes message(40, 0x42), no_key(32);
  struct output {
    bytes enc = dirty(32), ct = dirty(56);
  };
  std::array<output, 3> out;
  const auto request = [&](std::size_t i, byte_view recipient) {
    return hpke::seal_request{recipient, message, out[i].enc, out[i].ct};
  };
  const auto is_zeroed = [&] {
    return std::ranges::all_of(out, [](const output& o) { return all_zero(o.enc) && all_zero(o.ct); });
  };
  system_environment env;
  std::array requests{request(0, a.pub.view()), request(1, b.pub.view()), request(2, a.pub.view())};
  REQUIRE(hpke::seal_many<default_provider>(env, x25519_chacha, {}, {}, requests));
  bytes opened(40);
  CHECK(hpke::open<default_provider>(x25519_chacha, b, out[1].enc, {}, {}, out[1].ct, opened));
  CHECK(opened == message);
  CHECK(out[0].enc != out[2].enc);

  SECTION("a recipient whose key is not valid") {
    requests[1].recipient = no_key;
    CHECK(hpke::seal_many<default_provider>(env, x25519_chacha, {}, {}, requests).error() == errc::malformed);
    CHECK(is_zeroed());
  }
  SECTION("a recipient whose key is short") {
    requests[2].recipient = byte_view{no_key}.first(31);
    CHECK(hpke::seal_many<default_provider>(env, x25519_chacha, {}, {}, requests).error() == errc::malformed);
    CHECK(is_zeroed());
  }
  SECTION("a wrong size") {
    requests[2].ciphertext = requests[2].ciphertext.first(55);
    CHECK(hpke::seal_many<default_provider>(env, x25519_chacha, {}, {}, requests).error() == errc::misuse);
    out[2].ct.pop_back();
    CHECK(is_zeroed());
  }
  SECTION("no entropy for the third") {
    scripted_environment two(bytes(64, 7));
    CHECK(hpke::seal_many<default_provider>(two, x25519_chacha, {}, {}, requests).error() == errc::no_entropy);
    CHECK(is_zeroed());
  }
  SECTION("a suite nobody serves") {
    constexpr hpke::suite export_only{kem_id::dhkem_x25519_sha256, kdf_id::hkdf_sha256, aead_id{0xffff}};
    CHECK(hpke::seal_many<default_provider>(env, export_only, {}, {}, requests).error() == errc::unsupported);
    CHECK(is_zeroed());
  }
}

TEST_CASE("HPKE: exports fail cleanly") {
  const auto recipient = some_key(1);
  system_environment env;
  scripted_environment nothing({});
  bytes enc = dirty(32), out = dirty(32), long_out = dirty(255 * 32 + 1);
  const auto send = [&](environment& e, byte_view pk, byte_span to) {
    return hpke::send_export<default_provider>(e, x25519_chacha, pk, {}, {}, enc, to);
  };
  CHECK(send(nothing, recipient.pub.view(), out).error() == errc::no_entropy);
  CHECK((all_zero(out) && all_zero(enc)));
  enc = dirty(32), out = dirty(32);
  CHECK(send(env, bytes(32), out).error() == errc::malformed);
  CHECK((all_zero(out) && all_zero(enc)));
  enc = dirty(32);
  CHECK(send(env, recipient.pub.view(), long_out).error() == errc::misuse);
  CHECK((all_zero(long_out) && all_zero(enc)));

  out = dirty(32);
  CHECK(hpke::receive_export<default_provider>(x25519_chacha, recipient, bytes(32), {}, {}, out).error() ==
        errc::malformed);
  CHECK(all_zero(out));
}

TEST_CASE("HPKE: private keys out of range are malformed") {
  CHECK(hpke::import_key_pair<default_provider>(kem_id::dhkem_x25519_sha256, bytes(31)).error() == errc::malformed);
  CHECK(hpke::import_key_pair<default_provider>(kem_id::dhkem_x25519_sha256, bytes(33)).error() == errc::malformed);
  for (const auto kem : {kem_id::dhkem_p256_sha256, kem_id::dhkem_p384_sha384, kem_id::dhkem_p521_sha512}) {
    const std::size_t size = kem_sizes(kem).private_key;
    in_every_provider([&]<class P>() {
      if (!P::supports(kem)) return false;
      CHECK(hpke::import_key_pair<P>(kem, bytes(size)).error() == errc::malformed);
      CHECK(hpke::import_key_pair<P>(kem, bytes(size, 0xff)).error() == errc::malformed);
      CHECK(hpke::import_key_pair<P>(kem, bytes(size + 1, 1)).error() == errc::malformed);
      return true;
    });
  }
}

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "crypto.hpp"

#include <conclave/crypto/hkdf.hpp>

namespace conclave_vectors {
namespace {

bytes dirty(std::size_t size) { return bytes(size, 0xa5); }  // an output that nobody writes to must not look zeroed

void expect_zeroed(byte_view out) {
  expect(std::ranges::all_of(out, [](std::uint8_t b) { return b == 0; }), "the output is not zeroed");
}

}  // namespace

int hash_gives(hash_id hash, byte_view message, byte_view digest) {
  return in_every_provider([&]<class P>() {
    if (!P::supports(hash)) return false;
    bytes out = dirty(hash_size(hash));
    P::hash(hash, std::array{message}, out);
    expect_equal(out, digest, "digest");
    const std::size_t cut = message.size() / 3;
    P::hash(hash, std::array{message.first(cut), byte_view{}, message.subspan(cut)}, out);
    expect_equal(out, digest, "digest of a message in pieces");
    return true;
  });
}

int hmac_gives(hash_id hash, byte_view key, byte_view message, byte_view mac) {
  return in_every_provider([&]<class P>() {
    if (!P::supports(hash)) return false;
    bytes out = dirty(hash_size(hash));
    P::hmac(hash, key, std::array{message}, out);
    expect_equal(byte_view{out}.first(mac.size()), mac, "mac");
    const std::size_t cut = message.size() / 3;
    P::hmac(hash, key, std::array{message.first(cut), byte_view{}, message.subspan(cut)}, out);
    expect_equal(byte_view{out}.first(mac.size()), mac, "mac of a message in pieces");
    return true;
  });
}

int hmac_differs(hash_id hash, byte_view key, byte_view message, byte_view mac) {
  return in_every_provider([&]<class P>() {
    if (!P::supports(hash)) return false;
    bytes out = dirty(hash_size(hash));
    P::hmac(hash, key, std::array{message}, out);
    expect(!equal(byte_view{out}.first(mac.size()), mac), "a wrong mac is right");
    return true;
  });
}

int hkdf_gives(hash_id hash, byte_view salt, byte_view ikm, byte_view info, byte_view okm) {
  return in_every_provider([&]<class P>() {
    if (!P::supports(hash)) return false;
    bytes prk = dirty(hash_size(hash)), out = dirty(okm.size());
    hkdf_extract<P>(hash, salt, std::array{ikm}, prk);
    const std::size_t cut = info.size() / 2;
    hkdf_expand<P>(hash, prk, std::array{info.first(cut), info.subspan(cut)}, out);
    expect_equal(out, okm, "okm");
    return true;
  });
}

int aead_gives(const aead_answer& a) {
  return in_every_provider([&]<class P>() {
    if (!P::supports(a.aead)) return false;
    auto key = succeeds(P::aead_key::make(a.aead, a.key), "making the key");
    bytes sealed = dirty(a.sealed.size()), opened = dirty(a.plaintext.size());
    succeeds(key.seal(a.nonce, a.aad, a.plaintext, sealed), "sealing");
    expect_equal(sealed, a.sealed, "ciphertext");
    succeeds(key.open(a.nonce, a.aad, a.sealed, opened), "opening");
    expect_equal(opened, a.plaintext, "plaintext");

    const byte_span front = byte_span{sealed}.first(a.plaintext.size());
    succeeds(key.open(a.nonce, a.aad, sealed, front), "opening in place");
    expect_equal(front, a.plaintext, "plaintext in place");
    succeeds(key.seal(a.nonce, a.aad, front, sealed), "sealing in place");
    expect_equal(sealed, a.sealed, "ciphertext in place");
    return true;
  });
}

int aead_refuses(const aead_answer& a, errc why) {
  return in_every_provider([&]<class P>() {
    if (!P::supports(a.aead)) return false;
    auto key = succeeds(P::aead_key::make(a.aead, a.key), "making the key");
    bytes opened = dirty(a.plaintext.size());
    fails(key.open(a.nonce, a.aad, a.sealed, opened), why, "opening");
    expect_zeroed(opened);
    return true;
  });
}

int xchacha_gives(const aead_answer& a) {
  return in_every_provider([&]<class P>() {
    if constexpr (requires { typename P::extended_nonce_key; }) {
      auto key = succeeds(P::extended_nonce_key::make(a.key), "making the key");
      bytes sealed = dirty(a.sealed.size()), opened = dirty(a.plaintext.size());
      const byte_span body = byte_span{sealed}.first(a.plaintext.size()), tag = byte_span{sealed}.last(aead_tag_size);
      succeeds(key.seal(a.nonce, a.aad, a.plaintext, body, tag), "sealing");
      expect_equal(sealed, a.sealed, "ciphertext");
      succeeds(key.open(a.nonce, a.aad, body, tag, opened), "opening");
      expect_equal(opened, a.plaintext, "plaintext");
      succeeds(key.open(a.nonce, a.aad, body, tag, body), "opening in place");
      expect_equal(body, a.plaintext, "plaintext in place");
      succeeds(key.seal(a.nonce, a.aad, body, body, tag), "sealing in place");
      expect_equal(sealed, a.sealed, "ciphertext in place");
      return true;
    }
    return false;
  });
}

int xchacha_refuses(const aead_answer& a, errc why) {
  return in_every_provider([&]<class P>() {
    if constexpr (requires { typename P::extended_nonce_key; }) {
      auto key = succeeds(P::extended_nonce_key::make(a.key), "making the key");
      bytes opened = dirty(a.plaintext.size());
      const byte_view body = byte_view{a.sealed}.first(a.plaintext.size());
      fails(key.open(a.nonce, a.aad, body, byte_view{a.sealed}.subspan(body.size()), opened), why, "opening");
      expect_zeroed(opened);
      return true;
    }
    return false;
  });
}

int dh_gives(kem_id kem, byte_view sk, byte_view pk, byte_view shared) {
  return in_every_provider([&]<class P>() {
    if (!P::supports(kem)) return false;
    bytes out = dirty(kem_sizes(kem).private_key);
    succeeds(P::dh(kem, sk, pk, out), "dh");
    expect_equal(out, shared, "shared secret");
    succeeds(P::dh_check_public_key(kem, pk), "checking the public key");
    return true;
  });
}

int dh_refuses(kem_id kem, byte_view sk, byte_view pk) {
  return in_every_provider([&]<class P>() {
    if (!P::supports(kem)) return false;
    bytes out = dirty(kem_sizes(kem).private_key);
    fails(P::dh(kem, sk, pk, out), errc::malformed, "dh");
    expect_zeroed(out);
    return true;
  });
}

int verify_says(bool good, signature_scheme scheme, byte_view pk, byte_view message, byte_view signature) {
  return in_every_provider([&]<class P>() {
    if (!P::supports(scheme)) return false;
    const status verified = P::verify(scheme, pk, message, signature);
    good ? succeeds(status(verified), "verifying") : fails(verified, errc::unauthentic, "verifying");
    return true;
  });
}

}  // namespace conclave_vectors

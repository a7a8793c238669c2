// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// RFC 9605 4.3 to 4.5 and 5.1 written down a second time, slowly, from one-shot calls: HMAC of libsodium, AES of Botan
/// where the default provider takes OpenSSL's, else of whichever is there. Nothing here comes from conclave/sframe.
#pragma once

#include <conclave/bytes.hpp>

#include <sodium.h>
#if CONCLAVE_WITH_BOTAN
#include <botan/aead.h>
#include <botan/stream_cipher.h>
#elif CONCLAVE_WITH_OPENSSL
#include <openssl/evp.h>
#else
#error "the reference needs AES-GCM of Botan or OpenSSL"
#endif

#include <optional>

namespace sframe_reference {

using conclave::byte_view;
using conclave::bytes;

inline bytes hmac(bool sha512, byte_view key, byte_view message) {
  bytes out(sha512 ? 64 : 32);
  if (sha512) {
    crypto_auth_hmacsha512_state state;
    crypto_auth_hmacsha512_init(&state, key.data(), key.size());
    crypto_auth_hmacsha512_update(&state, message.data(), message.size());
    crypto_auth_hmacsha512_final(&state, out.data());
  } else {
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key.data(), key.size());
    crypto_auth_hmacsha256_update(&state, message.data(), message.size());
    crypto_auth_hmacsha256_final(&state, out.data());
  }
  return out;
}

inline bytes concat(std::initializer_list<byte_view> parts) {
  bytes out;
  for (const byte_view part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

/// big_endian(x, n): x as n bytes.
inline bytes big_endian(std::uint64_t x, std::size_t n) {
  bytes out(n);
  for (; n > 0; x /= 256) out[--n] = static_cast<std::uint8_t>(x % 256);
  return out;
}

#if CONCLAVE_WITH_BOTAN
inline std::optional<bytes> aes_gcm(bool encrypt, byte_view key, byte_view nonce, byte_view aad, byte_view in) {
  const auto mode =
      Botan::AEAD_Mode::create_or_throw(key.size() == 16 ? "AES-128/GCM" : "AES-256/GCM",
#if BOTAN_VERSION_MAJOR >= 3
                                        encrypt ? Botan::Cipher_Dir::Encryption : Botan::Cipher_Dir::Decryption
#else
                                        encrypt ? Botan::ENCRYPTION : Botan::DECRYPTION
#endif
      );
  if (!encrypt && in.size() < 16) return std::nullopt;
  mode->set_key(key.data(), key.size());
  mode->set_associated_data(aad.data(), aad.size());
  mode->start(nonce.data(), nonce.size());
  Botan::secure_vector<std::uint8_t> buffer(in.begin(), in.end());
  try {
    mode->finish(buffer);
  } catch (const std::exception&) {
    return std::nullopt;
  }
  return bytes(buffer.begin(), buffer.end());
}
inline bytes aes_ctr(byte_view key, byte_view initial_counter, byte_view in) {
  const auto cipher = Botan::StreamCipher::create_or_throw(key.size() == 16 ? "CTR-BE(AES-128)" : "CTR-BE(AES-256)");
  bytes out(in.size());
  cipher->set_key(key.data(), key.size());
  cipher->set_iv(initial_counter.data(), initial_counter.size());
  cipher->cipher(in.data(), out.data(), in.size());
  return out;
}
#else
inline std::optional<bytes> aes_gcm(bool encrypt, byte_view key, byte_view nonce, byte_view aad, byte_view in) {
  if (!encrypt && in.size() < 16) return std::nullopt;
  const std::size_t size = encrypt ? in.size() : in.size() - 16;
  bytes out(size + 16);
  bytes tag(16);
  if (!encrypt) tag.assign(in.end() - 16, in.end());
  EVP_CIPHER_CTX* const c = EVP_CIPHER_CTX_new();
  int n = 0;
  bool good = EVP_CipherInit_ex(c, key.size() == 16 ? EVP_aes_128_gcm() : EVP_aes_256_gcm(), nullptr, key.data(),
                                nonce.data(), encrypt ? 1 : 0) == 1;
  good = good && EVP_CipherUpdate(c, nullptr, &n, aad.data(), static_cast<int>(aad.size())) == 1;
  good = good && EVP_CipherUpdate(c, out.data(), &n, in.data(), static_cast<int>(size)) == 1;
  if (!encrypt) good = good && EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, 16, tag.data()) == 1;
  good = good && EVP_CipherFinal_ex(c, out.data() + size, &n) == 1;
  if (encrypt) good = good && EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, 16, out.data() + size) == 1;
  EVP_CIPHER_CTX_free(c);
  if (!good) return std::nullopt;
  if (!encrypt) out.resize(size);
  return out;
}
inline bytes aes_ctr(byte_view key, byte_view initial_counter, byte_view in) {
  bytes out(in.size());
  EVP_CIPHER_CTX* const c = EVP_CIPHER_CTX_new();
  int n = 0;
  (void)EVP_EncryptInit_ex(c, key.size() == 16 ? EVP_aes_128_ctr() : EVP_aes_256_ctr(), nullptr, key.data(),
                           initial_counter.data());
  (void)EVP_EncryptUpdate(c, out.data(), &n, in.data(), static_cast<int>(in.size()));
  EVP_CIPHER_CTX_free(c);
  return out;
}
#endif

/// The suites as the registry lists them.
inline bool is_sha512(int suite) { return suite >= 5; }
inline bool is_compound(int suite) { return suite != 4 && suite != 5; }
inline std::size_t Nka(int suite) { return !is_compound(suite) ? 0 : suite < 4 ? 16 : 32; }
inline std::size_t Nk(int suite) {
  return is_compound(suite) ? Nka(suite) + (suite < 4 ? 32 : 64) : suite == 4 ? 16 : 32;
}
inline std::size_t Nt(int suite) {
  constexpr std::size_t row[] = {0, 10, 8, 4, 16, 16, 10, 8, 4};
  return row[suite];
}

/// HKDF-Expand (RFC 5869 2.3) after HKDF-Extract without a salt.
inline bytes hkdf(bool sha512, byte_view ikm, byte_view info, std::size_t size) {
  const bytes secret = hmac(sha512, bytes(sha512 ? 64 : 32), ikm);
  bytes out, block;
  for (std::uint8_t i = 1; out.size() < size; ++i) {
    block = hmac(sha512, secret, concat({block, info, bytes{i}}));
    out.insert(out.end(), block.begin(), block.end());
  }
  out.resize(size);
  return out;
}

/// derive_key_salt of 4.4.2: sframe_key and sframe_salt.
inline std::pair<bytes, bytes> derive_key_salt(int suite, std::uint64_t kid, byte_view base_key) {
  const auto expand = [&](const char* label, std::size_t n) {
    const bytes info =
        concat({conclave::as_bytes(label), big_endian(kid, 8), big_endian(static_cast<std::uint64_t>(suite), 2)});
    return hkdf(is_sha512(suite), base_key, info, n);
  };
  return {expand("SFrame 1.0 Secret key ", Nk(suite)), expand("SFrame 1.0 Secret salt ", 12)};
}

/// The base key after one ratchet step of 5.1.
inline bytes ratcheted(int suite, byte_view base_key) {
  const bool sha512 = is_sha512(suite);
  return hkdf(sha512, base_key, conclave::as_bytes("SFrame 1.0 Ratchet"), sha512 ? 64 : 32);
}

/// compute_tag of 4.5.1.
inline bytes compute_tag(int suite, byte_view auth_key, byte_view nonce, byte_view aad, byte_view ct) {
  bytes tag =
      hmac(is_sha512(suite), auth_key,
           concat({big_endian(aad.size(), 8), big_endian(ct.size(), 8), big_endian(Nt(suite), 8), nonce, aad, ct}));
  tag.resize(Nt(suite));
  return tag;
}

/// AEAD.Encrypt and AEAD.Decrypt of any suite.
inline bytes seal(int suite, byte_view key, byte_view nonce, byte_view aad, byte_view pt) {
  if (!is_compound(suite)) return *aes_gcm(true, key, nonce, aad, pt);
  const bytes ct = aes_ctr(key.first(Nka(suite)), concat({nonce, bytes(4)}), pt);
  return concat({ct, compute_tag(suite, key.subspan(Nka(suite)), nonce, aad, ct)});
}
inline std::optional<bytes> open(int suite, byte_view key, byte_view nonce, byte_view aad, byte_view in) {
  if (!is_compound(suite)) return aes_gcm(false, key, nonce, aad, in);
  if (in.size() < Nt(suite)) return std::nullopt;
  const byte_view ct = in.first(in.size() - Nt(suite));
  if (!conclave::equal(compute_tag(suite, key.subspan(Nka(suite)), nonce, aad, ct), in.last(Nt(suite))))
    return std::nullopt;
  return aes_ctr(key.first(Nka(suite)), concat({nonce, bytes(4)}), ct);
}

inline bytes nonce(byte_view salt, std::uint64_t ctr) {
  bytes out = big_endian(ctr, 12);
  for (std::size_t i = 0; i < 12; ++i) out[i] = static_cast<std::uint8_t>(out[i] ^ salt[i]);
  return out;
}

inline bytes encode_header(std::uint64_t kid, std::uint64_t ctr) {
  const auto length = [](std::uint64_t x) {
    std::size_t n = 0;
    for (; x > 0; x /= 256) ++n;
    return n;
  };
  const auto nibble = [&](std::uint64_t x) { return x < 8 ? x : 8 + length(x) - 1; };
  const bytes config{static_cast<std::uint8_t>(nibble(kid) * 16 + nibble(ctr))};
  return concat({config, big_endian(kid, kid < 8 ? 0 : length(kid)), big_endian(ctr, ctr < 8 ? 0 : length(ctr))});
}

/// encrypt of 4.4.3: the whole frame.
inline bytes encrypt(int suite, byte_view base_key, std::uint64_t kid, std::uint64_t ctr, byte_view metadata,
                     byte_view plaintext) {
  const auto [key, salt] = derive_key_salt(suite, kid, base_key);
  const bytes header = encode_header(kid, ctr);
  return concat({header, seal(suite, key, nonce(salt, ctr), concat({header, metadata}), plaintext)});
}

struct decrypted {
  std::uint64_t kid, ctr;
  bytes plaintext;
};

/// numbers(frame): KID, CTR and the size of the header; empty where it is not the encoding of any two numbers.
inline std::optional<std::tuple<std::uint64_t, std::uint64_t, std::size_t>> numbers(byte_view frame) {
  if (frame.empty()) return std::nullopt;
  std::size_t used = 1;
  const auto take = [&](unsigned nibble) -> std::optional<std::uint64_t> {
    if (nibble < 8) return nibble;
    std::uint64_t value = 0;
    for (unsigned i = 0; i < nibble - 8 + 1; ++i) {
      if (used == frame.size()) return std::nullopt;
      value = value * 256 + frame[used++];
    }
    return value;
  };
  const auto kid = take(frame[0] / 16U);
  const auto ctr = kid ? take(frame[0] % 16U) : std::nullopt;
  if (!ctr || !conclave::equal(encode_header(*kid, *ctr), frame.first(used))) return std::nullopt;
  return std::tuple{*kid, *ctr, used};
}

/// decrypt of 4.4.4, for the base key of whoever the frame names.
inline std::optional<decrypted> decrypt(int suite, byte_view base_key, byte_view metadata, byte_view frame) {
  const auto found = numbers(frame);
  if (!found) return std::nullopt;
  const auto [kid, ctr, used] = *found;
  const auto [key, salt] = derive_key_salt(suite, kid, base_key);
  auto plaintext = open(suite, key, nonce(salt, ctr), concat({frame.first(used), metadata}), frame.subspan(used));
  if (!plaintext) return std::nullopt;
  return decrypted{kid, ctr, *std::move(plaintext)};
}

}  // namespace sframe_reference

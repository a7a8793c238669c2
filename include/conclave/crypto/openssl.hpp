// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// OpenSSL 3 as a provider: the NIST curves, X25519, X448, Ed448, AES-GCM, AES-CTR, ChaCha20-Poly1305, SHA-1, SHA-2, SipHash.
#pragma once

#include <conclave/crypto/checked_aead.hpp>
#include <conclave/crypto/checked_ctr.hpp>
#include <conclave/crypto/hmac.hpp>
#include <conclave/crypto/small_order.hpp>
#include <conclave/detail/ct.hpp>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <openssl/sha.h>

#include <memory>
#include <new>

namespace conclave::inline CONCLAVE_ABI {
namespace detail {

template <auto free>
struct openssl_free {
  template <class T>
  void operator()(T* p) const noexcept {
    free(p);
  }
};
template <class T, auto free>
using openssl_ptr = std::unique_ptr<T, openssl_free<free>>;

/// openssl_alloc(p): p, which OpenSSL allocated; nullptr means out of memory.
template <class T>
[[nodiscard]] T* openssl_alloc(T* p) {
  if (p != nullptr) return p;
#if CONCLAVE_HAS_EXCEPTIONS
  throw std::bad_alloc();
#else
  CONCLAVE_PANIC();
#endif
}

/// quiet_errors: what OpenSSL records about its failures does not stay in the host's error queue.
class [[nodiscard]] quiet_errors {
 public:
  quiet_errors() noexcept { ERR_set_mark(); }
  quiet_errors(const quiet_errors&) = delete;
  quiet_errors& operator=(const quiet_errors&) = delete;
  ~quiet_errors() { ERR_pop_to_mark(); }
};

/// openssl_fetch<T, fetch>(name): an algorithm, to be kept for good: looking up is slow. nullptr where there is none.
template <class T, T* (*fetch)(OSSL_LIB_CTX*, const char*, const char*)>
[[nodiscard]] T* openssl_fetch(const char* name) noexcept {
  const quiet_errors quiet;
  return fetch(nullptr, name, nullptr);
}
[[nodiscard]] inline const EVP_MD* openssl_md(hash_id hash) noexcept {
  static const EVP_MD* const sha1 = openssl_fetch<EVP_MD, EVP_MD_fetch>("SHA1");
  static const EVP_MD* const sha256 = openssl_fetch<EVP_MD, EVP_MD_fetch>("SHA2-256");
  static const EVP_MD* const sha384 = openssl_fetch<EVP_MD, EVP_MD_fetch>("SHA2-384");
  static const EVP_MD* const sha512 = openssl_fetch<EVP_MD, EVP_MD_fetch>("SHA2-512");
  switch (hash) {
    case hash_id::sha1: return sha1;
    case hash_id::sha256: return sha256;
    case hash_id::sha384: return sha384;
    case hash_id::sha512: return sha512;
  }
  return nullptr;
}
[[nodiscard]] inline const EVP_CIPHER* openssl_evp_cipher(aead_id aead) noexcept {
  static const EVP_CIPHER* const gcm128 = openssl_fetch<EVP_CIPHER, EVP_CIPHER_fetch>("AES-128-GCM");
  static const EVP_CIPHER* const gcm256 = openssl_fetch<EVP_CIPHER, EVP_CIPHER_fetch>("AES-256-GCM");
  static const EVP_CIPHER* const chacha = openssl_fetch<EVP_CIPHER, EVP_CIPHER_fetch>("ChaCha20-Poly1305");
  switch (aead) {
    case aead_id::aes_128_gcm: return gcm128;
    case aead_id::aes_256_gcm: return gcm256;
    case aead_id::chacha20_poly1305: return chacha;
  }
  return nullptr;
}

/// openssl_hash: a hash of OpenSSL as hmac.hpp wants it.
class openssl_hash {
 public:
  explicit openssl_hash(hash_id hash) : context_{openssl_alloc(EVP_MD_CTX_new())}, md_{openssl_md(hash)} { start(); }
  void update(byte_view in) {
    if (EVP_DigestUpdate(context_.get(), in.data(), in.size()) != 1) CONCLAVE_PANIC();
  }
  void final(byte_span out) {
    if (EVP_DigestFinal_ex(context_.get(), out.data(), nullptr) != 1) CONCLAVE_PANIC();
    start();
  }

 private:
  void start() {
    if (EVP_DigestInit_ex2(context_.get(), md_, nullptr) != 1) CONCLAVE_PANIC();
  }

  openssl_ptr<EVP_MD_CTX, EVP_MD_CTX_free> context_;
  const EVP_MD* md_;
};

#if !defined(OPENSSL_NO_DEPRECATED_3_0)
#if CONCLAVE_WITH_GNU
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#endif
/// openssl_hash_state: a hash in plain memory, by the functions OpenSSL had before EVP. It can be copied without an
/// allocation, which EVP makes for every copy and every new start.
class openssl_hash_state {
 public:
  openssl_hash_state() = default;
  explicit openssl_hash_state(hash_id hash) noexcept : hash_{hash} {
    switch (hash) {
      case hash_id::sha1: SHA1_Init(&state_.sha1); break;
      case hash_id::sha256: SHA256_Init(&state_.sha256); break;
      case hash_id::sha384: SHA384_Init(&state_.sha512); break;
      case hash_id::sha512: SHA512_Init(&state_.sha512); break;
    }
  }
  void update(byte_view in) noexcept {
    switch (hash_) {
      case hash_id::sha1: SHA1_Update(&state_.sha1, in.data(), in.size()); break;
      case hash_id::sha256: SHA256_Update(&state_.sha256, in.data(), in.size()); break;
      case hash_id::sha384: SHA384_Update(&state_.sha512, in.data(), in.size()); break;
      case hash_id::sha512: SHA512_Update(&state_.sha512, in.data(), in.size()); break;
    }
  }
  void final(byte_span out) noexcept {
    switch (hash_) {
      case hash_id::sha1: SHA1_Final(out.data(), &state_.sha1); break;
      case hash_id::sha256: SHA256_Final(out.data(), &state_.sha256); break;
      case hash_id::sha384: SHA384_Final(out.data(), &state_.sha512); break;
      case hash_id::sha512: SHA512_Final(out.data(), &state_.sha512); break;
    }
  }

 private:
  union {
    SHA_CTX sha1;
    SHA256_CTX sha256;
    SHA512_CTX sha512;
  } state_;
  hash_id hash_;
};
#if CONCLAVE_WITH_GNU
#pragma GCC diagnostic pop
#endif

/// openssl_hmac: the states of the two hashes after their pads; each message works on a copy.
class openssl_hmac {
 public:
  openssl_hmac(hash_id hash, byte_view key) : size_{hash_size(hash)} {
    keyed_.value = {openssl_hash_state(hash), openssl_hash_state(hash)};
    openssl_hash plain(hash);
    hmac_pads(plain, hash, key).start(keyed_.value.inner, keyed_.value.outer);
  }
  void mac(byte_parts parts, byte_span out) noexcept {
    if (out.size() != size_) CONCLAVE_PANIC();
    wiped<states> work;
    work.value = keyed_.value;
    for (const byte_view part : parts) work.value.inner.update(part);
    work.value.inner.final(out);
    work.value.outer.update(out);
    work.value.outer.final(out);
  }

 private:
  struct states {
    openssl_hash_state inner, outer;
  };
  wiped<states> keyed_;
  std::size_t size_;
};
#else
/// openssl_hmac: EVP copies a hash state only into fresh memory: hashing the pads again costs about as much.
class openssl_hmac {
 public:
  openssl_hmac(hash_id hash, byte_view key) : hash_{hash}, pads_{hash_, hash, key} {}
  void mac(byte_parts parts, byte_span out) { pads_.mac(hash_, parts, out); }

 private:
  openssl_hash hash_;
  hmac_pads pads_;
};
#endif

using openssl_cipher_context = openssl_ptr<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;

/// openssl_update(c, in, out): EVP_CipherUpdate, whose lengths are an int, for a longer range.
[[nodiscard]] inline bool openssl_update(EVP_CIPHER_CTX* c, byte_view in, std::uint8_t* out) noexcept {
  while (!in.empty()) {
    const byte_view part = in.first(std::min<std::size_t>(in.size(), 1U << 30U));
    int n = 0;
    if (EVP_CipherUpdate(c, out, &n, part.data(), static_cast<int>(part.size())) != 1) return false;
    in = in.subspan(part.size());
    if (out != nullptr) out += part.size();
  }
  return true;
}

/// openssl_cipher: one context for each direction, keyed when it is first needed.
class openssl_cipher {
 public:
  [[nodiscard]] static bool supports(aead_id aead) noexcept { return openssl_evp_cipher(aead) != nullptr; }
  [[nodiscard]] static result<openssl_cipher> make(aead_id aead, byte_view key) {
    openssl_cipher out;
    out.aead_ = aead;
    CONCLAVE_TRY(out.key_, secret<key_tag>::copy_of(key));
    return out;
  }

  [[nodiscard]] status seal(byte_view nonce, byte_view aad, byte_view plaintext, byte_span out, byte_span tag) {
    const quiet_errors quiet;
    EVP_CIPHER_CTX* const c = keyed(seal_, 1);
    int n = 0;
    const bool done = c != nullptr && start(c, nonce, aad) && openssl_update(c, plaintext, out.data()) &&
                      EVP_CipherFinal_ex(c, tag.data(), &n) == 1 &&
                      EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, aead_tag_size, tag.data()) == 1;
    return done ? status{} : errc::misuse;
  }
  [[nodiscard]] status open(byte_view nonce, byte_view aad, byte_view ciphertext, byte_view tag, byte_span out) {
    const quiet_errors quiet;
    EVP_CIPHER_CTX* const c = keyed(open_, 0);
    std::array<std::uint8_t, aead_tag_size> expected;
    std::ranges::copy(tag, expected.begin());
    int n = 0;
    const bool done = c != nullptr && start(c, nonce, aad) && openssl_update(c, ciphertext, out.data()) &&
                      EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, aead_tag_size, expected.data()) == 1 &&
                      EVP_CipherFinal_ex(c, expected.data(), &n) == 1;
    return done ? status{} : errc::unauthentic;
  }

 private:
  using context = openssl_cipher_context;

  [[nodiscard]] EVP_CIPHER_CTX* keyed(context& made, int encrypt) const {
    if (!made) {
      context fresh{openssl_alloc(EVP_CIPHER_CTX_new())};
      if (EVP_CipherInit_ex2(fresh.get(), openssl_evp_cipher(aead_), key_.reveal().data(), nullptr, encrypt, nullptr) !=
          1)
        return nullptr;
      made = std::move(fresh);
    }
    return made.get();
  }
  [[nodiscard]] static bool start(EVP_CIPHER_CTX* c, byte_view nonce, byte_view aad) {
    return EVP_CipherInit_ex2(c, nullptr, nullptr, nonce.data(), -1, nullptr) == 1 && openssl_update(c, aad, nullptr);
  }

  struct key_tag {
    static constexpr std::size_t capacity = 32;
  };
  secret<key_tag> key_;
  context seal_, open_;
  aead_id aead_{};
};

/// openssl_ctr: AES-CTR in one keyed context; every call starts at its own counter block.
class openssl_ctr {
 public:
  [[nodiscard]] static bool supports(ctr_id ctr) noexcept { return cipher(ctr) != nullptr; }
  [[nodiscard]] static result<openssl_ctr> make(ctr_id ctr, byte_view key) {
    const quiet_errors quiet;
    openssl_ctr out;
    if (EVP_EncryptInit_ex2(out.context_.get(), cipher(ctr), key.data(), nullptr, nullptr) != 1)
      return errc::unsupported;
    return out;
  }
  [[nodiscard]] status xor_keystream(byte_view counter, byte_view in, byte_span out) {
    const quiet_errors quiet;
    const bool done = EVP_EncryptInit_ex2(context_.get(), nullptr, nullptr, counter.data(), nullptr) == 1 &&
                      openssl_update(context_.get(), in, out.data());
    return done ? status{} : errc::misuse;
  }

 private:
  [[nodiscard]] static const EVP_CIPHER* cipher(ctr_id ctr) noexcept {
    static const EVP_CIPHER* const ctr128 = openssl_fetch<EVP_CIPHER, EVP_CIPHER_fetch>("AES-128-CTR");
    static const EVP_CIPHER* const ctr256 = openssl_fetch<EVP_CIPHER, EVP_CIPHER_fetch>("AES-256-CTR");
    switch (ctr) {
      case ctr_id::aes_128_ctr: return ctr128;
      case ctr_id::aes_256_ctr: return ctr256;
    }
    return nullptr;
  }

  openssl_cipher_context context_{openssl_alloc(EVP_CIPHER_CTX_new())};
};

using openssl_pkey = openssl_ptr<EVP_PKEY, EVP_PKEY_free>;
using openssl_pkey_context = openssl_ptr<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using openssl_number = openssl_ptr<BIGNUM, BN_clear_free>;
using openssl_point = openssl_ptr<EC_POINT, EC_POINT_clear_free>;

/// openssl_import(type, selection, params): nullptr where they make no key.
[[nodiscard]] inline openssl_pkey openssl_import(const char* type, int selection, OSSL_PARAM* params) {
  const openssl_pkey_context context{openssl_alloc(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr))};
  EVP_PKEY* out = nullptr;
  const bool made =
      EVP_PKEY_fromdata_init(context.get()) == 1 && EVP_PKEY_fromdata(context.get(), &out, selection, params) == 1;
  return made ? openssl_pkey{out} : nullptr;
}

/// openssl_curve: a NIST curve. Points and scalars are worked on directly, which avoids importing keys for a single
/// use.
struct openssl_curve {
  const EC_GROUP* group;
  const char* name;
  std::size_t point, scalar;

  [[nodiscard]] static const openssl_curve* of(kem_id kem) noexcept {
    static const openssl_curve p256{EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1), SN_X9_62_prime256v1, 65, 32};
    static const openssl_curve p384{EC_GROUP_new_by_curve_name(NID_secp384r1), SN_secp384r1, 97, 48};
    static const openssl_curve p521{EC_GROUP_new_by_curve_name(NID_secp521r1), SN_secp521r1, 133, 66};
    const openssl_curve* found = kem == kem_id::dhkem_p256_sha256   ? &p256
                                 : kem == kem_id::dhkem_p384_sha384 ? &p384
                                 : kem == kem_id::dhkem_p521_sha512 ? &p521
                                                                    : nullptr;
    return found != nullptr && found->group != nullptr ? found : nullptr;
  }
  [[nodiscard]] static const openssl_curve* of(signature_scheme scheme) noexcept {
    switch (scheme) {
      case signature_scheme::ecdsa_secp256r1_sha256: return of(kem_id::dhkem_p256_sha256);
      case signature_scheme::ecdsa_secp384r1_sha384: return of(kem_id::dhkem_p384_sha384);
      case signature_scheme::ecdsa_secp521r1_sha512: return of(kem_id::dhkem_p521_sha512);
      case signature_scheme::ed25519:
      case signature_scheme::ed448: break;
    }
    return nullptr;
  }

  /// read_point(pk): nullptr where it is not an uncompressed point of the curve.
  [[nodiscard]] openssl_point read_point(byte_view pk) const {
    openssl_point out{openssl_alloc(EC_POINT_new(group))};
    if (pk.size() != point || pk[0] != POINT_CONVERSION_UNCOMPRESSED) return nullptr;
    return EC_POINT_oct2point(group, out.get(), pk.data(), pk.size(), nullptr) == 1 ? std::move(out) : nullptr;
  }
  /// read_scalar(sk): nullptr where it is not in 1..n-1.
  [[nodiscard]] openssl_number read_scalar(byte_view sk) const {
    openssl_number out{openssl_alloc(BN_secure_new())};
    if (sk.size() != scalar || BN_bin2bn(sk.data(), static_cast<int>(sk.size()), out.get()) == nullptr) return nullptr;
    BN_set_flags(out.get(), BN_FLG_CONSTTIME);
    const bool in_range = BN_is_zero(out.get()) == 0 && BN_cmp(out.get(), EC_GROUP_get0_order(group)) < 0;
    return in_range ? std::move(out) : nullptr;
  }
  /// pkey(scalar or nullptr, pk): a key for ECDSA; nullptr where pk is not a point.
  [[nodiscard]] openssl_pkey pkey(const BIGNUM* sk, byte_view pk) const {
    if (pk.size() != point || pk[0] != POINT_CONVERSION_UNCOMPRESSED) return nullptr;
    const openssl_ptr<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> build{openssl_alloc(OSSL_PARAM_BLD_new())};
    OSSL_PARAM_BLD_push_utf8_string(build.get(), OSSL_PKEY_PARAM_GROUP_NAME, name, 0);
    OSSL_PARAM_BLD_push_octet_string(build.get(), OSSL_PKEY_PARAM_PUB_KEY, pk.data(), pk.size());
    if (sk != nullptr) OSSL_PARAM_BLD_push_BN_pad(build.get(), OSSL_PKEY_PARAM_PRIV_KEY, sk, scalar);
    const openssl_ptr<OSSL_PARAM, OSSL_PARAM_free> params{openssl_alloc(OSSL_PARAM_BLD_to_param(build.get()))};
    return openssl_import("EC", sk != nullptr ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params.get());
  }
};

[[nodiscard]] inline const char* openssl_montgomery(kem_id kem) noexcept {
  static const EVP_KEYMGMT* const x25519 = openssl_fetch<EVP_KEYMGMT, EVP_KEYMGMT_fetch>("X25519");
  static const EVP_KEYMGMT* const x448 = openssl_fetch<EVP_KEYMGMT, EVP_KEYMGMT_fetch>("X448");
  if (kem == kem_id::dhkem_x25519_sha256 && x25519 != nullptr) return "X25519";
  if (kem == kem_id::dhkem_x448_sha512 && x448 != nullptr) return "X448";
  return nullptr;
}

}  // namespace detail

/// openssl: a crypto_provider on OpenSSL 3 alone, by its default library context. ECDSA draws its nonces from OpenSSL's
/// own generator. Ed25519 is left out: OpenSSL accepts keys and R of small order, which the verifier of this library
/// refuses.
struct openssl {
  [[nodiscard]] static status ready() noexcept {
    return supports(hash_id::sha256) ? status{} : errc::unsupported;  // no default provider is loaded
  }
  [[nodiscard]] static bool supports(hash_id hash) noexcept { return detail::openssl_md(hash) != nullptr; }
  [[nodiscard]] static bool supports(aead_id aead) noexcept { return detail::openssl_cipher::supports(aead); }
  [[nodiscard]] static bool supports(ctr_id ctr) noexcept { return detail::openssl_ctr::supports(ctr); }
  [[nodiscard]] static bool supports(kem_id kem) noexcept {
    return detail::openssl_curve::of(kem) != nullptr || detail::openssl_montgomery(kem) != nullptr;
  }
  [[nodiscard]] static bool supports(signature_scheme scheme) noexcept {
    static const EVP_SIGNATURE* const ed448 = detail::openssl_fetch<EVP_SIGNATURE, EVP_SIGNATURE_fetch>("ED448");
    return detail::openssl_curve::of(scheme) != nullptr || (scheme == signature_scheme::ed448 && ed448 != nullptr);
  }

  static void hash(hash_id hash, byte_parts parts, byte_span out) {
    if (out.size() != hash_size(hash)) CONCLAVE_PANIC();
    detail::openssl_hash state(hash);
    for (const byte_view part : parts) state.update(part);
    state.final(out);
  }
  static void hmac(hash_id hash, byte_view key, byte_parts parts, byte_span out) {
    if (out.size() != hash_size(hash)) CONCLAVE_PANIC();
    detail::openssl_hash state(hash);
    detail::hmac(state, hash, key, parts, out);
  }
  [[nodiscard]] static std::uint64_t short_hash(byte_view key, byte_view data) {
    static EVP_MAC* const siphash = detail::openssl_fetch<EVP_MAC, EVP_MAC_fetch>("SIPHASH");
    const detail::openssl_ptr<EVP_MAC_CTX, EVP_MAC_CTX_free> mac{detail::openssl_alloc(EVP_MAC_CTX_new(siphash))};
    std::array<std::uint8_t, 8> out;
    unsigned size = out.size();
    std::size_t written = 0;
    const std::array params{OSSL_PARAM_construct_uint(OSSL_MAC_PARAM_SIZE, &size), OSSL_PARAM_construct_end()};
    if (EVP_MAC_init(mac.get(), key.data(), key.size(), params.data()) != 1 ||
        EVP_MAC_update(mac.get(), data.data(), data.size()) != 1 ||
        EVP_MAC_final(mac.get(), out.data(), &written, out.size()) != 1)
      CONCLAVE_PANIC();
    std::ranges::reverse(out);  // SipHash gives its number little-endian
    return load_be<std::uint64_t>(out);
  }

  using aead_key = detail::checked_aead<detail::openssl_cipher>;
  using ctr_key = detail::checked_ctr<detail::openssl_ctr>;

  class hmac_key {
   public:
    [[nodiscard]] static result<hmac_key> make(hash_id hash, byte_view key) {
      if (!supports(hash)) return errc::unsupported;
      return hmac_key(hash, key);
    }
    void mac(byte_parts parts, byte_span out) { key_.mac(parts, out); }

   private:
    hmac_key(hash_id hash, byte_view key) : key_{hash, key} {}

    detail::openssl_hmac key_;
  };

  // NIST curves: SEC 1 3.3.1, the output is the x-coordinate; X25519 and X448: RFC 7748 6
  [[nodiscard]] static status dh(kem_id kem, byte_view sk, byte_view pk, byte_span out) {
    const detail::quiet_errors quiet;
    detail::output_guard guard(out);
    if (!supports(kem)) return errc::unsupported;
    if (out.size() != kem_sizes(kem).private_key) return errc::misuse;
    if (sk.size() != kem_sizes(kem).private_key || pk.size() != kem_sizes(kem).public_key) return errc::malformed;
    const auto* curve = detail::openssl_curve::of(kem);
    if (!(curve != nullptr ? dh_nist(*curve, sk, pk, out) : dh_montgomery(kem, sk, pk, out))) return errc::malformed;
    guard.keep();
    return {};
  }
  [[nodiscard]] static status dh_public_key(kem_id kem, byte_view sk, byte_span out) {
    const detail::quiet_errors quiet;
    detail::output_guard guard(out);
    if (!supports(kem)) return errc::unsupported;
    if (out.size() != kem_sizes(kem).public_key) return errc::misuse;
    if (sk.size() != kem_sizes(kem).private_key) return errc::malformed;
    const auto* curve = detail::openssl_curve::of(kem);
    if (!(curve != nullptr ? nist_public_key(*curve, sk, out)
                           : raw_public_key(detail::openssl_montgomery(kem), sk, out)))
      return errc::malformed;
    guard.keep();
    return {};
  }
  [[nodiscard]] static status dh_check_public_key(kem_id kem, byte_view pk) {
    const detail::quiet_errors quiet;
    if (!supports(kem)) return errc::unsupported;
    const auto* curve = detail::openssl_curve::of(kem);
    const bool valid = curve != nullptr ? curve->read_point(pk) != nullptr
                                        : pk.size() == kem_sizes(kem).public_key && !detail::is_small_order(kem, pk);
    return valid ? status{} : errc::malformed;
  }

  // FIPS 186-5 6.4, DER of Ecdsa-Sig-Value (RFC 8446 4.2.3); RFC 8032 5.2
  [[nodiscard]] static result<std::size_t> sign(environment&, signature_scheme scheme, byte_view sk, byte_view pk,
                                                byte_view message, byte_span out) {
    const detail::quiet_errors quiet;
    detail::output_guard guard(out);
    if (!supports(scheme)) return errc::unsupported;
    if (sk.size() != signature_private_key_size(scheme) || pk.size() != signature_public_key_size(scheme))
      return errc::misuse;
    std::size_t size = out.size();
    const auto* curve = detail::openssl_curve::of(scheme);
    if (!(curve != nullptr ? ecdsa_sign(*curve, scheme, sk, pk, message, out, size)
                           : ed448_sign(sk, pk, message, out, size)))
      return errc::misuse;
    guard.keep();
    return size;
  }
  [[nodiscard]] static status verify(signature_scheme scheme, byte_view pk, byte_view message, byte_view signature) {
    const detail::quiet_errors quiet;
    if (!supports(scheme)) return errc::unsupported;
    if (pk.size() != signature_public_key_size(scheme)) return errc::unauthentic;
    const auto* curve = detail::openssl_curve::of(scheme);
    const bool good =
        curve != nullptr ? ecdsa_verify(*curve, scheme, pk, message, signature) : ed448_verify(pk, message, signature);
    return good ? status{} : errc::unauthentic;
  }
  [[nodiscard]] static status signature_public_key(signature_scheme scheme, byte_view sk, byte_span out) {
    const detail::quiet_errors quiet;
    detail::output_guard guard(out);
    if (!supports(scheme)) return errc::unsupported;
    if (out.size() != signature_public_key_size(scheme)) return errc::misuse;
    if (sk.size() != signature_private_key_size(scheme)) return errc::malformed;
    const auto* curve = detail::openssl_curve::of(scheme);
    if (!(curve != nullptr ? nist_public_key(*curve, sk, out) : raw_public_key("ED448", sk, out)))
      return errc::malformed;
    guard.keep();
    return {};
  }

 private:
  [[nodiscard]] static bool dh_nist(const detail::openssl_curve& curve, byte_view sk, byte_view pk, byte_span out) {
    const auto scalar = curve.read_scalar(sk);
    const auto peer = curve.read_point(pk);
    if (!scalar || !peer) return false;
    const detail::openssl_point shared{detail::openssl_alloc(EC_POINT_new(curve.group))};
    const detail::openssl_number x{detail::openssl_alloc(BN_secure_new())};
    return EC_POINT_mul(curve.group, shared.get(), nullptr, peer.get(), scalar.get(), nullptr) == 1 &&
           EC_POINT_get_affine_coordinates(curve.group, shared.get(), x.get(), nullptr, nullptr) == 1 &&
           BN_bn2binpad(x.get(), out.data(), static_cast<int>(out.size())) == static_cast<int>(out.size());
  }
  [[nodiscard]] static bool nist_public_key(const detail::openssl_curve& curve, byte_view sk, byte_span out) {
    const auto scalar = curve.read_scalar(sk);
    if (!scalar) return false;
    const detail::openssl_point point{detail::openssl_alloc(EC_POINT_new(curve.group))};
    return EC_POINT_mul(curve.group, point.get(), scalar.get(), nullptr, nullptr, nullptr) == 1 &&
           EC_POINT_point2oct(curve.group, point.get(), POINT_CONVERSION_UNCOMPRESSED, out.data(), out.size(),
                              nullptr) == out.size();
  }

  [[nodiscard]] static detail::openssl_pkey raw_private(const char* name, byte_view sk) {
    return detail::openssl_pkey{EVP_PKEY_new_raw_private_key_ex(nullptr, name, nullptr, sk.data(), sk.size())};
  }
  [[nodiscard]] static detail::openssl_pkey raw_public(const char* name, byte_view pk) {
    return detail::openssl_pkey{EVP_PKEY_new_raw_public_key_ex(nullptr, name, nullptr, pk.data(), pk.size())};
  }
  // with both halves given, the public one is not computed again
  [[nodiscard]] static detail::openssl_pkey raw_pair(const char* name, byte_view sk, byte_view pk) {
    std::array params{
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, const_cast<std::uint8_t*>(sk.data()), sk.size()),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, const_cast<std::uint8_t*>(pk.data()), pk.size()),
        OSSL_PARAM_construct_end()};
    return detail::openssl_import(name, EVP_PKEY_KEYPAIR, params.data());
  }
  [[nodiscard]] static detail::openssl_pkey_context context_of(const detail::openssl_pkey& key) {
    return detail::openssl_pkey_context{detail::openssl_alloc(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr))};
  }

  [[nodiscard]] static bool dh_montgomery(kem_id kem, byte_view sk, byte_view pk, byte_span out) {
    const auto own = raw_private(detail::openssl_montgomery(kem), sk);
    const auto peer = raw_public(detail::openssl_montgomery(kem), pk);
    if (!own || !peer) return false;
    const auto context = context_of(own);
    std::size_t size = out.size();
    return EVP_PKEY_derive_init(context.get()) == 1 && EVP_PKEY_derive_set_peer_ex(context.get(), peer.get(), 0) == 1 &&
           EVP_PKEY_derive(context.get(), out.data(), &size) == 1 && size == out.size() && !detail::ct_is_zero(out);
  }
  [[nodiscard]] static bool raw_public_key(const char* name, byte_view sk, byte_span out) {
    const auto key = raw_private(name, sk);
    std::size_t size = out.size();
    return key && EVP_PKEY_get_raw_public_key(key.get(), out.data(), &size) == 1 && size == out.size();
  }

  [[nodiscard]] static digest ecdsa_digest(signature_scheme scheme, byte_view message) {
    const hash_id id = scheme == signature_scheme::ecdsa_secp256r1_sha256   ? hash_id::sha256
                       : scheme == signature_scheme::ecdsa_secp384r1_sha384 ? hash_id::sha384
                                                                            : hash_id::sha512;
    digest out(hash_size(id));
    hash(id, {&message, 1}, out.writable());
    return out;
  }
  [[nodiscard]] static bool ecdsa_sign(const detail::openssl_curve& curve, signature_scheme scheme, byte_view sk,
                                       byte_view pk, byte_view message, byte_span out, std::size_t& size) {
    const auto scalar = curve.read_scalar(sk);
    if (!scalar) return false;
    const auto key = curve.pkey(scalar.get(), pk);
    if (!key) return false;
    const auto context = context_of(key);
    const digest d = ecdsa_digest(scheme, message);
    return EVP_PKEY_sign_init(context.get()) == 1 &&
           EVP_PKEY_sign(context.get(), out.data(), &size, d.view().data(), d.size()) == 1;
  }
  [[nodiscard]] static bool ecdsa_verify(const detail::openssl_curve& curve, signature_scheme scheme, byte_view pk,
                                         byte_view message, byte_view signature) {
    const auto key = curve.pkey(nullptr, pk);
    if (!key) return false;
    const auto context = context_of(key);
    const digest d = ecdsa_digest(scheme, message);
    return EVP_PKEY_verify_init(context.get()) == 1 &&
           EVP_PKEY_verify(context.get(), signature.data(), signature.size(), d.view().data(), d.size()) == 1;
  }

  [[nodiscard]] static bool ed448_sign(byte_view sk, byte_view pk, byte_view message, byte_span out,
                                       std::size_t& size) {
    const auto key = raw_pair("ED448", sk, pk);
    const detail::openssl_ptr<EVP_MD_CTX, EVP_MD_CTX_free> context{detail::openssl_alloc(EVP_MD_CTX_new())};
    return key && EVP_DigestSignInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, key.get(), nullptr) == 1 &&
           EVP_DigestSign(context.get(), out.data(), &size, message.data(), message.size()) == 1;
  }
  [[nodiscard]] static bool ed448_verify(byte_view pk, byte_view message, byte_view signature) {
    const auto key = raw_public("ED448", pk);
    const detail::openssl_ptr<EVP_MD_CTX, EVP_MD_CTX_free> context{detail::openssl_alloc(EVP_MD_CTX_new())};
    return key && EVP_DigestVerifyInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, key.get(), nullptr) == 1 &&
           EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) == 1;
  }
};

static_assert(crypto_provider<openssl>);

}  // namespace conclave

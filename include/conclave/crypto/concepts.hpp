// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What a protocol may ask of cryptography: identifiers from the registries, sizes, and the crypto_provider concept.
#pragma once

#include <conclave/environment.hpp>
#include <conclave/secret.hpp>

#include <array>
#include <concepts>
#include <optional>
#include <span>

namespace conclave::inline CONCLAVE_ABI {

/// KDFs and AEADs by their HPKE registry numbers (RFC 9180 7.2, 7.3), KEMs likewise (7.1); signatures by their TLS
/// SignatureScheme (RFC 8446 4.2.3); hashes and counter
/// modes have no numbers in MLS or SFrame.
enum class hash_id : std::uint8_t { sha1, sha256, sha384, sha512 };
enum class kdf_id : std::uint16_t { hkdf_sha256 = 1, hkdf_sha384 = 2, hkdf_sha512 = 3 };
enum class aead_id : std::uint16_t { aes_128_gcm = 1, aes_256_gcm = 2, chacha20_poly1305 = 3 };
enum class ctr_id : std::uint8_t { aes_128_ctr, aes_256_ctr };
enum class kem_id : std::uint16_t {
  dhkem_p256_sha256 = 0x10,
  dhkem_p384_sha384 = 0x11,
  dhkem_p521_sha512 = 0x12,
  dhkem_x25519_sha256 = 0x20,
  dhkem_x448_sha512 = 0x21,
};
enum class signature_scheme : std::uint16_t {
  ecdsa_secp256r1_sha256 = 0x0403,
  ecdsa_secp384r1_sha384 = 0x0503,
  ecdsa_secp521r1_sha512 = 0x0603,
  ed25519 = 0x0807,
  ed448 = 0x0808,
};

/// hash_size(hash): bytes of its output; kdf_hash(kdf): the hash below HKDF; Nh, Nk, Nn as in RFC 9180 7.2 and 7.3.
[[nodiscard]] constexpr std::size_t hash_size(hash_id hash) noexcept {
  switch (hash) {
    case hash_id::sha1: return 20;
    case hash_id::sha256: return 32;
    case hash_id::sha384: return 48;
    case hash_id::sha512: return 64;
  }
  return 0;
}
[[nodiscard]] constexpr hash_id kdf_hash(kdf_id kdf) noexcept {
  switch (kdf) {
    case kdf_id::hkdf_sha256: return hash_id::sha256;
    case kdf_id::hkdf_sha384: return hash_id::sha384;
    case kdf_id::hkdf_sha512: break;
  }
  return hash_id::sha512;
}
[[nodiscard]] constexpr std::size_t aead_key_size(aead_id aead) noexcept {
  return aead == aead_id::aes_128_gcm ? 16 : 32;
}
inline constexpr std::size_t aead_nonce_size = 12;  ///< Nn of all three
inline constexpr std::size_t aead_tag_size = 16;    ///< Nt of all three

[[nodiscard]] constexpr std::size_t ctr_key_size(ctr_id ctr) noexcept { return ctr == ctr_id::aes_128_ctr ? 16 : 32; }
inline constexpr std::size_t counter_block_size = 16;  ///< a block of AES

/// kem_sizes(kem): Nsecret, Npk (= Nenc) and Nsk (RFC 9180 7.1).
struct kem_sizes_t {
  std::size_t secret, public_key, private_key;
};
[[nodiscard]] constexpr kem_sizes_t kem_sizes(kem_id kem) noexcept {
  switch (kem) {
    case kem_id::dhkem_p256_sha256: return {32, 65, 32};
    case kem_id::dhkem_p384_sha384: return {48, 97, 48};
    case kem_id::dhkem_p521_sha512: return {64, 133, 66};
    case kem_id::dhkem_x25519_sha256: return {32, 32, 32};
    case kem_id::dhkem_x448_sha512: return {64, 56, 56};
  }
  return {};
}
inline constexpr std::size_t max_public_key_size = 133;  ///< an uncompressed point of P-521
inline constexpr std::size_t max_private_key_size = 66;  ///< a scalar of P-521
inline constexpr std::size_t max_signature_size = 139;   ///< ECDSA over P-521, DER

/// signature_private_key_size(scheme): the scalar of an ECDSA key, the seed of an EdDSA key.
[[nodiscard]] constexpr std::size_t signature_private_key_size(signature_scheme scheme) noexcept {
  switch (scheme) {
    case signature_scheme::ecdsa_secp256r1_sha256: return 32;
    case signature_scheme::ecdsa_secp384r1_sha384: return 48;
    case signature_scheme::ecdsa_secp521r1_sha512: return 66;
    case signature_scheme::ed25519: return 32;
    case signature_scheme::ed448: return 57;
  }
  return 0;
}
[[nodiscard]] constexpr std::size_t signature_public_key_size(signature_scheme scheme) noexcept {
  switch (scheme) {
    case signature_scheme::ecdsa_secp256r1_sha256: return 65;
    case signature_scheme::ecdsa_secp384r1_sha384: return 97;
    case signature_scheme::ecdsa_secp521r1_sha512: return 133;
    case signature_scheme::ed25519: return 32;
    case signature_scheme::ed448: return 57;
  }
  return 0;
}

/// public_key: a public key of any suite; digest: the output of any hash.
using public_key = inline_bytes<max_public_key_size>;
using digest = inline_bytes<64>;

struct kem_private_key_tag {
  static constexpr std::size_t capacity = max_private_key_size;
};
struct signature_private_key_tag {
  static constexpr std::size_t capacity = max_private_key_size;
};
using kem_private_key = secret<kem_private_key_tag>;
using signature_private_key = secret<signature_private_key_tag>;

/// byte_parts: several ranges that count as one message, one after the other.
using byte_parts = std::span<const byte_view>;

/// aead_key_type: an AEAD key made ready once and used many times (RFC 5116). Not shared between threads. The tag stands
/// behind the ciphertext, or where five arguments are given, apart from it. seal: `out` has plaintext.size() +
/// aead_tag_size bytes; open: ciphertext.size() - aead_tag_size. `out` may start where the input starts (in place) and
/// otherwise does not overlap it; a tag apart overlaps neither. On failure `out`, and what seal writes of the tag, is
/// zeroed. Errors: open says unauthentic for every bad tag and for an input shorter than a tag; a wrong nonce, output or
/// tag size is misuse.
template <class K>
concept aead_key_type = std::movable<K> && requires(K& k, byte_view in, byte_span out) {
  { K::make(aead_id{}, in) } -> std::same_as<result<K>>;     // unsupported, or misuse for a wrong key length
  { k.seal(in, in, in, out) } -> std::same_as<status>;       // nonce, aad, plaintext, out
  { k.open(in, in, in, out) } -> std::same_as<status>;       // nonce, aad, ciphertext || tag, out
  { k.seal(in, in, in, out, out) } -> std::same_as<status>;  // nonce, aad, plaintext, out, tag
  { k.open(in, in, in, in, out) } -> std::same_as<status>;   // nonce, aad, ciphertext, tag, out
};

inline constexpr std::size_t extended_nonce_size = 24;  ///< XChaCha20-Poly1305: long enough to be drawn at random

/// extended_nonce_key_type: a key of XChaCha20-Poly1305, 32 bytes (draft-irtf-cfrg-xchacha-03). Nonces have
/// extended_nonce_size bytes, tags aead_tag_size and stand apart; otherwise as aead_key_type.
template <class K>
concept extended_nonce_key_type = std::movable<K> && requires(K& k, byte_view in, byte_span out) {
  { K::make(in) } -> std::same_as<result<K>>;                // misuse for a wrong key length
  { k.seal(in, in, in, out, out) } -> std::same_as<status>;  // nonce, aad, plaintext, out, tag
  { k.open(in, in, in, in, out) } -> std::same_as<status>;   // nonce, aad, ciphertext, tag, out
};

/// ctr_key_type: a key of AES in counter mode (NIST SP 800-38A 6.5), made ready once. Not shared between threads. The
/// initial counter block has counter_block_size bytes and counts as one big-endian number. `out` is as long as `in`, and
/// starts where it starts or does not overlap it. On failure, which is misuse, `out` is zeroed.
template <class K>
concept ctr_key_type = std::movable<K> && requires(K& k, byte_view in, byte_span out) {
  { K::make(ctr_id{}, in) } -> std::same_as<result<K>>;      // unsupported, or misuse for a wrong key length
  { k.xor_keystream(in, in, out) } -> std::same_as<status>;  // initial counter block, in, out
};

/// hmac_key_type: a key of HMAC (RFC 2104) of any length whose two pads were hashed once. Not shared between threads.
/// `out` has the size of the hash, and overlaps no part.
template <class K>
concept hmac_key_type = std::movable<K> && requires(K& k, byte_view in, byte_parts parts, byte_span out) {
  { K::make(hash_id{}, in) } -> std::same_as<result<K>>;  // unsupported
  { k.mac(parts, out) } -> std::same_as<void>;            // message, out
};

/// crypto_provider: everything the protocols need, as static functions on byte ranges. Outputs have exactly the size of
/// the algorithm. Hashing cannot fail: callers ask supports() once, when they choose a suite. Threads: every function
/// may be called from any thread at any time.
template <class P>
concept crypto_provider = requires(byte_view in, byte_span out, byte_parts parts, environment& env) {
  /// ready(): initialises the libraries below, once; unsupported where one of them refuses.
  { P::ready() } noexcept -> std::same_as<status>;
  { P::supports(hash_id{}) } noexcept -> std::same_as<bool>;
  { P::supports(aead_id{}) } noexcept -> std::same_as<bool>;
  { P::supports(ctr_id{}) } noexcept -> std::same_as<bool>;
  { P::supports(kem_id{}) } noexcept -> std::same_as<bool>;
  { P::supports(signature_scheme{}) } noexcept -> std::same_as<bool>;

  { P::hash(hash_id{}, parts, out) } -> std::same_as<void>;      // FIPS 180-4
  { P::hmac(hash_id{}, in, parts, out) } -> std::same_as<void>;  // RFC 2104: key, message
  /// short_hash(key, data): SipHash-2-4 under a 16-byte key, for hash tables filled with keys that peers choose.
  { P::short_hash(in, in) } -> std::same_as<std::uint64_t>;

  requires aead_key_type<typename P::aead_key>;
  requires ctr_key_type<typename P::ctr_key>;
  requires hmac_key_type<typename P::hmac_key>;  // of every hash that is supported

  /// dh(kem, private, public, out): the DH output, Ndh bytes (RFC 9180 4.1). malformed for a public key that is not
  /// valid or gives the all-zero output (RFC 9180 7.1.4).
  { P::dh(kem_id{}, in, in, out) } -> std::same_as<status>;
  /// dh_public_key(kem, private, out): SerializePublicKey(pk(sk)). malformed where the private key is out of range.
  { P::dh_public_key(kem_id{}, in, out) } -> std::same_as<status>;
  /// dh_check_public_key(kem, public): malformed where the length or, for NIST curves, the point is not valid.
  { P::dh_check_public_key(kem_id{}, in) } -> std::same_as<status>;

  /// sign(env, scheme, private, public, message, out): returns the length of the signature; `out` has
  /// max_signature_size bytes. `public` belongs to `private`: callers hold them together in a signature_key, because
  /// signing under a foreign public key would reveal an EdDSA key.
  { P::sign(env, signature_scheme{}, in, in, in, out) } -> std::same_as<result<std::size_t>>;
  /// verify(scheme, public, message, signature): unauthentic, or success.
  { P::verify(signature_scheme{}, in, in, in) } -> std::same_as<status>;
  /// signature_public_key(scheme, private, out). malformed where the private key is out of range.
  { P::signature_public_key(signature_scheme{}, in, out) } -> std::same_as<status>;
};

}  // namespace conclave

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// default_provider: who serves which primitive where the host does not choose.
#pragma once

#include <conclave/crypto/native.hpp>
#include <conclave/crypto/native_curves.hpp>
#include <conclave/crypto/native_hash.hpp>
#include <conclave/crypto/prefer.hpp>
#include <conclave/crypto/sodium.hpp>
#if CONCLAVE_WITH_BOTAN
#include <conclave/crypto/botan.hpp>
#endif
#if CONCLAVE_WITH_OPENSSL
#include <conclave/crypto/openssl.hpp>
#endif

#if !CONCLAVE_WITH_SODIUM
#error "default_provider stands on libsodium; without it, write a crypto_provider of your own and leave this header out"
#endif

namespace conclave::inline CONCLAVE_ABI {
namespace detail {

#if CONCLAVE_WITH_OPENSSL && CONCLAVE_WITH_BOTAN
using other_libraries = prefer<openssl, botan>;
#elif CONCLAVE_WITH_OPENSSL
using other_libraries = openssl;
#elif CONCLAVE_WITH_BOTAN
using other_libraries = botan;
#endif

#if CONCLAVE_WITH_OPENSSL || CONCLAVE_WITH_BOTAN
using all_libraries = prefer<sodium, other_libraries>;
using default_hashes = native_hashes<prefer<other_libraries, sodium>>;
#else
using all_libraries = sodium;
using default_hashes = native_hashes<sodium>;
#endif

}  // namespace detail

/// default_provider: X25519, Ed25519, ChaCha20-Poly1305, XChaCha20-Poly1305 and SipHash from libsodium, whose curve is the
/// fastest for one at a time; the rest from OpenSSL where it is present, else from Botan. AES, SHA-256 and curve 25519
/// for many at once run on the CPU's own instructions; where it has none, and for the other hashes, those two come before
/// libsodium. Every supports() is true only of what is at hand.
struct default_provider : native_ciphers<native_curves<detail::all_libraries>> {
  static void hash(hash_id id, byte_parts parts, byte_span out) { detail::default_hashes::hash(id, parts, out); }
  static void hash_many(hash_id id, std::span<const hash_job> jobs) { detail::default_hashes::hash_many(id, jobs); }
  static void hmac(hash_id id, byte_view key, byte_parts parts, byte_span out) {
    detail::default_hashes::hmac(id, key, parts, out);
  }
  using hmac_key = detail::default_hashes::hmac_key;
  using extended_nonce_key = sodium::extended_nonce_key;
};

static_assert(crypto_provider<default_provider>);

}  // namespace conclave

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// default_provider: who serves which primitive where the host does not choose.
#pragma once

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
using library_provider = prefer<sodium, prefer<openssl, botan>>;
#elif CONCLAVE_WITH_OPENSSL
using library_provider = prefer<sodium, openssl>;
#elif CONCLAVE_WITH_BOTAN
using library_provider = prefer<sodium, botan>;
#else
using library_provider = sodium;
#endif

}  // namespace detail

/// default_provider: X25519, Ed25519, ChaCha20-Poly1305, SHA-512 and SipHash from libsodium, whose curve is the
/// fastest; the rest from OpenSSL where it is present, else from Botan. SHA-256 is Botan's where present: it uses the
/// CPU's own instructions, which libsodium does not. Every supports() is true only of what a library at hand serves.
struct default_provider : detail::library_provider {
#if CONCLAVE_WITH_BOTAN
  static void hash(hash_id id, byte_parts parts, byte_span out) {
    id == hash_id::sha256 ? botan::hash(id, parts, out) : detail::library_provider::hash(id, parts, out);
  }
  static void hmac(hash_id id, byte_view key, byte_parts parts, byte_span out) {
    id == hash_id::sha256 ? botan::hmac(id, key, parts, out) : detail::library_provider::hmac(id, key, parts, out);
  }
#endif
};

static_assert(crypto_provider<default_provider>);

}  // namespace conclave

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// signature_key: a private signature key and its own public key, inseparable; and signatures to verify in one go.
#pragma once

#include <conclave/crypto/concepts.hpp>
#include <conclave/executor.hpp>

#include <atomic>

namespace conclave::inline CONCLAVE_ABI {

/// signature_key: made by generate() or from_private(), which derive the public key, so the two always belong together.
class signature_key {
 public:
  signature_key() noexcept = default;

  /// from_private(scheme, bytes): an ECDSA scalar or EdDSA seed. Errors: malformed (wrong length or out of range),
  /// unsupported.
  template <crypto_provider P>
  [[nodiscard]] static result<signature_key> from_private(signature_scheme scheme, byte_view private_key) {
    CONCLAVE_CHECK(P::ready());
    if (!P::supports(scheme)) return errc::unsupported;
    if (private_key.size() != signature_private_key_size(scheme)) return errc::malformed;
    signature_key out;
    out.scheme_ = scheme;
    CONCLAVE_TRY(out.private_, signature_private_key::copy_of(private_key));
    out.public_ = public_key(signature_public_key_size(scheme));
    CONCLAVE_CHECK(P::signature_public_key(scheme, out.private_.reveal(), out.public_.writable()));
    return out;
  }

  /// generate(env, scheme): a fresh key. Errors: no_entropy, unsupported.
  template <crypto_provider P>
  [[nodiscard]] static result<signature_key> generate(environment& env, signature_scheme scheme) {
    signature_private_key candidate(signature_private_key_size(scheme));
    // a random string is out of range with negligible probability, except for P-521, whose top 7 bits must be cleared
    for (int attempt = 0; attempt < 256; ++attempt) {
      CONCLAVE_CHECK(env.random(candidate.writable()));
      if (scheme == signature_scheme::ecdsa_secp521r1_sha512) candidate.writable()[0] &= 1U;
      auto key = from_private<P>(scheme, candidate.reveal());
      if (key || key.error() != errc::malformed) return key;
    }
    return errc::no_entropy;
  }

  [[nodiscard]] signature_key clone() const noexcept {
    signature_key out;
    out.private_ = private_.clone();
    out.public_ = public_;
    out.scheme_ = scheme_;
    return out;
  }

  [[nodiscard]] signature_scheme scheme() const noexcept { return scheme_; }
  [[nodiscard]] byte_view public_view() const noexcept { return public_.view(); }
  [[nodiscard]] const signature_private_key& private_key() const noexcept { return private_; }

  /// sign(env, message): the signature. env is drawn from only by schemes that need randomness.
  template <crypto_provider P>
  [[nodiscard]] result<bytes> sign(environment& env, byte_view message) const {
    bytes out(max_signature_size);
    CONCLAVE_TRY(const auto n, P::sign(env, scheme_, private_.reveal(), public_.view(), message, out));
    out.resize(n);
    return out;
  }

 private:
  signature_private_key private_;
  public_key public_;
  signature_scheme scheme_ = signature_scheme::ed25519;
};

/// signed_item: one signature to verify. The three views stay valid during the call.
struct signed_item {
  byte_view public_key;
  byte_view message;
  byte_view signature;
};

/// verify_many<P>(scheme, items, workers): success where every signature verifies, else unauthentic; unsupported. A
/// provider that has a faster way for many at once offers P::verify_many(scheme, items); the outcome is the same.
template <crypto_provider P>
[[nodiscard]] status verify_many(signature_scheme scheme, std::span<const signed_item> items,
                                 executor* workers = nullptr) {
  constexpr std::size_t stretch = 256;
  if (workers != nullptr && items.size() > stretch) {
    if (!P::supports(scheme)) return errc::unsupported;
    std::atomic<bool> good = true;
    detail::in_parts(workers, items.size(), stretch, [&](std::size_t first, std::size_t n) {
      if (good && !verify_many<P>(scheme, items.subspan(first, n))) good = false;
    });
    return good ? status{} : errc::unauthentic;
  }
  if constexpr (requires { P::verify_many(scheme, items); }) {
    return P::verify_many(scheme, items);
  } else {
    for (const signed_item& item : items)
      CONCLAVE_CHECK(P::verify(scheme, item.public_key, item.message, item.signature));
    return {};
  }
}

}  // namespace conclave

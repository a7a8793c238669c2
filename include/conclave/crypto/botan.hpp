// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Botan as a provider: AES-GCM, AES-CTR, ChaCha20-Poly1305, SHA-1, SHA-2, SipHash, ECDH and ECDSA on the NIST curves.
/// Botan reports by exceptions: they end here. Out of memory stays std::bad_alloc.
#pragma once

#include <conclave/crypto/checked_aead.hpp>
#include <conclave/crypto/checked_ctr.hpp>
#include <conclave/crypto/hmac.hpp>

#include <botan/aead.h>
#include <botan/bigint.h>
#include <botan/ec_group.h>
#include <botan/ecdh.h>
#include <botan/ecdsa.h>
#include <botan/hash.h>
#include <botan/mac.h>
#include <botan/pubkey.h>
#include <botan/stream_cipher.h>
#include <botan/system_rng.h>

namespace conclave::inline CONCLAVE_ABI {
namespace detail {

/// within_botan(otherwise, work): the result of `work`, or `otherwise` where Botan throws.
template <class F>
auto within_botan(errc otherwise, F work) -> decltype(work()) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception&) {
    return otherwise;
  }
}

/// botan_cipher: Botan's modes work in one direction; each is made when it is first needed.
class botan_cipher {
 public:
#if BOTAN_VERSION_MAJOR >= 3
  static constexpr auto encryption = Botan::Cipher_Dir::Encryption, decryption = Botan::Cipher_Dir::Decryption;
#else
  static constexpr auto encryption = Botan::ENCRYPTION, decryption = Botan::DECRYPTION;
#endif

  [[nodiscard]] static bool supports(aead_id aead) noexcept { return *name(aead) != '\0'; }
  [[nodiscard]] static result<botan_cipher> make(aead_id aead, byte_view key) {
    return within_botan(errc::unsupported, [&]() -> result<botan_cipher> {
      botan_cipher out;
      out.aead_ = aead;
      out.key_.assign(key.begin(), key.end());
      return out;
    });
  }

  [[nodiscard]] status seal(byte_view nonce, byte_view aad, byte_view plaintext, byte_span out, byte_span tag) {
    return within_botan(errc::misuse, [&]() -> status {
      run(mode(seal_, encryption), nonce, aad, plaintext, {}, out, tag);
      return {};
    });
  }
  [[nodiscard]] status open(byte_view nonce, byte_view aad, byte_view ciphertext, byte_view tag, byte_span out) {
    return within_botan(errc::unauthentic, [&]() -> status {
      run(mode(open_, decryption), nonce, aad, ciphertext, tag, out, {});
      return {};
    });
  }

 private:
  using mode_pointer = std::unique_ptr<Botan::AEAD_Mode>;

  [[nodiscard]] static const char* name(aead_id aead) noexcept {
    switch (aead) {
      case aead_id::aes_128_gcm: return "AES-128/GCM";
      case aead_id::aes_256_gcm: return "AES-256/GCM";
      case aead_id::chacha20_poly1305: return "ChaCha20Poly1305";
    }
    return "";
  }

  [[nodiscard]] Botan::AEAD_Mode& mode(mode_pointer& made, Botan::Cipher_Dir direction) const {
    if (!made) {
      mode_pointer fresh = Botan::AEAD_Mode::create_or_throw(name(aead_), direction);
      fresh->set_key(key_.data(), key_.size());
      made = std::move(fresh);
    }
    return *made;
  }

  // Whole blocks are worked on in the caller's buffer; only the end, with the tag, goes through Botan's vector.
  static void run(Botan::AEAD_Mode& mode, byte_view nonce, byte_view aad, byte_view in, byte_view tag_in, byte_span out,
                  byte_span tag_out) {
    mode.reset();
    mode.set_associated_data(aad.data(), aad.size());
    mode.start(nonce.data(), nonce.size());
    const std::size_t whole = in.size() - in.size() % mode.update_granularity();
    Botan::secure_vector<std::uint8_t> end(in.begin() + static_cast<std::ptrdiff_t>(whole), in.end());
    end.insert(end.end(), tag_in.begin(), tag_in.end());
    if (whole > 0) {
      std::memmove(out.data(), in.data(), whole);
      mode.process(out.data(), whole);
    }
    mode.finish(end);
    const byte_view finished{end};
    std::ranges::copy(finished.first(in.size() - whole), out.subspan(whole).begin());
    std::ranges::copy(finished.subspan(in.size() - whole), tag_out.begin());
  }

  Botan::secure_vector<std::uint8_t> key_;
  mode_pointer seal_, open_;
  aead_id aead_{};
};

/// botan_ctr: AES-CTR with a counter of the whole block.
class botan_ctr {
 public:
  [[nodiscard]] static bool supports(ctr_id ctr) noexcept { return *name(ctr) != '\0'; }
  [[nodiscard]] static result<botan_ctr> make(ctr_id ctr, byte_view key) {
    return within_botan(errc::unsupported, [&]() -> result<botan_ctr> {
      botan_ctr out;
      out.cipher_ = Botan::StreamCipher::create_or_throw(name(ctr));
      out.cipher_->set_key(key.data(), key.size());
      return out;
    });
  }
  [[nodiscard]] status xor_keystream(byte_view counter, byte_view in, byte_span out) {
    return within_botan(errc::misuse, [&]() -> status {
      cipher_->set_iv(counter.data(), counter.size());
      cipher_->cipher(in.data(), out.data(), in.size());
      return {};
    });
  }

 private:
  [[nodiscard]] static const char* name(ctr_id ctr) noexcept {
    switch (ctr) {
      case ctr_id::aes_128_ctr: return "CTR-BE(AES-128)";
      case ctr_id::aes_256_ctr: return "CTR-BE(AES-256)";
    }
    return "";
  }

  std::unique_ptr<Botan::StreamCipher> cipher_;
};

/// botan_hash: a hash of Botan as hmac.hpp wants it.
class botan_hash {
 public:
  explicit botan_hash(hash_id hash) : hash_{Botan::HashFunction::create_or_throw(name(hash))} {}
  void update(byte_view in) { hash_->update(in.data(), in.size()); }
  void final(byte_span out) { hash_->final(out.data()); }

 private:
  [[nodiscard]] static const char* name(hash_id hash) noexcept {
    switch (hash) {
      case hash_id::sha1: return "SHA-1";
      case hash_id::sha256: return "SHA-256";
      case hash_id::sha384: return "SHA-384";
      case hash_id::sha512: break;
    }
    return "SHA-512";
  }

  std::unique_ptr<Botan::HashFunction> hash_;
};

/// botan_curve: a NIST curve by its name, with the DER of its OID, its sizes, and how ECDSA hashes on it.
struct botan_curve {
  const char* name;
  std::vector<std::uint8_t> oid;
  std::size_t point, scalar;
  const char* padding;

  [[nodiscard]] static botan_curve of(kem_id kem) {
    switch (kem) {
      case kem_id::dhkem_p256_sha256: return of(signature_scheme::ecdsa_secp256r1_sha256);
      case kem_id::dhkem_p384_sha384: return of(signature_scheme::ecdsa_secp384r1_sha384);
      default: return of(signature_scheme::ecdsa_secp521r1_sha512);
    }
  }
  [[nodiscard]] static botan_curve of(signature_scheme scheme) {
    switch (scheme) {
      case signature_scheme::ecdsa_secp256r1_sha256:
        return {"secp256r1", {6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7}, 65, 32, "EMSA1(SHA-256)"};
      case signature_scheme::ecdsa_secp384r1_sha384:
        return {"secp384r1", {6, 5, 0x2b, 0x81, 4, 0, 0x22}, 97, 48, "EMSA1(SHA-384)"};
      default: return {"secp521r1", {6, 5, 0x2b, 0x81, 4, 0, 0x23}, 133, 66, "EMSA1(SHA-512)"};
    }
  }

  [[nodiscard]] bool is_point(byte_view pk) const noexcept { return pk.size() == point && pk[0] == 4; }

  /// public_key<Key>(pk): throws where the point is not on the curve.
  template <class Key>
  [[nodiscard]] Key public_key(byte_view pk) const {
    return Key(Botan::AlgorithmIdentifier("1.2.840.10045.2.1", oid), std::vector<std::uint8_t>(pk.begin(), pk.end()));
  }
  /// private_key<Key>(sk): throws where the scalar is not in 1..n-1. The random numbers below only blind.
  template <class Key>
  [[nodiscard]] Key private_key(byte_view sk) const {
#if BOTAN_VERSION_MAJOR >= 3
    const auto group = Botan::EC_Group::from_name(name);
    const auto x = Botan::EC_Scalar::deserialize(group, sk);
    if (sk.size() != scalar || !x) throw Botan::Invalid_Argument("scalar");
    return Key(group, *x);
#else
    const Botan::EC_Group group{std::string(name)};
    const Botan::BigInt x(sk.data(), sk.size());
    if (sk.size() != scalar || x.is_zero() || x >= group.get_order()) throw Botan::Invalid_Argument("scalar");
    return Key(Botan::system_rng(), group, x);
#endif
  }
};

}  // namespace detail

/// botan: a crypto_provider on Botan alone, 2.19 or from 3.6 on (2.19.3 and 3.14 were run). ECDSA signs with the nonces
/// of RFC 6979. Points are uncompressed.
struct botan {
  [[nodiscard]] static status ready() noexcept { return {}; }
  [[nodiscard]] static bool supports(hash_id) noexcept { return true; }
  [[nodiscard]] static bool supports(aead_id aead) noexcept { return detail::botan_cipher::supports(aead); }
  [[nodiscard]] static bool supports(ctr_id ctr) noexcept { return detail::botan_ctr::supports(ctr); }
  [[nodiscard]] static bool supports(kem_id kem) noexcept {
    return kem == kem_id::dhkem_p256_sha256 || kem == kem_id::dhkem_p384_sha384 || kem == kem_id::dhkem_p521_sha512;
  }
  [[nodiscard]] static bool supports(signature_scheme scheme) noexcept {
    return scheme == signature_scheme::ecdsa_secp256r1_sha256 || scheme == signature_scheme::ecdsa_secp384r1_sha384 ||
           scheme == signature_scheme::ecdsa_secp521r1_sha512;
  }

  static void hash(hash_id hash, byte_parts parts, byte_span out) {
    if (out.size() != hash_size(hash)) CONCLAVE_PANIC();
    detail::botan_hash state(hash);
    for (const byte_view part : parts) state.update(part);
    state.final(out);
  }
  static void hmac(hash_id hash, byte_view key, byte_parts parts, byte_span out) {
    if (out.size() != hash_size(hash)) CONCLAVE_PANIC();
    detail::botan_hash state(hash);
    detail::hmac(state, hash, key, parts, out);
  }
  [[nodiscard]] static std::uint64_t short_hash(byte_view key, byte_view data) {
    if (key.size() != 16) CONCLAVE_PANIC();
    const auto mac = Botan::MessageAuthenticationCode::create_or_throw("SipHash(2,4)");
    std::array<std::uint8_t, 8> out;
    mac->set_key(key.data(), key.size());
    mac->update(data.data(), data.size());
    mac->final(out.data());
    std::ranges::reverse(out);  // SipHash gives its number little-endian
    return load_be<std::uint64_t>(out);
  }

  using aead_key = detail::checked_aead<detail::botan_cipher>;
  using ctr_key = detail::checked_ctr<detail::botan_ctr>;

  // Botan's hashes copy their state only into fresh memory: the pads are hashed again
  class hmac_key {
   public:
    [[nodiscard]] static result<hmac_key> make(hash_id hash, byte_view key) { return hmac_key(hash, key); }
    void mac(byte_parts parts, byte_span out) { pads_.mac(hash_, parts, out); }

   private:
    hmac_key(hash_id hash, byte_view key) : hash_{hash}, pads_{hash_, hash, key} {}

    detail::botan_hash hash_;
    detail::hmac_pads pads_;
  };

  // SEC 1 3.3.1: the output is the x-coordinate
  [[nodiscard]] static status dh(kem_id kem, byte_view sk, byte_view pk, byte_span out) {
    detail::output_guard guard(out);
    if (!supports(kem)) return errc::unsupported;
    const auto curve = detail::botan_curve::of(kem);
    if (out.size() != curve.point / 2) return errc::misuse;
    if (!curve.is_point(pk)) return errc::malformed;
    return detail::within_botan(errc::malformed, [&]() -> status {
      const auto key = curve.private_key<Botan::ECDH_PrivateKey>(sk);
      const auto shared = Botan::PK_Key_Agreement(key, Botan::system_rng(), "Raw").derive_key(0, pk.data(), pk.size());
      std::ranges::copy(shared.bits_of(), out.begin());
      guard.keep();
      return {};
    });
  }
  [[nodiscard]] static status dh_public_key(kem_id kem, byte_view sk, byte_span out) {
    if (!supports(kem)) return errc::unsupported;
    return public_point(detail::botan_curve::of(kem), sk, out);
  }
  [[nodiscard]] static status dh_check_public_key(kem_id kem, byte_view pk) {
    if (!supports(kem)) return errc::unsupported;
    const auto curve = detail::botan_curve::of(kem);
    if (!curve.is_point(pk)) return errc::malformed;
    return detail::within_botan(errc::malformed, [&]() -> status {
      (void)curve.public_key<Botan::ECDH_PublicKey>(pk);
      return {};
    });
  }

  // FIPS 186-5 6.4, deterministic (RFC 6979); signatures are the DER of Ecdsa-Sig-Value (RFC 8446 4.2.3)
  [[nodiscard]] static result<std::size_t> sign(environment&, signature_scheme scheme, byte_view sk, byte_view,
                                                byte_view message, byte_span out) {
    detail::output_guard guard(out);
    if (!supports(scheme)) return errc::unsupported;
    const auto curve = detail::botan_curve::of(scheme);
    return detail::within_botan(errc::misuse, [&]() -> result<std::size_t> {
      const auto key = curve.private_key<Botan::ECDSA_PrivateKey>(sk);
      Botan::PK_Signer signer(key, Botan::system_rng(), curve.padding, der);
      const auto signature = signer.sign_message(message.data(), message.size(), Botan::system_rng());
      if (signature.size() > out.size()) return errc::misuse;
      std::ranges::copy(signature, out.begin());
      guard.keep();
      return signature.size();
    });
  }
  [[nodiscard]] static status verify(signature_scheme scheme, byte_view pk, byte_view message, byte_view signature) {
    if (!supports(scheme)) return errc::unsupported;
    const auto curve = detail::botan_curve::of(scheme);
    if (!curve.is_point(pk)) return errc::unauthentic;
    return detail::within_botan(errc::unauthentic, [&]() -> status {
      const auto key = curve.public_key<Botan::ECDSA_PublicKey>(pk);
      Botan::PK_Verifier verifier(key, curve.padding, der);
      const bool good = verifier.verify_message(message.data(), message.size(), signature.data(), signature.size());
      return good ? status{} : errc::unauthentic;
    });
  }
  [[nodiscard]] static status signature_public_key(signature_scheme scheme, byte_view sk, byte_span out) {
    if (!supports(scheme)) return errc::unsupported;
    return public_point(detail::botan_curve::of(scheme), sk, out);
  }

 private:
#if BOTAN_VERSION_MAJOR >= 3
  static constexpr auto der = Botan::Signature_Format::DerSequence;
#else
  static constexpr auto der = Botan::DER_SEQUENCE;
#endif

  [[nodiscard]] static status public_point(const detail::botan_curve& curve, byte_view sk, byte_span out) {
    detail::output_guard guard(out);
    if (out.size() != curve.point) return errc::misuse;
    return detail::within_botan(errc::malformed, [&]() -> status {
      std::ranges::copy(curve.private_key<Botan::ECDH_PrivateKey>(sk).public_value(), out.begin());
      guard.keep();
      return {};
    });
  }
};

static_assert(crypto_provider<botan>);

}  // namespace conclave

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Cipher suites (RFC 9420, sections 5.1 and 17.1) and the labelled operations every other part is written in.
#pragma once

#include <conclave/crypto/hkdf.hpp>
#include <conclave/crypto/hpke.hpp>
#include <conclave/crypto/signature.hpp>
#include <conclave/mls/rules.hpp>
#include <conclave/mls/types.hpp>

namespace conclave::inline CONCLAVE_ABI::mls {

enum class cipher_suite : std::uint16_t {
  mls_128_dhkemx25519_aes128gcm_sha256_ed25519 = 1,
  mls_128_dhkemp256_aes128gcm_sha256_p256 = 2,
  mls_128_dhkemx25519_chacha20poly1305_sha256_ed25519 = 3,
  mls_256_dhkemx448_aes256gcm_sha512_ed448 = 4,
  mls_256_dhkemp521_aes256gcm_sha512_p521 = 5,
  mls_256_dhkemx448_chacha20poly1305_sha512_ed448 = 6,
  mls_256_dhkemp384_aes256gcm_sha384_p384 = 7,
};

struct suite_parameters {
  hpke::suite hpke;
  signature_scheme signature;
};

/// parameters(id): what a registered suite consists of (RFC 9420 17.1).
[[nodiscard]] constexpr std::optional<suite_parameters> parameters(cipher_suite id) noexcept {
  switch (id) {
    case cipher_suite::mls_128_dhkemx25519_aes128gcm_sha256_ed25519:
      return suite_parameters{{kem_id::dhkem_x25519_sha256, kdf_id::hkdf_sha256, aead_id::aes_128_gcm},
                              signature_scheme::ed25519};
    case cipher_suite::mls_128_dhkemp256_aes128gcm_sha256_p256:
      return suite_parameters{{kem_id::dhkem_p256_sha256, kdf_id::hkdf_sha256, aead_id::aes_128_gcm},
                              signature_scheme::ecdsa_secp256r1_sha256};
    case cipher_suite::mls_128_dhkemx25519_chacha20poly1305_sha256_ed25519:
      return suite_parameters{{kem_id::dhkem_x25519_sha256, kdf_id::hkdf_sha256, aead_id::chacha20_poly1305},
                              signature_scheme::ed25519};
    case cipher_suite::mls_256_dhkemx448_aes256gcm_sha512_ed448:
      return suite_parameters{{kem_id::dhkem_x448_sha512, kdf_id::hkdf_sha512, aead_id::aes_256_gcm},
                              signature_scheme::ed448};
    case cipher_suite::mls_256_dhkemp521_aes256gcm_sha512_p521:
      return suite_parameters{{kem_id::dhkem_p521_sha512, kdf_id::hkdf_sha512, aead_id::aes_256_gcm},
                              signature_scheme::ecdsa_secp521r1_sha512};
    case cipher_suite::mls_256_dhkemx448_chacha20poly1305_sha512_ed448:
      return suite_parameters{{kem_id::dhkem_x448_sha512, kdf_id::hkdf_sha512, aead_id::chacha20_poly1305},
                              signature_scheme::ed448};
    case cipher_suite::mls_256_dhkemp384_aes256gcm_sha384_p384:
      return suite_parameters{{kem_id::dhkem_p384_sha384, kdf_id::hkdf_sha384, aead_id::aes_256_gcm},
                              signature_scheme::ecdsa_secp384r1_sha384};
  }
  return std::nullopt;
}

/// hpke_ciphertext: RFC 9420 section 7.6.
struct hpke_ciphertext {
  byte_view kem_output;
  byte_view ciphertext;
  static constexpr auto fields(auto& self) { return std::tie(self.kem_output, self.ciphertext); }
};

/// basic_suite<P>: one cipher suite served by provider P. A small value; every function is const and thread-safe.
template <crypto_provider P>
class basic_suite {
 public:
  /// make(id): unsupported where the number is not registered or P does not serve every part of it.
  [[nodiscard]] static result<basic_suite> make(cipher_suite id) {
    CONCLAVE_CHECK(P::ready());
    const auto known = mls::parameters(id);
    if (!known || !P::supports(known->hpke.kem) || !P::supports(known->hpke.aead) || !P::supports(known->signature) ||
        !P::supports(kdf_hash(known->hpke.kdf)))
      return failure{errc::unsupported, rules::supported_suite};
    return basic_suite{id, *known};
  }

  [[nodiscard]] cipher_suite id() const noexcept { return id_; }
  [[nodiscard]] const hpke::suite& hpke_suite() const noexcept { return parameters_.hpke; }
  [[nodiscard]] signature_scheme signature() const noexcept { return parameters_.signature; }
  [[nodiscard]] hash_id hash_algorithm() const noexcept { return kdf_hash(parameters_.hpke.kdf); }
  /// Nh of the KDF, which is the length of hashes, MACs and most secrets; Nk of the AEAD.
  [[nodiscard]] std::size_t nh() const noexcept { return hash_size(hash_algorithm()); }
  [[nodiscard]] std::size_t nk() const noexcept { return aead_key_size(parameters_.hpke.aead); }

  [[nodiscard]] digest hash(byte_parts parts) const {
    digest out(nh());
    P::hash(hash_algorithm(), parts, out.writable());
    return out;
  }
  [[nodiscard]] digest hash(std::initializer_list<byte_view> parts) const {
    return hash(byte_parts{parts.begin(), parts.size()});
  }
  void hash_many(std::span<const hash_job> jobs) const { conclave::hash_many<P>(hash_algorithm(), jobs); }
  [[nodiscard]] digest mac(byte_view key, std::initializer_list<byte_view> parts) const {
    digest out(nh());
    P::hmac(hash_algorithm(), key, byte_parts{parts.begin(), parts.size()}, out.writable());
    return out;
  }

  /// RefHash (RFC 9420 5.2).
  [[nodiscard]] digest ref_hash(std::string_view label, byte_view value) const {
    const header label_header{label.size()}, value_header{value.size()};
    return hash({label_header.view(), as_bytes(label), value_header.view(), value});
  }

  /// KDF.Extract
  template <class Tag>
  [[nodiscard]] secret<Tag> extract(byte_view salt, byte_view ikm) const {
    secret<Tag> out(nh());
    const std::array parts{ikm};
    hkdf_extract<P>(hash_algorithm(), salt, parts, out.writable());
    return out;
  }

  /// ExpandWithLabel (RFC 9420 8): fills `out`.
  void expand_with_label(byte_view key, std::string_view label, byte_view context, byte_span out) const {
    std::array<std::uint8_t, 2> length;
    store_be(static_cast<std::uint16_t>(out.size()), length);
    const header label_header{prefix.size() + label.size()}, context_header{context.size()};
    const std::array<byte_view, 6> info{length,          label_header.view(),   as_bytes(prefix),
                                        as_bytes(label), context_header.view(), context};
    hkdf_expand<P>(hash_algorithm(), key, info, out);
  }

  /// DeriveSecret (RFC 9420 8)
  template <class Tag>
  [[nodiscard]] secret<Tag> derive_secret(byte_view key, std::string_view label) const {
    secret<Tag> out(nh());
    expand_with_label(key, label, {}, out.writable());
    return out;
  }

  /// DeriveTreeSecret (RFC 9420 9)
  void derive_tree_secret(byte_view key, std::string_view label, std::uint32_t generation, byte_span out) const {
    std::array<std::uint8_t, 4> context;
    store_be(generation, context);
    expand_with_label(key, label, context, out);
  }

  /// SignWithLabel and VerifyWithLabel (RFC 9420 5.1.2); sign_content() is what the signature covers.
  [[nodiscard]] static bytes sign_content(std::string_view label, byte_view content) {
    bytes out;
    out.reserve(label.size() + prefix.size() + content.size() + 8);
    writer w{out};
    w.length(prefix.size() + label.size());
    w.raw(as_bytes(prefix));
    w.raw(as_bytes(label));
    w.opaque(content);
    return out;
  }
  [[nodiscard]] result<bytes> sign_with_label(environment& env, const signature_key& key, std::string_view label,
                                              byte_view content) const {
    return key.sign<P>(env, sign_content(label, content));
  }
  [[nodiscard]] status verify_with_label(byte_view key, std::string_view label, byte_view content,
                                         byte_view signature) const {
    return P::verify(parameters_.signature, key, sign_content(label, content), signature);
  }

  /// EncryptWithLabel and DecryptWithLabel (RFC 9420 5.1.3); encrypt_context() is the HPKE info.
  [[nodiscard]] static bytes encrypt_context(std::string_view label, byte_view context) {
    return sign_content(label, context);  // the two structures have the same shape
  }
  [[nodiscard]] result<secret_bytes> decrypt_with_label(const hpke::key_pair& key, std::string_view label,
                                                        byte_view context, const hpke_ciphertext& sealed) const {
    if (sealed.ciphertext.size() < aead_tag_size) return failure{errc::unauthentic};
    secret_bytes out(sealed.ciphertext.size() - aead_tag_size);
    CONCLAVE_CHECK(hpke::open<P>(parameters_.hpke, key, sealed.kem_output, encrypt_context(label, context), {},
                                 sealed.ciphertext, out));
    return out;
  }

 private:
  static constexpr std::string_view prefix = "MLS 1.0 ";

  // the length header of an opaque<V> as a range of its own, so that hashes read their parts where they are
  class header {
   public:
    explicit header(std::size_t n) noexcept : size_{store_varint(static_cast<std::uint32_t>(n), bytes_)} {}
    [[nodiscard]] byte_view view() const noexcept { return byte_view{bytes_}.first(size_); }

   private:
    std::array<std::uint8_t, 4> bytes_;
    std::size_t size_;
  };

  basic_suite(cipher_suite id, const suite_parameters& parameters) noexcept : parameters_{parameters}, id_{id} {}

  suite_parameters parameters_;
  cipher_suite id_;
};

}  // namespace conclave::mls

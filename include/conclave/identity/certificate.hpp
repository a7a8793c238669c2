// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What is read of an X.509 certificate (RFC 5280, section 4).
#pragma once

#include <conclave/crypto/concepts.hpp>
#include <conclave/identity/der.hpp>
#include <conclave/identity/x509_rules.hpp>
#include <conclave/limits.hpp>

#include <bit>

namespace conclave::inline CONCLAVE_ABI::x509 {

/// key_family: which signatures a key makes.
enum class key_family : std::uint8_t { ed25519, ed448, ecdsa, rsa };

/// signature_algorithm: how certificates, revocation lists and OCSP responses are signed; `der` is the
/// AlgorithmIdentifier.
struct signature_algorithm {
  std::string_view der;
  key_family family;
  hash_id hash;  ///< not EdDSA

  /// is(scheme): what a key of that scheme signs with; nothing keeps one of a large curve from using a small hash.
  [[nodiscard]] bool is(signature_scheme scheme) const noexcept {
    switch (scheme) {
      case signature_scheme::ed25519: return family == key_family::ed25519;
      case signature_scheme::ed448: return family == key_family::ed448;
      case signature_scheme::ecdsa_secp256r1_sha256: return family == key_family::ecdsa && hash == hash_id::sha256;
      case signature_scheme::ecdsa_secp384r1_sha384: return family == key_family::ecdsa && hash == hash_id::sha384;
      case signature_scheme::ecdsa_secp521r1_sha512: return family == key_family::ecdsa && hash == hash_id::sha512;
    }
    return false;
  }
};

/// signature_algorithm_of(der): none for what is weak or unknown. RFC 5758, RFC 8410, RFC 8017.
[[nodiscard]] inline std::optional<signature_algorithm> signature_algorithm_of(byte_view der) noexcept {
  using namespace std::string_view_literals;
  static constexpr signature_algorithm table[] = {
      {"\x30\x05\x06\x03\x2b\x65\x70"sv, key_family::ed25519, {}},
      {"\x30\x05\x06\x03\x2b\x65\x71"sv, key_family::ed448, {}},
      {"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"sv, key_family::ecdsa, hash_id::sha256},
      {"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03"sv, key_family::ecdsa, hash_id::sha384},
      {"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x04"sv, key_family::ecdsa, hash_id::sha512},
      {"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00"sv, key_family::rsa, hash_id::sha256},
      {"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c\x05\x00"sv, key_family::rsa, hash_id::sha384},
      {"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d\x05\x00"sv, key_family::rsa, hash_id::sha512},
  };
  for (const signature_algorithm& a : table)
    if (as_text(der) == a.der) return a;
  return std::nullopt;
}

/// subject_key: a SubjectPublicKeyInfo.
struct subject_key {
  key_family family{};
  std::optional<signature_scheme> scheme;  ///< which of MLS it is for; none for RSA
  byte_view bits;                          ///< as MLS encodes it
  byte_view der;

  /// read(spki): strong_key for anything but EdDSA, the NIST curves and RSA of 2048 to 8192 bits.
  [[nodiscard]] static result<subject_key> read(const der::element& spki) {
    using namespace std::string_view_literals;
    static constexpr struct {
      std::string_view der;
      key_family family;
      std::optional<signature_scheme> scheme;
    } table[] = {
        {"\x30\x05\x06\x03\x2b\x65\x70"sv, key_family::ed25519, signature_scheme::ed25519},
        {"\x30\x05\x06\x03\x2b\x65\x71"sv, key_family::ed448, signature_scheme::ed448},
        {"\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"sv, key_family::ecdsa,
         signature_scheme::ecdsa_secp256r1_sha256},
        {"\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22"sv, key_family::ecdsa,
         signature_scheme::ecdsa_secp384r1_sha384},
        {"\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23"sv, key_family::ecdsa,
         signature_scheme::ecdsa_secp521r1_sha512},
        {"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"sv, key_family::rsa, std::nullopt},
    };
    der::reader in(spki.content);
    CONCLAVE_TRY(const auto algorithm, in.next(der::sequence));
    CONCLAVE_TRY(const auto key, in.take(der::bit_string));
    CONCLAVE_CHECK(in.end());
    subject_key out;
    out.der = spki.whole;
    CONCLAVE_TRY(out.bits, der::whole_bytes(key));
    for (const auto& row : table) {
      if (as_text(algorithm.whole) != row.der) continue;
      out.family = row.family;
      out.scheme = row.scheme;
      if (!row.scheme) return check_rsa(out);
      if (out.bits.size() != signature_public_key_size(*row.scheme)) return errc::malformed;
      return out;
    }
    return failure{errc::refused, rules::strong_key};
  }

 private:
  // RFC 8017 A.1.1
  [[nodiscard]] static result<subject_key> check_rsa(const subject_key& key) {
    CONCLAVE_TRY(const auto whole, der::only(key.bits, der::sequence));
    der::reader in(whole.content);
    CONCLAVE_TRY(const auto modulus, in.take(der::integer));
    CONCLAVE_TRY(const auto exponent, in.take(der::integer));
    CONCLAVE_CHECK(in.end());
    CONCLAVE_CHECK(der::natural(exponent));
    CONCLAVE_TRY(byte_view n, der::natural(modulus));
    if (n[0] == 0) n = n.subspan(1);
    if (n.empty()) return errc::malformed;
    const std::size_t length = 8 * n.size() - static_cast<std::size_t>(std::countl_zero(n[0]));
    if (length < limits::rsa_bits_least || length > limits::rsa_bits_most)
      return failure{errc::refused, rules::strong_key};
    return key;
  }
};

/// key_usage: bits of RFC 5280, section 4.2.1.3, the first one highest.
enum class key_usage : std::uint8_t { digital_signature = 0x80, key_cert_sign = 0x04, crl_sign = 0x02 };

/// certificate: Views into its DER; lives as long as that.
struct certificate {
  byte_view der, tbs, algorithm, signature;
  byte_view serial;           ///< the content of an INTEGER
  byte_view issuer, subject;  ///< DER of a Name
  unix_time not_before{}, not_after{};
  subject_key key;
  bool is_ca = false;
  std::optional<std::uint32_t> path_length;
  std::optional<std::uint8_t> usage;  ///< the first eight bits of keyUsage
  // contents of extensions, the DER of their values; empty where there is none
  byte_view alternative_names, name_constraints, extended_key_usage;
  bool unknown_critical = false;  ///< has a critical extension that is not understood

  /// read(der): Errors: malformed, over_limit, refused (strong_key).
  [[nodiscard]] static result<certificate> read(byte_view der) {
    if (der.size() > limits::certificate_bytes) return failure{errc::over_limit, rules::certificate_size};
    auto out = parse(der);
    if (!out && out.error().broken_rule() == nullptr) return failure{out.error().code(), rules::certificate_format};
    return out;
  }

  [[nodiscard]] bool self_issued() const noexcept { return equal(issuer, subject); }
  [[nodiscard]] bool has(key_usage u) const noexcept { return usage && (*usage & static_cast<std::uint8_t>(u)) != 0; }
  [[nodiscard]] bool covers(unix_time now) const noexcept { return not_before <= now && now <= not_after; }

 private:
  [[nodiscard]] static result<certificate> parse(byte_view der) {
    certificate out;
    CONCLAVE_TRY(const auto whole, der::only(der, der::sequence));
    out.der = der;
    der::reader outer(whole.content);
    CONCLAVE_TRY(const auto tbs, outer.next(der::sequence));
    CONCLAVE_TRY(const auto algorithm, outer.next(der::sequence));
    CONCLAVE_TRY(const auto signature, outer.take(der::bit_string));
    CONCLAVE_CHECK(outer.end());
    CONCLAVE_TRY(out.signature, der::whole_bytes(signature));
    out.tbs = tbs.whole;
    out.algorithm = algorithm.whole;

    der::reader in(tbs.content);
    CONCLAVE_TRY(auto version, in.enter(der::nested(0)));
    CONCLAVE_TRY(const auto number, version.take(der::integer));
    CONCLAVE_CHECK(version.end());
    if (number.size() != 1 || number[0] != 2) return errc::malformed;
    CONCLAVE_TRY(const auto serial, in.take(der::integer));
    CONCLAVE_TRY(out.serial, der::natural(serial));
    if (out.serial.size() > 21) return errc::malformed;  // RFC 5280 4.1.2.2
    CONCLAVE_TRY(const auto inner_algorithm, in.next(der::sequence));
    if (!equal(inner_algorithm.whole, out.algorithm)) return errc::malformed;
    CONCLAVE_TRY(const auto issuer, in.next(der::sequence));
    out.issuer = issuer.whole;
    CONCLAVE_TRY(auto period, in.enter(der::sequence));
    CONCLAVE_TRY(const auto from, period.next());
    CONCLAVE_TRY(const auto to, period.next());
    CONCLAVE_CHECK(period.end());
    CONCLAVE_TRY(out.not_before, der::time(from));
    CONCLAVE_TRY(out.not_after, der::time(to));
    CONCLAVE_TRY(const auto subject, in.next(der::sequence));
    out.subject = subject.whole;
    CONCLAVE_TRY(const auto spki, in.next(der::sequence));
    CONCLAVE_TRY(out.key, subject_key::read(spki));
    if (!in.empty()) {
      CONCLAVE_TRY(auto explicit_list, in.enter(der::nested(3)));
      CONCLAVE_TRY(auto list, explicit_list.enter(der::sequence));
      CONCLAVE_CHECK(explicit_list.end());
      CONCLAVE_CHECK(out.read_extensions(list));
    }
    CONCLAVE_CHECK(in.end());
    return out;
  }

  [[nodiscard]] status read_extensions(der::reader& list) {
    std::vector<byte_view> seen;
    if (list.empty()) return errc::malformed;
    while (!list.empty()) {
      if (seen.size() == limits::certificate_extensions) return failure{errc::over_limit, rules::certificate_size};
      CONCLAVE_TRY(auto one, list.enter(der::sequence));
      CONCLAVE_TRY(const auto oid, one.take(der::object_identifier));
      CONCLAVE_TRY(const bool critical, der::true_or_absent(one));
      CONCLAVE_TRY(const auto value, one.take(der::octet_string));
      CONCLAVE_CHECK(one.end());
      for (const byte_view other : seen)
        if (equal(oid, other)) return failure{errc::malformed, rules::one_of_each_extension};
      seen.push_back(oid);
      CONCLAVE_TRY(const bool known, read_extension(oid, value));
      unknown_critical = unknown_critical || (critical && !known);
    }
    return {};
  }

  /// False for one that is not understood. All that are known are id-ce, 2.5.29.n.
  [[nodiscard]] result<bool> read_extension(byte_view oid, byte_view value) {
    if (oid.size() != 3 || oid[0] != 0x55 || oid[1] != 0x1d) return false;
    switch (oid[2]) {
      case 14:    // subjectKeyIdentifier and
      case 35:    // authorityKeyIdentifier help to find a path; here it is given
      case 32: {  // certificatePolicies: any will do
        der::reader in(value);
        CONCLAVE_CHECK(in.next());
        CONCLAVE_CHECK(in.end());
        return true;
      }
      case 15: {
        CONCLAVE_TRY(const auto bits, der::only(value, der::bit_string));
        if (bits.content.size() < 2 || bits.content.size() > 3 || bits.content[0] > 7) return errc::malformed;
        usage = bits.content[1];
        return true;
      }
      case 19: {
        CONCLAVE_TRY(const auto whole, der::only(value, der::sequence));
        der::reader in(whole.content);
        CONCLAVE_TRY(is_ca, der::true_or_absent(in));
        if (!in.empty()) {
          CONCLAVE_TRY(const auto n, in.take(der::integer));
          CONCLAVE_TRY(path_length, der::small_natural(n));
          if (!is_ca) return errc::malformed;
        }
        CONCLAVE_CHECK(in.end());
        return true;
      }
      case 17: return sequence_into(alternative_names, value);
      case 30: return sequence_into(name_constraints, value);
      case 37: return sequence_into(extended_key_usage, value);
      default: return false;
    }
  }
  [[nodiscard]] static result<bool> sequence_into(byte_view& out, byte_view value) {
    CONCLAVE_TRY(const auto whole, der::only(value, der::sequence));
    if (whole.content.empty()) return errc::malformed;
    out = whole.content;
    return true;
  }
};

/// allows(extended_key_usage, id-kp number...): one of these purposes is listed (RFC 5280, section 4.2.1.12).
[[nodiscard]] inline bool allows(byte_view extended_key_usage, std::initializer_list<std::uint8_t> purposes) {
  static constexpr std::uint8_t id_kp[] = {0x2b, 6, 1, 5, 5, 7, 3};
  der::reader in(extended_key_usage);
  while (!in.empty()) {
    const auto oid = in.take(der::object_identifier);
    if (!oid) return false;
    if (oid->size() == sizeof id_kp + 1 && equal(oid->first(sizeof id_kp), id_kp) &&
        std::ranges::find(purposes, oid->back()) != purposes.end())
      return true;
  }
  return false;
}
/// allows_any(extended_key_usage): anyExtendedKeyUsage is listed.
[[nodiscard]] inline bool allows_any(byte_view extended_key_usage) {
  static constexpr std::uint8_t any[] = {0x55, 0x1d, 0x25, 0};
  der::reader in(extended_key_usage);
  while (!in.empty()) {
    const auto oid = in.take(der::object_identifier);
    if (!oid) return false;
    if (equal(*oid, any)) return true;
  }
  return false;
}

}  // namespace conclave::x509

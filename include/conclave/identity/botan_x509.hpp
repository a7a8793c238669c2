// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Botan for certificates: signatures that MLS has no scheme for, and a second opinion by its own path validation. Botan
/// reports by exceptions: they end here.
#pragma once

#include <conclave/crypto/botan.hpp>
#include <conclave/identity/x509.hpp>

#include <botan/x509_key.h>
#include <botan/x509path.h>

namespace conclave::inline CONCLAVE_ABI {
namespace x509 {

/// botan_certificates: a certificate_library, on 2.19 or 3.
struct botan_certificates {
  [[nodiscard]] static status verify(const signature_algorithm& algorithm, byte_view spki, byte_view message,
                                     byte_view signature) {
    return conclave::detail::within_botan(errc::unauthentic, [&]() -> status {
      const std::unique_ptr<Botan::Public_Key> key(Botan::X509::load_key(to_bytes(spki)));
      Botan::PK_Verifier verifier(*key, padding(algorithm), format(algorithm));
      const bool good = verifier.verify_message(message.data(), message.size(), signature.data(), signature.size());
      return good ? status{} : errc::unauthentic;
    });
  }

  /// Name constraints are left to names.hpp: Botan 2.19 takes e-mail addresses that violate them, and refuses others
  /// that do not. Time and revocation are not asked about.
  [[nodiscard]] static status confirm(byte_parts issuers, byte_view anchor) {
    return conclave::detail::within_botan(errc::refused, [&]() -> status {
      std::vector<Botan::X509_Certificate> chain;
      for (const byte_view der : issuers) chain.emplace_back(to_bytes(der));
      if (chain.empty()) return {};
      const Botan::Certificate_Store_In_Memory anchors{Botan::X509_Certificate(to_bytes(anchor))};
      const auto found =
          Botan::x509_path_validate(chain, Botan::Path_Validation_Restrictions{}, anchors, "",
                                    Botan::Usage_Type::UNSPECIFIED, chain[0].not_before().to_std_timepoint());
      if (found.all_statuses().size() != chain.size() + 1) return errc::refused;
      for (const auto& of_one : found.all_statuses())
        if (!std::ranges::all_of(of_one, harmless)) return errc::refused;
      return {};
    });
  }

 private:
#if BOTAN_VERSION_MAJOR >= 3
  static constexpr auto der = Botan::Signature_Format::DerSequence, plain = Botan::Signature_Format::Standard;
#else
  static constexpr auto der = Botan::DER_SEQUENCE, plain = Botan::IEEE_1363;
#endif

  [[nodiscard]] static Botan::Signature_Format format(const signature_algorithm& a) {
    return a.family == key_family::ecdsa ? der : plain;
  }
  [[nodiscard]] static const char* padding(const signature_algorithm& a) {
    if (a.family == key_family::ed25519 || a.family == key_family::ed448) return "Pure";
    const bool rsa = a.family == key_family::rsa;
    switch (a.hash) {
      case hash_id::sha256: return rsa ? "EMSA3(SHA-256)" : "EMSA1(SHA-256)";
      case hash_id::sha384: return rsa ? "EMSA3(SHA-384)" : "EMSA1(SHA-384)";
      case hash_id::sha512: return rsa ? "EMSA3(SHA-512)" : "EMSA1(SHA-512)";
      default: return "";
    }
  }

  [[nodiscard]] static bool harmless(Botan::Certificate_Status_Code code) {
    using enum Botan::Certificate_Status_Code;
    return code < FIRST_ERROR_STATUS || code == CERT_NOT_YET_VALID || code == CERT_HAS_EXPIRED ||
           code == NAME_CONSTRAINT_ERROR;
  }
};

}  // namespace x509

/// x509_validator: on Botan, and the default provider's hashes.
using x509_validator = x509::basic_validator<x509::botan_certificates>;

}  // namespace conclave

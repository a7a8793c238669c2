// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// authority: issues certificates for the demo, with Botan: a root, an authority below it that does the work, and their
/// revocation lists. Botan throws where it fails; the scene catches.
#pragma once

#include <conclave/conclave.hpp>

#include <botan/ecdsa.h>
#include <botan/ed25519.h>
#include <botan/pkcs10.h>
#include <botan/system_rng.h>
#include <botan/x509_ca.h>
#include <botan/x509self.h>

#include <memory>
#include <string>

namespace demo {

namespace cv = conclave;

class authority {
 public:
  authority(const std::string& organisation, cv::unix_time now)
      : now_{now},
        root_{Botan::X509::create_self_signed_cert(of(organisation, "root", 1), root_key_, hash, rng())},
        intermediate_{Botan::X509_CA(root_, root_key_, hash, rng())
                          .sign_request(Botan::X509::create_cert_req(of(organisation, "people", 0), key_, hash, rng()),
                                        rng(), at(std::chrono::hours{-1}), at(std::chrono::hours{24 * 365}))},
        head_{root_, root_key_, hash, rng()},
        desk_{intermediate_, key_, hash, rng()} {
    publish(now);
  }

  [[nodiscard]] cv::bytes root() const { return root_.BER_encode(); }

  /// issue(name, address, key, valid_for): somebody asks with a PKCS #10 request; the answer is the chain.
  [[nodiscard]] std::vector<cv::bytes> issue(const std::string& name, const std::string& address,
                                             const cv::signature_key& key, std::chrono::seconds valid_for) {
    const cv::byte_view seed = key.private_key().reveal();
    Botan::X509_Cert_Options wish(name);
    wish.email = address;
#if BOTAN_VERSION_MAJOR >= 3
    const auto own = Botan::Ed25519_PrivateKey::from_seed(seed);
    wish.constraints = Botan::Key_Constraints(Botan::Key_Constraints::DigitalSignature);
#else
    const Botan::Ed25519_PrivateKey own(Botan::secure_vector<std::uint8_t>(seed.begin(), seed.end()));
    wish.constraints = Botan::DIGITAL_SIGNATURE;
#endif
    const auto request = Botan::X509::create_cert_req(wish, own, hash, rng());
    issued_.push_back(desk_.sign_request(request, rng(), at(std::chrono::hours{-1}), at(valid_for)));
    return {issued_.back().BER_encode(), intermediate_.BER_encode()};
  }

  /// revoke_last(now): the certificate that was issued last. lists(): the revocation lists of root and authority.
  void revoke_last(cv::unix_time now) {
    revoked_.emplace_back(issued_.back());
    publish(now);
  }
  [[nodiscard]] const std::vector<cv::bytes>& lists() const { return lists_; }

 private:
  static constexpr const char* hash = "SHA-256";
  [[nodiscard]] static Botan::RandomNumberGenerator& rng() { return Botan::system_rng(); }

  [[nodiscard]] static Botan::EC_Group curve(const char* name) {
#if BOTAN_VERSION_MAJOR >= 3
    return Botan::EC_Group::from_name(name);
#else
    return Botan::EC_Group(std::string(name));
#endif
  }
  [[nodiscard]] static Botan::X509_Cert_Options of(const std::string& organisation, const std::string& part,
                                                   std::size_t below) {
    Botan::X509_Cert_Options out(organisation + ' ' + part);
    out.organization = organisation;
    out.CA_key(below);
    return out;
  }
  [[nodiscard]] Botan::X509_Time at(std::chrono::seconds from_now) const {
    return Botan::X509_Time(std::chrono::system_clock::time_point{now_ + from_now});
  }

  void publish(cv::unix_time now) {
    const std::chrono::system_clock::time_point time{now};
    const auto empty = desk_.new_crl(rng(), time, std::chrono::hours{24});
    lists_ = {head_.new_crl(rng(), time, std::chrono::hours{24}).BER_encode(),
              desk_.update_crl(empty, revoked_, rng(), time, std::chrono::hours{24}).BER_encode()};
  }

  cv::unix_time now_;
  Botan::ECDSA_PrivateKey root_key_{rng(), curve("secp384r1")};
  Botan::ECDSA_PrivateKey key_{rng(), curve("secp256r1")};
  Botan::X509_Certificate root_, intermediate_;
  Botan::X509_CA head_, desk_;
  std::vector<Botan::X509_Certificate> issued_;
  std::vector<Botan::CRL_Entry> revoked_;
  std::vector<cv::bytes> lists_;
};

}  // namespace demo

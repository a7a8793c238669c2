// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// An authority that issues real certificates, and any other that a test asks for. Keys come from their names, so that
/// a chain is the same in every run, except where ECDSA draws its nonces.
#pragma once

#include <support/deterministic_environment.hpp>

#include <conclave/crypto/signature.hpp>
#include <conclave/identity/botan_x509.hpp>

#include <botan/rsa.h>

#include <functional>
#include <initializer_list>
#include <string>

namespace identity_test {

using namespace conclave;
using conclave::x509::verdict;
namespace rules = conclave::x509::rules;

inline constexpr unix_time now{std::chrono::seconds{1'750'000'000}};  // the clock of deterministic_environment
inline constexpr std::chrono::hours day{24};

// ---- writing DER ---------------------------------------------------------------------------------------------------

[[nodiscard]] inline bytes joined(std::initializer_list<bytes> parts) {
  bytes out;
  for (const bytes& p : parts) append(out, p);
  return out;
}
[[nodiscard]] inline bytes tlv(std::uint8_t tag, const bytes& content) {
  bytes out;
  const std::size_t n = content.size();
  out.reserve(n + 5);
  out.push_back(tag);
  if (n >= 0x10000) {
    out.insert(out.end(), {0x83, static_cast<std::uint8_t>(n >> 16U)});
  } else if (n >= 0x100) {
    out.push_back(0x82);
  } else if (n >= 0x80) {
    out.push_back(0x81);
  }
  if (n >= 0x100) out.push_back(static_cast<std::uint8_t>(n >> 8U));
  out.push_back(static_cast<std::uint8_t>(n));
  append(out, content);
  return out;
}
[[nodiscard]] inline bytes tlv(std::uint8_t tag, std::string_view text) { return tlv(tag, to_bytes(as_bytes(text))); }
[[nodiscard]] inline bytes seq(std::initializer_list<bytes> parts) { return tlv(der::sequence, joined(parts)); }
[[nodiscard]] inline bytes oid(std::initializer_list<std::uint8_t> content) {
  return tlv(der::object_identifier, bytes(content));
}
[[nodiscard]] inline bytes bits(byte_view content) {
  bytes out;
  out.reserve(content.size() + 1);
  out.push_back(0);
  append(out, content);
  return tlv(der::bit_string, out);
}
[[nodiscard]] inline bytes number(std::uint64_t n) {
  bytes out;
  do out.insert(out.begin(), static_cast<std::uint8_t>(n));
  while ((n >>= 8U) != 0);
  if (out[0] >= 0x80) out.insert(out.begin(), 0);
  return tlv(der::integer, out);
}
[[nodiscard]] inline bytes time(unix_time t, bool generalized = false) {
  const auto days = std::chrono::floor<std::chrono::days>(t);
  const std::chrono::year_month_day date{days};
  const std::chrono::hh_mm_ss clock{t - days};
  char text[40];
  (void)std::snprintf(text, sizeof text, "%04d%02u%02u%02d%02d%02dZ", static_cast<int>(date.year()),
                      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                      static_cast<int>(clock.seconds().count()));
  const std::string_view all{text};
  return generalized ? tlv(der::generalized_time, all) : tlv(der::utc_time, all.substr(2));
}

/// A name with one common name in it.
[[nodiscard]] inline bytes name(std::string_view common_name) {
  return seq({tlv(der::set, seq({oid({0x55, 4, 3}), tlv(der::utf8_string, common_name)}))});
}
[[nodiscard]] inline bytes email(std::string_view address) { return tlv(der::context(1), address); }
[[nodiscard]] inline bytes dns(std::string_view host) { return tlv(der::context(2), host); }
[[nodiscard]] inline bytes uri(std::string_view text) { return tlv(der::context(6), text); }
[[nodiscard]] inline bytes directory(std::string_view common_name) { return tlv(der::nested(4), name(common_name)); }

/// nameConstraints: lists of GeneralNames.
[[nodiscard]] inline bytes constraints(std::initializer_list<bytes> permitted, std::initializer_list<bytes> excluded) {
  bytes out;
  for (unsigned n = 0; const auto& list : {permitted, excluded}) {
    bytes subtrees;
    for (const bytes& base : list) append(subtrees, seq({base}));
    if (!subtrees.empty()) append(out, tlv(der::nested(n), subtrees));
    ++n;
  }
  return tlv(der::sequence, out);
}

// ---- keys ----------------------------------------------------------------------------------------------------------

/// key_pair: signs as certificates are signed.
struct key_pair {
  bytes spki, algorithm;
  std::function<bytes(byte_view)> sign;
  std::shared_ptr<const signature_key> of_mls;  ///< none for RSA
};

[[nodiscard]] inline key_pair make_key(std::string_view seed,
                                       signature_scheme scheme = signature_scheme::ecdsa_secp256r1_sha256) {
  using namespace std::string_view_literals;
  std::array<std::uint8_t, 32> number;
  const byte_view part = as_bytes(seed);
  default_provider::hash(hash_id::sha256, byte_parts{&part, 1}, number);
  bytes secret(signature_private_key_size(scheme));
  std::ranges::copy(number, secret.end() - 32);
  secret.back() |= 1U;
  auto key = std::make_shared<const signature_key>(*signature_key::from_private<default_provider>(scheme, secret));
  const bool p256 = scheme == signature_scheme::ecdsa_secp256r1_sha256;
  const bytes curve = p256 ? oid({0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7}) : oid({0x2b, 0x81, 4, 0, 0x22});
  key_pair out;
  if (scheme == signature_scheme::ed25519) {
    out.algorithm = seq({oid({0x2b, 0x65, 0x70})});
    out.spki = seq({out.algorithm, bits(key->public_view())});
  } else {
    out.algorithm = seq({oid({0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, static_cast<std::uint8_t>(p256 ? 2 : 3)})});
    out.spki = seq({seq({oid({0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1}), curve}), bits(key->public_view())});
  }
  out.sign = [key](byte_view message) {
    system_environment env;
    return *key->sign<default_provider>(env, message);
  };
  out.of_mls = key;
  return out;
}
/// From a key of Botan's, for what conclave cannot sign.
[[nodiscard]] inline key_pair make_key(std::shared_ptr<const Botan::Private_Key> key, const bytes& algorithm,
                                       const std::string& padding, Botan::Signature_Format format) {
  const auto spki = Botan::X509::BER_encode(*key);
  return {{spki.begin(), spki.end()},
          algorithm,
          [key, padding, format](byte_view message) {
            Botan::PK_Signer signer(*key, Botan::system_rng(), padding, format);
            const auto out = signer.sign_message(message.data(), message.size(), Botan::system_rng());
            return bytes(out.begin(), out.end());
          },
          nullptr};
}

// ---- certificates --------------------------------------------------------------------------------------------------

struct extension {
  bytes id;
  bool critical = false;
  bytes value;
};

inline constexpr std::uint8_t digital_signature = 0x80, cert_sign = 0x04, crl_sign = 0x02;

/// draft: a certificate before it is signed. What is empty is left out.
struct draft {
  bytes subject, issuer;
  key_pair key;
  std::uint64_t serial = 1;
  unix_time from = now - day, to = now + 30 * day;
  std::optional<bool> ca;
  std::optional<unsigned> path_length;
  std::uint8_t usage = digital_signature;
  bytes alternative_names;
  bool alternative_names_critical = false;
  bytes name_constraints;
  bool name_constraints_critical = true;
  std::vector<std::uint8_t> purposes;  // id-kp
  std::vector<extension> more;
  bytes algorithm;                       // of the signature, where it is not the issuer's usual one
  std::function<bytes(byte_view)> sign;  // likewise

  [[nodiscard]] static bytes key_id(const bytes& spki) {
    std::array<std::uint8_t, 20> id;
    const byte_view part{spki};
    default_provider::hash(hash_id::sha1, byte_parts{&part, 1}, id);
    return {id.begin(), id.end()};
  }

  [[nodiscard]] bytes signed_by(const key_pair& issuer_key) const {
    bytes list;
    const auto add = [&](const bytes& id, bool critical, const bytes& value) {
      append(list, seq({id, critical ? tlv(der::boolean, bytes{0xff}) : bytes{}, tlv(der::octet_string, value)}));
    };
    const auto id_ce = [](std::uint8_t n) { return oid({0x55, 0x1d, n}); };
    add(id_ce(14), false, tlv(der::octet_string, key_id(key.spki)));
    add(id_ce(35), false, seq({tlv(der::context(0), key_id(issuer_key.spki))}));
    if (ca)
      add(id_ce(19), true,
          seq({*ca ? tlv(der::boolean, bytes{0xff}) : bytes{}, path_length ? number(*path_length) : bytes{}}));
    if (usage != 0) {
      const auto unused = static_cast<std::uint8_t>(std::countr_zero(usage));
      add(id_ce(15), true, tlv(der::bit_string, bytes{unused, usage}));
    }
    if (!alternative_names.empty()) add(id_ce(17), alternative_names_critical, tlv(der::sequence, alternative_names));
    if (!name_constraints.empty()) add(id_ce(30), name_constraints_critical, name_constraints);
    if (!purposes.empty()) {
      bytes oids;
      for (const std::uint8_t p : purposes) append(oids, oid({0x2b, 6, 1, 5, 5, 7, 3, p}));
      add(id_ce(37), false, tlv(der::sequence, oids));
    }
    for (const extension& e : more) add(e.id, e.critical, e.value);
    const bytes how = algorithm.empty() ? issuer_key.algorithm : algorithm;
    const bytes tbs = seq({tlv(der::nested(0), number(2)), number(serial), how, issuer, seq({time(from), time(to)}),
                           subject, key.spki, tlv(der::nested(3), tlv(der::sequence, list))});
    return seq({tbs, how, bits(sign ? sign(tbs) : issuer_key.sign(tbs))});
  }
};

/// An authority that signs its own certificate unless told otherwise, and a member.
[[nodiscard]] inline draft an_authority(std::string_view who, signature_scheme scheme) {
  draft out;
  out.subject = name(who);
  out.issuer = out.subject;
  out.key = make_key(who, scheme);
  out.ca = true;
  out.usage = cert_sign | crl_sign;
  return out;
}
[[nodiscard]] inline draft a_member(std::string_view address, signature_scheme scheme = signature_scheme::ed25519) {
  draft out;
  out.subject = name("a member");
  out.key = make_key(address, scheme);
  out.ca = false;
  out.alternative_names = email(address);
  return out;
}

// ---- news of revocation --------------------------------------------------------------------------------------------

struct list_draft {
  unix_time from = now - std::chrono::hours{1};
  std::optional<unix_time> next = now + day;
  std::vector<std::uint64_t> serials;
  bytes extensions;  // further ones, encoded

  [[nodiscard]] bytes signed_by(const draft& issuer) const {
    bytes revoked;
    for (const std::uint64_t s : serials) append(revoked, seq({number(s), time(from)}));
    const bytes key_id = seq({tlv(der::context(0), draft::key_id(issuer.key.spki))});
    const bytes all = joined({seq({oid({0x55, 0x1d, 35}), tlv(der::octet_string, key_id)}),
                              seq({oid({0x55, 0x1d, 20}), tlv(der::octet_string, number(7))}), extensions});
    const bytes tbs =
        seq({number(1), issuer.key.algorithm, issuer.subject, time(from), next ? time(*next) : bytes{},
             revoked.empty() ? bytes{} : tlv(der::sequence, revoked), tlv(der::nested(0), tlv(der::sequence, all))});
    return seq({tbs, issuer.key.algorithm, bits(issuer.key.sign(tbs))});
  }
};

struct response_draft {
  std::uint8_t status = der::context(0);  // good
  unix_time from = now - std::chrono::hours{1};
  std::optional<unix_time> next = now + day;
  std::uint64_t serial = 1;
  bytes responder;  // its certificate, where it is not the issuer
  bytes more;       // further entries

  [[nodiscard]] bytes entry(const draft& issuer) const {
    const bytes id = seq({seq({oid({0x2b, 0x0e, 3, 2, 0x1a}), bytes{5, 0}}), sha1(issuer.subject),
                          sha1(key_bits(issuer.key.spki)), number(serial)});
    const bytes standing = status == der::nested(1) ? tlv(status, time(from, true)) : bytes{status, 0};
    return seq({id, standing, time(from, true), next ? tlv(der::nested(0), time(*next, true)) : bytes{}});
  }
  [[nodiscard]] bytes signed_by(const draft& issuer, const key_pair& signer) const {
    const bytes tbs =
        seq({tlv(der::nested(2), sha1(key_bits(signer.spki))), time(from, true), seq({entry(issuer), more})});
    const bytes basic = seq({tbs, signer.algorithm, bits(signer.sign(tbs)),
                             responder.empty() ? bytes{} : tlv(der::nested(0), tlv(der::sequence, responder))});
    return seq({tlv(der::enumerated, bytes{0}),
                tlv(der::nested(0), seq({oid({0x2b, 6, 1, 5, 5, 7, 48, 1, 1}), tlv(der::octet_string, basic)}))});
  }

 private:
  [[nodiscard]] static bytes sha1(byte_view of) {
    std::array<std::uint8_t, 20> out;
    default_provider::hash(hash_id::sha1, byte_parts{&of, 1}, out);
    return tlv(der::octet_string, bytes(out.begin(), out.end()));
  }
  [[nodiscard]] static byte_view key_bits(const bytes& spki) {
    der::reader in(der::only(spki, der::sequence)->content);
    (void)in.next().has_value();
    return in.take(der::bit_string)->subspan(1);
  }
};

}  // namespace identity_test

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// A chain that is in order, for tests to break in one place, and everybody who has an opinion on it.
#pragma once

#include "authority.hpp"
#include "openssl.hpp"

namespace identity_test {

using x509::anchor_kind;
using x509::name_form;
using x509::revocation_rule;

inline constexpr std::string_view alice = "alice@example.org";

/// trial: root, authority and member, on three kinds of keys, each signing the next; the validator trusts the root.
struct trial {
  std::vector<draft> levels{an_authority("root", signature_scheme::ecdsa_secp384r1_sha384),
                            an_authority("authority", signature_scheme::ecdsa_secp256r1_sha256), a_member(alice)};
  x509::settings settings{name_form::email, revocation_rule::when_known};
  anchor_kind kind = anchor_kind::external;
  std::vector<bytes> lists;
  std::optional<std::string_view> expected;
  std::optional<key_pair> shown_key;  ///< of the leaf node, where it is not the certificate's
  unix_time when = now;
  std::string openssl_options;
  bool with_root = false;  ///< the chain names its anchor

  [[nodiscard]] draft& root() { return levels[0]; }
  [[nodiscard]] draft& authority() { return levels[levels.size() - 2]; }
  [[nodiscard]] draft& member() { return levels.back(); }

  /// Signs everything: below root, each by the level above it. A test may then reorder `chain`.
  std::vector<bytes> chain;
  bytes root_der;
  void issue() {
    chain.clear();
    for (std::size_t i = 0; i < levels.size(); ++i) {
      const draft& above = levels[i == 0 ? 0 : i - 1];
      if (levels[i].issuer.empty() || (i > 0 && levels[i].issuer == levels[i].subject && !keep_issuers))
        levels[i].issuer = above.subject;
      if (levels[i].serial == 1) levels[i].serial = 100 + i;
      const bytes der = levels[i].signed_by(above.key);
      if (i == 0) root_der = der;
      if (i > 0 || with_root) chain.insert(chain.begin(), der);
    }
  }
  bool keep_issuers = false;

  [[nodiscard]] presented_identity shown() const {
    presented_identity out{credential_type::x509, {}, {}, {}, signature_scheme::ed25519};
    for (const bytes& der : chain) out.certificates.push_back(der);
    const auto& key = (shown_key ? *shown_key : levels.back().key).of_mls;
    if (key) {
      out.signature_key = key->public_view();
      out.scheme = key->scheme();
    }
    return out;
  }

  [[nodiscard]] x509_validator validator() const {
    x509::trust t;
    const auto added = t.add_anchor(root_der, kind);
    INFO((added ? "" : added.error().message()));
    REQUIRE(added);
    for (const bytes& list : lists) REQUIRE(t.add_revocation_list(list));
    return x509_validator(std::move(t), settings);
  }
  [[nodiscard]] verdict judge() {
    if (chain.empty()) issue();
    auto v = validator();
    return v.check(shown(), when, expected);
  }

  [[nodiscard]] bool openssl_takes() {
    if (chain.empty()) issue();
    const folder files;
    std::string command = "openssl verify -x509_strict -auth_level 2 -purpose smimesign -no-CApath -no-CAstore";
    command += " -attime " + std::to_string(when.time_since_epoch().count());
    command += " -CAfile " + files.pem("root.pem", "CERTIFICATE", {root_der});
    if (chain.size() > 1) {
      const std::vector<bytes> others(chain.begin() + 1, chain.end());
      command += " -untrusted " + files.pem("others.pem", "CERTIFICATE", others);
    }
    if (!lists.empty()) command += " -crl_check_all -CRLfile " + files.pem("lists.pem", "X509 CRL", lists);
    if (expected) command += " -verify_email " + std::string{*expected};
    const answer got = run(command + openssl_options + ' ' + files.pem("leaf.pem", "CERTIFICATE", {chain[0]}));
    UNSCOPED_INFO("openssl: " << got.text);
    return got.code == 0;
  }
};

/// holds(t): conclave and openssl both take it.
inline void holds(trial& t, identity_state state = identity_state::verified_external) {
  const verdict v = t.judge();
  INFO("broken: " << (v.broken ? v.broken->name : "nothing"));
  CHECK(v.state == state);
  CHECK(v.broken == nullptr);
  CHECK(t.openssl_takes());
}

/// breaks(t, chain, rule, state): conclave refuses it for just that; openssl too, or the table says why not.
inline void breaks(trial& t, std::string_view chain, const rule& broken, identity_state state) {
  const verdict v = t.judge();
  INFO(chain);
  INFO("broken: " << (v.broken ? v.broken->name : "nothing"));
  CHECK(v.state == state);
  CHECK(v.broken == &broken);
  CHECK_FALSE(is_verified(v.state));
  CHECK(t.openssl_takes() == is_difference(chain));
}

}  // namespace identity_test

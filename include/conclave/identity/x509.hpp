// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// An Authentication Service on X.509: RFC 9420, section 5.3.1, by the path validation of RFC 5280, section 6. A chain
/// comes in order, so there is no path to be searched for: each certificate is held against the next, the last against
/// the anchors. Time is always the caller's.
#pragma once

#include <conclave/identity/certificate_details.hpp>
#include <conclave/identity/trust.hpp>
#include <conclave/interfaces.hpp>

#include <deque>

namespace conclave::inline CONCLAVE_ABI::x509 {

/// certificate_library: what is asked of a library for certificates.
template <class L>
concept certificate_library = requires(const signature_algorithm& algorithm, byte_view in, byte_parts issuers) {
  /// verify(algorithm, spki, message, signature): unauthentic, or success.
  { L::verify(algorithm, in, in, in) } -> std::same_as<status>;
  /// confirm(issuers, anchor): a second opinion on certificates of authorities, the lowest first, whatever the time:
  /// refused, or success.
  { L::confirm(issuers, in) } -> std::same_as<status>;
};

/// verdict: a state, and for the logs which check it comes from.
struct verdict {
  identity_state state{};
  const rule* broken = nullptr;

  verdict(identity_state s) noexcept : state{s} {}  // NOLINT: a state without details
  verdict(identity_state s, const rule& r) noexcept : state{s}, broken{&r} {}
  verdict(identity_state s, const failure& f) noexcept
      : state{s}, broken{f.broken_rule() != nullptr ? f.broken_rule() : &rules::certificate_format} {}
};

/// chain_details: what "show certificate" shows of a member.
struct chain_details {
  std::vector<certificate_details> certificates;  ///< the member's own first, the anchor last where there is one
  std::optional<anchor_kind> anchor;              ///< none where the chain leads to none: then all of it is a claim
};

/// basic_validator<L, P>: Move-only. Threads: one at a time.
template <certificate_library L, crypto_provider P = default_provider>
class basic_validator final : public identity_validator {
 public:
  explicit basic_validator(x509::trust anchors, const x509::settings& chosen = {})
      : trust_{std::move(anchors)}, settings_{chosen} {}

  /// trust(): to add news of revocation as it comes.
  [[nodiscard]] x509::trust& trust() noexcept { return trust_; }
  [[nodiscard]] const x509::settings& settings() const noexcept { return settings_; }

  /// check(who, now, expected): member() with a reason, for a member from whom this identity is expected.
  [[nodiscard]] verdict check(const presented_identity& who, unix_time now,
                              std::optional<std::string_view> expected = std::nullopt) {
    if (who.type != credential_type::x509)
      return expected && as_text(who.credential) != *expected
                 ? verdict{identity_state::mismatch, rules::expected_identity}
                 : verdict{identity_state::unverified};
    path p;
    const verdict timeless = assess(who, expected, p);
    return is_verified(timeless.state) ? at(p, timeless, now) : timeless;
  }

  [[nodiscard]] identity_state member(const presented_identity& who, unix_time now) override {
    return check(who, now).state;
  }
  [[nodiscard]] identity_state external_sender(const presented_identity& who, unix_time now) override {
    return check(who, now).state;
  }
  [[nodiscard]] identity_state successor(const presented_identity& before, const presented_identity& after,
                                         unix_time now) override {
    return check_successor(before, after, now).state;
  }
  /// check_successor(before, after, now): successor() with a reason.
  [[nodiscard]] verdict check_successor(const presented_identity& before, const presented_identity& after,
                                        unix_time now) {
    const auto old_identity = identity(before), new_identity = identity(after);
    if (!old_identity || !new_identity || *old_identity != *new_identity)
      return {identity_state::mismatch, rules::successor_identity};
    path old_path, new_path;
    const auto level = [&](const presented_identity& who, path& p) {
      return who.type == credential_type::x509 ? assess(who, std::nullopt, p).state : identity_state::unverified;
    };
    const identity_state old_level = level(before, old_path);
    if (is_verified(old_level) && level(after, new_path) < old_level)
      return {identity_state::mismatch, rules::successor_not_lower};
    return check(after, now);
  }
  [[nodiscard]] result<bytes> identity(const presented_identity& who) override {
    if (who.type == credential_type::basic) return to_bytes(who.credential);
    if (who.type != credential_type::x509 || who.certificates.empty()) return errc::malformed;
    const auto leaf = certificate::read(who.certificates[0]);
    if (!leaf) return errc::malformed;
    const auto name = identity_of(*leaf, settings_.identity);
    if (!name) return errc::malformed;
    return to_bytes(as_bytes(*name));
  }

  /// show_certificate(who): Errors: malformed (no certificates that can be read).
  [[nodiscard]] result<chain_details> show_certificate(const presented_identity& who) {
    if (who.type != credential_type::x509) return errc::malformed;
    chain_details out;
    path p;
    const bool anchored = is_verified(assess(who, std::nullopt, p).state);
    if (!anchored) {  // all of it is a claim, and so is an anchor that it names
      p = {};
      if (!read_chain(who, p)) return errc::malformed;
    }
    for (const certificate& c : p.certificates) {
      CONCLAVE_TRY(auto one, details_of<P>(c));
      out.certificates.push_back(std::move(one));
    }
    if (anchored) {
      out.anchor = p.anchor->kind;
      CONCLAVE_TRY(auto last, details_of<P>(*p.anchor->certificate));
      out.certificates.push_back(std::move(last));
    }
    return out;
  }

 private:
  /// path: the member's own certificate, its issuers, and the anchor above them.
  struct path {
    std::vector<certificate> certificates;
    const trust_anchor* anchor = nullptr;
    digest issuers;  ///< of all but the member's own, where there are several

    [[nodiscard]] const certificate& issuer_of(std::size_t i) const {
      return i + 1 < certificates.size() ? certificates[i + 1] : *anchor->certificate;
    }
  };

  /// What does not depend on the time: verified, or the first check that fails. Fills in `p`.
  [[nodiscard]] verdict assess(const presented_identity& who, std::optional<std::string_view> expected, path& p) {
    if (const auto done = read_chain(who, p); !done) return {identity_state::untrusted, done.error()};
    const certificate& leaf = p.certificates[0];
    if (leaf.key.scheme != who.scheme || !equal(leaf.key.bits, who.signature_key))
      return {identity_state::mismatch, rules::leaf_key};
    if (const auto done = suits_member(leaf); !done) return {identity_state::untrusted, done.error()};
    const auto name = identity_of(leaf, settings_.identity);
    if (!name) return {identity_state::untrusted, name.error()};
    if (expected && *name != *expected) return {identity_state::mismatch, rules::expected_identity};
    if (const auto done = follow_chain(p); !done) return {identity_state::untrusted, done.error()};
    if (const auto done = names_allowed(p); !done) return {identity_state::untrusted, done.error()};
    return p.anchor->kind == anchor_kind::external ? identity_state::verified_external
                                                   : identity_state::verified_internal;
  }

  /// What does.
  [[nodiscard]] verdict at(const path& p, const verdict& timeless, unix_time now) {
    bool known = true;
    for (std::size_t i = 0; i < p.certificates.size(); ++i) {
      const auto standing = standing_of(p.certificates[i], p.issuer_of(i), now);
      if (standing == ocsp_entry::standing::revoked) return {identity_state::revoked, rules::revoked};
      known = known && standing == ocsp_entry::standing::good;
    }
    const auto valid = [&](const certificate& c) { return c.covers(now); };
    if (!std::ranges::all_of(p.certificates, valid) || !valid(*p.anchor->certificate))
      return {identity_state::expired, rules::validity};
    if (!known && settings_.revocation == revocation_rule::required)
      return {identity_state::revocation_unknown, rules::revocation_known};
    return timeless;
  }

  // ---- the chain -------------------------------------------------------------------------------------------------

  [[nodiscard]] status read_chain(const presented_identity& who, path& p) const {
    const auto& chain = who.certificates;
    if (chain.empty() || chain.size() > limits::certificates) return failure{errc::over_limit, rules::chain_length};
    for (std::size_t i = 0; i < chain.size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        if (equal(chain[i], chain[j])) return failure{errc::refused, rules::chain_length};
    for (const byte_view der : chain) {
      CONCLAVE_TRY(const auto c, certificate::read(der));
      if (c.unknown_critical) return failure{errc::refused, rules::known_critical_extensions};
      p.certificates.push_back(c);
    }
    return {};
  }

  [[nodiscard]] static status suits_member(const certificate& leaf) {
    if (leaf.self_issued()) return failure{errc::refused, rules::leaf_not_self_signed};
    if (leaf.is_ca || leaf.has(key_usage::key_cert_sign)) return failure{errc::refused, rules::leaf_not_ca};
    if (!leaf.has(key_usage::digital_signature)) return failure{errc::refused, rules::leaf_key_usage};
    return {};
  }

  // RFC 5280 6.1.3 and 6.1.4. A chain may name its anchor (RFC 9420 5.3). Issuer and subject are the same byte by byte,
  // which is stricter than RFC 5280 7.1, but what 4.1.2.6 has authorities do.
  [[nodiscard]] status follow_chain(path& p) {
    auto& chain = p.certificates;
    const auto is_anchor = [&](const trust_anchor& a) { return equal(a.certificate->der, chain.back().der); };
    if (chain.size() > 1 && std::ranges::any_of(trust_.anchors(), is_anchor)) chain.pop_back();
    for (const certificate& c : chain) {
      if (!c.extended_key_usage.empty() && !allows_any(c.extended_key_usage) &&
          !allows(c.extended_key_usage, {client_authentication, email_protection}))
        return failure{errc::refused, rules::purpose};
    }
    std::uint32_t authorities = 0;  // below the one that is looked at, those that issue for themselves not counted
    for (std::size_t i = 0; i + 1 < chain.size(); ++i) {
      const certificate& issuer = chain[i + 1];
      if (!equal(chain[i].issuer, issuer.subject)) return failure{errc::refused, rules::name_chain};
      CONCLAVE_CHECK(suits_issuer(issuer, authorities));
      authorities += issuer.self_issued() ? 0 : 1;
    }
    CONCLAVE_CHECK(find_anchor(p));
    CONCLAVE_CHECK(suits_issuer(*p.anchor->certificate, authorities));
    return verify_signatures(p);
  }

  [[nodiscard]] static status suits_issuer(const certificate& c, std::uint32_t authorities_below) {
    if (!c.is_ca) return failure{errc::refused, rules::issuer_is_ca};
    if (!c.has(key_usage::key_cert_sign)) return failure{errc::refused, rules::issuer_key_usage};
    if (c.path_length && authorities_below > *c.path_length) return failure{errc::refused, rules::path_length};
    return {};
  }

  /// The anchor that has signed the last certificate; several may share a name.
  [[nodiscard]] status find_anchor(path& p) const {
    const certificate& last = p.certificates.back();
    const rule* broken = &rules::anchor;
    for (const trust_anchor& a : trust_.anchors()) {
      if (!equal(a.certificate->subject, last.issuer)) continue;
      p.anchor = &a;
      p.issuers = issuers_of(p);
      if (are_known(p)) return {};
      const auto done = is_signed(last, a.certificate->key);
      if (done) return {};
      broken = done.error().broken_rule();
    }
    p.anchor = nullptr;
    return failure{errc::refused, *broken};
  }

  /// The signatures below the highest, from the top, so that nothing is looked at that nobody trusted stands for. What
  /// was found of the issuers is remembered.
  [[nodiscard]] status verify_signatures(const path& p) {
    const auto& chain = p.certificates;
    if (chain.size() == 1) return {};
    if (!are_known(p)) {
      for (std::size_t i = chain.size() - 2; i > 0; --i) CONCLAVE_CHECK(is_signed(chain[i], chain[i + 1].key));
      std::vector<byte_view> issuers;
      for (std::size_t i = 1; i < chain.size(); ++i) issuers.push_back(chain[i].der);
      if (!L::confirm(issuers, p.anchor->certificate->der)) return failure{errc::refused, rules::second_opinion};
      if (good_issuers_.size() == limits::issuer_paths) good_issuers_.pop_front();
      good_issuers_.push_back(p.issuers);
    }
    return is_signed(chain[0], chain[1].key);
  }
  [[nodiscard]] bool are_known(const path& p) const {
    return p.certificates.size() > 1 && std::ranges::find(good_issuers_, p.issuers) != good_issuers_.end();
  }
  [[nodiscard]] static digest issuers_of(const path& p) {
    std::vector<byte_view> all;
    for (std::size_t i = 1; i < p.certificates.size(); ++i) all.push_back(p.certificates[i].der);
    all.push_back(p.anchor->certificate->der);
    digest out(hash_size(hash_id::sha256));
    P::hash(hash_id::sha256, all, out.writable());
    return out;
  }

  /// is_signed(thing, key): for certificates and for news alike.
  [[nodiscard]] static status is_signed(const auto& thing, const subject_key& key) {
    const auto algorithm = signature_algorithm_of(thing.algorithm);
    if (!algorithm || algorithm->family != key.family) return failure{errc::refused, rules::strong_signature};
    // what MLS signs with is verified as MLS does it, faster
    const bool usual = key.scheme && algorithm->is(*key.scheme) && P::ready() && P::supports(*key.scheme);
    const status done = usual ? P::verify(*key.scheme, key.bits, thing.tbs, thing.signature)
                              : L::verify(*algorithm, key.der, thing.tbs, thing.signature);
    if (!done) return failure{errc::unauthentic, rules::signature};
    return {};
  }

  // RFC 5280 6.1.3 (b) and (c); held against authorities that issue for themselves, too
  [[nodiscard]] static status names_allowed(const path& p) {
    for (std::size_t i = 0; i < p.certificates.size(); ++i) {
      const certificate& issuer = p.issuer_of(i);
      if (issuer.name_constraints.empty()) continue;
      const auto limits_set = name_constraints::read(issuer.name_constraints);
      if (!limits_set) return failure{errc::refused, rules::name_constraints};
      for (std::size_t below = 0; below <= i; ++below) {
        const auto names = constrained_names(p.certificates[below]);
        if (!names) return failure{errc::refused, rules::name_constraints};
        for (const general_name& name : *names)
          if (!limits_set->allow(name)) return failure{errc::refused, rules::name_constraints};
      }
    }
    return {};
  }

  // ---- revocation (RFC 5280 6.3, RFC 6960 3.2) -------------------------------------------------------------------

  [[nodiscard]] ocsp_entry::standing standing_of(const certificate& c, const certificate& issuer, unix_time now) {
    using enum ocsp_entry::standing;
    // who has signed a piece of news is asked once for each name and key of an issuer
    const digest asked = hash_of(hash_id::sha256, {issuer.subject, issuer.key.der});
    const auto listed = list_standing(c, issuer, asked, now), answered = response_standing(c, issuer, asked, now);
    if (listed == revoked || answered == revoked) return revoked;
    return listed == good || answered == good ? good : unknown;
  }

  /// when_and_what: newer news counts for more, and of the same second the worse.
  using when_and_what = std::pair<unix_time, ocsp_entry::standing>;

  /// The newest list of the issuer decides. Who is on it stays revoked when it is out of date.
  [[nodiscard]] ocsp_entry::standing list_standing(const certificate& c, const certificate& issuer, const digest& asked,
                                                   unix_time now) {
    news<revocation_list>* newest = nullptr;
    std::optional<when_and_what> found;
    for (auto& list : trust_.lists()) {
      if (!equal(list->issuer, c.issuer) || !issuer.has(key_usage::crl_sign)) continue;
      const auto says = list->lists(c.serial) ? ocsp_entry::standing::revoked : ocsp_entry::standing::good;
      const when_and_what here{list->period.this_update, says};
      if (here <= found) continue;
      if (!list.is_signed_by(asked, [&] { return is_signed(*list, issuer.key).has_value(); })) continue;
      if (found && found->first < here.first) newest->replace();
      newest = &list;
      found = here;
    }
    if (!found) return ocsp_entry::standing::unknown;
    if (found->second == ocsp_entry::standing::revoked) return ocsp_entry::standing::revoked;
    return (*newest)->period.fresh(now, settings_.revocation_age) ? ocsp_entry::standing::good
                                                                  : ocsp_entry::standing::unknown;
  }

  [[nodiscard]] ocsp_entry::standing response_standing(const certificate& c, const certificate& issuer,
                                                       const digest& asked, unix_time now) {
    const ocsp_entry* newest = nullptr;
    news<ocsp_response>* its_response = nullptr;
    std::optional<when_and_what> found;
    if (trust_.responses().empty()) return ocsp_entry::standing::unknown;
    const auto names = [&](hash_id h) {
      return std::array{hash_of(h, {issuer.subject}), hash_of(h, {issuer.key.bits})};
    };
    const auto by_sha1 = names(hash_id::sha1), by_sha256 = names(hash_id::sha256);
    for (auto& response : trust_.responses()) {
      for (const ocsp_entry& entry : response->entries) {
        const auto& [name, key] = entry.hash == hash_id::sha1 ? by_sha1 : by_sha256;
        if (!equal(entry.serial, c.serial) || !equal(entry.issuer_name_hash, name.view()) ||
            !equal(entry.issuer_key_hash, key.view()))
          continue;
        const when_and_what here{entry.period.this_update, entry.status};
        if (here <= found) continue;
        if (!response.is_signed_by(asked, [&] { return is_answer(*response, issuer); })) break;  // whatever the entry
        if (found && found->first < here.first && (*its_response)->entries.size() == 1) its_response->replace();
        found = here;
        newest = &entry;
        its_response = &response;
      }
    }
    if (newest == nullptr) return ocsp_entry::standing::unknown;
    if (newest->status != ocsp_entry::standing::good) return newest->status;
    return newest->period.fresh(now, settings_.revocation_age) ? ocsp_entry::standing::good
                                                               : ocsp_entry::standing::unknown;
  }

  [[nodiscard]] static digest hash_of(hash_id h, std::initializer_list<byte_view> parts) {
    digest out(hash_size(h));
    P::hash(h, byte_parts{parts.begin(), parts.size()}, out.writable());
    return out;
  }

  /// Signed by the issuer, or by one to whom it has delegated just that (RFC 6960 4.2.2.2) and whose certificate was
  /// valid when it answered.
  [[nodiscard]] static bool is_answer(const ocsp_response& response, const certificate& issuer) {
    if (is_signed(response, issuer.key)) return true;
    if (response.responder.empty()) return false;
    const auto responder = certificate::read(response.responder);
    if (!responder || responder->unknown_critical || !equal(responder->issuer, issuer.subject)) return false;
    if (!responder->has(key_usage::digital_signature) || !allows(responder->extended_key_usage, {ocsp_signing}))
      return false;
    for (const ocsp_entry& entry : response.entries)
      if (!responder->covers(entry.period.this_update)) return false;
    return is_signed(*responder, issuer.key) && is_signed(response, responder->key);
  }

  static constexpr std::uint8_t client_authentication = 2, email_protection = 4, ocsp_signing = 9;  // id-kp

  x509::trust trust_;
  x509::settings settings_;
  std::deque<digest> good_issuers_;
};

}  // namespace conclave::x509

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// News of revocation, as it is read: complete lists (RFC 5280, section 5) and OCSP responses (RFC 6960, section 4.2).
/// Whether they are signed by whom they should is for the validator.
#pragma once

#include <conclave/identity/certificate.hpp>

namespace conclave::inline CONCLAVE_ABI::x509 {

/// period: from when a piece of news is, and when the next one is promised.
struct period {
  unix_time this_update{};
  std::optional<unix_time> next_update;

  /// fresh(now, age): not from the future, not overdue, and not older than `age`.
  [[nodiscard]] bool fresh(unix_time now, std::chrono::seconds age) const noexcept {
    return this_update <= now && now - this_update <= age && (!next_update || now <= *next_update);
  }
};

/// revocation_list: a complete CRL of one issuer about its own certificates; delta, indirect and partitioned ones are
/// refused. Views.
struct revocation_list {
  byte_view tbs, algorithm, signature, issuer;
  x509::period period;
  std::vector<byte_view> serials;  ///< sorted

  /// read(der): Errors: malformed, over_limit.
  [[nodiscard]] static result<revocation_list> read(byte_view der) {
    if (der.size() > limits::revocation_list_bytes) return failure{errc::over_limit, rules::list_format};
    auto out = parse(der);
    if (!out) return failure{out.error().code(), rules::list_format};
    return out;
  }

  [[nodiscard]] bool lists(byte_view serial) const noexcept {
    return std::ranges::binary_search(serials, serial, before);
  }

 private:
  [[nodiscard]] static bool before(byte_view a, byte_view b) noexcept {
    return std::ranges::lexicographical_compare(a, b);
  }

  [[nodiscard]] static result<revocation_list> parse(byte_view der) {
    revocation_list out;
    CONCLAVE_TRY(const auto whole, der::only(der, der::sequence));
    der::reader outer(whole.content);
    CONCLAVE_TRY(const auto tbs, outer.next(der::sequence));
    CONCLAVE_TRY(const auto algorithm, outer.next(der::sequence));
    CONCLAVE_TRY(const auto signature, outer.take(der::bit_string));
    CONCLAVE_CHECK(outer.end());
    CONCLAVE_TRY(out.signature, der::whole_bytes(signature));
    out.tbs = tbs.whole;
    out.algorithm = algorithm.whole;

    der::reader in(tbs.content);
    CONCLAVE_TRY(const auto version, in.take(der::integer));
    if (version.size() != 1 || version[0] != 1) return errc::malformed;
    CONCLAVE_TRY(const auto inner_algorithm, in.next(der::sequence));
    if (!equal(inner_algorithm.whole, out.algorithm)) return errc::malformed;
    CONCLAVE_TRY(const auto issuer, in.next(der::sequence));
    out.issuer = issuer.whole;
    CONCLAVE_TRY(const auto from, in.next());
    CONCLAVE_TRY(out.period.this_update, der::time(from));
    if (in.at(der::utc_time) || in.at(der::generalized_time)) {
      CONCLAVE_TRY(const auto until, in.next());
      CONCLAVE_TRY(out.period.next_update, der::time(until));
    }
    if (in.at(der::sequence)) {
      CONCLAVE_TRY(auto revoked, in.enter(der::sequence));
      while (!revoked.empty()) {
        CONCLAVE_TRY(auto one, revoked.enter(der::sequence));
        CONCLAVE_TRY(const auto serial, one.take(der::integer));
        CONCLAVE_CHECK(one.next());  // since when
        if (!one.empty()) {
          CONCLAVE_TRY(auto extensions, one.enter(der::sequence));
          CONCLAVE_CHECK(harmless(extensions));
        }
        CONCLAVE_CHECK(one.end());
        out.serials.push_back(serial);
      }
    }
    if (!in.empty()) {
      CONCLAVE_TRY(auto explicit_list, in.enter(der::nested(0)));
      CONCLAVE_TRY(auto extensions, explicit_list.enter(der::sequence));
      CONCLAVE_CHECK(explicit_list.end());
      CONCLAVE_CHECK(harmless(extensions));
    }
    CONCLAVE_CHECK(in.end());
    std::ranges::sort(out.serials, before);
    return out;
  }

  /// None is critical, and none makes the list one about less than all certificates of its issuer.
  [[nodiscard]] static status harmless(der::reader extensions) {
    static constexpr std::uint8_t delta[] = {0x55, 0x1d, 27}, partition[] = {0x55, 0x1d, 28};
    while (!extensions.empty()) {
      CONCLAVE_TRY(auto one, extensions.enter(der::sequence));
      CONCLAVE_TRY(const auto oid, one.take(der::object_identifier));
      CONCLAVE_TRY(const bool critical, der::true_or_absent(one));
      if (critical || equal(oid, delta) || equal(oid, partition)) return errc::refused;
    }
    return {};
  }
};

/// ocsp_entry: what a response says of one certificate. Views.
struct ocsp_entry {
  hash_id hash{};  ///< of the two below, which only name the issuer
  byte_view issuer_name_hash, issuer_key_hash, serial;
  enum class standing : std::uint8_t { good, unknown, revoked } status{};  ///< the worse, the higher
  x509::period period;
};

/// ocsp_response: a successful BasicOCSPResponse. Views.
struct ocsp_response {
  byte_view tbs, algorithm, signature;
  byte_view responder;  ///< the first certificate that comes with it; empty without one
  std::vector<ocsp_entry> entries;

  /// read(der): Errors: malformed, over_limit, refused (no answer).
  [[nodiscard]] static result<ocsp_response> read(byte_view der) {
    if (der.size() > limits::ocsp_response_bytes) return failure{errc::over_limit, rules::response_format};
    auto out = parse(der);
    if (!out) return failure{out.error().code(), rules::response_format};
    return out;
  }

 private:
  [[nodiscard]] static result<ocsp_response> parse(byte_view der) {
    using namespace std::string_view_literals;
    ocsp_response out;
    CONCLAVE_TRY(const auto whole, der::only(der, der::sequence));
    der::reader outermost(whole.content);
    CONCLAVE_TRY(const auto successful, outermost.take(der::enumerated));
    if (successful.size() != 1 || successful[0] != 0) return errc::refused;
    CONCLAVE_TRY(auto explicit_bytes, outermost.enter(der::nested(0)));
    CONCLAVE_CHECK(outermost.end());
    CONCLAVE_TRY(auto response_bytes, explicit_bytes.enter(der::sequence));
    CONCLAVE_CHECK(explicit_bytes.end());
    CONCLAVE_TRY(const auto type, response_bytes.take(der::object_identifier));
    if (as_text(type) != "\x2b\x06\x01\x05\x05\x07\x30\x01\x01"sv) return errc::malformed;  // id-pkix-ocsp-basic
    CONCLAVE_TRY(const auto basic, response_bytes.take(der::octet_string));
    CONCLAVE_CHECK(response_bytes.end());

    CONCLAVE_TRY(const auto signed_part, der::only(basic, der::sequence));
    der::reader outer(signed_part.content);
    CONCLAVE_TRY(const auto tbs, outer.next(der::sequence));
    CONCLAVE_TRY(const auto algorithm, outer.next(der::sequence));
    CONCLAVE_TRY(const auto signature, outer.take(der::bit_string));
    CONCLAVE_TRY(out.signature, der::whole_bytes(signature));
    out.tbs = tbs.whole;
    out.algorithm = algorithm.whole;
    if (!outer.empty()) {
      CONCLAVE_TRY(auto explicit_list, outer.enter(der::nested(0)));
      CONCLAVE_TRY(auto certificates, explicit_list.enter(der::sequence));
      CONCLAVE_CHECK(explicit_list.end());
      if (!certificates.empty()) {
        CONCLAVE_TRY(const auto first, certificates.next(der::sequence));
        out.responder = first.whole;
      }
    }
    CONCLAVE_CHECK(outer.end());

    der::reader in(tbs.content);
    if (!in.at(der::nested(1)) && !in.at(der::nested(2))) return errc::malformed;  // v1: no version
    CONCLAVE_CHECK(in.next());                                                     // responderID
    CONCLAVE_CHECK(in.next(der::generalized_time));                                // producedAt
    CONCLAVE_TRY(auto responses, in.enter(der::sequence));
    while (!responses.empty()) {
      if (out.entries.size() == limits::certificates) return errc::over_limit;
      CONCLAVE_TRY(auto one, responses.enter(der::sequence));
      CONCLAVE_TRY(auto entry, read_entry(one));
      out.entries.push_back(entry);
    }
    return out;
  }

  [[nodiscard]] static result<ocsp_entry> read_entry(der::reader& in) {
    using namespace std::string_view_literals;
    ocsp_entry out;
    CONCLAVE_TRY(auto id, in.enter(der::sequence));
    CONCLAVE_TRY(auto algorithm, id.enter(der::sequence));
    CONCLAVE_TRY(const auto hash, algorithm.take(der::object_identifier));
    if (as_text(hash) == "\x2b\x0e\x03\x02\x1a"sv)
      out.hash = hash_id::sha1;
    else if (as_text(hash) == "\x60\x86\x48\x01\x65\x03\x04\x02\x01"sv)
      out.hash = hash_id::sha256;
    else
      return errc::unsupported;
    CONCLAVE_TRY(out.issuer_name_hash, id.take(der::octet_string));
    CONCLAVE_TRY(out.issuer_key_hash, id.take(der::octet_string));
    CONCLAVE_TRY(out.serial, id.take(der::integer));
    CONCLAVE_CHECK(id.end());
    CONCLAVE_TRY(const auto state, in.next());
    switch (state.tag) {
      case der::context(0): out.status = ocsp_entry::standing::good; break;
      case der::nested(1): out.status = ocsp_entry::standing::revoked; break;
      case der::context(2): out.status = ocsp_entry::standing::unknown; break;
      default: return errc::malformed;
    }
    CONCLAVE_TRY(const auto from, in.next(der::generalized_time));
    CONCLAVE_TRY(out.period.this_update, der::time(from));
    if (in.at(der::nested(0))) {
      CONCLAVE_TRY(auto explicit_time, in.enter(der::nested(0)));
      CONCLAVE_TRY(const auto until, explicit_time.next(der::generalized_time));
      CONCLAVE_CHECK(explicit_time.end());
      CONCLAVE_TRY(out.period.next_update, der::time(until));
    }
    if (in.at(der::nested(1))) CONCLAVE_CHECK(in.next());  // archive cut-off and the like
    CONCLAVE_CHECK(in.end());
    return out;
  }
};

}  // namespace conclave::x509

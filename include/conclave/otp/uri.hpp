// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// otpauth URIs, which carry a shared secret into an authenticator by a QR code:
///
///     otpauth://totp/Issuer:account?secret=BASE32&issuer=Issuer&algorithm=SHA1&digits=6&period=30
///
/// Authenticators differ in what they read. What is made here is the form that all of them read: everything but
/// letters, digits and -._~ is encoded, the issuer stands in both places, nothing is left out. What is read may omit
/// what has a default, and carry parameters that are not known here; it may be nothing that two readers understand
/// differently.
#pragma once

#include <conclave/otp/base32.hpp>
#include <conclave/otp/totp.hpp>

#include <string>

namespace conclave::inline CONCLAVE_ABI::otp {

namespace rules {
inline constexpr rule uri_form{"this is no otpauth URI of kind totp", "Key URI format"};
inline constexpr rule uri_encoding{"a character that has to be encoded, or one that is encoded wrongly", "RFC 3986 2"};
inline constexpr rule uri_parameter{"a parameter of an otpauth URI twice, or with a value that it cannot have",
                                    "Key URI format"};
inline constexpr rule uri_issuer{"an otpauth URI names no issuer, or two", "Key URI format"};
inline constexpr rule label_text{
    "an issuer or account is empty, too long, or has colons, control characters, spaces at "
    "its ends or what is not UTF-8",
    "Key URI format"};
}  // namespace rules

/// label: who the secret is shared with, and for whom; UTF-8, to be shown by the authenticator.
struct label {
  std::string issuer, account;

  friend bool operator==(const label&, const label&) = default;
};

/// otpauth: what a URI says.
struct otpauth {
  otp::label label;
  shared_secret secret;
  otp::parameters parameters;
};

namespace detail {

/// is_printable_utf8(text): well-formed (RFC 3629, section 4), without control characters.
[[nodiscard]] constexpr bool is_printable_utf8(byte_view text) noexcept {
  for (std::size_t i = 0; i < text.size();) {
    const std::uint8_t lead = text[i];
    const std::size_t more = lead < 0x80 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    if ((lead >= 0x80 && lead < 0xc2) || lead > 0xf4 || text.size() - i <= more) return false;
    std::uint32_t value = more == 0 ? lead : lead & (0x3fU >> more);
    for (std::size_t k = 1; k <= more; ++k) {
      if ((text[i + k] & 0xc0U) != 0x80) return false;
      value = value << 6U | (text[i + k] & 0x3fU);
    }
    const bool overlong = (more == 2 && value < 0x800) || (more == 3 && value < 0x10000);
    const bool control = value < 0x20 || (value >= 0x7f && value < 0xa0);
    if (overlong || control || (value >= 0xd800 && value < 0xe000) || value > 0x10ffff) return false;
    i += more + 1;
  }
  return true;
}

[[nodiscard]] inline bool is_label_part(std::string_view text) noexcept {
  return !text.empty() && text.size() <= limits::otp_label_bytes && text.find(':') == std::string_view::npos &&
         text.front() != ' ' && text.back() != ' ' && is_printable_utf8(as_bytes(text));
}

[[nodiscard]] constexpr bool is_unreserved(std::uint8_t c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

/// percent_encode(out, text): appends (RFC 3986, section 2.1).
inline void percent_encode(secret_bytes& out, std::string_view text) {
  for (const char c : text) {
    const auto b = static_cast<std::uint8_t>(c);
    if (is_unreserved(b)) {
      out.push_back(b);
    } else {
      out.push_back('%');
      out.push_back(static_cast<std::uint8_t>("0123456789ABCDEF"[b >> 4U]));
      out.push_back(static_cast<std::uint8_t>("0123456789ABCDEF"[b & 15U]));
    }
  }
}

/// percent_decode(text): of a segment of a path, or a value of a query. What may stand there as it is: pchar (RFC 3986,
/// section 3.3) but for what parts parameters, and the plus, which some read as a space. Errors: malformed.
[[nodiscard]] inline result<std::string> percent_decode(std::string_view text) {
  constexpr std::string_view plain = "!$'()*,;:@";
  const auto digit = [](char c) -> unsigned {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
    return 16;
  };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      if (!is_unreserved(static_cast<std::uint8_t>(text[i])) && plain.find(text[i]) == std::string_view::npos)
        return failure{errc::malformed, rules::uri_encoding};
      out.push_back(text[i]);
      continue;
    }
    if (text.size() - i < 3 || digit(text[i + 1]) > 15 || digit(text[i + 2]) > 15)
      return failure{errc::malformed, rules::uri_encoding};
    out.push_back(static_cast<char>(digit(text[i + 1]) << 4U | digit(text[i + 2])));
    i += 2;
  }
  return out;
}

[[nodiscard]] constexpr std::string_view name_of(algorithm a) noexcept {
  switch (a) {
    case algorithm::sha1: return "SHA1";
    case algorithm::sha256: return "SHA256";
    case algorithm::sha512: break;
  }
  return "SHA512";
}

}  // namespace detail

/// make_uri(label, secret, parameters): at most limits::otp_uri_bytes, ASCII. It holds the secret: show it to the
/// person who enrols, and keep it out of logs. Errors: refused.
[[nodiscard]] inline result<secret_bytes> make_uri(const label& who, const shared_secret& k, const parameters& p) {
  if (!detail::is_label_part(who.issuer) || !detail::is_label_part(who.account))
    return failure{errc::refused, rules::label_text};
  CONCLAVE_CHECK(check(k));
  CONCLAVE_CHECK(p.check());
  secret_bytes out;
  out.reserve(256);  // most of them: it need not move
  const auto put = [&](std::string_view text) { out.insert(out.end(), text.begin(), text.end()); };
  put("otpauth://totp/");
  detail::percent_encode(out, who.issuer);
  put(":");
  detail::percent_encode(out, who.account);
  put("?secret=");
  const std::size_t start = out.size();
  out.resize(start + base32_size(k.size()));
  CONCLAVE_CHECK(base32_encode(k.reveal(), byte_span{out}.subspan(start)));
  put("&issuer=");
  detail::percent_encode(out, who.issuer);
  put("&algorithm=");
  put(detail::name_of(p.algorithm));
  put(p.digits == 6 ? "&digits=6" : "&digits=8");
  put("&period=");
  put(std::to_string(p.period.count()));
  return out;
}

namespace detail {

/// uri_reader: collects the parameters of a query, each at most once.
class uri_reader {
 public:
  [[nodiscard]] status parameter(std::string_view name, std::string_view text) {
    if (name == "secret") return once(secret_, text);
    if (name == "issuer") return once(issuer_, text);
    if (name == "algorithm") return once(algorithm_, text);
    if (name == "digits") return once(digits_, text);
    if (name == "period") return once(period_, text);
    // one that others would take for one of these, because it is encoded or in capitals, is refused
    const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; };
    if (name.empty() || !std::ranges::all_of(name, plain)) return failure{errc::malformed, rules::uri_parameter};
    CONCLAVE_CHECK(percent_decode(text));
    return {};
  }

  [[nodiscard]] result<otpauth> finish(std::string_view path) const {
    otpauth out;
    CONCLAVE_CHECK(read_label(path, out.label));
    CONCLAVE_CHECK(read_secret(out.secret));
    CONCLAVE_CHECK(read_parameters(out.parameters));
    return out;
  }

 private:
  using value = std::optional<std::string_view>;

  [[nodiscard]] static status once(value& into, std::string_view text) {
    if (into) return failure{errc::malformed, rules::uri_parameter};
    into = text;
    return {};
  }

  // label = [issuer (":" / "%3A") *"%20"] account
  [[nodiscard]] status read_label(std::string_view path, label& out) const {
    CONCLAVE_TRY(std::string text, percent_decode(path));
    std::optional<std::string> prefix;
    if (const auto colon = text.find(':'); colon != std::string::npos) {
      prefix = text.substr(0, colon);
      text.erase(0, std::min(text.find_first_not_of(' ', colon + 1), text.size()));
    }
    if (issuer_) {
      CONCLAVE_TRY(out.issuer, percent_decode(*issuer_));
      if (prefix && *prefix != out.issuer) return failure{errc::malformed, rules::uri_issuer};
    } else if (prefix) {
      out.issuer = *std::move(prefix);
    } else {
      return failure{errc::malformed, rules::uri_issuer};
    }
    out.account = std::move(text);
    if (!is_label_part(out.issuer) || !is_label_part(out.account)) return failure{errc::malformed, rules::label_text};
    return {};
  }

  [[nodiscard]] status read_secret(shared_secret& out) const {
    if (!secret_) return failure{errc::malformed, rules::uri_parameter};
    if (base32_bytes(secret_->size()) > shared_secret::capacity) return failure{errc::refused, rules::secret_size};
    shared_secret k(base32_bytes(secret_->size()));
    CONCLAVE_CHECK(base32_decode(as_bytes(*secret_), k.writable()));
    CONCLAVE_CHECK(check(k));
    out = std::move(k);
    return {};
  }

  [[nodiscard]] status read_parameters(parameters& out) const {
    if (algorithm_) {
      const auto known = {algorithm::sha1, algorithm::sha256, algorithm::sha512};
      const auto* const found = std::ranges::find(known, *algorithm_, name_of);
      if (found == known.end()) return failure{errc::malformed, rules::uri_parameter};
      out.algorithm = *found;
    }
    if (digits_) {
      if (*digits_ != "6" && *digits_ != "8") return failure{errc::malformed, rules::uri_parameter};
      out.digits = *digits_ == "6" ? 6 : 8;
    }
    if (period_) {
      const auto decimal = [](char c) { return c >= '0' && c <= '9'; };
      if (period_->size() != 2 || !std::ranges::all_of(*period_, decimal) || period_->front() == '0')
        return failure{errc::malformed, rules::uri_parameter};
      out.period = std::chrono::seconds{((*period_)[0] - '0') * 10 + ((*period_)[1] - '0')};
    }
    return out.check();
  }

  value secret_, issuer_, algorithm_, digits_, period_;
};

}  // namespace detail

/// read_uri(text): Errors: malformed; refused for secrets and parameters that are not served; over_limit (size).
[[nodiscard]] inline result<otpauth> read_uri(std::string_view text) {
  constexpr std::string_view start = "otpauth://totp/";
  static_assert(limits::otp_period_least.count() >= 10 && limits::otp_period_most.count() <= 99, "two digits are read");
  if (text.size() > limits::otp_uri_bytes) return failure{errc::over_limit, rules::uri_form};
  if (!text.starts_with(start)) return failure{errc::malformed, rules::uri_form};
  text.remove_prefix(start.size());
  const std::size_t question = text.find('?');
  if (question == std::string_view::npos) return failure{errc::malformed, rules::uri_form};
  detail::uri_reader out;
  for (std::string_view query = text.substr(question + 1);;) {
    const std::string_view one = query.substr(0, query.find('&'));
    const std::size_t equals = one.find('=');
    if (equals == std::string_view::npos) return failure{errc::malformed, rules::uri_form};
    CONCLAVE_CHECK(out.parameter(one.substr(0, equals), one.substr(equals + 1)));
    if (one.size() == query.size()) break;
    query.remove_prefix(one.size() + 1);
  }
  return out.finish(text.substr(0, question));
}

}  // namespace conclave::otp

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What "show certificate" shows. All of it is safe to print: nothing in it hides or turns text around.
#pragma once

#include <conclave/crypto/provider.hpp>
#include <conclave/identity/names.hpp>

#include <string>

namespace conclave::inline CONCLAVE_ABI::x509 {

struct certificate_details {
  std::string subject, issuer;     ///< as in RFC 4514, the most general part last
  std::vector<std::string> names;  ///< the alternative names, "email:alice@example.org" and the like
  unix_time not_before{}, not_after{};
  std::string serial;       ///< hexadecimal
  std::string fingerprint;  ///< SHA-256 of the certificate, hexadecimal, with colons
  std::string key;          ///< "Ed25519", "ECDSA P-256", "RSA"
};

namespace detail {

[[nodiscard]] inline std::string hexadecimal(byte_view in, std::string_view between = {}) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const std::uint8_t b : in) {
    if (!out.empty()) out += between;
    out += digits[b >> 4U];
    out += digits[b & 15U];
  }
  return out;
}

/// code_point(in): the first one of UTF-8, and how many bytes it has; 0 bytes where it is none.
[[nodiscard]] inline std::pair<std::uint32_t, std::size_t> code_point(byte_view in) noexcept {
  const std::uint8_t first = in[0];
  const std::size_t n = first < 0x80   ? 1
                        : first < 0xc2 ? 0
                        : first < 0xe0 ? 2
                        : first < 0xf0 ? 3
                        : first < 0xf5 ? 4
                                       : 0;
  if (n == 0 || in.size() < n) return {0, 0};
  std::uint32_t c = n == 1 ? first : first & (0x7fU >> n);
  for (std::size_t i = 1; i < n; ++i) {
    if ((in[i] & 0xc0U) != 0x80) return {0, 0};
    c = c << 6U | (in[i] & 0x3fU);
  }
  static constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) return {0, 0};
  return {c, n};
}

/// is_hidden(c): a control, something that turns text around, or something that leaves no trace: what Unicode calls
/// Default_Ignorable_Code_Point, and the blank of Braille.
[[nodiscard]] inline bool is_hidden(std::uint32_t c) noexcept {
  static constexpr std::pair<std::uint32_t, std::uint32_t> ranges[] = {
      {0, 0x1f},        {0x7f, 0x9f},     {0xad, 0xad},       {0x34f, 0x34f},     {0x61c, 0x61c},
      {0x115f, 0x1160}, {0x17b4, 0x17b5}, {0x180b, 0x180f},   {0x200b, 0x200f},   {0x2028, 0x202e},
      {0x2060, 0x206f}, {0x2800, 0x2800}, {0x3164, 0x3164},   {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},
      {0xffa0, 0xffa0}, {0xfff0, 0xffff}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0x10ffff},
  };
  return std::ranges::any_of(ranges, [&](const auto& range) { return c >= range.first && c <= range.second; });
}

/// printable(text): with everything escaped that is not UTF-8, or hidden.
[[nodiscard]] inline std::string printable(byte_view text) {
  std::string out;
  while (!text.empty()) {
    const auto [c, n] = code_point(text);
    const bool odd = n == 0 || is_hidden(c);
    const byte_view all = text.first(n == 0 ? 1 : n);
    if (odd)
      for (const std::uint8_t b : all) out += '\\' + hexadecimal({&b, 1});
    else
      out += as_text(all);
    text = text.subspan(all.size());
  }
  return out;
}

/// dotted(oid): as in 2.5.4.3.
[[nodiscard]] inline std::string dotted(byte_view oid) {
  std::string out;
  std::uint64_t arc = 0;
  for (const std::uint8_t b : oid) {
    arc = arc << 7U | (b & 0x7fU);
    if (b >= 0x80) continue;
    if (out.empty()) {
      const std::uint64_t first = std::min<std::uint64_t>(arc / 40, 2);
      out = std::to_string(first) + '.' + std::to_string(arc - 40 * first);
    } else {
      out += '.' + std::to_string(arc);
    }
    arc = 0;
  }
  return out;
}

[[nodiscard]] inline std::string attribute_name(byte_view oid) {
  static constexpr std::pair<std::uint8_t, const char*> id_at[] = {{3, "CN"},     {6, "C"},  {7, "L"},  {8, "ST"},
                                                                   {9, "STREET"}, {10, "O"}, {11, "OU"}};
  if (oid.size() == 3 && oid[0] == 0x55 && oid[1] == 4)
    for (const auto& [number, text] : id_at)
      if (oid[2] == number) return text;
  return dotted(oid);
}

}  // namespace detail

/// name_text(name): the DER of a Name as text. Errors: malformed.
[[nodiscard]] inline result<std::string> name_text(byte_view name) {
  std::string out;
  CONCLAVE_TRY(const auto all, der::only(name, der::sequence));
  der::reader in(all.content);
  while (!in.empty()) {
    CONCLAVE_TRY(auto set, in.enter(der::set));
    std::string part;
    while (!set.empty()) {
      CONCLAVE_TRY(const auto one, attribute::read(set));
      const der::element& value = one.value;
      const bool text =
          value.tag == der::utf8_string || value.tag == der::printable_string || value.tag == der::ia5_string;
      if (!part.empty()) part += '+';
      part += detail::attribute_name(one.type) + '=';
      if (!text) {
        part += '#' + detail::hexadecimal(value.whole);
        continue;
      }
      for (const char c : detail::printable(value.content)) {
        if (std::string_view(",+\"<>;=").find(c) != std::string_view::npos) part += '\\';
        part += c;
      }
    }
    out = part + (out.empty() ? "" : ",") + out;
  }
  return out;
}

/// details_of(certificate): Errors: malformed, over_limit.
template <crypto_provider P = default_provider>
[[nodiscard]] result<certificate_details> details_of(const certificate& c) {
  certificate_details out;
  CONCLAVE_TRY(out.subject, name_text(c.subject));
  CONCLAVE_TRY(out.issuer, name_text(c.issuer));
  CONCLAVE_TRY(const auto names, names_of(c.alternative_names));
  for (const general_name& n : names) {
    switch (n.form) {
      case name_form::email: out.names.push_back("email:" + detail::printable(n.value)); break;
      case name_form::dns: out.names.push_back("dns:" + detail::printable(n.value)); break;
      case name_form::uri: out.names.push_back("uri:" + detail::printable(n.value)); break;
      case name_form::directory: {
        CONCLAVE_TRY(auto text, name_text(n.value));
        out.names.push_back("directory:" + std::move(text));
        break;
      }
      default: out.names.push_back("other:" + detail::hexadecimal(n.value));
    }
  }
  out.not_before = c.not_before;
  out.not_after = c.not_after;
  out.serial = detail::hexadecimal(c.serial.subspan(c.serial.size() > 1 && c.serial[0] == 0 ? 1 : 0));
  digest hash(hash_size(hash_id::sha256));
  P::hash(hash_id::sha256, byte_parts{&c.der, 1}, hash.writable());
  out.fingerprint = detail::hexadecimal(hash.view(), ":");
  out.key = [&] {
    if (!c.key.scheme) return "RSA";
    switch (*c.key.scheme) {
      case signature_scheme::ed25519: return "Ed25519";
      case signature_scheme::ed448: return "Ed448";
      case signature_scheme::ecdsa_secp256r1_sha256: return "ECDSA P-256";
      case signature_scheme::ecdsa_secp384r1_sha384: return "ECDSA P-384";
      case signature_scheme::ecdsa_secp521r1_sha512: return "ECDSA P-521";
    }
    return "";
  }();
  return out;
}

}  // namespace conclave::x509

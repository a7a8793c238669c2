// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// GeneralNames, and which of them an authority may vouch for (RFC 5280, sections 4.2.1.6 and 4.2.1.10).
#pragma once

#include <conclave/identity/certificate.hpp>

#include <string>

namespace conclave::inline CONCLAVE_ABI::x509 {

/// name_form: the kinds of a GeneralName that are evaluated, by their tags.
enum class name_form : std::uint8_t {
  email = der::context(1),     ///< rfc822Name
  dns = der::context(2),       ///< dNSName
  directory = der::nested(4),  ///< directoryName
  uri = der::context(6),       ///< uniformResourceIdentifier
};

/// general_name: one of any kind; `form` is its tag.
struct general_name {
  name_form form{};
  byte_view value;
};

/// names_of(list): at most limits::certificate_names of them. Errors: malformed, over_limit.
[[nodiscard]] inline result<std::vector<general_name>> names_of(byte_view list) {
  std::vector<general_name> out;
  der::reader in(list);
  while (!in.empty()) {
    CONCLAVE_TRY(const auto e, in.next());
    if (out.size() == limits::certificate_names) return failure{errc::over_limit, rules::certificate_size};
    out.push_back({static_cast<name_form>(e.tag), e.content});
  }
  return out;
}

/// is_plain(text): visible ASCII, and something.
[[nodiscard]] inline bool is_plain(byte_view text) noexcept {
  return !text.empty() && std::ranges::all_of(text, [](std::uint8_t c) { return c > 0x20 && c < 0x7f; });
}
[[nodiscard]] inline std::string lower_case(std::string_view text) {
  std::string out{text};
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

/// is_host(text): labels with dots between them, as in RFC 1123, section 2.1, and underscores; so no dot at its end, which
/// would make another text of the same host.
[[nodiscard]] constexpr bool is_host(std::string_view text) noexcept {
  char before = '.';
  for (const char c : text) {
    const bool of_label =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    if (!of_label && (c != '.' || before == '.')) return false;
    before = c;
  }
  return before != '.';
}

/// mailbox: an e-mail address whose host is in lower case.
struct mailbox {
  std::string_view local;
  std::string host;

  [[nodiscard]] static std::optional<mailbox> of(std::string_view address) {
    const std::size_t at = address.rfind('@');
    if (at == std::string_view::npos || at == 0 || !is_host(address.substr(at + 1))) return std::nullopt;
    if (address.find('@') != at) return std::nullopt;  // a quoted local part: nobody's
    return mailbox{address.substr(0, at), lower_case(address.substr(at + 1))};
  }
};

/// host_of(uri): the host of its authority, in lower case (RFC 3986, section 3.2); none without one, or where it is an
/// address.
[[nodiscard]] inline std::optional<std::string> host_of(std::string_view uri) {
  const std::size_t colon = uri.find(':');
  if (colon == std::string_view::npos || uri.substr(colon + 1, 2) != "//") return std::nullopt;
  std::string_view host = uri.substr(colon + 3);
  host = host.substr(0, host.find_first_of("/?#"));
  if (const auto at = host.rfind('@'); at != std::string_view::npos) host = host.substr(at + 1);
  host = host.substr(0, host.find(':'));
  if (host.empty() || (host.back() >= '0' && host.back() <= '9')) return std::nullopt;
  return lower_case(host);
}

/// attribute: one of a RelativeDistinguishedName. Views.
struct attribute {
  byte_view type;
  der::element value;

  /// read(rdn): the next one. Errors: malformed.
  [[nodiscard]] static result<attribute> read(der::reader& rdn) {
    attribute out;
    CONCLAVE_TRY(auto pair, rdn.enter(der::sequence));
    CONCLAVE_TRY(out.type, pair.take(der::object_identifier));
    CONCLAVE_TRY(out.value, pair.next());
    CONCLAVE_CHECK(pair.end());
    return out;
  }

  /// same_value(other): as RFC 5280, section 7.1, compares them, except that only ASCII is folded; nothing where that
  /// cannot be said, because the two are different and one of them is no text in UTF-8 or ASCII.
  [[nodiscard]] std::optional<bool> same_value(const attribute& other) const {
    if (equal(value.whole, other.value.whole)) return true;
    if (!is_text() || !other.is_text()) return std::nullopt;
    return folded(value.content) == folded(other.value.content);
  }

 private:
  [[nodiscard]] bool is_text() const noexcept {
    if (value.tag == der::utf8_string) return true;
    return (value.tag == der::printable_string || value.tag == der::ia5_string) &&
           std::ranges::all_of(value.content, [](std::uint8_t c) { return c < 0x80; });
  }
  /// In lower case, without spaces at the ends, and with one where there are several.
  [[nodiscard]] static std::string folded(byte_view text) {
    std::string out;
    for (const char c : as_text(text)) {
      const bool space = c == ' ' || (c >= '\t' && c <= '\r');
      if (!space)
        out += c;
      else if (!out.empty() && out.back() != ' ')
        out += ' ';
    }
    if (out.ends_with(' ')) out.pop_back();
    return lower_case(out);
  }
};

/// relative_name: a RelativeDistinguishedName whose attributes can be compared: there are some, not too many, and no
/// two of a type.
struct relative_name {
  std::vector<attribute> attributes;

  /// read(name): the next one of a Name. Errors: malformed, over_limit.
  [[nodiscard]] static result<relative_name> read(der::reader& name) {
    relative_name out;
    CONCLAVE_TRY(auto set, name.enter(der::set));
    do {
      CONCLAVE_TRY(const auto one, attribute::read(set));
      if (out.attributes.size() == limits::name_attributes) return errc::over_limit;
      if (out.of(one.type) != nullptr) return errc::malformed;
      out.attributes.push_back(one);
    } while (!set.empty());
    return out;
  }

  /// is(other): attribute by attribute, in any order; nothing where that cannot be said.
  [[nodiscard]] std::optional<bool> is(const relative_name& other) const {
    if (attributes.size() != other.attributes.size()) return false;
    std::optional<bool> out = true;
    for (const attribute& a : attributes) {
      const attribute* const b = other.of(a.type);
      const auto same = b != nullptr ? a.same_value(*b) : false;
      if (same == false) return false;
      if (!same) out.reset();
    }
    return out;
  }

 private:
  [[nodiscard]] const attribute* of(byte_view type) const {
    const auto at = std::ranges::find_if(attributes, [&](const attribute& a) { return equal(a.type, type); });
    return at != attributes.end() ? &*at : nullptr;
  }
};

/// name_below(name, limit): the Name begins with this one (RFC 5280, section 4.2.1.10); nothing where that cannot be
/// said.
[[nodiscard]] inline std::optional<bool> name_below(byte_view name, byte_view limit) {
  const auto all = der::only(name, der::sequence), first = der::only(limit, der::sequence);
  if (!all || !first) return std::nullopt;
  std::optional<bool> out = true;
  der::reader of_name(all->content), of_limit(first->content);
  while (!of_limit.empty()) {
    if (of_name.empty()) return false;
    const auto a = relative_name::read(of_name), b = relative_name::read(of_limit);
    if (!a || !b) return std::nullopt;
    const auto same = a->is(*b);
    if (same == false) return false;
    if (!same) out.reset();
  }
  return out;
}

/// name_constraint: one base of a GeneralSubtree.
struct name_constraint {
  general_name base;

  /// covers(name): a name of its own form is below it; nothing where that cannot be said.
  [[nodiscard]] std::optional<bool> covers(const general_name& name) const {
    const std::string_view limit = as_text(base.value), value = as_text(name.value);
    switch (base.form) {
      case name_form::email: {
        const auto address = is_plain(name.value) ? mailbox::of(value) : std::nullopt;
        if (!address) return std::nullopt;
        if (const auto one = mailbox::of(limit)) return one->local == address->local && one->host == address->host;
        return host_below(address->host, limit, false);
      }
      case name_form::uri: {
        const auto host = is_plain(name.value) ? host_of(value) : std::nullopt;
        if (!host) return std::nullopt;
        return host_below(*host, limit, false);
      }
      case name_form::dns: return host_below(lower_case(value), limit, true);
      case name_form::directory: return name_below(name.value, base.value);
    }
    return std::nullopt;
  }

 private:
  /// A limit with a dot in front is about hosts below it; another one about that host, and for dNSNames those below it
  /// too. An empty one is about all hosts of dNSNames, and has no meaning for the others (RFC 5280 4.2.1.10).
  [[nodiscard]] static std::optional<bool> host_below(const std::string& host, std::string_view limit, bool of_dns) {
    const bool wildcard = of_dns && host.starts_with("*.");
    if (!is_host(std::string_view{host}.substr(wildcard ? 2 : 0))) return std::nullopt;
    if (limit.empty()) return of_dns ? std::optional{true} : std::nullopt;
    const bool below_alone = limit[0] == '.';
    if (!is_host(limit.substr(below_alone ? 1 : 0))) return std::nullopt;
    const std::string wanted = lower_case(limit);
    if (below_alone) return host.size() > wanted.size() && host.ends_with(wanted);
    return host == wanted || (of_dns && host.ends_with('.' + wanted));
  }
};

/// name_constraints: those of one authority.
struct name_constraints {
  std::vector<name_constraint> permitted, excluded;

  [[nodiscard]] static result<name_constraints> read(byte_view extension) {
    name_constraints out;
    der::reader in(extension);
    for (const unsigned n : {0U, 1U}) {
      if (!in.at(der::nested(n))) continue;
      CONCLAVE_TRY(auto list, in.enter(der::nested(n)));
      auto& into = n == 0 ? out.permitted : out.excluded;
      while (!list.empty()) {
        if (into.size() == limits::certificate_names) return failure{errc::over_limit, rules::certificate_size};
        CONCLAVE_TRY(auto subtree, list.enter(der::sequence));
        CONCLAVE_TRY(const auto base, subtree.next());
        CONCLAVE_CHECK(subtree.end());  // minimum and maximum: not used in certificates
        into.push_back({{static_cast<name_form>(base.tag), base.content}});
      }
    }
    CONCLAVE_CHECK(in.end());
    return out;
  }

  /// allow(name): what cannot be evaluated is not allowed.
  [[nodiscard]] bool allow(const general_name& name) const {
    for (const name_constraint& c : excluded)
      if (c.base.form == name.form && c.covers(name).value_or(true)) return false;
    bool limited = false, inside = false;
    for (const name_constraint& c : permitted) {
      if (c.base.form != name.form) continue;
      limited = true;
      inside = inside || c.covers(name).value_or(false);
    }
    return !limited || inside;
  }
};

/// constrained_names(certificate): all that name constraints are about: the alternative names, the subject, and
/// e-mail addresses in it.
[[nodiscard]] inline result<std::vector<general_name>> constrained_names(const certificate& c) {
  static constexpr std::uint8_t email_address[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1};
  CONCLAVE_TRY(auto out, names_of(c.alternative_names));
  CONCLAVE_TRY(const auto subject, der::only(c.subject, der::sequence));
  if (!subject.content.empty()) out.push_back({name_form::directory, c.subject});
  der::reader in(subject.content);
  while (!in.empty()) {
    CONCLAVE_TRY(auto set, in.enter(der::set));
    while (!set.empty()) {
      CONCLAVE_TRY(const auto one, attribute::read(set));
      if (equal(one.type, email_address)) out.push_back({name_form::email, one.value.content});
    }
  }
  return out;
}

/// identity_of(certificate, form): the one alternative name of this form, with its host in lower case. Errors: refused
/// with one_identity or plain_identity.
[[nodiscard]] inline result<std::string> identity_of(const certificate& c, name_form form) {
  CONCLAVE_TRY(const auto names, names_of(c.alternative_names));
  std::optional<std::string_view> found;
  for (const general_name& n : names) {
    if (n.form != form) continue;
    if (found) return failure{errc::refused, rules::one_identity};
    found = as_text(n.value);
  }
  if (!found) return failure{errc::refused, rules::one_identity};
  const bool plain = is_plain(as_bytes(*found)) && found->size() <= limits::name_bytes;
  if (plain && form == name_form::email)
    if (const auto address = mailbox::of(*found); address) return std::string{address->local} + '@' + address->host;
  if (plain && form == name_form::dns && is_host(*found)) return lower_case(*found);
  if (plain && form == name_form::uri && found->find(':') != std::string_view::npos) return std::string{*found};
  return failure{errc::refused, rules::plain_identity};
}

}  // namespace conclave::x509

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Chains of certificates by an authority that signs anything. The input is a script that takes a chain in order and says
/// what is odd about it: times, names, constraints, usages, extensions, keys, issuers, the order, or bytes of a
/// certificate. The oracle is OpenSSL: a member that is verified has a chain that OpenSSL verifies too; and where only
/// OpenSSL does, it has left out a certificate, or it is for one of the rules that are stricter here, listed below.
#include "../tests/identity/authority.hpp"
#include "support/oracle.hpp"

#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

namespace {

using namespace identity_test;
using conclave_fuzz::edit, conclave_fuzz::require, conclave_fuzz::script;

constexpr std::string_view alice = "alice@example.org";
constexpr auto ed25519 = signature_scheme::ed25519;

/// What OpenSSL does not ask for (tests/identity/openssl.hpp says why); it also reads some certificates that are no DER,
/// Botan, which is asked too, refuses some that it takes, and constraints that cannot be evaluated allow nothing. Of
/// critical extensions it understands some more, policies among them.
bool stricter(const rule* broken) {
  const std::array rules{&rules::leaf_key,
                         &rules::leaf_not_ca,
                         &rules::leaf_key_usage,
                         &rules::one_identity,
                         &rules::plain_identity,
                         &rules::chain_length,
                         &rules::name_chain,
                         &rules::certificate_size,
                         &rules::certificate_format,
                         &rules::one_of_each_extension,
                         &rules::second_opinion,
                         &rules::name_constraints,
                         &rules::leaf_not_self_signed,
                         &rules::known_critical_extensions};
  return std::ranges::find(rules, broken) != rules.end();
}

struct x509_deleter {
  void operator()(X509* c) const { X509_free(c); }
  void operator()(X509_STORE* s) const { X509_STORE_free(s); }
  void operator()(X509_STORE_CTX* s) const { X509_STORE_CTX_free(s); }
  void operator()(STACK_OF(X509) * s) const { sk_X509_pop_free(s, X509_free); }
};
template <class T>
using owned = std::unique_ptr<T, x509_deleter>;

owned<X509> parsed(byte_view der) {
  const unsigned char* at = der.data();
  owned<X509> out{d2i_X509(nullptr, &at, static_cast<long>(der.size()))};
  if (out && at != der.data() + der.size()) out.reset();
  return out;
}

/// What OpenSSL is wrong about, or asks for in vain: the last second is part of the period (RFC 5280 4.1.2.5), and key
/// identifiers are no part of validation.
int forgive(int good, X509_STORE_CTX* work) {
  const int error = X509_STORE_CTX_get_error(work);
  if (good == 1 || error == X509_V_ERR_MISSING_SUBJECT_KEY_IDENTIFIER ||
      error == X509_V_ERR_MISSING_AUTHORITY_KEY_IDENTIFIER)
    return 1;
  if (error != X509_V_ERR_CERT_HAS_EXPIRED) return 0;
  const time_t when = X509_VERIFY_PARAM_get_time(X509_STORE_CTX_get0_param(work));
  return ASN1_TIME_cmp_time_t(X509_get0_notAfter(X509_STORE_CTX_get_current_cert(work)), when) == 0 ? 1 : 0;
}

/// opinion: OpenSSL's. It looks for a path of its own among the certificates; `in_order`: the one it took is what was shown.
struct opinion {
  bool takes = false, in_order = false;
};

opinion opinion_of_openssl(const bytes& root, const std::vector<bytes>& chain, unix_time when,
                           std::optional<std::string_view> expected, int purpose) {
  const owned<X509> anchor = parsed(root), leaf = parsed(chain[0]);
  if (!anchor || !leaf) return {};
  const owned<STACK_OF(X509)> others{sk_X509_new_null()};
  for (std::size_t i = 1; i < chain.size(); ++i) {
    owned<X509> c = parsed(chain[i]);
    if (!c) return {};
    sk_X509_push(others.get(), c.release());
  }
  const owned<X509_STORE> store{X509_STORE_new()};
  X509_STORE_add_cert(store.get(), anchor.get());
  const owned<X509_STORE_CTX> work{X509_STORE_CTX_new()};
  require(X509_STORE_CTX_init(work.get(), store.get(), leaf.get(), others.get()) == 1, "OpenSSL is not ready");
  X509_VERIFY_PARAM* const how = X509_STORE_CTX_get0_param(work.get());
  X509_VERIFY_PARAM_set_flags(how, X509_V_FLAG_X509_STRICT);
  X509_VERIFY_PARAM_set_auth_level(how, 2);
  X509_VERIFY_PARAM_set_purpose(how, purpose);
  X509_VERIFY_PARAM_set_time(how, static_cast<time_t>(when.time_since_epoch().count()));
  X509_STORE_CTX_set_verify_cb(work.get(), forgive);
  if (expected) X509_VERIFY_PARAM_set1_email(how, expected->data(), expected->size());
  if (X509_verify_cert(work.get()) != 1) return {};
  const STACK_OF(X509)* const path = X509_STORE_CTX_get0_chain(work.get());
  const int shown = sk_X509_num(others.get());
  bool in_order = sk_X509_num(path) > shown;
  for (int i = 0; in_order && i < shown; ++i)
    in_order = X509_cmp(sk_X509_value(path, i + 1), sk_X509_value(others.get(), i)) == 0;
  return {true, in_order};
}

/// Key identifiers help to find an issuer and are no part of validation (RFC 5280 4.2.1.1, 6.1); to OpenSSL, an issuer whose
/// identifier is another one is none, and an anchor has to be its own.
bool identifiers_differ(const bytes& root, const std::vector<bytes>& chain) {
  const auto differ = [](const bytes& subject, const bytes& issuer) {
    const owned<X509> s = parsed(subject), i = parsed(issuer);
    return s && i && X509_check_issued(i.get(), s.get()) == X509_V_ERR_AKID_SKID_MISMATCH;
  };
  for (std::size_t i = 0; i + 1 < chain.size(); ++i)
    if (differ(chain[i], chain[i + 1])) return true;
  return differ(chain.back(), root) || differ(root, root);
}

/// decodes(c, nid): the extension is what OpenSSL takes it for, or is not there.
bool decodes(const X509* c, int nid) {
  const int at = X509_get_ext_by_NID(c, nid, -1);
  if (at < 0) return true;
  void* const value = X509V3_EXT_d2i(X509_get_ext(c, at));
  if (value == nullptr) return false;
  ASN1_item_free(static_cast<ASN1_VALUE*>(value), ASN1_ITEM_ptr(X509V3_EXT_get_nid(nid)->it));
  return true;
}

/// OpenSSL takes no certificate where an extension is invalid that it reads, and nobody here.
bool an_unread_extension_is_invalid(const bytes& root, const std::vector<bytes>& chain) {
  const auto has_one = [](const bytes& der) {
    const owned<X509> c = parsed(der);
    if (!c || (X509_get_extension_flags(c.get()) & EXFLAG_INVALID) == 0) return false;
    // of these it also asks for more than that they can be decoded
    if (X509_get_ext_by_NID(c.get(), NID_crl_distribution_points, -1) >= 0) return true;
    const int others[] = {NID_subject_key_identifier, NID_authority_key_identifier, NID_netscape_cert_type,
                          NID_proxyCertInfo,          NID_sbgp_ipAddrBlock,         NID_sbgp_autonomousSysNum};
    return !std::ranges::all_of(others, [&](int nid) { return decodes(c.get(), nid); });
  };
  return has_one(root) || std::ranges::any_of(chain, has_one);
}

/// The drafts of a chain in order, made once: keys cost time.
struct stage {
  draft root = an_authority("root", ed25519), authority = an_authority("authority", ed25519), member = a_member(alice),
        second = an_authority("second", ed25519);
};
const stage& scenery() {
  static const stage all;
  return all;
}

std::string any_address(script& in) {
  constexpr std::string_view some[] = {
      alice, "alice@sub.example.org", "bob@example.com", "Alice@EXAMPLE.org", "alice@example.org.", "@example.org",
      "",    "*@example.org"};
  return std::string{some[in.byte() % 8]};
}
std::string any_host(script& in) {
  constexpr std::string_view some[] = {
      "example.org", ".example.org", "sub.example.org", "example.com", "EXAMPLE.org", "", "*.example.org", "org"};
  return std::string{some[in.byte() % 8]};
}
/// An attribute of a directory name, in one spelling or another.
bytes any_spelling(script& in) {
  const std::uint8_t n = in.byte();
  constexpr std::string_view texts[] = {"a member",  "authority", "A  Member", " Authority ",
                                        "a\tmember", "b member",  "\xc3\xa9",  "\xe9"};
  constexpr std::uint8_t tags[] = {der::utf8_string, der::printable_string, der::ia5_string, 0x14};
  // what is no UTF-8 is no certificate to OpenSSL
  const bool latin = n % 8 == 7;
  return seq(
      {oid({0x55, 4, static_cast<std::uint8_t>(n < 128 ? 3 : 11)}), tlv(tags[latin ? 1 : n / 8 % 4], texts[n % 8])});
}
/// A Name whose texts are written in one way or another, with one relative name or several attributes in it.
bytes any_directory(script& in) {
  const std::uint8_t shape = in.byte() % 4;
  const bytes first = any_spelling(in);
  if (shape < 2) return seq({tlv(der::set, first)});
  const bytes second = any_spelling(in);
  return shape == 2 ? seq({tlv(der::set, first), tlv(der::set, second)})
                    : seq({tlv(der::set, joined({first, second}))});
}
bytes any_name(script& in) {
  switch (in.byte() % 8) {
    case 0: return dns(any_host(in));
    case 1: return uri("sip:" + any_address(in));
    case 2: return uri("https://" + any_host(in) + "/x");
    case 3: {
      const std::uint8_t which = in.byte();
      if (which >= 128) return tlv(der::nested(4), any_directory(in));
      return directory(which % 2 == 0 ? "a member" : "authority");
    }
    case 4: return tlv(der::context(7), to_bytes(in.take(in.byte() % 2 == 0 ? 4 : 8)));
    case 5: return email(any_host(in));
    default: return email(any_address(in));
  }
}

void change(draft& d, script& in) {
  switch (in.byte() % 18) {
    case 0: d.from = now + std::chrono::hours{in.byte()} - day; break;
    case 1: d.to = now + std::chrono::hours{in.byte()} - day; break;
    case 2: d.ca = in.byte() % 3 == 0 ? std::nullopt : std::optional{in.byte() % 2 == 0}; break;
    case 3: d.path_length = in.byte() % 3; break;
    case 4: d.usage = in.byte(); break;
    case 5: d.alternative_names = any_name(in); break;
    case 6: append(d.alternative_names, any_name(in)); break;
    case 7: d.alternative_names_critical = true; break;
    case 8: d.name_constraints = constraints({any_name(in)}, {}); break;
    case 9: d.name_constraints = constraints({}, {any_name(in)}); break;
    case 10: {
      const bytes permitted[]{any_name(in), any_name(in)}, excluded = any_name(in);
      d.name_constraints = constraints({permitted[0], permitted[1]}, {excluded});
      break;
    }
    case 11: d.name_constraints_critical = false; break;
    case 12: {
      const std::uint8_t purpose = in.byte() % 6;
      // what an anchor is for, its owner says and not its certificate
      if (d.subject != scenery().root.subject) d.purposes.push_back(purpose);
      break;
    }
    case 13: {
      const bytes id = in.byte() % 2 == 0 ? oid({0x2b, 6, 1, 4, 1, 0x82, 0x37, 0x7f}) : oid({0x55, 0x1d, in.byte()});
      const bool critical = in.byte() % 2 == 0;
      d.more.push_back({id, critical, to_bytes(in.take(in.byte() % 16U))});
      break;
    }
    case 14: d.issuer = name(in.byte() % 2 == 0 ? "authority" : "somebody"); break;
    case 15: {
      const std::uint8_t which = in.byte();
      d.subject = which >= 128 ? any_directory(in) : name(which % 2 == 0 ? "authority" : "somebody");
      break;
    }
    case 16: d.serial = in.number(); break;
    default: d.key = scenery().second.key; break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  script in({data, size});
  const stage& s = scenery();
  std::vector<draft> levels{s.root, s.authority, s.member};
  const std::uint8_t shape = in.byte();
  if (shape % 4 == 1) levels.insert(levels.begin() + 2, s.second);
  if (shape % 4 == 2) levels.erase(levels.begin() + 1);
  for (std::size_t i = 1; i < levels.size(); ++i) levels[i].issuer = levels[i - 1].subject;
  for (std::size_t i = 0; i < levels.size(); ++i) levels[i].serial = 100 + i;
  for (unsigned n = in.byte() % 5U; n > 0; --n) {
    const std::size_t which = in.byte() % levels.size();
    change(levels[which], in);
  }
  const unix_time when = now + std::chrono::hours{shape % 16 == 5 ? in.byte() * 8 : 0};
  std::vector<bytes> chain;
  bytes root;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const key_pair& signer = levels[i == 0 ? 0 : i - 1].key;
    bytes der = levels[i].signed_by(signer);
    if (shape / 16 == 1 + i) edit(der, in);
    if (i == 0)
      root = std::move(der);
    else
      chain.insert(chain.begin(), std::move(der));
  }
  if (shape / 16 == 8) chain.push_back(root);
  if (shape / 16 == 9) std::ranges::reverse(chain);
  if (shape / 16 == 10) chain.erase(chain.begin() + static_cast<std::ptrdiff_t>(in.byte() % chain.size()));
  if (shape / 16 == 11) chain.push_back(chain[in.byte() % chain.size()]);
  if (chain.empty()) return 0;
  const auto expected = shape / 16 == 12 ? std::optional{alice} : std::nullopt;

  x509::trust t;
  if (!t.add_anchor(root, x509::anchor_kind::external)) return 0;
  x509_validator v(std::move(t), {x509::name_form::email, x509::revocation_rule::when_known});
  presented_identity who{credential_type::x509, {}, {}, s.member.key.of_mls->public_view(), ed25519};
  for (const bytes& der : chain) who.certificates.push_back(der);
  const verdict got = v.check(who, when, expected);
  // an authority for the one purpose and a member for the other: to OpenSSL that is none
  const bool mixed = std::ranges::count_if(levels, [](const draft& d) { return !d.purposes.empty(); }) > 1;
  const auto asked = [&](int purpose) { return opinion_of_openssl(root, chain, when, expected, purpose); };
  opinion openssl = asked(mixed ? X509_PURPOSE_ANY : X509_PURPOSE_SMIME_SIGN);
  if (!openssl.takes && !mixed) openssl = asked(X509_PURPOSE_SSL_CLIENT);
  const bool other = identifiers_differ(root, chain) || an_unread_extension_is_invalid(root, chain);
  require(openssl.takes || other || !is_verified(got.state), "verified, where OpenSSL finds something wrong");
  const bool known = stricter(got.broken) || (mixed && got.broken == &rules::purpose);
  if (openssl.takes && openssl.in_order && !is_verified(got.state) && !known) require(false, got.broken->name);
  require(is_verified(got.state) == (got.broken == nullptr), "a verdict without its reason");
  return 0;
}

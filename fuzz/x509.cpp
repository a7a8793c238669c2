// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Certificates, revocation lists and OCSP responses from anybody. What is read stays inside what was given, has no
/// second encoding by cutting or padding, can be shown, and makes nobody verified. Where Botan reads a certificate too,
/// both read the same.
#include <conclave/conclave.hpp>

#include "support/oracle.hpp"

namespace {

using namespace conclave;
using namespace conclave::x509;

using conclave_fuzz::require;

/// read<T>(input): with what has to hold of anything that is read.
template <class T>
result<T> read(byte_view input) {
  auto out = T::read(input);
  if (!out) return out;
  require(!T::read(input.first(input.size() - 1)), "something without its last byte was accepted");
  bytes longer = to_bytes(input);
  longer.push_back(0);
  require(!T::read(longer), "something with a byte behind it was accepted");
  for (const byte_view part : {out->tbs, out->algorithm, out->signature})
    require(part.empty() || (part.data() >= input.data() && part.data() + part.size() <= input.data() + input.size()),
            "a view leaves the input");
  return out;
}

#if CONCLAVE_WITH_BOTAN
void compare_with_botan(const certificate& c) {
  try {
    const Botan::X509_Certificate other(to_bytes(c.der));
    require(equal(other.raw_issuer_dn(), c.issuer), "another issuer");
    require(equal(other.raw_subject_dn(), c.subject), "another subject");
    require(equal(other.subject_public_key_info(), c.key.der), "another key");
    require(other.not_before().to_std_timepoint() == std::chrono::system_clock::time_point{c.not_before},
            "another beginning");
  } catch (const Botan::Exception&) {
    // it does not read it, or only in part
  }
}
#endif

void certificates(byte_view input) {
  const auto c = read<certificate>(input);
  if (!c) return;
  (void)details_of(*c).has_value();
  for (const name_form form : {name_form::email, name_form::dns, name_form::uri})
    if (const auto name = identity_of(*c, form)) require(is_plain(as_bytes(*name)), "an odd identity");
  const auto names = constrained_names(*c);
  const auto constraints = name_constraints::read(c->name_constraints);
  if (names && constraints)
    for (const general_name& n : *names) (void)constraints->allow(n);
#if CONCLAVE_WITH_BOTAN
  compare_with_botan(*c);
  trust t;
  (void)t.add_anchor(input, anchor_kind::external).has_value();
  x509_validator v(std::move(t), {name_form::email, revocation_rule::when_known});
  const presented_identity who{credential_type::x509, {}, {input}, c->key.bits, signature_scheme::ed25519};
  require(!is_verified(v.member(who, c->not_before)), "a certificate vouches for itself");
#endif
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const byte_view input{data, size};
  certificates(input);
  (void)read<revocation_list>(input).has_value();
  (void)read<ocsp_response>(input).has_value();
  return 0;
}

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The checks that a certificate, a chain of them or a statement about their revocation can fail.
#pragma once

#include <conclave/result.hpp>

namespace conclave::inline CONCLAVE_ABI::x509::rules {

// what a certificate is
inline constexpr rule certificate_format{"a certificate is the DER of a version 3 certificate", "RFC 5280 4.1"};
inline constexpr rule certificate_size{"a certificate, its extensions and its names are few and small",
                                       "limits::certificate_bytes"};
inline constexpr rule one_of_each_extension{"a certificate has one extension of a kind", "RFC 5280 4.2"};
inline constexpr rule known_critical_extensions{"critical extensions are understood", "RFC 5280 4.2"};
inline constexpr rule strong_key{"keys are EdDSA, ECDSA on a NIST curve, or RSA of 2048 to 8192 bits",
                                 "NIST SP 800-131A 3"};
inline constexpr rule strong_signature{"certificates are signed with such a key and SHA-2", "NIST SP 800-131A 3"};

// the member's own
inline constexpr rule leaf_key{"the certificate's key is the signature key of the leaf node", "RFC 9420 5.3"};
inline constexpr rule leaf_not_ca{"a member is no certification authority", "RFC 9420 5.3"};
inline constexpr rule leaf_not_self_signed{"a member does not vouch for itself", "RFC 5280 6.1"};
inline constexpr rule leaf_key_usage{"a member's certificate is for digital signatures", "RFC 5280 4.2.1.3"};
inline constexpr rule purpose{"extended key usages allow client authentication or e-mail protection",
                              "RFC 5280 4.2.1.12"};
inline constexpr rule one_identity{"the subjectAltName has exactly one name of the kind that names members",
                                   "RFC 9420 5.3"};
inline constexpr rule plain_identity{"that name is complete: no wildcard, no odd characters", "RFC 6125 7.2"};
inline constexpr rule expected_identity{"the identity is the one that is expected", "RFC 9420 5.3.1"};
inline constexpr rule successor_identity{"a new credential is of the same identity", "RFC 9420 5.3.1"};
inline constexpr rule successor_not_lower{"and vouched for by an authority no lower than before", "RFC 9420 5.3.1"};

// the chain
inline constexpr rule chain_length{"a chain has one to eight certificates, none of them twice", "limits::certificates"};
/// Byte by byte, which is stricter than the comparison of RFC 5280, section 7.1.
inline constexpr rule name_chain{"the issuer of a certificate is the subject of the next", "RFC 5280 6.1.3"};
inline constexpr rule anchor{"the last issuer is an anchor", "RFC 5280 6.1.1"};
inline constexpr rule signature{"each certificate is signed by the next", "RFC 5280 6.1.3"};
inline constexpr rule issuer_is_ca{"issuers are certification authorities", "RFC 5280 6.1.4"};
inline constexpr rule issuer_key_usage{"that may sign certificates", "RFC 5280 6.1.4"};
inline constexpr rule path_length{"with no more authorities below than they allow", "RFC 5280 6.1.4"};
inline constexpr rule name_constraints{"and for none but the names they are allowed", "RFC 5280 6.1.3"};
inline constexpr rule second_opinion{"another implementation finds nothing wrong with the issuers", "RFC 5280 6.1"};

// time and revocation
inline constexpr rule validity{"every certificate is valid now", "RFC 5280 6.1.3"};
inline constexpr rule revoked{"none is revoked", "RFC 5280 6.3"};
inline constexpr rule revocation_known{"of each it is known, and freshly, that it is not", "RFC 5280 6.3"};
inline constexpr rule list_format{"a revocation list is complete, and the DER of one", "RFC 5280 5"};
inline constexpr rule response_format{"an OCSP response is successful, and the DER of one", "RFC 6960 4.2"};
inline constexpr rule room_for_news{"no more news of revocation than there is room for", "limits.hpp"};

}  // namespace conclave::x509::rules

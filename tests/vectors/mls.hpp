// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The kinds of MLS vector: a function for each, and what they share. The formats are described in test-vectors.md of
/// the repository mlswg/mls-implementations.
#pragma once

#include "check.hpp"

#include <conclave/crypto/provider.hpp>
#include <conclave/mls/suite.hpp>

namespace conclave_vectors::mls_kinds {

using namespace conclave::mls;
using provider = default_provider;
using suite = basic_suite<provider>;

/// suite_of(c): the suite of a case; a suite that is not served fails the case.
[[nodiscard]] inline suite suite_of(const json& c) {
  const auto id = c.at("cipher_suite").get<std::uint16_t>();
  return succeeds(suite::make(cipher_suite{id}), "suite " + std::to_string(id));
}

[[nodiscard]] inline secret_bytes to_secret_bytes(byte_view view) { return {view.begin(), view.end()}; }

/// secret_of<Secret>(c, name): a field of hexadecimal digits as a secret.
template <class Secret>
[[nodiscard]] Secret secret_of(const json& c, const char* name) {
  return succeeds(Secret::copy_of(hex(c, name)), name);
}

/// scalar(raw, size): the vectors leave out leading zeros of the private keys of NIST curves.
[[nodiscard]] inline bytes scalar(bytes raw, std::size_t size) {
  if (raw.size() < size) raw.insert(raw.begin(), size - raw.size(), 0);
  return raw;
}
[[nodiscard]] inline hpke::key_pair kem_key_of(const suite& s, const json& c, const char* name) {
  const auto kem = s.hpke_suite().kem;
  return succeeds(hpke::import_key_pair<provider>(kem, scalar(hex(c, name), kem_sizes(kem).private_key)), name);
}
[[nodiscard]] inline signature_key signature_key_of(const suite& s, const json& c, const char* name) {
  const bytes raw = scalar(hex(c, name), signature_private_key_size(s.signature()));
  return succeeds(signature_key::from_private<provider>(s.signature(), raw), name);
}

void tree_math(const json& c);
void deserialization(const json& c);
void crypto_basics(const json& c);
void key_schedule(const json& c);
void psk_secret(const json& c);
void secret_tree(const json& c);
void transcript_hashes(const json& c);
void message_protection(const json& c);
void welcome(const json& c);
void tree_operations(const json& c);
void tree_validation(const json& c);
void treekem(const json& c);
void messages(const json& c);
void passive_client(const json& c);

}  // namespace conclave_vectors::mls_kinds

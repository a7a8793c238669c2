// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// identity: who a person is to the others: a name and the key that signs for it.
#pragma once

#include <conclave/codec/writer.hpp>
#include <conclave/crypto/provider.hpp>
#include <conclave/crypto/signature.hpp>
#include <conclave/interfaces.hpp>
#include <conclave/limits.hpp>

#include <string>

namespace conclave::inline CONCLAVE_ABI {

/// identity: a name, its key, and the credential that shows them to others: a basic one, whose name is a claim that
/// nobody vouches for, or certificates. Move-only, because it holds a private key.
class identity {
 public:
  /// generate(env, name): a name with a fresh Ed25519 key. Errors: over_limit (name), no_entropy, unsupported.
  template <crypto_provider P = default_provider>
  [[nodiscard]] static result<identity> generate(environment& env, std::string_view name) {
    CONCLAVE_TRY(auto key, signature_key::generate<P>(env, signature_scheme::ed25519));
    return claimed(name, std::move(key));
  }
  /// claimed(name, key): the same with a key that was kept, as after a restart. Errors: over_limit (name).
  [[nodiscard]] static result<identity> claimed(std::string_view name, signature_key&& key) {
    if (name.size() > limits::name_bytes) return errc::over_limit;
    return identity(std::string{name}, std::move(key), credential_type::basic, to_bytes(as_bytes(name)));
  }
  /// certified(name, key, certificates): the chain that was issued for the key, DER, the own certificate first, the
  /// anchor left out or not (RFC 9420, section 5.3). The name is what this program calls it; others see that of the
  /// certificate. Errors: over_limit (name or chain), misuse (no chain).
  [[nodiscard]] static result<identity> certified(std::string_view name, signature_key&& key,
                                                  std::span<const bytes> certificates) {
    if (certificates.empty()) return errc::misuse;
    if (name.size() > limits::name_bytes || certificates.size() > limits::certificates) return errc::over_limit;
    bytes chain;
    writer w{chain};
    for (const bytes& der : certificates) w.opaque(der);
    if (chain.size() > limits::credential_bytes) return errc::over_limit;
    return identity(std::string{name}, std::move(key), credential_type::x509, std::move(chain));
  }

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] const signature_key& key() const noexcept { return key_; }
  /// type(), credential(): as a leaf node carries it.
  [[nodiscard]] credential_type type() const noexcept { return type_; }
  [[nodiscard]] const bytes& credential() const noexcept { return credential_; }

 private:
  identity(std::string name, signature_key&& key, credential_type type, bytes credential) noexcept
      : name_{std::move(name)}, key_{std::move(key)}, type_{type}, credential_{std::move(credential)} {}

  std::string name_;
  signature_key key_;
  credential_type type_;
  bytes credential_;
};

}  // namespace conclave

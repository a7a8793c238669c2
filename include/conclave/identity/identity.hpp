// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// identity: who a person is to the others: a name and the key that signs for it.
#pragma once

#include <conclave/crypto/provider.hpp>
#include <conclave/crypto/signature.hpp>
#include <conclave/limits.hpp>

#include <string>

namespace conclave::inline CONCLAVE_ABI {

/// identity: a basic credential. Its name is a claim that nobody vouches for, so it is never shown as verified.
/// Move-only, because it holds a private key.
class identity {
 public:
  /// generate(env, name): a name with a fresh Ed25519 key. Errors: over_limit (name), no_entropy, unsupported.
  template <crypto_provider P = default_provider>
  [[nodiscard]] static result<identity> generate(environment& env, std::string_view name) {
    if (name.size() > limits::name_bytes) return errc::over_limit;
    CONCLAVE_TRY(auto key, signature_key::generate<P>(env, signature_scheme::ed25519));
    return identity(std::string{name}, std::move(key));
  }

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] const signature_key& key() const noexcept { return key_; }

 private:
  identity(std::string name, signature_key key) noexcept : name_{std::move(name)}, key_{std::move(key)} {}

  std::string name_;
  signature_key key_;
};

}  // namespace conclave

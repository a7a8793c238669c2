// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// A provider from which a test takes something away while it runs, as on a machine whose libraries were built without it.
#pragma once

#include <conclave/crypto/provider.hpp>

#include <optional>

namespace conclave_test {

/// lacking_provider: the default provider, until something is `without`.
struct lacking_provider : conclave::default_provider {
  static inline bool is_ready = true;
  template <class Id>
  static inline std::optional<Id> missing{};

  [[nodiscard]] static conclave::status ready() noexcept {
    return is_ready ? default_provider::ready() : conclave::errc::unsupported;
  }
  template <class Id>
  [[nodiscard]] static bool supports(Id id) noexcept {
    return missing<Id> != id && default_provider::supports(id);
  }
};

static_assert(conclave::crypto_provider<lacking_provider>);

/// without(id): while it lives, nobody serves that. without_libraries: while it lives, none can be initialised.
template <class Id>
struct without {
  explicit without(Id id) noexcept { lacking_provider::missing<Id> = id; }
  ~without() { lacking_provider::missing<Id>.reset(); }
  without(const without&) = delete;
  without& operator=(const without&) = delete;
};
struct without_libraries {
  without_libraries() noexcept { lacking_provider::is_ready = false; }
  ~without_libraries() { lacking_provider::is_ready = true; }
  without_libraries(const without_libraries&) = delete;
  without_libraries& operator=(const without_libraries&) = delete;
};

}  // namespace conclave_test

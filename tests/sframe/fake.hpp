// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// fake_provider: the default provider with an AEAD that does nothing, allocates nothing and fails on demand. It shows
/// what the code around the AEAD does.
#pragma once

#include <conclave/crypto/provider.hpp>

namespace sframe_test {

struct fake_provider : conclave::default_provider {
  static inline bool seal_fails = false;
  static inline std::uint64_t sealed = 0;

  class aead_key {
   public:
    [[nodiscard]] static conclave::result<aead_key> make(conclave::aead_id, conclave::byte_view) { return aead_key{}; }
    [[nodiscard]] conclave::status seal(conclave::byte_view, conclave::byte_view, conclave::byte_view,
                                        conclave::byte_span) {
      if (seal_fails) return conclave::errc::misuse;
      ++sealed;
      return {};
    }
    [[nodiscard]] conclave::status open(conclave::byte_view, conclave::byte_view, conclave::byte_view,
                                        conclave::byte_span) {
      return {};
    }
    [[nodiscard]] conclave::status seal(conclave::byte_view nonce, conclave::byte_view aad, conclave::byte_view in,
                                        conclave::byte_span out, conclave::byte_span) {
      return seal(nonce, aad, in, out);
    }
    [[nodiscard]] conclave::status open(conclave::byte_view nonce, conclave::byte_view aad, conclave::byte_view in,
                                        conclave::byte_view, conclave::byte_span out) {
      return open(nonce, aad, in, out);
    }
  };
};

static_assert(conclave::crypto_provider<fake_provider>);

}  // namespace sframe_test

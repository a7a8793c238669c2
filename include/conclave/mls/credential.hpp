// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Credentials (RFC 9420, section 5.3).
#pragma once

#include <conclave/limits.hpp>
#include <conclave/mls/rules.hpp>
#include <conclave/mls/types.hpp>

namespace conclave::inline CONCLAVE_ABI::mls {

/// credential: `data` is the identity of a basic credential, the encoded certificates of an x509 one (each an
/// opaque<V>, leaf first), and opaque for any other type.
struct credential {
  credential_type type{};
  byte_view data;

  [[nodiscard]] static result<credential> read(reader& in) {
    credential out;
    CONCLAVE_TRY(out.type, wire::read<credential_type>(in));
    CONCLAVE_TRY(out.data, in.opaque());
    if (out.data.size() > limits::credential_bytes) return failure{errc::over_limit, rules::credential_size};
    if (out.type == credential_type::x509) CONCLAVE_CHECK(wire::list<byte_view>::check(out.data));
    return out;
  }
  void write(auto& out) const {
    wire::write(out, type);
    out.opaque(data);
  }
  friend bool operator==(const credential& a, const credential& b) noexcept {
    return a.type == b.type && equal(a.data, b.data);
  }
};

}  // namespace conclave::mls

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Botan for one-time passwords. Botan reports by exceptions: they end here.
#pragma once

#include <conclave/crypto/botan.hpp>
#include <conclave/crypto/provider.hpp>
#include <conclave/otp/enrolment.hpp>

#include <botan/otp.h>

namespace conclave::inline CONCLAVE_ABI {
namespace otp {

/// botan_hotp: a hotp_library, on 2.19 or 3.
struct botan_hotp {
  [[nodiscard]] static result<std::uint32_t> hotp(algorithm a, byte_view key, unsigned digits, std::uint64_t counter) {
    return conclave::detail::within_botan(errc::unsupported, [&]() -> result<std::uint32_t> {
      return Botan::HOTP(key.data(), key.size(), name(a), digits).generate_hotp(counter);
    });
  }

 private:
  [[nodiscard]] static const char* name(algorithm a) noexcept {
    switch (a) {
      case algorithm::sha1: return "SHA-1";
      case algorithm::sha256: return "SHA-256";
      case algorithm::sha512: break;
    }
    return "SHA-512";
  }
};

static_assert(hotp_library<botan_hotp>);

/// second_factor: on Botan's codes, sealed with the default provider.
using second_factor = basic_second_factor<botan_hotp, default_provider>;

}  // namespace otp
}  // namespace conclave

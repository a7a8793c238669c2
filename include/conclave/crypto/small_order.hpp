// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Public keys with which every Diffie-Hellman secret is zero (RFC 7748 6, RFC 9180 7.1.4): a member that shows one could
/// not be encrypted to, and so would keep everybody from committing.
#pragma once

#include <conclave/bytes.hpp>
#include <conclave/crypto/concepts.hpp>

#include <array>

namespace conclave::inline CONCLAVE_ABI::detail {

/// is_small_order(kem, pk): u of a point whose order divides the cofactor, on curve or twist, in any encoding: 0, 1, -1,
/// for curve 25519 two more, and what exceeds the prime. False for other KEMs, whose keys are points of prime order, and
/// for keys of the wrong length. Public data.
[[nodiscard]] constexpr bool is_small_order(kem_id kem, byte_view pk) noexcept {
  using u25519 = std::array<std::uint8_t, 32>;
  const auto near_prime = [](std::uint8_t lowest) {
    u25519 out;
    out.fill(0xff);
    out[0] = lowest;
    out[31] = 0x7f;
    return out;
  };
  if (kem == kem_id::dhkem_x25519_sha256 && pk.size() == 32) {
    u25519 u{};
    std::ranges::copy(pk, u.begin());
    u[31] &= 0x7f;
    constexpr u25519 order_8[] = {
        {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
         0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
        {0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b,
         0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57}};
    return u == u25519{} || u == u25519{1} || u == order_8[0] || u == order_8[1] || u == near_prime(0xec) ||
           u == near_prime(0xed) || u == near_prime(0xee);
  }
  if (kem == kem_id::dhkem_x448_sha512 && pk.size() == 56) {
    using u448 = std::array<std::uint8_t, 56>;
    u448 u{}, minus_one;
    std::ranges::copy(pk, u.begin());
    minus_one.fill(0xff);  // p = 2^448 - 2^224 - 1
    minus_one[28] = 0xfe;
    minus_one[0] = 0xfe;
    u448 prime = minus_one, prime_and_one{};
    prime[0] = 0xff;
    std::fill(prime_and_one.begin() + 28, prime_and_one.end(), std::uint8_t{0xff});
    return u == u448{} || u == u448{1} || u == minus_one || u == prime || u == prime_and_one;
  }
  return false;
}

}  // namespace conclave::detail

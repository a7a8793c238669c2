// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Which signatures of Ed25519 are acceptable before any curve arithmetic, and numbers modulo the order of the group.
/// All of it is public.
///
/// Every member of a group has to agree on who is authentic, so this is libsodium's rule of 1.0.15 and later, whichever
/// library is at hand: a signature (R, S) by A holds if and only if
///   1. S is below the order L;
///   2. R, without the sign of x, is not the y of a point of small order, in any encoding;
///   3. y of A is below p, and not that of a point of small order;
///   4. A is on the curve;
///   5. the encoding of S B - k A equals R, byte for byte, for k = SHA-512(R || A || M) mod L.
/// There is no multiplication by the cofactor: where A or R has a part of small order, the equation decides.
#pragma once

#include <conclave/simd/target.hpp>

#include <cstddef>
#include <cstdint>

namespace conclave::inline CONCLAVE_ABI::simd::ed25519 {

/// number: 256 bits, the lowest first.
struct number {
  std::uint64_t word[4];
};

[[nodiscard]] constexpr bool equal(const number& a, const number& b) noexcept {
  return a.word[0] == b.word[0] && a.word[1] == b.word[1] && a.word[2] == b.word[2] && a.word[3] == b.word[3];
}
[[nodiscard]] constexpr bool below(const number& a, const number& b) noexcept {
  for (std::size_t i = 4; i-- > 0;)
    if (a.word[i] != b.word[i]) return a.word[i] < b.word[i];
  return false;
}

/// order: L (RFC 8032 5.1); prime: 2^255 - 19.
inline constexpr number order{{0x5812631a5cf5d3ed, 0x14def9dea2f79cd6, 0, 0x1000000000000000}};
inline constexpr number prime{{0xffffffffffffffed, 0xffffffffffffffff, 0xffffffffffffffff, 0x7fffffffffffffff}};

/// without_sign(a): y of an encoded point (RFC 8032 5.1.2).
[[nodiscard]] constexpr number without_sign(const number& a) noexcept {
  return {{a.word[0], a.word[1], a.word[2], a.word[3] & ~std::uint64_t{0} >> 1U}};
}

/// has_small_order(y): y of the eight points whose order divides 8, and p and p + 1, which encode 0 and 1 once more.
[[nodiscard]] constexpr bool has_small_order(const number& y) noexcept {
  constexpr number small[] = {
      {{0, 0, 0, 0}},
      {{1, 0, 0, 0}},
      {{0xb027b2c28f95e826, 0xf098eff289f4c345, 0x3933c6d305acdfd5, 0x05fc536d880238b1}},  // order 8
      {{0x4fd84d3d706a17c7, 0x0f67100d760b3cba, 0xc6cc392cfa53202a, 0x7a03ac9277fdc74e}},  // order 8
      {{prime.word[0] - 1, prime.word[1], prime.word[2], prime.word[3]}},
      {prime},
      {{prime.word[0] + 1, prime.word[1], prime.word[2], prime.word[3]}},
  };
  for (const number& s : small)
    if (equal(y, s)) return true;
  return false;
}

/// acceptable(key, r, s): rules 1 to 3.
[[nodiscard]] constexpr bool acceptable(const number& key, const number& r, const number& s) noexcept {
  const number y = without_sign(key);
  return below(s, order) && !has_small_order(without_sign(r)) && below(y, prime) && !has_small_order(y);
}

#if CONCLAVE_X86_64  // the kernels' part: it needs numbers of 128 bits

/// modulo_order(x): 512 bits modulo L, by Barrett's method (Handbook of Applied Cryptography 14.42) with words of 64 bits.
[[nodiscard]] inline number modulo_order(const std::uint64_t (&x)[8]) noexcept {
  __extension__ using wide = unsigned __int128;
  // floor(2^512 / L)
  constexpr std::uint64_t mu[5] = {0xed9ce5a30a2c131b, 0x2106215d086329a7, 0xffffffffffffffeb, 0xffffffffffffffff, 0xf};
  std::uint64_t product[10] = {};  // of the upper five words of x, and mu
  for (std::size_t i = 0; i < 5; ++i) {
    wide carry = 0;
    for (std::size_t j = 0; j < 5; ++j) {
      carry += wide{x[3 + i]} * mu[j] + product[i + j];
      product[i + j] = static_cast<std::uint64_t>(carry);
      carry >>= 64U;
    }
    product[i + 5] = static_cast<std::uint64_t>(carry);
  }
  std::uint64_t multiple[5] = {};  // of L: the quotient, or up to 2 less, times L, modulo 2^320
  for (std::size_t i = 0; i < 5; ++i) {
    wide carry = 0;
    for (std::size_t j = 0; i + j < 5; ++j) {
      carry += wide{product[5 + i]} * (j < 4 ? order.word[j] : 0) + multiple[i + j];
      multiple[i + j] = static_cast<std::uint64_t>(carry);
      carry >>= 64U;
    }
  }
  number rest;  // below 3 L, which fits
  const auto subtract = [&rest](const std::uint64_t* from, const std::uint64_t* what) {
    std::uint64_t borrow = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const wide difference = wide{from[i]} - what[i] - borrow;
      rest.word[i] = static_cast<std::uint64_t>(difference);
      borrow = static_cast<std::uint64_t>(difference >> 64U) & 1U;
    }
  };
  subtract(x, multiple);
  while (!below(rest, order)) subtract(rest.word, order.word);
  return rest;
}

#endif

}  // namespace conclave::simd::ed25519

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Eight numbers of 64 bits side by side, on AVX-512: the operations that curve 25519 asks for (see x86_field25519.inl).
#pragma once

#include <conclave/simd/cpu.hpp>
#include <conclave/simd/kernels.hpp>
#include <conclave/simd/target.hpp>

#if CONCLAVE_X86_64
#include <immintrin.h>

CONCLAVE_TARGET_BEGIN(CONCLAVE_TARGET_X86_IFMA)
namespace conclave::inline CONCLAVE_ABI::simd::x86_ifma {

inline constexpr std::size_t lanes = 8;
using vec [[gnu::vector_size(64)]] = unsigned long long;
using mask = __mmask8;  ///< some of the lanes

[[gnu::always_inline]] inline vec broadcast(std::uint64_t x) noexcept { return vec{x, x, x, x, x, x, x, x}; }
[[gnu::always_inline]] inline vec load(const std::uint64_t* p) noexcept {
  return reinterpret_cast<vec>(_mm512_loadu_si512(p));
}
[[gnu::always_inline]] inline void store(std::uint64_t* p, vec x) noexcept {
  _mm512_storeu_si512(p, reinterpret_cast<__m512i>(x));
}

/// lanes_of(bits), bits_of(m): a mask from one bit for each lane, the first lowest, and back.
[[gnu::always_inline]] inline mask lanes_of(unsigned bits) noexcept { return static_cast<mask>(bits); }
[[gnu::always_inline]] inline unsigned bits_of(const mask& m) noexcept { return m; }
[[gnu::always_inline]] inline vec select(mask which, vec chosen, vec other) noexcept {
  return reinterpret_cast<vec>(
      _mm512_mask_blend_epi64(which, reinterpret_cast<__m512i>(other), reinterpret_cast<__m512i>(chosen)));
}
/// lanes_with(x, bits): the lanes in which x and bits have a bit in common.
[[gnu::always_inline]] inline mask lanes_with(vec x, vec bits) noexcept {
  return _mm512_test_epi64_mask(reinterpret_cast<__m512i>(x), reinterpret_cast<__m512i>(bits));
}
/// lanes_above(a, b): where a > b; both below 2^63.
[[gnu::always_inline]] inline mask lanes_above(vec a, vec b) noexcept {
  return _mm512_cmpgt_epi64_mask(reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b));
}

// transpose, a step at a time: blocks of 1, 2 and 4 numbers off the diagonal change places
[[gnu::always_inline]] inline void swap_1(vec& a, vec& b) noexcept {
  const vec even = __builtin_shufflevector(a, b, 0, 8, 2, 10, 4, 12, 6, 14);
  b = __builtin_shufflevector(a, b, 1, 9, 3, 11, 5, 13, 7, 15);
  a = even;
}
[[gnu::always_inline]] inline void swap_2(vec& a, vec& b) noexcept {
  const vec even = __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13);
  b = __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15);
  a = even;
}
[[gnu::always_inline]] inline void swap_4(vec& a, vec& b) noexcept {
  const vec low = __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11);
  b = __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15);
  a = low;
}
/// transpose(v): row i and column i of eight vectors change places. Written out, so that they stay in registers.
[[gnu::always_inline]] inline void transpose(vec* v) noexcept {
  swap_1(v[0], v[1]), swap_1(v[2], v[3]), swap_1(v[4], v[5]), swap_1(v[6], v[7]);
  swap_2(v[0], v[2]), swap_2(v[1], v[3]), swap_2(v[4], v[6]), swap_2(v[5], v[7]);
  swap_4(v[0], v[4]), swap_4(v[1], v[5]), swap_4(v[2], v[6]), swap_4(v[3], v[7]);
}

// what SHA-512 asks for (FIPS 180-4 4.1.3)
[[gnu::always_inline]] inline vec from_big_endian(vec x) noexcept {
  const __m512i order =
      _mm512_set4_epi64(0x08090a0b0c0d0e0f, 0x0001020304050607, 0x08090a0b0c0d0e0f, 0x0001020304050607);
  return reinterpret_cast<vec>(_mm512_shuffle_epi8(reinterpret_cast<__m512i>(x), order));
}
template <int N>
[[gnu::always_inline]] inline vec rotate_right(vec x) noexcept {
  return reinterpret_cast<vec>(_mm512_maskz_ror_epi64(0xff, reinterpret_cast<__m512i>(x), N));
}
template <int Table>
[[gnu::always_inline]] inline vec ternary(vec a, vec b, vec c) noexcept {
  return reinterpret_cast<vec>(_mm512_ternarylogic_epi64(reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b),
                                                         reinterpret_cast<__m512i>(c), Table));
}
[[gnu::always_inline]] inline vec sum_of_3(vec a, vec b, vec c) noexcept { return ternary<0x96>(a, b, c); }
[[gnu::always_inline]] inline vec choose(vec x, vec y, vec z) noexcept { return ternary<0xca>(x, y, z); }
[[gnu::always_inline]] inline vec majority(vec x, vec y, vec z) noexcept { return ternary<0xe8>(x, y, z); }

}  // namespace conclave::simd::x86_ifma
CONCLAVE_TARGET_END
#endif

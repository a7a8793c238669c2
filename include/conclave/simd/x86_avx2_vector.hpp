// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Four numbers of 64 bits side by side, on AVX2: the operations that curve 25519 asks for (see x86_field25519.inl).
#pragma once

#include <conclave/simd/cpu.hpp>
#include <conclave/simd/kernels.hpp>
#include <conclave/simd/target.hpp>

#if CONCLAVE_X86_64
#include <immintrin.h>

CONCLAVE_TARGET_BEGIN(CONCLAVE_TARGET_X86_AVX2)
namespace conclave::inline CONCLAVE_ABI::simd::x86_avx2 {

inline constexpr std::size_t lanes = 4;
using vec [[gnu::vector_size(32)]] = unsigned long long;
using mask = vec;  ///< some of the lanes, all of whose bits are set

[[gnu::always_inline]] inline vec broadcast(std::uint64_t x) noexcept { return vec{x, x, x, x}; }
[[gnu::always_inline]] inline vec load(const std::uint64_t* p) noexcept {
  return reinterpret_cast<vec>(_mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(p)));
}
[[gnu::always_inline]] inline void store(std::uint64_t* p, vec x) noexcept {
  _mm256_storeu_si256(reinterpret_cast<__m256i_u*>(p), reinterpret_cast<__m256i>(x));
}
/// times(a, b): the products of the lower halves.
[[gnu::always_inline]] inline vec times(vec a, vec b) noexcept {
  return reinterpret_cast<vec>(_mm256_mul_epu32(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
}

/// lanes_of(bits), bits_of(m): a mask from one bit for each lane, the first lowest, and back.
[[gnu::always_inline]] inline mask lanes_of(unsigned bits) noexcept {
  return vec{} - (vec{bits, bits >> 1U, bits >> 2U, bits >> 3U} & broadcast(1));
}
[[gnu::always_inline]] inline unsigned bits_of(const mask& m) noexcept {
  return static_cast<unsigned>((m[0] & 1U) | (m[1] & 2U) | (m[2] & 4U) | (m[3] & 8U));
}
[[gnu::always_inline]] inline vec select(mask which, vec chosen, vec other) noexcept {
  return reinterpret_cast<vec>(_mm256_blendv_epi8(reinterpret_cast<__m256i>(other), reinterpret_cast<__m256i>(chosen),
                                                  reinterpret_cast<__m256i>(which)));
}
/// lanes_with(x, bits): the lanes in which x and bits have a bit in common.
[[gnu::always_inline]] inline mask lanes_with(vec x, vec bits) noexcept {
  return reinterpret_cast<vec>((x & bits) != vec{});
}
/// lanes_above(a, b): where a > b; both below 2^63.
[[gnu::always_inline]] inline mask lanes_above(vec a, vec b) noexcept {
  return reinterpret_cast<vec>(_mm256_cmpgt_epi64(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
}

// transpose, a step at a time: blocks of 1 and 2 numbers off the diagonal change places
[[gnu::always_inline]] inline void swap_1(vec& a, vec& b) noexcept {
  const vec even = __builtin_shufflevector(a, b, 0, 4, 2, 6);
  b = __builtin_shufflevector(a, b, 1, 5, 3, 7);
  a = even;
}
[[gnu::always_inline]] inline void swap_2(vec& a, vec& b) noexcept {
  const vec low = __builtin_shufflevector(a, b, 0, 1, 4, 5);
  b = __builtin_shufflevector(a, b, 2, 3, 6, 7);
  a = low;
}
/// transpose(v): row i and column i of four vectors change places.
[[gnu::always_inline]] inline void transpose(vec* v) noexcept {
  swap_1(v[0], v[1]), swap_1(v[2], v[3]);
  swap_2(v[0], v[2]), swap_2(v[1], v[3]);
}

// what SHA-512 asks for (FIPS 180-4 4.1.3)
[[gnu::always_inline]] inline vec from_big_endian(vec x) noexcept {
  const __m256i order =
      _mm256_set_epi64x(0x08090a0b0c0d0e0f, 0x0001020304050607, 0x08090a0b0c0d0e0f, 0x0001020304050607);
  return reinterpret_cast<vec>(_mm256_shuffle_epi8(reinterpret_cast<__m256i>(x), order));
}
template <int N>
[[gnu::always_inline]] inline vec rotate_right(vec x) noexcept {
  return x >> N | x << (64 - N);
}
[[gnu::always_inline]] inline vec sum_of_3(vec a, vec b, vec c) noexcept { return a ^ b ^ c; }
[[gnu::always_inline]] inline vec choose(vec x, vec y, vec z) noexcept { return z ^ (x & (y ^ z)); }
[[gnu::always_inline]] inline vec majority(vec x, vec y, vec z) noexcept { return (x & y) | (z & (x | y)); }

}  // namespace conclave::simd::x86_avx2
CONCLAVE_TARGET_END
#endif

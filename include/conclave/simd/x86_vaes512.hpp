// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// AES-GCM and AES-CTR on VAES and VPCLMULQDQ with AVX-512, four blocks to a vector.
#pragma once

#include <conclave/simd/x86_aesni.hpp>

#if CONCLAVE_X86_64

CONCLAVE_TARGET_BEGIN(CONCLAVE_TARGET_X86_VAES512)
namespace conclave::inline CONCLAVE_ABI::simd::x86_vaes512 {

using vec = __m512i;
inline constexpr std::size_t width = 4;
inline constexpr std::size_t chunk_vectors = 8;

[[gnu::always_inline]] inline vec zero() noexcept { return _mm512_setzero_si512(); }
[[gnu::always_inline]] inline vec load(const std::uint8_t* p) noexcept { return _mm512_loadu_si512(p); }
[[gnu::always_inline]] inline void store(std::uint8_t* p, vec x) noexcept { _mm512_storeu_si512(p, x); }
[[gnu::always_inline]] inline __mmask64 first_bytes(std::size_t n) noexcept {
  return _cvtu64_mask64(_bzhi_u64(~0ULL, static_cast<unsigned>(n)));
}
[[gnu::always_inline]] inline vec load_some(const std::uint8_t* p, std::size_t n) noexcept {
  return _mm512_maskz_loadu_epi8(first_bytes(n), p);
}
[[gnu::always_inline]] inline void store_some(std::uint8_t* p, vec x, std::size_t n) noexcept {
  _mm512_mask_storeu_epi8(p, first_bytes(n), x);
}
[[gnu::always_inline]] inline vec keep_some(vec x, std::size_t n) noexcept {
  return _mm512_maskz_mov_epi8(first_bytes(n), x);
}

[[gnu::always_inline]] inline vec widen(__m128i block) noexcept { return _mm512_zextsi128_si512(block); }
// full masks where GCC 12 warns of the undefined register inside its own unmasked intrinsics
[[gnu::always_inline]] inline vec broadcast(__m128i block) noexcept {
  return _mm512_maskz_broadcast_i32x4(0xffff, block);
}
[[gnu::always_inline]] inline vec broadcast(const std::uint8_t* block) noexcept {
  return broadcast(x86_aesni::load(block));
}
[[gnu::always_inline]] inline __m128i fold(vec x) noexcept {
  const __m256i half =
      _mm256_xor_si256(_mm512_maskz_extracti64x4_epi64(0xf, x, 0), _mm512_maskz_extracti64x4_epi64(0xf, x, 1));
  return _mm_xor_si128(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}
[[gnu::always_inline]] inline vec sum(vec a, vec b) noexcept { return _mm512_xor_si512(a, b); }
[[gnu::always_inline]] inline vec sum(vec a, vec b, vec c) noexcept {
#if CONCLAVE_MEMORY_SANITIZER  // it takes the operands of the other instruction for a decision
  return sum(sum(a, b), c);
#else
  return _mm512_ternarylogic_epi64(a, b, c, 0x96);
#endif
}
[[gnu::always_inline]] inline vec aes_round(vec x, vec key) noexcept { return _mm512_aesenc_epi128(x, key); }
[[gnu::always_inline]] inline vec aes_last(vec x, vec key) noexcept { return _mm512_aesenclast_epi128(x, key); }
template <int Halves>
[[gnu::always_inline]] inline vec clmul(vec a, vec b) noexcept {
  return _mm512_clmulepi64_epi128(a, b, Halves);
}
[[gnu::always_inline]] inline vec swapped(vec x) noexcept {
  return _mm512_maskz_shuffle_epi32(0xffff, x, _MM_PERM_BADC);
}  // the halves of each block
[[gnu::always_inline]] inline vec reversed(vec x) noexcept {
  return _mm512_shuffle_epi8(x, broadcast(_mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)));
}
[[gnu::always_inline]] inline vec add_to_counters(vec x, vec n) noexcept { return _mm512_add_epi32(x, n); }
[[gnu::always_inline]] inline vec lane_numbers() noexcept {
  return _mm512_set_epi32(0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0);
}

[[gnu::always_inline]] inline vec load_behind(const std::uint8_t* p, std::size_t n) noexcept {
  return _mm512_maskz_alignr_epi64(0xff, load_some(p, n), zero(), 6);
}
[[gnu::always_inline]] inline void store_behind(std::uint8_t* p, vec x, std::size_t n) noexcept {
  store_some(p, _mm512_maskz_alignr_epi64(0xff, zero(), x, 2), n);
}
[[gnu::always_inline]] inline vec keep_behind(__m128i first, vec x, std::size_t n) noexcept {
  return _mm512_mask_mov_epi8(widen(first), _cvtu64_mask64(_bzhi_u64(~0ULL, static_cast<unsigned>(n)) << 16U), x);
}
[[gnu::always_inline]] inline __m128i first_block(vec x) noexcept { return _mm512_maskz_extracti32x4_epi32(0xf, x, 0); }
[[gnu::always_inline]] inline vec in_lane(__m128i block, std::size_t lane) noexcept {
  return _mm512_maskz_broadcast_i32x4(static_cast<__mmask16>(0xfU << 4 * lane & 0xfff0U), block);
}
[[gnu::always_inline]] inline __m128i load_block(const std::uint8_t* p, std::size_t n) noexcept {
  return _mm_maskz_loadu_epi8(static_cast<__mmask16>(_bzhi_u64(~0ULL, static_cast<unsigned>(n))), p);
}

#include <conclave/simd/x86_gcm.inl>

inline constexpr aes_kernels aes{
    "vaes512", isa::x86_vaes512, x86_aesni::expand, x86_aesni::make_gcm, gcm_seal, gcm_open, ctr};

}  // namespace conclave::simd::x86_vaes512
CONCLAVE_TARGET_END
#endif

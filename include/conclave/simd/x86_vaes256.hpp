// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// AES-GCM and AES-CTR on VAES and VPCLMULQDQ with AVX2, two blocks to a vector.
#pragma once

#include <conclave/simd/x86_aesni.hpp>

#if CONCLAVE_X86_64

CONCLAVE_TARGET_BEGIN(CONCLAVE_TARGET_X86_VAES256)
namespace conclave::inline CONCLAVE_ABI::simd::x86_vaes256 {

using vec = __m256i;
inline constexpr std::size_t width = 2;
inline constexpr std::size_t chunk_vectors = 8;

[[gnu::always_inline]] inline vec zero() noexcept { return _mm256_setzero_si256(); }
[[gnu::always_inline]] inline vec load(const std::uint8_t* p) noexcept {
  return _mm256_loadu_si256(reinterpret_cast<const vec*>(p));
}
[[gnu::always_inline]] inline void store(std::uint8_t* p, vec x) noexcept {
  _mm256_storeu_si256(reinterpret_cast<vec*>(p), x);
}
[[gnu::always_inline]] inline vec widen(__m128i block) noexcept { return _mm256_inserti128_si256(zero(), block, 0); }
[[gnu::always_inline]] inline vec load_some(const std::uint8_t* p, std::size_t n) noexcept {
  if (n == 32) return load(p);
  if (n <= 16) return widen(x86_aesni::load_some(p, n));
  return _mm256_inserti128_si256(widen(x86_aesni::load(p)), x86_aesni::load_some(p + 16, n - 16), 1);
}
[[gnu::always_inline]] inline void store_some(std::uint8_t* p, vec x, std::size_t n) noexcept {
  if (n == 32) return store(p, x);
  if (n <= 16) return x86_aesni::store_some(p, _mm256_castsi256_si128(x), n);
  x86_aesni::store(p, _mm256_castsi256_si128(x));
  x86_aesni::store_some(p + 16, _mm256_extracti128_si256(x, 1), n - 16);
}
alignas(32) inline constexpr std::uint8_t edge[64] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
                                                      255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
                                                      255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
[[gnu::always_inline]] inline vec keep_some(vec x, std::size_t n) noexcept {
  return _mm256_and_si256(x, load(edge + 32 - n));
}

[[gnu::always_inline]] inline vec broadcast(__m128i block) noexcept { return _mm256_broadcastsi128_si256(block); }
[[gnu::always_inline]] inline vec broadcast(const std::uint8_t* block) noexcept {
  return broadcast(x86_aesni::load(block));
}
[[gnu::always_inline]] inline __m128i fold(vec x) noexcept {
  return _mm_xor_si128(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
}
[[gnu::always_inline]] inline vec sum(vec a, vec b) noexcept { return _mm256_xor_si256(a, b); }
[[gnu::always_inline]] inline vec sum(vec a, vec b, vec c) noexcept { return sum(sum(a, b), c); }
[[gnu::always_inline]] inline vec aes_round(vec x, vec key) noexcept { return _mm256_aesenc_epi128(x, key); }
[[gnu::always_inline]] inline vec aes_last(vec x, vec key) noexcept { return _mm256_aesenclast_epi128(x, key); }
template <int Halves>
[[gnu::always_inline]] inline vec clmul(vec a, vec b) noexcept {
  return _mm256_clmulepi64_epi128(a, b, Halves);
}
[[gnu::always_inline]] inline vec swapped(vec x) noexcept {
  return _mm256_shuffle_epi32(x, 0x4e);
}  // the halves of each block
[[gnu::always_inline]] inline vec reversed(vec x) noexcept {
  return _mm256_shuffle_epi8(x, broadcast(_mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)));
}
[[gnu::always_inline]] inline vec add_to_counters(vec x, vec n) noexcept { return _mm256_add_epi32(x, n); }
[[gnu::always_inline]] inline vec lane_numbers() noexcept { return _mm256_set_epi32(0, 0, 0, 1, 0, 0, 0, 0); }

[[gnu::always_inline]] inline vec load_behind(const std::uint8_t* p, std::size_t n) noexcept {
  return _mm256_inserti128_si256(zero(), x86_aesni::load_block(p, n), 1);
}
[[gnu::always_inline]] inline void store_behind(std::uint8_t* p, vec x, std::size_t n) noexcept {
  if (n > 0) x86_aesni::store_some(p, _mm256_extracti128_si256(x, 1), n);
}
[[gnu::always_inline]] inline vec keep_behind(__m128i first, vec x, std::size_t n) noexcept {
  const __m128i kept = x86_aesni::keep_some(_mm256_extracti128_si256(x, 1), n);
  return _mm256_inserti128_si256(_mm256_castsi128_si256(first), kept, 1);
}
[[gnu::always_inline]] inline __m128i first_block(vec x) noexcept { return _mm256_castsi256_si128(x); }
[[gnu::always_inline]] inline vec in_lane(__m128i block, std::size_t lane) noexcept {
  return lane == 0 ? zero() : _mm256_inserti128_si256(zero(), block, 1);
}
[[gnu::always_inline]] inline __m128i load_block(const std::uint8_t* p, std::size_t n) noexcept {
  return x86_aesni::load_block(p, n);
}

#include <conclave/simd/x86_gcm.inl>

inline constexpr aes_kernels aes{
    "vaes256", isa::x86_vaes256, x86_aesni::expand, x86_aesni::make_gcm, gcm_seal, gcm_open, ctr};

}  // namespace conclave::simd::x86_vaes256
CONCLAVE_TARGET_END
#endif

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// AES-GCM and AES-CTR on AES-NI and PCLMULQDQ, one block to a vector; and how keys are made ready for every x86 kernel.
#pragma once

#include <conclave/simd/cpu.hpp>
#include <conclave/simd/kernels.hpp>
#include <conclave/simd/target.hpp>

#if CONCLAVE_X86_64
#include <immintrin.h>

#include <cstring>
#include <utility>

CONCLAVE_TARGET_BEGIN(CONCLAVE_TARGET_X86_AESNI)
namespace conclave::inline CONCLAVE_ABI::simd::x86_aesni {

using vec = __m128i;
inline constexpr std::size_t width = 1;          // blocks in a vector
inline constexpr std::size_t chunk_vectors = 8;  // vectors that the main loop works on together

[[gnu::always_inline]] inline vec load(const std::uint8_t* p) noexcept {
  return _mm_loadu_si128(reinterpret_cast<const vec*>(p));
}
[[gnu::always_inline]] inline void store(std::uint8_t* p, vec x) noexcept {
  _mm_storeu_si128(reinterpret_cast<vec*>(p), x);
}

template <class T>
[[gnu::always_inline]] inline std::uint64_t peek(const std::uint8_t* p) noexcept {
  T out;
  std::memcpy(&out, p, sizeof out);
  return out;
}
template <class T>
[[gnu::always_inline]] inline void poke(std::uint8_t* p, std::uint64_t x) noexcept {
  const T narrow = static_cast<T>(x);
  std::memcpy(p, &narrow, sizeof narrow);
}

/// load_some(p, n): n bytes, 1 to 16, and zeros behind them. Two loads that overlap, so that nothing outside is read.
[[gnu::always_inline]] inline vec load_some(const std::uint8_t* p, std::size_t n) noexcept {
  std::uint64_t low = 0, high = 0;
  if (n > 8) {
    low = peek<std::uint64_t>(p);
    high = peek<std::uint64_t>(p + n - 8) >> (8 * (16 - n));
  } else if (n >= 4) {
    low = peek<std::uint32_t>(p) | peek<std::uint32_t>(p + n - 4) << (8 * (n - 4));
  } else {
    low = p[0] | std::uint64_t{p[n / 2]} << (8 * (n / 2)) | std::uint64_t{p[n - 1]} << (8 * (n - 1));
  }
  return _mm_set_epi64x(static_cast<long long>(high), static_cast<long long>(low));
}
/// store_some(p, x, n): the first n bytes of x, 1 to 16.
[[gnu::always_inline]] inline void store_some(std::uint8_t* p, vec x, std::size_t n) noexcept {
  const auto low = static_cast<std::uint64_t>(_mm_cvtsi128_si64(x));
  if (n == 16) {
    store(p, x);
  } else if (n > 8) {
    const auto high = static_cast<std::uint64_t>(_mm_extract_epi64(x, 1));
    poke<std::uint64_t>(p, low);
    poke<std::uint64_t>(p + n - 8, low >> (8 * (n - 8)) | high << (8 * (16 - n)));
  } else if (n >= 4) {
    poke<std::uint32_t>(p, low);
    poke<std::uint32_t>(p + n - 4, low >> (8 * (n - 4)));
  } else {
    p[0] = static_cast<std::uint8_t>(low);
    p[n / 2] = static_cast<std::uint8_t>(low >> (8 * (n / 2)));
    p[n - 1] = static_cast<std::uint8_t>(low >> (8 * (n - 1)));
  }
}
/// keep_some(x, n): the first n bytes of x, 1 to 16, and zeros behind them.
alignas(16) inline constexpr std::uint8_t edge[32] = {255, 255, 255, 255, 255, 255, 255, 255,
                                                      255, 255, 255, 255, 255, 255, 255, 255};
[[gnu::always_inline]] inline vec keep_some(vec x, std::size_t n) noexcept {
  return _mm_and_si128(x, load(edge + 16 - n));
}

[[gnu::always_inline]] inline vec broadcast(const std::uint8_t* block) noexcept { return load(block); }
[[gnu::always_inline]] inline vec broadcast(__m128i block) noexcept { return block; }
[[gnu::always_inline]] inline vec widen(__m128i block) noexcept { return block; }  // zeros in the other lanes
[[gnu::always_inline]] inline __m128i fold(vec x) noexcept { return x; }           // the sum of the lanes
[[gnu::always_inline]] inline vec zero() noexcept { return _mm_setzero_si128(); }
[[gnu::always_inline]] inline vec sum(vec a, vec b) noexcept { return _mm_xor_si128(a, b); }
[[gnu::always_inline]] inline vec sum(vec a, vec b, vec c) noexcept { return sum(sum(a, b), c); }
[[gnu::always_inline]] inline vec aes_round(vec x, vec key) noexcept { return _mm_aesenc_si128(x, key); }
[[gnu::always_inline]] inline vec aes_last(vec x, vec key) noexcept { return _mm_aesenclast_si128(x, key); }
template <int Halves>
[[gnu::always_inline]] inline vec clmul(vec a, vec b) noexcept {
  return _mm_clmulepi64_si128(a, b, Halves);
}
[[gnu::always_inline]] inline vec swapped(vec x) noexcept {
  return _mm_shuffle_epi32(x, 0x4e);
}  // the halves of each block
[[gnu::always_inline]] inline vec reversed(vec x) noexcept {
  return _mm_shuffle_epi8(x, _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}
/// Block counters: the first 32 bits of a reversed block.
[[gnu::always_inline]] inline vec add_to_counters(vec x, vec n) noexcept { return _mm_add_epi32(x, n); }
[[gnu::always_inline]] inline vec lane_numbers() noexcept { return _mm_setzero_si128(); }

/// A block before the data, of which n bytes follow it in a vector; here a vector has no room for any.
[[gnu::always_inline]] inline vec load_behind(const std::uint8_t*, std::size_t) noexcept { return zero(); }
[[gnu::always_inline]] inline void store_behind(std::uint8_t*, vec, std::size_t) noexcept {}
[[gnu::always_inline]] inline vec keep_behind(__m128i first, vec, std::size_t) noexcept { return first; }
[[gnu::always_inline]] inline __m128i first_block(vec x) noexcept { return x; }
/// in_lane(block, lane): zeros in the other lanes, and everywhere for lane 0.
[[gnu::always_inline]] inline vec in_lane(__m128i, std::size_t) noexcept { return zero(); }
/// load_block(p, n): as load_some, of up to 16 bytes, or none.
[[gnu::always_inline]] inline __m128i load_block(const std::uint8_t* p, std::size_t n) noexcept {
  return n == 0 ? zero() : load_some(p, n);
}

#include <conclave/simd/x86_gcm.inl>

// FIPS 197 5.2, four words at a time: each word of the new key is the running sum of the old ones, plus what the
// S-box makes of the last word before them.
[[gnu::always_inline]] inline vec next_key(vec key, vec substituted) noexcept {
  key = sum(key, _mm_slli_si128(key, 4));
  key = sum(key, _mm_slli_si128(key, 8));
  return sum(key, substituted);
}
template <int Rcon>
[[gnu::always_inline]] inline vec rotated_word(vec key) noexcept {
  return _mm_shuffle_epi32(_mm_aeskeygenassist_si128(key, Rcon), 0xff);
}
[[gnu::always_inline]] inline vec plain_word(vec key) noexcept {
  return _mm_shuffle_epi32(_mm_aeskeygenassist_si128(key, 0), 0xaa);
}

template <int... Rcon>
[[gnu::always_inline]] inline void expand_128(const std::uint8_t* key, aes_schedule* out,
                                              std::integer_sequence<int, Rcon...>) noexcept {
  vec k = load(key);
  std::uint8_t* to = out->round_keys[0];
  store(to, k);
  ((k = next_key(k, rotated_word<Rcon>(k)), store(to += 16, k)), ...);
  out->rounds = 10;
}
template <int... Rcon>
[[gnu::always_inline]] inline void expand_256(const std::uint8_t* key, aes_schedule* out,
                                              std::integer_sequence<int, Rcon...>) noexcept {
  vec a = load(key), b = load(key + 16);
  std::uint8_t* to = out->round_keys[0];
  store(to, a);
  store(to += 16, b);
  ((a = next_key(a, rotated_word<Rcon>(b)), store(to += 16, a), b = next_key(b, plain_word(a)),
    Rcon == 0x40 ? void() : store(to += 16, b)),
   ...);
  out->rounds = 14;
}

inline void expand(const std::uint8_t* key, std::size_t bytes, aes_schedule* out) noexcept {
  if (bytes == 16)
    expand_128(key, out, std::integer_sequence<int, 1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80, 0x1b, 0x36>{});
  else
    expand_256(key, out, std::integer_sequence<int, 1, 2, 4, 8, 0x10, 0x20, 0x40>{});
}

// NIST SP 800-38D 7.1: H = CIPH_K(0^128). It is kept as H * x, reflected, so that products need no shift: see x86_gcm.inl.
inline void make_gcm(const std::uint8_t* key, std::size_t bytes, gcm_key* out) noexcept {
  expand(key, bytes, &out->aes);
  const vec h = reversed(encrypt_block(out->aes, zero()));
  const vec carries = _mm_slli_si128(_mm_srli_epi64(h, 63), 8);
  const vec top = _mm_shuffle_epi32(_mm_srai_epi32(h, 31), 0xff);
  const vec modulus = _mm_set_epi32(static_cast<int>(0xc2000000), 0, 0, 1);
  store(out->powers[ghash_powers - 1], sum(sum(_mm_slli_epi64(h, 1), carries), _mm_and_si128(top, modulus)));
  const auto power = [out](std::size_t e) { return out->powers[ghash_powers - e]; };
  for (std::size_t e = 2; e <= ghash_powers; ++e) {
    product p = no_product();
    add_product(p, load(power(e / 2)), load(power(e - e / 2)));
    store(power(e), reduced(p));
  }
  std::memset(out->beyond, 0, sizeof out->beyond);
}

inline constexpr aes_kernels aes{"aesni", isa::x86_aesni, expand, make_gcm, gcm_seal, gcm_open, ctr};

}  // namespace conclave::simd::x86_aesni
CONCLAVE_TARGET_END
#endif

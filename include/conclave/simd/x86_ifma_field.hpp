// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The field of 2^255 - 19 on AVX-512 IFMA, eight elements side by side. An element is five limbs of 51 bits, the lowest
/// first, and each vector holds the same limb of all eight. Sums and differences are left wide; the type knows how wide,
/// and the compiler refuses what might not fit.
#pragma once

#include <conclave/simd/cpu.hpp>
#include <conclave/simd/kernels.hpp>
#include <conclave/simd/target.hpp>

#if CONCLAVE_X86_64
#include <immintrin.h>

#include <cstring>
#include <utility>

CONCLAVE_TARGET_BEGIN(CONCLAVE_TARGET_X86_IFMA)
namespace conclave::inline CONCLAVE_ABI::simd::x86_ifma {

inline constexpr std::size_t lanes = 8;
inline constexpr std::uint64_t limb_mask = (std::uint64_t{1} << 51U) - 1;
using vec [[gnu::vector_size(64)]] = unsigned long long;
using mask = __mmask8;  ///< one bit for each lane

[[gnu::always_inline]] inline vec broadcast(std::uint64_t x) noexcept { return vec{x, x, x, x, x, x, x, x}; }
[[gnu::always_inline]] inline vec select(mask which, vec chosen, vec other) noexcept {
  return reinterpret_cast<vec>(
      _mm512_mask_blend_epi64(which, reinterpret_cast<__m512i>(other), reinterpret_cast<__m512i>(chosen)));
}
/// lanes_with(x, bits): the lanes in which x and bits have a bit in common.
[[gnu::always_inline]] inline mask lanes_with(vec x, vec bits) noexcept {
  return _mm512_test_epi64_mask(reinterpret_cast<__m512i>(x), reinterpret_cast<__m512i>(bits));
}
[[gnu::always_inline]] inline vec load(const std::uint64_t* p) noexcept {
  return reinterpret_cast<vec>(_mm512_loadu_si512(p));
}
[[gnu::always_inline]] inline void store(std::uint64_t* p, vec x) noexcept {
  _mm512_storeu_si512(p, reinterpret_cast<__m512i>(x));
}
// sum + the low, or the high, 52 bits of a * b; the instruction sees no more than 52 bits of either factor
[[gnu::always_inline]] inline vec add_low(vec sum, vec a, vec b) noexcept {
  return reinterpret_cast<vec>(_mm512_madd52lo_epu64(reinterpret_cast<__m512i>(sum), reinterpret_cast<__m512i>(a),
                                                     reinterpret_cast<__m512i>(b)));
}
[[gnu::always_inline]] inline vec add_high(vec sum, vec a, vec b) noexcept {
  return reinterpret_cast<vec>(_mm512_madd52hi_epu64(reinterpret_cast<__m512i>(sum), reinterpret_cast<__m512i>(a),
                                                     reinterpret_cast<__m512i>(b)));
}

/// fe<U>: eight elements, every limb below U * 2^51. Factors have U <= 2, that is 52 bits, which is what the multiplier
/// sees; carry() makes such a factor of any element.
template <unsigned U>
struct fe {
  static_assert(U <= 1U << 13U, "a limb has 64 bits");
  vec limb[5];
};
using factor = fe<2>;
using canonical_fe = fe<1>;

/// fe_bytes: how much memory an element takes.
inline constexpr std::size_t fe_bytes = sizeof(factor);
static_assert(fe_bytes == 5 * sizeof(vec));

/// constant(limbs): one element in every lane.
[[gnu::always_inline]] inline canonical_fe constant(const std::uint64_t (&limbs)[5]) noexcept {
  return {{broadcast(limbs[0]), broadcast(limbs[1]), broadcast(limbs[2]), broadcast(limbs[3]), broadcast(limbs[4])}};
}
[[gnu::always_inline]] inline factor small(std::uint64_t x) noexcept {
  return {{broadcast(x), vec{}, vec{}, vec{}, vec{}}};
}

template <unsigned U, unsigned V>
[[gnu::always_inline]] inline fe<U + V> operator+(const fe<U>& a, const fe<V>& b) noexcept {
  return {{a.limb[0] + b.limb[0], a.limb[1] + b.limb[1], a.limb[2] + b.limb[2], a.limb[3] + b.limb[3],
           a.limb[4] + b.limb[4]}};
}
/// a - b + (V + 1) p: no limb falls below zero, because (V + 1)(2^51 - 19) > V * 2^51.
template <unsigned U, unsigned V>
[[gnu::always_inline]] inline fe<U + V + 1> operator-(const fe<U>& a, const fe<V>& b) noexcept {
  const vec low = broadcast((V + 1) * (limb_mask - 18)), high = broadcast((V + 1) * limb_mask);
  return {{a.limb[0] + low - b.limb[0], a.limb[1] + high - b.limb[1], a.limb[2] + high - b.limb[2],
           a.limb[3] + high - b.limb[3], a.limb[4] + high - b.limb[4]}};
}

/// carry(a): the same value with limbs below 2^51 + 2^18. Every limb hands on what is beyond 51 bits, all at once; the
/// highest gives at most 2^13 - 1, times 19, to the lowest.
template <unsigned U>
[[gnu::always_inline]] inline factor carry(const fe<U>& a) noexcept {
  const vec m = broadcast(limb_mask);
  const vec* const x = a.limb;
  return {{add_low(x[0] & m, x[4] >> 51, broadcast(19)), (x[1] & m) + (x[0] >> 51), (x[2] & m) + (x[1] >> 51),
           (x[3] & m) + (x[2] >> 51), (x[4] & m) + (x[3] >> 51)}};
}

/// columns: a product before it is folded, column k of weight 2^(51 k). Each product of two limbs has 52 low bits, which
/// belong to column i + j, and a high part of weight 2^(51 (i + j) + 52): twice in column i + j + 1.
struct columns {
  vec c[10];
};

// Highest count: column 5 has 4 low parts and 5 high ones, which count twice, all below 2^52; times 19, and 1 from column
// 0: 267 * 2^52. The other columns have less.
using product = fe<534>;

[[gnu::always_inline]] inline product fold(const columns& s) noexcept {
  const vec n = broadcast(19);
  return {{s.c[0] + s.c[5] * n, s.c[1] + s.c[6] * n, s.c[2] + s.c[7] * n, s.c[3] + s.c[8] * n, s.c[4] + s.c[9] * n}};
}
template <std::size_t... K>
[[gnu::always_inline]] inline void twice(columns& s, std::index_sequence<K...>) noexcept {
  ((s.c[K] += s.c[K]), ...);
}

// all high parts first, doubled together, then the low parts on top: ten accumulators are enough
template <std::size_t... IJ>
[[gnu::always_inline]] inline product multiply(const vec* a, const vec* b, std::index_sequence<IJ...>) noexcept {
  columns s{};
  ((s.c[IJ / 5 + IJ % 5 + 1] = add_high(s.c[IJ / 5 + IJ % 5 + 1], a[IJ / 5], b[IJ % 5])), ...);
  twice(s, std::make_index_sequence<10>{});
  ((s.c[IJ / 5 + IJ % 5] = add_low(s.c[IJ / 5 + IJ % 5], a[IJ / 5], b[IJ % 5])), ...);
  return fold(s);
}
template <unsigned U, unsigned V>
  requires(U <= 2 && V <= 2)
[[gnu::always_inline]] inline product operator*(const fe<U>& a, const fe<V>& b) noexcept {
  return multiply(a.limb, b.limb, std::make_index_sequence<25>{});
}

// a product of two different limbs counts twice, and its high part four times
inline constexpr std::size_t left_limb[10] = {0, 0, 0, 0, 1, 1, 1, 2, 2, 3};
inline constexpr std::size_t right_limb[10] = {1, 2, 3, 4, 2, 3, 4, 3, 4, 4};

template <std::size_t... K, std::size_t... I>
[[gnu::always_inline]] inline product square(const vec* a, std::index_sequence<K...>,
                                             std::index_sequence<I...>) noexcept {
  columns s{};
  ((s.c[left_limb[K] + right_limb[K] + 1] =
        add_high(s.c[left_limb[K] + right_limb[K] + 1], a[left_limb[K]], a[right_limb[K]])),
   ...);
  twice(s, std::make_index_sequence<10>{});
  ((s.c[2 * I + 1] = add_high(s.c[2 * I + 1], a[I], a[I])), ...);
  ((s.c[left_limb[K] + right_limb[K]] = add_low(s.c[left_limb[K] + right_limb[K]], a[left_limb[K]], a[right_limb[K]])),
   ...);
  twice(s, std::make_index_sequence<10>{});
  ((s.c[2 * I] = add_low(s.c[2 * I], a[I], a[I])), ...);
  return fold(s);
}
template <unsigned U>
  requires(U <= 2)
[[gnu::always_inline]] inline product square(const fe<U>& a) noexcept {
  return square(a.limb, std::make_index_sequence<10>{}, std::make_index_sequence<5>{});
}

/// multiply_small(a, n): n below 2^52. Column 1 has a low part and a high one that counts twice; column 5, folded, gives
/// 19 * 2 more.
template <unsigned U>
  requires(U <= 2)
[[gnu::always_inline]] inline fe<78> multiply_small(const fe<U>& a, std::uint64_t n) noexcept {
  const vec f = broadcast(n);
  const vec* const x = a.limb;
  const vec high[5] = {add_high(vec{}, x[0], f), add_high(vec{}, x[1], f), add_high(vec{}, x[2], f),
                       add_high(vec{}, x[3], f), add_high(vec{}, x[4], f)};
  return {{add_low(high[4] * broadcast(38), x[0], f), add_low(high[0] + high[0], x[1], f),
           add_low(high[1] + high[1], x[2], f), add_low(high[2] + high[2], x[3], f),
           add_low(high[3] + high[3], x[4], f)}};
}

template <unsigned U, unsigned V>
[[gnu::always_inline]] inline fe<(U > V ? U : V)> select(mask which, const fe<U>& chosen, const fe<V>& other) noexcept {
  return {{select(which, chosen.limb[0], other.limb[0]), select(which, chosen.limb[1], other.limb[1]),
           select(which, chosen.limb[2], other.limb[2]), select(which, chosen.limb[3], other.limb[3]),
           select(which, chosen.limb[4], other.limb[4])}};
}

/// reduce(a): the one representative below p. Its carry() is below 2^255 + 2^222, and p is subtracted where adding 19
/// reaches 2^255.
template <unsigned U>
inline canonical_fe reduce(const fe<U>& a) noexcept {
  factor x = carry(a);
  vec beyond = (x.limb[0] + 19) >> 51;
  for (std::size_t i = 1; i < 5; ++i) beyond = (x.limb[i] + beyond) >> 51;
  x.limb[0] += beyond * broadcast(19);
  canonical_fe out;
  for (std::size_t i = 0; i < 4; ++i) {
    out.limb[i] = x.limb[i] & broadcast(limb_mask);
    x.limb[i + 1] += x.limb[i] >> 51;
  }
  out.limb[4] = x.limb[4] & broadcast(limb_mask);
  return out;
}

/// zero_lanes(a): where a is 0; odd_lanes(a): where the representative below p is odd.
[[gnu::always_inline]] inline mask zero_lanes(const canonical_fe& a) noexcept {
  const vec any = a.limb[0] | a.limb[1] | a.limb[2] | a.limb[3] | a.limb[4];
  return static_cast<mask>(~lanes_with(any, any));
}
[[gnu::always_inline]] inline mask odd_lanes(const canonical_fe& a) noexcept {
  return lanes_with(a.limb[0], broadcast(1));
}

/// widen<U>(a): the same, of which less is known.
template <unsigned U = 2, unsigned V>
  requires(V <= U)
[[gnu::always_inline]] inline fe<U> widen(const fe<V>& a) noexcept {
  return {{a.limb[0], a.limb[1], a.limb[2], a.limb[3], a.limb[4]}};
}

/// words: 32 bytes of every lane as little-endian numbers, word k of all lanes together.
struct words {
  alignas(64) std::uint64_t of[4][lanes];
};

/// put(w, lane, bytes, otherwise): 32 bytes, or a small number where `bytes` is null. get(w, lane, bytes): the way back.
inline void put(words& w, std::size_t lane, const std::uint8_t* bytes, std::uint64_t otherwise) noexcept {
  for (std::size_t k = 0; k < 4; ++k) {
    w.of[k][lane] = k == 0 ? otherwise : 0;
    if (bytes != nullptr) std::memcpy(&w.of[k][lane], bytes + 8 * k, 8);
  }
}
inline void get(const words& w, std::size_t lane, std::uint8_t* bytes) noexcept {
  for (std::size_t k = 0; k < 4; ++k) std::memcpy(bytes + 8 * k, &w.of[k][lane], 8);
}

/// from_words(w): bit 255 does not count (RFC 7748 5, RFC 8032 5.1.3), and 2^255 - 19 and above are taken modulo p.
inline canonical_fe from_words(const words& w) noexcept {
  const vec m = broadcast(limb_mask);
  const vec a = load(w.of[0]), b = load(w.of[1]), c = load(w.of[2]), d = load(w.of[3]);
  return {{a & m, (a >> 51 | b << 13) & m, (b >> 38 | c << 26) & m, (c >> 25 | d << 39) & m, (d >> 12) & m}};
}
inline void to_words(const canonical_fe& a, words& out) noexcept {
  const vec* const x = a.limb;
  store(out.of[0], x[0] | x[1] << 51);
  store(out.of[1], x[1] >> 13 | x[2] << 38);
  store(out.of[2], x[2] >> 26 | x[3] << 25);
  store(out.of[3], x[3] >> 39 | x[4] << 12);
}

/// square_times(a, n): a^(2^n).
inline factor square_times(factor a, unsigned n) noexcept {
  while (n-- > 0) a = carry(square(a));
  return a;
}

/// power_2_250(a, a11): a^(2^250 - 1), and a^11 on the way.
inline factor power_2_250(const factor& a, factor& a11) noexcept {
  const factor a2 = carry(square(a));
  const factor a9 = carry(square_times(a2, 2) * a);
  a11 = carry(a9 * a2);
  const factor e5 = carry(carry(square(a11)) * a9);  // e<n>: a^(2^n - 1)
  const factor e10 = carry(square_times(e5, 5) * e5);
  const factor e20 = carry(square_times(e10, 10) * e10);
  const factor e40 = carry(square_times(e20, 20) * e20);
  const factor e50 = carry(square_times(e40, 10) * e10);
  const factor e100 = carry(square_times(e50, 50) * e50);
  const factor e200 = carry(square_times(e100, 100) * e100);
  return carry(square_times(e200, 50) * e50);
}
/// invert(a): a^(p - 2), which is 1 / a, and 0 for 0.
inline factor invert(const factor& a) noexcept {
  factor a11;
  const factor e250 = power_2_250(a, a11);
  return carry(square_times(e250, 5) * a11);
}
/// power_p58(a): a^((p - 5) / 8), for square roots (RFC 8032 5.1.3).
inline factor power_p58(const factor& a) noexcept {
  factor a11;
  const factor e250 = power_2_250(a, a11);
  return carry(square_times(e250, 2) * a);
}

/// invert_all(a, count): each in its place, with one inversion for all. No lane of any may be 0: it would make the same
/// lane of all others 0. `before` has room for count elements.
inline void invert_all(factor* a, std::size_t count, factor* before) noexcept {
  factor all = small(1);
  for (std::size_t i = 0; i < count; ++i) {
    before[i] = all;
    all = carry(all * a[i]);
  }
  all = invert(all);
  for (std::size_t i = count; i-- > 0;) {
    const factor inverse = carry(all * before[i]);
    all = carry(all * a[i]);
    a[i] = inverse;
  }
}

}  // namespace conclave::simd::x86_ifma
CONCLAVE_TARGET_END
#endif

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The field of 2^255 - 19 on AVX-512 IFMA, eight elements side by side, each of five limbs of 51 bits.
#pragma once

#include <conclave/simd/x86_ifma_vector.hpp>

#if CONCLAVE_X86_64
#include <cstring>
#include <utility>

CONCLAVE_TARGET_BEGIN(CONCLAVE_TARGET_X86_IFMA)
namespace conclave::inline CONCLAVE_ABI::simd::x86_ifma {

inline constexpr std::size_t limb_count = 5;
[[nodiscard]] constexpr unsigned limb_bits(std::size_t) noexcept { return 51; }
// Limbs are counted in 2^51. Factors have 2 of them, that is 52 bits, which is what the multiplier sees.
inline constexpr std::uint64_t unit = 1, carried = 2, widest = std::uint64_t{1} << 13U;

#include <conclave/simd/x86_fe25519.inl>

// sum + the low, or the high, 52 bits of a * b; the instruction sees no more than 52 bits of either factor
[[gnu::always_inline]] inline vec add_low(vec sum, vec a, vec b) noexcept {
  return reinterpret_cast<vec>(_mm512_madd52lo_epu64(reinterpret_cast<__m512i>(sum), reinterpret_cast<__m512i>(a),
                                                     reinterpret_cast<__m512i>(b)));
}
[[gnu::always_inline]] inline vec add_high(vec sum, vec a, vec b) noexcept {
  return reinterpret_cast<vec>(_mm512_madd52hi_epu64(reinterpret_cast<__m512i>(sum), reinterpret_cast<__m512i>(a),
                                                     reinterpret_cast<__m512i>(b)));
}

/// carry(a): the same value with limbs below 2^51 + 2^18. Every limb hands on what is beyond 51 bits, all at once; the
/// highest gives at most 2^13 - 1, times 19, to the lowest.
template <std::uint64_t U>
[[gnu::always_inline]] inline factor carry(const fe<U>& a) noexcept {
  const vec m = broadcast(limb_mask(0));
  const vec* const x = a.limb;
  return {{add_low(x[0] & m, x[4] >> 51, broadcast(19)), (x[1] & m) + (x[0] >> 51), (x[2] & m) + (x[1] >> 51),
           (x[3] & m) + (x[2] >> 51), (x[4] & m) + (x[3] >> 51)}};
}
/// fit(a): ready to be multiplied.
template <std::uint64_t U>
[[gnu::always_inline]] inline factor fit(const fe<U>& a) noexcept {
  return carry(a);
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
template <std::uint64_t U, std::uint64_t V>
  requires(U <= carried && V <= carried)
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
template <std::uint64_t U>
  requires(U <= carried)
[[gnu::always_inline]] inline product square(const fe<U>& a) noexcept {
  return square(a.limb, std::make_index_sequence<10>{}, std::make_index_sequence<5>{});
}

/// multiply_small(a, n): n below 2^52. Column 1 has a low part and a high one that counts twice; column 5, folded, gives
/// 19 * 2 more.
template <std::uint64_t U>
  requires(U <= carried)
[[gnu::always_inline]] inline fe<78> multiply_small(const fe<U>& a, std::uint64_t n) noexcept {
  const vec f = broadcast(n);
  const vec* const x = a.limb;
  const vec high[5] = {add_high(vec{}, x[0], f), add_high(vec{}, x[1], f), add_high(vec{}, x[2], f),
                       add_high(vec{}, x[3], f), add_high(vec{}, x[4], f)};
  return {{add_low(high[4] * broadcast(38), x[0], f), add_low(high[0] + high[0], x[1], f),
           add_low(high[1] + high[1], x[2], f), add_low(high[2] + high[2], x[3], f),
           add_low(high[3] + high[3], x[4], f)}};
}

/// from_51(x), to_51(a, x): five limbs of 51 bits, and back.
template <class To = factor>
[[gnu::always_inline]] inline To from_51(const vec* x) noexcept {
  return {{x[0], x[1], x[2], x[3], x[4]}};
}
[[gnu::always_inline]] inline void to_51(const factor& a, vec* x) noexcept {
  x[0] = a.limb[0], x[1] = a.limb[1], x[2] = a.limb[2], x[3] = a.limb[3], x[4] = a.limb[4];
}
[[gnu::always_inline]] inline void to_51(const canonical_fe& a, vec* x) noexcept { to_51(widen(a), x); }

/// sixteen: a public element for each of the indices 0 to 15, limb k of all together.
class sixteen {
 public:
  /// set(first, a): those of the lanes, from index `first` on.
  void set(std::size_t first, const factor& a) noexcept {
    for (std::size_t k = 0; k < limb_count; ++k) store(limbs_[k] + first, a.limb[k]);
  }
  /// pick(index): one for each lane. All are read, wherever one of them is wanted.
  [[nodiscard]] [[gnu::always_inline]] factor pick(vec index) const noexcept {
    return pick(index, std::make_index_sequence<limb_count>{});
  }

 private:
  template <std::size_t... K>
  [[nodiscard]] [[gnu::always_inline]] factor pick(vec index, std::index_sequence<K...>) const noexcept {
    return {{reinterpret_cast<vec>(_mm512_permutex2var_epi64(reinterpret_cast<__m512i>(load(limbs_[K])),
                                                             reinterpret_cast<__m512i>(index),
                                                             reinterpret_cast<__m512i>(load(limbs_[K] + lanes))))...}};
  }
  alignas(64) std::uint64_t limbs_[limb_count][16];
};

#include <conclave/simd/x86_field25519.inl>

}  // namespace conclave::simd::x86_ifma
CONCLAVE_TARGET_END
#endif

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The field of 2^255 - 19 on AVX2, four elements side by side, each of ten limbs of 26 and 25 bits in turn: limb i has the
/// weight 2^ceil(25.5 i), and a product of two of them fits a lane with room to spare.
#pragma once

#include <conclave/detail/ct.hpp>
#include <conclave/simd/x86_avx2_vector.hpp>

#if CONCLAVE_X86_64
#include <cstring>
#include <utility>

CONCLAVE_TARGET_BEGIN(CONCLAVE_TARGET_X86_AVX2)
namespace conclave::inline CONCLAVE_ABI::simd::x86_avx2 {

inline constexpr std::size_t limb_count = 10;
[[nodiscard]] constexpr unsigned limb_bits(std::size_t i) noexcept { return 26 - i % 2; }
// Limbs are counted in sixteenths of 2^26 or 2^25. The widest ones leave carry() room for what it adds, less than 2^39.
inline constexpr std::uint64_t unit = 16, carried = 17, widest = (std::uint64_t{1} << 42U) - (std::uint64_t{1} << 18U);
// The multiplier sees 32 bits of a limb: one factor is multiplied by 19 first, and 19 * 53 / 16 * 2^26 < 2^32. The other one
// is bounded by the sum of all columns.
inline constexpr std::uint64_t widest_factor = 53, widest_product = 34 * 34;

#include <conclave/simd/x86_fe25519.inl>

// Highest count, for limbs of 2^26 and 2^25: column 1 has 2 products of 2^51, and 8 more times 19; even columns have at most
// 124.5 * 2^52. So that many times 2^21 or 2^22 for each sixteenth of a sixteenth.
using product = fe<widest_product * 154 << 22U>;

/// carry(a): the same value with limbs below 2^26, or 2^25 + 2^18. Two chains run side by side, from limb 0 to 4 and from 4
/// to 9. Their ends hand on once more: limb 4 less than 2^14 to limb 5, and limb 9 less than 2^44 to limb 0, which gives
/// less than 2^18 to limb 1.
template <std::uint64_t U>
[[gnu::always_inline]] inline factor carry(const fe<U>& a) noexcept {
  const vec low = broadcast(limb_mask(0)), high = broadcast(limb_mask(1));
  factor x{
      {a.limb[0], a.limb[1], a.limb[2], a.limb[3], a.limb[4], a.limb[5], a.limb[6], a.limb[7], a.limb[8], a.limb[9]}};
  vec* const l = x.limb;
  l[1] += l[0] >> 26, l[0] &= low, l[5] += l[4] >> 26, l[4] &= low;
  l[2] += l[1] >> 25, l[1] &= high, l[6] += l[5] >> 25, l[5] &= high;
  l[3] += l[2] >> 26, l[2] &= low, l[7] += l[6] >> 26, l[6] &= low;
  l[4] += l[3] >> 25, l[3] &= high, l[8] += l[7] >> 25, l[7] &= high;
  l[5] += l[4] >> 26, l[4] &= low, l[9] += l[8] >> 26, l[8] &= low;
  const vec beyond = l[9] >> 25;
  l[9] &= high;
  l[0] += (beyond << 4) + (beyond << 1) + beyond;
  l[1] += l[0] >> 26, l[0] &= low;
  return x;
}
/// fit(a): ready to be multiplied.
template <std::uint64_t U>
[[gnu::always_inline]] inline auto fit(const fe<U>& a) noexcept {
  if constexpr (U <= widest_factor)
    return a;
  else
    return carry(a);
}

/// in_memory(b, c): what these point to is read again wherever it is wanted. settle(sums, b, c): likewise, and no sum goes on
/// before all have come this far. Sixteen registers hold ten sums and little more; left alone, compilers keep factors in
/// them, and sums in memory. MemorySanitizer takes operands of assembly for decisions.
[[gnu::always_inline]] inline void in_memory([[maybe_unused]] const vec*& b, [[maybe_unused]] const vec*& c) noexcept {
#if !CONCLAVE_MEMORY_SANITIZER
  __asm__("" : "+r"(b), "+r"(c));
#endif
}
[[gnu::always_inline]] inline void settle([[maybe_unused]] vec* s, [[maybe_unused]] const vec*& b,
                                          [[maybe_unused]] const vec*& c) noexcept {
#if !CONCLAVE_MEMORY_SANITIZER
  __asm__(""
          : "+x"(s[0]), "+x"(s[1]), "+x"(s[2]), "+x"(s[3]), "+x"(s[4]), "+x"(s[5]), "+x"(s[6]), "+x"(s[7]), "+x"(s[8]),
            "+x"(s[9]), "+r"(b), "+r"(c));
#endif
}
[[gnu::always_inline]] inline product product_of(const vec* s) noexcept {
  return {{s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8], s[9]}};
}

// A product of limbs i and j counts twice where both are odd, for the weights of both are rounded up, and 19 times where
// i + j >= 10.
template <std::size_t I, std::size_t... J>
[[gnu::always_inline]] inline void add_row(vec* sums, const vec* a, const vec*& b, const vec*& b19,
                                           std::index_sequence<J...>) noexcept {
  const vec x = a[I], x2 = x + x;
  ((sums[(I + J) % 10] += times(I % 2 == 1 && J % 2 == 1 ? x2 : x, (I + J >= 10 ? b19 : b)[J])), ...);
  settle(sums, b, b19);
}
template <std::size_t... I>
[[gnu::noinline]] product multiply(const vec* a, const vec* b, std::index_sequence<I...> all) noexcept {
  const vec by_19[10] = {times(b[I], broadcast(19))...};
  const vec* b19 = by_19;
  in_memory(b, b19);
  vec sums[10] = {};
  (add_row<I>(sums, a, b, b19, all), ...);
  return product_of(sums);
}
template <std::uint64_t U, std::uint64_t V>
  requires(U* V <= widest_product && (U <= widest_factor || V <= widest_factor))
[[gnu::always_inline]] inline product operator*(const fe<U>& a, const fe<V>& b) noexcept {
  constexpr bool in_order = V <= widest_factor;
  return multiply(in_order ? a.limb : b.limb, in_order ? b.limb : a.limb, each_limb{});
}

// A product of two different limbs counts twice more. `wrapped` brings along 19, and 2 where j is odd.
template <std::size_t I, std::size_t J>
[[gnu::always_inline]] inline void add_square_term(vec* sums, vec x, vec x2, const vec* a,
                                                   const vec* wrapped) noexcept {
  constexpr bool odd = J % 2 == 1;
  constexpr std::size_t count = (I == J ? 1 : 2) * (I % 2 == 1 && odd ? 2 : 1);
  if constexpr (I + J >= 10)
    sums[I + J - 10] += times(count == (odd ? 2 : 1) ? x : x2, wrapped[J]);
  else
    sums[I + J] += times(count == 1 ? x : count == 2 ? x2 : x2 + x2, a[J]);
}
template <std::size_t I, std::size_t... J>
[[gnu::always_inline]] inline void add_square_row(vec* sums, const vec*& a, const vec*& wrapped,
                                                  std::index_sequence<J...>) noexcept {
  const vec x = a[I], x2 = x + x;
  (add_square_term<I, I + J>(sums, x, x2, a, wrapped), ...);
  settle(sums, a, wrapped);
}
template <std::size_t... I>
[[gnu::noinline]] product square(const vec* a, std::index_sequence<I...>) noexcept {
  const vec by_19[10] = {times(a[I], broadcast(I % 2 == 1 ? 38 : 19))...};
  const vec* wrapped = by_19;
  in_memory(a, wrapped);
  vec sums[10] = {};
  (add_square_row<I>(sums, a, wrapped, std::make_index_sequence<10 - I>{}), ...);
  return product_of(sums);
}
/// square(a): 38 * 34 / 16 * 2^25 is below 2^32 as well.
template <std::uint64_t U>
  requires(U* U <= widest_product)
[[gnu::always_inline]] inline product square(const fe<U>& a) noexcept {
  return square(a.limb, each_limb{});
}

template <std::uint64_t U, std::size_t... I>
[[gnu::always_inline]] inline fe<U> times_each(const vec* a, vec n, std::index_sequence<I...>) noexcept {
  return {{times(a[I], n)...}};
}
/// multiply_small(a, n): n at most 2^17.
template <std::uint64_t U>
  requires(U <= widest_factor)
[[gnu::always_inline]] inline fe<U << 17U> multiply_small(const fe<U>& a, std::uint64_t n) noexcept {
  return times_each<U << 17U>(a.limb, broadcast(n), each_limb{});
}

/// from_51(x), to_51(a, x): five limbs of 51 bits, and back. Even limbs have 26 bits after any carry().
template <class To = factor>
[[gnu::always_inline]] inline To from_51(const vec* x) noexcept {
  const vec m = broadcast(limb_mask(0));
  return {
      {x[0] & m, x[0] >> 26, x[1] & m, x[1] >> 26, x[2] & m, x[2] >> 26, x[3] & m, x[3] >> 26, x[4] & m, x[4] >> 26}};
}
template <std::uint64_t U>
  requires(U <= carried)
[[gnu::always_inline]] inline void to_51(const fe<U>& a, vec* x) noexcept {
  for (std::size_t i = 0; i < 5; ++i) x[i] = a.limb[2 * i] + (a.limb[2 * i + 1] << 26);
}

/// sixteen: a public element for each of the indices 0 to 15, limb k of all together.
class sixteen {
 public:
  /// set(first, a): those of the lanes, from index `first` on.
  void set(std::size_t first, const factor& a) noexcept {
    for (std::size_t k = 0; k < limb_count; ++k)
      for (std::size_t lane = 0; lane < lanes; ++lane)
        limbs_[k][first + lane] = static_cast<std::uint32_t>(a.limb[k][lane]);
  }
  /// pick(index): one for each lane. All are read, wherever one of them is wanted.
  [[nodiscard]] [[gnu::always_inline]] factor pick(vec index) const noexcept {
    return pick(index, lanes_with(index, broadcast(8)), each_limb{});
  }

 private:
  template <std::size_t... K>
  [[nodiscard]] [[gnu::always_inline]] factor pick(vec index, const mask& upper,
                                                   std::index_sequence<K...>) const noexcept {
    return {
        {(select(upper, pick_half(limbs_[K] + 8, index), pick_half(limbs_[K], index)) & broadcast(limb_mask(0)))...}};
  }
  // the instruction picks for the other half of each lane as well
  [[nodiscard]] [[gnu::always_inline]] static vec pick_half(const std::uint32_t* from, vec index) noexcept {
    return reinterpret_cast<vec>(_mm256_permutevar8x32_epi32(_mm256_load_si256(reinterpret_cast<const __m256i*>(from)),
                                                             reinterpret_cast<__m256i>(index)));
  }
  alignas(64) std::uint32_t limbs_[limb_count][16];
};

#include <conclave/simd/x86_field25519.inl>

}  // namespace conclave::simd::x86_avx2
CONCLAVE_TARGET_END
#endif

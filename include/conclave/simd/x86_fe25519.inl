// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Elements of the field of 2^255 - 19, as many side by side as a vector has lanes, and what needs no product of two
// limbs. Written once for all vectors: the headers of the fields include this inside their own regions and namespaces,
// behind their vectors and the shape of their limbs; a template would stay baseline code.
//
// Each vector holds the same limb of all elements, the lowest limb first. Sums and differences are left wide; the type
// knows how wide, and the compiler refuses what might not fit.

/// fe<U>: limb i of each lane is below U / unit * 2^limb_bits(i).
template <std::uint64_t U>
struct fe {
  static_assert(U <= widest, "a limb has 64 bits");
  vec limb[limb_count];
};
using factor = fe<carried>;  ///< what carry() leaves, ready to be multiplied
using canonical_fe = fe<unit>;
using each_limb = std::make_index_sequence<limb_count>;

/// fe_bytes: how much memory an element takes.
inline constexpr std::size_t fe_bytes = sizeof(factor);
static_assert(fe_bytes == limb_count * sizeof(vec));

[[nodiscard]] constexpr std::uint64_t limb_mask(std::size_t i) noexcept {
  return (std::uint64_t{1} << limb_bits(i)) - 1;
}
/// multiples_above(v): the fewest times p whose limbs are all beyond those of an fe<v>. Limb 0 of p, 2^limb_bits - 19, is
/// the one that falls short the most.
[[nodiscard]] constexpr std::uint64_t multiples_above(std::uint64_t v) noexcept {
  return (v + 19 * v / (limb_mask(0) - 18) + unit) / unit;
}

template <std::uint64_t U, std::uint64_t V, std::size_t... I>
[[gnu::always_inline]] inline fe<U + V> sum(const fe<U>& a, const fe<V>& b, std::index_sequence<I...>) noexcept {
  return {{(a.limb[I] + b.limb[I])...}};
}
template <std::uint64_t U, std::uint64_t V>
[[gnu::always_inline]] inline fe<U + V> operator+(const fe<U>& a, const fe<V>& b) noexcept {
  return sum(a, b, each_limb{});
}

template <std::uint64_t N, std::uint64_t U, std::uint64_t V, std::size_t... I>
[[gnu::always_inline]] inline fe<U + N * unit> difference(const fe<U>& a, const fe<V>& b,
                                                          std::index_sequence<I...>) noexcept {
  return {{(a.limb[I] + broadcast(N * (limb_mask(I) - (I == 0 ? 18 : 0))) - b.limb[I])...}};
}
/// a - b, and as many p as it takes that no limb falls below zero.
template <std::uint64_t U, std::uint64_t V>
[[gnu::always_inline]] inline auto operator-(const fe<U>& a, const fe<V>& b) noexcept {
  return difference<multiples_above(V)>(a, b, each_limb{});
}

template <std::uint64_t W, std::uint64_t U, std::uint64_t V, std::size_t... I>
[[gnu::always_inline]] inline fe<W> select(mask which, const fe<U>& chosen, const fe<V>& other,
                                           std::index_sequence<I...>) noexcept {
  return {{select(which, chosen.limb[I], other.limb[I])...}};
}
template <std::uint64_t U, std::uint64_t V>
[[gnu::always_inline]] inline fe<(U > V ? U : V)> select(mask which, const fe<U>& chosen, const fe<V>& other) noexcept {
  return select<(U > V ? U : V)>(which, chosen, other, each_limb{});
}

template <std::uint64_t U, std::uint64_t V, std::size_t... I>
[[gnu::always_inline]] inline void widen_to(fe<U>& out, const fe<V>& a, std::index_sequence<I...>) noexcept {
  static_assert(V <= U);
  ((out.limb[I] = a.limb[I]), ...);
}
/// widen<To>(a): the same, of which less is known.
template <class To = factor, std::uint64_t V>
[[gnu::always_inline]] inline To widen(const fe<V>& a) noexcept {
  To out;
  widen_to(out, a, each_limb{});
  return out;
}

[[gnu::always_inline]] inline factor small(std::uint64_t x) noexcept { return {{broadcast(x)}}; }

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Points of Edwards' curve of RFC 8032, eight side by side, and multiples of its base point.
#pragma once

#include <conclave/detail/wipe.hpp>
#include <conclave/simd/x86_ifma_field.hpp>

#if CONCLAVE_X86_64
CONCLAVE_TARGET_BEGIN(CONCLAVE_TARGET_X86_IFMA)
namespace conclave::inline CONCLAVE_ABI::simd::x86_ifma {

// RFC 8032 5.1: d, twice d, the square root of -1, and the base point
inline constexpr std::uint64_t curve_d[5] = {0x34dca135978a3, 0x1a8283b156ebd, 0x5e7a26001c029, 0x739c663a03cbb,
                                             0x52036cee2b6ff};
inline constexpr std::uint64_t curve_2d[5] = {0x69b9426b2f159, 0x35050762add7a, 0x3cf44c0038052, 0x6738cc7407977,
                                              0x2406d9dc56dff};
inline constexpr std::uint64_t root_of_minus_1[5] = {0x61b274a0ea0b0, 0x0d5a5fc8f189d, 0x7ef5e9cbd0c60, 0x78595a6804c9e,
                                                     0x2b8324804fc1d};
inline constexpr std::uint64_t base_x[5] = {0x62d608f25d51a, 0x412a4b4f6592a, 0x75b7171a4b31d, 0x1ff60527118fe,
                                            0x216936d3cd6e5};
inline constexpr std::uint64_t base_y[5] = {0x6666666666658, 0x4cccccccccccc, 0x1999999999999, 0x3333333333333,
                                            0x6666666666666};

/// point: extended coordinates (RFC 8032 5.1.4).
struct point {
  factor x, y, z, t;
};
/// addend, affine_addend: a point made ready to be added: y + x, y - x, 2 d t, and z where it is not 1.
struct affine_addend {
  factor sum, difference, t2d;
};
struct addend : affine_addend {
  factor z;
};

[[gnu::always_inline]] inline point affine(const factor& x, const factor& y) noexcept {
  return {x, y, small(1), carry(x * y)};
}
inline point base_point() noexcept { return affine(widen(constant(base_x)), widen(constant(base_y))); }

inline addend prepare(const point& p) noexcept {
  return {{carry(p.y + p.x), carry(p.y - p.x), carry(p.t * constant(curve_2d))}, p.z};
}

template <unsigned E, unsigned F, unsigned G, unsigned H>
[[gnu::always_inline]] inline void finish(point& out, bool with_t, const fe<E>& wide_e, const fe<F>& wide_f,
                                          const fe<G>& wide_g, const fe<H>& wide_h) noexcept {
  const factor e = carry(wide_e), f = carry(wide_f), g = carry(wide_g), h = carry(wide_h);
  out.x = carry(e * f);
  out.y = carry(g * h);
  out.z = carry(f * g);
  if (with_t) out.t = carry(e * h);
}

/// double_times(p, n): 2^n p, for n > 0 (RFC 8032 5.1.4, all four factors with their signs turned).
[[gnu::noinline]] inline void double_times(point& p, unsigned n) noexcept {
  while (n-- > 0) {
    const product a = square(p.x), b = square(p.y), c = square(p.z);
    const auto h = a + b;
    const auto g = a - b;
    finish(p, n == 0, h - square(carry(p.x + p.y)), c + c + g, g, h);
  }
}

[[gnu::always_inline]] inline auto twice_z(const point& p, const affine_addend&) noexcept { return p.z + p.z; }
[[gnu::always_inline]] inline auto twice_z(const point& p, const addend& q) noexcept {
  const product z = p.z * q.z;
  return z + z;
}

/// add<WithT>(p, q, negative): p + q, or p - q in the lanes of `negative`. The formulas hold for all points of the curve
/// (RFC 8032 5.1.4). Without T the sum can only be doubled. The lanes come by reference: MemorySanitizer takes what is
/// passed to a function for a decision.
template <bool WithT, class Addend>
[[gnu::noinline]] inline void add(point& p, const Addend& q, const mask& negative) noexcept {
  const product a = carry(p.y - p.x) * select(negative, q.sum, q.difference);
  const product b = carry(p.y + p.x) * select(negative, q.difference, q.sum);
  const product c = p.t * q.t2d;
  const auto d = twice_z(p, q);
  const auto more = d + c;
  const auto less = d - c;
  finish(p, WithT, b - a, select(negative, more, less), select(negative, less, more), b + a);
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

/// row: an addend of one lane, in the order of its members; an affine one ends with its first 16 numbers.
inline constexpr std::size_t affine_row = 16, full_row = 24;

/// write_rows(a, z, to): lane i to to[i].
inline void write_rows(const affine_addend& a, const factor* z, std::uint64_t* const (&to)[lanes]) noexcept {
  vec v[full_row] = {a.sum.limb[0],        a.sum.limb[1],        a.sum.limb[2],        a.sum.limb[3],
                     a.sum.limb[4],        a.difference.limb[0], a.difference.limb[1], a.difference.limb[2],
                     a.difference.limb[3], a.difference.limb[4], a.t2d.limb[0],        a.t2d.limb[1],
                     a.t2d.limb[2],        a.t2d.limb[3],        a.t2d.limb[4],        vec{}};
  if (z != nullptr)
    for (std::size_t i = 0; i < 5; ++i) v[16 + i] = z->limb[i];
  for (std::size_t part = 0; part < (z != nullptr ? 3U : 2U); ++part) {
    transpose(v + 8 * part);
    for (std::size_t i = 0; i < lanes; ++i) store(to[i] + 8 * part, v[8 * part + i]);
  }
}
/// read_part(from, v): the next eight numbers of each row.
template <std::size_t... I>
[[gnu::always_inline]] inline void read_part(const std::uint64_t* const (&from)[lanes], std::size_t at, vec* v,
                                             std::index_sequence<I...>) noexcept {
  ((v[I] = load(from[I] + at)), ...);
  transpose(v);
}
[[gnu::always_inline]] inline affine_addend read_affine(const std::uint64_t* const (&from)[lanes]) noexcept {
  vec v[affine_row];
  read_part(from, 0, v, std::make_index_sequence<lanes>{});
  read_part(from, 8, v + 8, std::make_index_sequence<lanes>{});
  return {{{v[0], v[1], v[2], v[3], v[4]}}, {{v[5], v[6], v[7], v[8], v[9]}}, {{v[10], v[11], v[12], v[13], v[14]}}};
}
[[gnu::always_inline]] inline addend read_full(const std::uint64_t* const (&from)[lanes]) noexcept {
  vec v[lanes];
  read_part(from, affine_row, v, std::make_index_sequence<lanes>{});
  return {read_affine(from), {{v[0], v[1], v[2], v[3], v[4]}}};
}

/// digit: one of every lane, |digit| <= 2^(Width - 1).
struct digit {
  vec magnitude;
  mask negative;
};

/// recoder<Width>: signed digits of base 2^Width that add up to each number, the lowest first.
template <unsigned Width>
class recoder {
 public:
  explicit recoder(const words& numbers) noexcept : numbers_{&numbers} {}

  [[nodiscard]] [[gnu::always_inline]] digit next() noexcept {
    const unsigned word = at_ / 64, shift = at_ % 64;
    vec raw = load(numbers_->of[word]) >> shift;
    if (shift + Width > 64 && word < 3) raw |= load(numbers_->of[word + 1]) << (64 - shift);
    at_ += Width;
    const vec d = (raw & broadcast((1U << Width) - 1)) + carry_;
    const mask negative =
        _mm512_cmpgt_epu64_mask(reinterpret_cast<__m512i>(d), reinterpret_cast<__m512i>(broadcast(1U << (Width - 1))));
    carry_ = select(negative, broadcast(1), vec{});
    return {select(negative, broadcast(1U << Width) - d, d), negative};
  }

 private:
  const words* numbers_;
  vec carry_{};
  unsigned at_ = 0;
};

/// lane_multiples(p): p in the first lane, 2 p in the second, and 8 p in the last; all lanes of p are equal.
inline point lane_multiples(const point& p) noexcept {
  const addend once = prepare(p);
  point out{small(0), small(1), small(1), small(0)};
  for (const mask set : {mask{0x80}, mask{0x78}, mask{0x66}, mask{0x55}}) {  // bits 3 to 0 of the numbers 1 to 8
    double_times(out, 1);
    point more = out;
    add<true>(more, once, 0);
    out = {select(set, more.x, out.x), select(set, more.y, out.y), select(set, more.z, out.z),
           select(set, more.t, out.t)};
  }
  return out;
}

/// make_affine(p, count, out): up to 16 points, each number below p.
inline void make_affine(const point* p, std::size_t count, affine_addend* out) noexcept {
  factor z[16], before[16];
  for (std::size_t i = 0; i < count; ++i) z[i] = p[i].z;
  invert_all(z, count, before);
  for (std::size_t i = 0; i < count; ++i) {
    const factor x = carry(p[i].x * z[i]), y = carry(p[i].y * z[i]);
    out[i] = {widen(reduce(y + x)), widen(reduce(y - x)), widen(reduce(carry(x * y) * constant(curve_2d)))};
  }
}

/// base_table: 0 to 512 times the base point, as affine rows. Made when it is first asked for, in some tens of
/// microseconds; public.
class base_table {
 public:
  static constexpr std::size_t multiples = 513;
  [[nodiscard]] static const base_table& get() noexcept {
    static const base_table table;
    return table;
  }
  [[nodiscard]] const std::uint64_t* row(std::size_t multiple) const noexcept { return rows_[multiple]; }

 private:
  base_table() noexcept {
    const point base = base_point();
    point eight = base, next = lane_multiples(base), some[16];
    double_times(eight, 3);
    const addend step = prepare(eight);
    affine_addend ready[16];
    rows_[0][0] = rows_[0][5] = 1;
    for (std::size_t first = 1; first < multiples; first += 16 * lanes) {
      for (point& p : some) {
        p = next;
        add<true>(next, step, 0);
      }
      make_affine(some, 16, ready);
      for (std::size_t i = 0; i < 16 * lanes; i += lanes) {
        std::uint64_t* const r = rows_[first + i];
        write_rows(ready[i / lanes], nullptr, {r, r + 16, r + 32, r + 48, r + 64, r + 80, r + 96, r + 112});
      }
    }
  }

  alignas(64) std::uint64_t rows_[multiples][affine_row]{};
};

/// comb_table: 1 to 16 times 32^i times the base point for each i, as affine addends; number k of all sixteen together.
class comb_table {
 public:
  static constexpr std::size_t positions = 51;
  [[nodiscard]] static const comb_table& get() noexcept {
    static const comb_table table;
    return table;
  }
  /// start(): 2^254 times the base point.
  [[nodiscard]] const point& start() const noexcept { return start_; }

  /// pick(i, multiple): 0 to 16 in each lane. All sixteen are read, wherever one of them is wanted.
  [[nodiscard]] affine_addend pick(std::size_t i, vec multiple) const noexcept {
    const mask some = lanes_with(multiple, multiple);
    vec v[15];
    pick_numbers(numbers_[i], multiple - 1, v, std::make_index_sequence<15>{});
    return {select(some, factor{{v[0], v[1], v[2], v[3], v[4]}}, small(1)),
            select(some, factor{{v[5], v[6], v[7], v[8], v[9]}}, small(1)),
            select(some, factor{{v[10], v[11], v[12], v[13], v[14]}}, small(0))};
  }

 private:
  template <std::size_t... K>
  [[gnu::always_inline]] static void pick_numbers(const std::uint64_t (&from)[15][2 * lanes], vec index, vec* v,
                                                  std::index_sequence<K...>) noexcept {
    ((v[K] = reinterpret_cast<vec>(_mm512_permutex2var_epi64(reinterpret_cast<__m512i>(load(from[K])),
                                                             reinterpret_cast<__m512i>(index),
                                                             reinterpret_cast<__m512i>(load(from[K] + lanes))))),
     ...);
  }

  comb_table() noexcept {
    start_ = base_point();
    point some[2];
    affine_addend ready[2];
    for (std::size_t i = 0; i < positions; ++i) {
      some[0] = some[1] = lane_multiples(start_);
      double_times(start_, 3);
      add<true>(some[1], prepare(start_), 0);
      double_times(start_, i + 1 < positions ? 2 : 1);  // 2^(5 (i + 1)), and 2^254 in the end
      make_affine(some, 2, ready);
      for (std::size_t half = 0; half < 2; ++half) {
        for (std::size_t k = 0; k < 5; ++k) {
          store(numbers_[i][k] + half * lanes, ready[half].sum.limb[k]);
          store(numbers_[i][5 + k] + half * lanes, ready[half].difference.limb[k]);
          store(numbers_[i][10 + k] + half * lanes, ready[half].t2d.limb[k]);
        }
      }
    }
  }
  alignas(64) std::uint64_t numbers_[positions][15][2 * lanes];
  point start_;
};

}  // namespace conclave::simd::x86_ifma
CONCLAVE_TARGET_END
#endif

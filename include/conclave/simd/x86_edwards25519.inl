// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Points of Edwards' curve of RFC 8032, as many side by side as a vector has lanes, and multiples of its base point.
// Written once for all vectors, above x86_field25519.inl.

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

template <std::uint64_t E, std::uint64_t F, std::uint64_t G, std::uint64_t H>
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
    finish(p, n == 0, h - square(fit(p.x + p.y)), c + c + g, g, h);
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
  const product a = fit(p.y - p.x) * select(negative, q.sum, q.difference);
  const product b = fit(p.y + p.x) * select(negative, q.difference, q.sum);
  const product c = p.t * q.t2d;
  const auto d = twice_z(p, q);
  const auto more = d + c;
  const auto less = d - c;
  finish(p, WithT, b - a, select(negative, more, less), select(negative, less, more), b + a);
}

/// row: an addend of one lane, in the order of its members, each in five numbers of 51 bits; an affine one ends with
/// the first 16.
inline constexpr std::size_t affine_row = 16, full_row = 24;

/// write_rows(a, z, to): lane i to to[i].
inline void write_rows(const affine_addend& a, const factor* z, std::uint64_t* const (&to)[lanes]) noexcept {
  vec v[full_row] = {};
  to_51(a.sum, v);
  to_51(a.difference, v + 5);
  to_51(a.t2d, v + 10);
  if (z != nullptr) to_51(*z, v + affine_row);
  for (std::size_t at = 0; at < (z != nullptr ? full_row : affine_row); at += lanes) {
    transpose(v + at);
    for (std::size_t i = 0; i < lanes; ++i) store(to[i] + at, v[at + i]);
  }
}
// the next numbers of each row, as many as there are lanes, again and again
template <std::size_t... I>
[[gnu::always_inline]] inline void read_block(const std::uint64_t* const (&from)[lanes], std::size_t at, vec* v,
                                              std::index_sequence<I...>) noexcept {
  ((v[I] = load(from[I] + at)), ...);
  transpose(v);
}
template <std::size_t... Block>
[[gnu::always_inline]] inline void read_numbers(const std::uint64_t* const (&from)[lanes], std::size_t at, vec* v,
                                                std::index_sequence<Block...>) noexcept {
  (read_block(from, at + Block * lanes, v + Block * lanes, std::make_index_sequence<lanes>{}), ...);
}
[[gnu::always_inline]] inline affine_addend read_affine(const std::uint64_t* const (&from)[lanes]) noexcept {
  vec v[affine_row];
  read_numbers(from, 0, v, std::make_index_sequence<affine_row / lanes>{});
  return {from_51(v), from_51(v + 5), from_51(v + 10)};
}
[[gnu::always_inline]] inline addend read_full(const std::uint64_t* const (&from)[lanes]) noexcept {
  vec v[full_row - affine_row];
  read_numbers(from, affine_row, v, std::make_index_sequence<(full_row - affine_row) / lanes>{});
  return {read_affine(from), from_51(v)};
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
    const mask negative = lanes_above(d, broadcast(1U << (Width - 1)));
    carry_ = select(negative, broadcast(1), vec{});
    return {select(negative, broadcast(1U << Width) - d, d), negative};
  }

 private:
  const words* numbers_;
  vec carry_{};
  unsigned at_ = 0;
};

inline constexpr unsigned lanes_log = lanes == 8 ? 3 : 2;
static_assert(lanes == 1U << lanes_log);

/// lane_multiples(p): p in the first lane, 2 p in the second, and so on; all lanes of p are equal.
inline point lane_multiples(const point& p) noexcept {
  const addend once = prepare(p);
  point out{small(0), small(1), small(1), small(0)};
  for (unsigned bit = lanes_log + 1; bit-- > 0;) {
    double_times(out, 1);
    point more = out;
    add<true>(more, once, mask{});
    unsigned with_bit = 0;
    for (unsigned lane = 0; lane < lanes; ++lane) with_bit |= ((lane + 1) >> bit & 1U) << lane;
    const mask set = lanes_of(with_bit);
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
    point stride = base, next = lane_multiples(base), some[16];
    double_times(stride, lanes_log);
    const addend step = prepare(stride);
    affine_addend ready[16];
    rows_[0][0] = rows_[0][5] = 1;
    for (std::size_t first = 1; first < multiples; first += 16 * lanes) {
      for (point& p : some) {
        p = next;
        add<true>(next, step, mask{});
      }
      make_affine(some, 16, ready);
      for (std::size_t i = 0; i < 16; ++i) {
        std::uint64_t* to[lanes];
        for (std::size_t lane = 0; lane < lanes; ++lane) to[lane] = rows_[first + i * lanes + lane];
        write_rows(ready[i], nullptr, to);
      }
    }
  }

  alignas(64) std::uint64_t rows_[multiples][affine_row]{};
};

/// comb_table: 1 to 16 times 32^i times the base point for each i, as affine addends.
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
    const sixteen_addends& from = multiples_[i];
    return {select(some, from.sum.pick(multiple - 1), small(1)),
            select(some, from.difference.pick(multiple - 1), small(1)),
            select(some, from.t2d.pick(multiple - 1), small(0))};
  }

 private:
  struct sixteen_addends {
    sixteen sum, difference, t2d;
  };

  [[gnu::noinline]] comb_table() noexcept {  // its frame would stand between secrets and wipe_stack()
    constexpr std::size_t groups = 16 / lanes;
    start_ = base_point();
    point some[groups];
    affine_addend ready[groups];
    for (std::size_t i = 0; i < positions; ++i) {
      some[0] = lane_multiples(start_);
      double_times(start_, lanes_log);
      const addend step = prepare(start_);
      for (std::size_t g = 1; g < groups; ++g) {
        some[g] = some[g - 1];
        add<true>(some[g], step, mask{});
      }
      double_times(start_, (i + 1 < positions ? 5 : 4) - lanes_log);  // 2^(5 (i + 1)), and 2^254 in the end
      make_affine(some, groups, ready);
      for (std::size_t g = 0; g < groups; ++g) {
        multiples_[i].sum.set(g * lanes, ready[g].sum);
        multiples_[i].difference.set(g * lanes, ready[g].difference);
        multiples_[i].t2d.set(g * lanes, ready[g].t2d);
      }
    }
  }
  sixteen_addends multiples_[positions];
  point start_;
};

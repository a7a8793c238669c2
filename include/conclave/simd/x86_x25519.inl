// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// X25519 for as many scalars and points at a time as a vector has lanes. Scalars decide neither branches nor addresses.
// Written once for all vectors, above x86_edwards25519.inl.

/// clamp(scalars): decodeScalar25519 (RFC 7748 5).
inline void clamp(words& scalars) noexcept {
  store(scalars.of[0], load(scalars.of[0]) & broadcast(~std::uint64_t{7}));
  store(scalars.of[3], (load(scalars.of[3]) & broadcast(~std::uint64_t{0} >> 2U)) | broadcast(std::uint64_t{1} << 62U));
}

/// bit_changes(scalars): bit i is set where bits i and i + 1 differ.
inline void bit_changes(words& scalars) noexcept {
  for (std::size_t k = 0; k < 4; ++k) {
    vec next = load(scalars.of[k]) >> 1;
    if (k < 3) next |= load(scalars.of[k + 1]) << 63;
    store(scalars.of[k], load(scalars.of[k]) ^ next);
  }
}

/// ratio: numerator / denominator.
struct ratio {
  factor numerator, denominator;
};

/// ladder(changes, u): the u coordinates of the products (RFC 7748 5). Each step doubles one of two points and adds them,
/// and the sum does not depend on their order: instead of swapping, the other one is doubled where a bit of the scalar
/// differs from the bit before. The last bit is clear, so that the first point is the product.
[[gnu::noinline]] inline ratio ladder(const words& changes, const factor& u) noexcept {
  constexpr std::uint64_t a24 = 121665;
  product x2 = widen<product>(small(1)), z2 = widen<product>(small(0)), x3 = widen<product>(u), z3 = x2;
  for (unsigned bit = 255; bit-- > 0;) {
    const mask set = lanes_with(load(changes.of[bit / 64]), broadcast(std::uint64_t{1} << bit % 64));
    const factor a = carry(x2 + z2), b = carry(x2 - z2), c = carry(x3 + z3), d = carry(x3 - z3);
    const product da = d * a, cb = c * b;
    const factor aa = carry(square(select(set, c, a))), bb = carry(square(select(set, d, b)));
    const auto e = fit(aa - bb);
    x2 = aa * bb;
    z2 = e * carry(aa + multiply_small(e, a24));
    x3 = square(carry(da + cb));
    z3 = u * carry(square(carry(da - cb)));
  }
  return {carry(x2), carry(z2)};
}

/// comb(scalars): the u coordinates of multiples of the base point, by way of Edwards' curve, where u = (1 + y) / (1 - y)
/// (RFC 7748 4.1). Bit 254 of a clamped scalar is always set: it is where the sum starts.
[[gnu::noinline]] inline ratio comb(const words& scalars) noexcept {
  const comb_table& table = comb_table::get();
  words rest = scalars;
  store(rest.of[3], load(rest.of[3]) & broadcast(~(std::uint64_t{1} << 62U)));
  point sum = table.start();
  recoder<5> digits(rest);
  for (std::size_t i = 0; i < comb_table::positions; ++i) {
    const digit d = digits.next();
    add<true>(sum, table.pick(i, d.magnitude), d.negative);
  }
  conclave::detail::secure_wipe(&rest, sizeof rest);
  return {carry(sum.z + sum.y), carry(sum.z - sum.y)};
}

inline constexpr std::size_t groups = 16;  // how many groups, a job for each lane, share one inversion

/// dh_workspace: all that is derived from scalars.
struct dh_workspace {
  words scalars, points;
  ratio results[groups];
  factor denominators[groups], before[groups];
};

/// wipe_stack(): what the functions before have spilled lies where this one has its frame.
[[gnu::noinline]] inline void wipe_stack() noexcept {
  std::uint8_t area[16384];
  conclave::detail::secure_wipe(area, sizeof area);
}

/// multiply_some(w, jobs, count, product_of): up to `groups` jobs for each lane. A missing job is the scalar 0, which
/// clamping changes, and the base point. Not inline, so that wipe_stack() finds what it leaves.
template <class F>
[[gnu::noinline]] inline void multiply_some(dh_workspace& w, x25519_job* jobs, std::size_t count,
                                            F product_of) noexcept {
  const std::size_t used = (count + lanes - 1) / lanes;
  mask infinite[groups];
  for (std::size_t g = 0; g < used; ++g) {
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      const std::size_t i = g * lanes + lane;
      put(w.scalars, lane, i < count ? jobs[i].scalar : nullptr, 0);
      put(w.points, lane, i < count ? jobs[i].point : nullptr, 9);
    }
    clamp(w.scalars);
    w.results[g] = product_of(w);
    const factor& z = w.results[g].denominator;
    infinite[g] = zero_lanes(reduce(z));
    w.denominators[g] = select(infinite[g], small(1), z);
  }
  invert_all(w.denominators, used, w.before);
  for (std::size_t g = 0; g < used; ++g) {
    const canonical_fe u = reduce(select(infinite[g], small(0), carry(w.results[g].numerator * w.denominators[g])));
    const unsigned zero = bits_of(zero_lanes(u));
    to_words(u, w.points);
    for (std::size_t lane = 0; lane < lanes && g * lanes + lane < count; ++lane) {
      x25519_job& job = jobs[g * lanes + lane];
      get(w.points, lane, job.out);
      job.good = (zero >> lane & 1U) == 0;
    }
  }
}

template <class F>
inline void multiply_all(x25519_job* jobs, std::size_t count, F product_of) noexcept {
  dh_workspace w;
  constexpr std::size_t most = groups * lanes;
  for (; count > most; jobs += most, count -= most) multiply_some(w, jobs, most, product_of);
  multiply_some(w, jobs, count, product_of);
  conclave::detail::secure_wipe(&w, sizeof w);
  wipe_stack();
}

inline ratio by_ladder(dh_workspace& w) noexcept {
  bit_changes(w.scalars);
  return ladder(w.scalars, widen(from_words(w.points)));
}
inline ratio by_comb(dh_workspace& w) noexcept { return comb(w.scalars); }

inline void x25519(x25519_job* jobs, std::size_t count) noexcept { multiply_all(jobs, count, by_ladder); }
inline void x25519_base(x25519_job* jobs, std::size_t count) noexcept { multiply_all(jobs, count, by_comb); }

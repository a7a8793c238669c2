// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// As many signatures of Ed25519 at a time as a vector has lanes, accepted by the rule of simd/ed25519.hpp. Everything is
// public: time and addresses depend on it. Written once for all vectors, above x86_edwards25519.inl and x86_sha512.inl.

/// decode_negative(keys, good): -A of each lane (RFC 8032 5.1.3); where there is none, the base point, and `good` loses
/// the lane. Keys are below p, and their x is not 0.
[[gnu::noinline]] inline point decode_negative(const words& keys, mask& good) noexcept {
  const canonical_fe y = from_words(keys);
  const factor yy = carry(square(y));
  const factor u = carry(yy - small(1)), v = carry(yy * constant(curve_d) + small(1));
  const factor v3 = carry(carry(square(v)) * v);
  const factor v7 = carry(carry(square(v3)) * v);
  factor x = carry(carry(u * v3) * power_p58(carry(u * v7)));
  const product vxx = v * carry(square(x));
  const mask straight = zero_lanes(reduce(vxx - u)), turned = zero_lanes(reduce(vxx + u));
  x = select(turned, carry(x * constant(root_of_minus_1)), x);
  good = static_cast<mask>(good & (straight | turned));

  const canonical_fe low = reduce(x);
  const mask sign = lanes_with(load(keys.of[3]), broadcast(std::uint64_t{1} << 63U));
  const mask keep = odd_lanes(low) ^ sign;  // the other root is A's
  const factor negative_x = select(keep, low, carry(small(0) - low));
  return affine(select(good, negative_x, constant(base_x)), widen(select(good, y, constant(base_y))));
}

inline constexpr std::size_t key_multiples = 17;
inline constexpr std::size_t key_digits = 51;   // of 5 bits: 0 to 252
inline constexpr std::size_t base_digits = 26;  // of 10 bits

template <std::size_t N>
struct digit_list {
  alignas(64) std::uint64_t magnitude[N][lanes];
  mask negative[N];
};
template <unsigned Width, std::size_t N>
inline void recode(const words& numbers, digit_list<N>& out) noexcept {
  recoder<Width> digits(numbers);
  for (std::size_t i = 0; i < N; ++i) {
    const digit d = digits.next();
    store(out.magnitude[i], d.magnitude);
    out.negative[i] = d.negative;
  }
}

/// sum_of_multiples(s, k, p): s B + k P, s and k below 2^253 (RFC 8032 5.1.7 step 3).
[[gnu::noinline]] inline point sum_of_multiples(const words& s, const words& k, const point& p) noexcept {
  alignas(64) std::uint64_t rows[lanes][key_multiples][full_row];
  digit_list<key_digits> of_key;
  digit_list<base_digits> of_base;
  recode<5>(k, of_key);
  recode<10>(s, of_base);

  const addend once = prepare(p);
  point sum{small(0), small(1), small(1), small(0)};
  for (std::size_t m = 0; m < key_multiples; ++m) {
    const addend ready = prepare(sum);
    std::uint64_t* to[lanes];
    for (std::size_t lane = 0; lane < lanes; ++lane) to[lane] = rows[lane][m];
    write_rows(ready, &ready.z, to);
    add<true>(sum, once, mask{});
  }

  const base_table& base = base_table::get();
  const std::uint64_t* from[lanes];
  sum = {small(0), small(1), small(1), small(0)};
  for (std::size_t i = key_digits; i-- > 0;) {
    if (i + 1 < key_digits) double_times(sum, 5);
    if (i % 2 == 0) {
      for (std::size_t lane = 0; lane < lanes; ++lane) from[lane] = base.row(of_base.magnitude[i / 2][lane]);
      add<true>(sum, read_affine(from), of_base.negative[i / 2]);
    }
    for (std::size_t lane = 0; lane < lanes; ++lane) from[lane] = rows[lane][of_key.magnitude[i][lane]];
    add<false>(sum, read_full(from), of_key.negative[i]);
  }
  return sum;
}

/// verify_group: a signature for each lane, up to the last division.
struct verify_group {
  words r;
  factor x, y;
  mask good;
};

inline ed25519::number number_of(const words& w, std::size_t lane) noexcept {
  return {{w.of[0][lane], w.of[1][lane], w.of[2][lane], w.of[3][lane]}};
}
inline void set_number(words& w, std::size_t lane, const ed25519::number& x) noexcept {
  for (std::size_t k = 0; k < 4; ++k) w.of[k][lane] = x.word[k];
}

/// start_group(jobs, count, out): a job for each lane, or for one at least; the denominator of x and y.
inline factor start_group(const ed25519_job* jobs, std::size_t count, verify_group& out) noexcept {
  words keys, s, k;
  hash_input inputs[lanes];
  unsigned acceptable = 0;
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    const ed25519_job& job = jobs[lane < count ? lane : 0];  // unused lanes repeat the first
    put(keys, lane, job.key, 0);
    put(out.r, lane, job.signature, 0);
    put(s, lane, job.signature + 32, 0);
    inputs[lane] = {job.signature, job.key, job.message, job.size};
    if (ed25519::acceptable(number_of(keys, lane), number_of(out.r, lane), number_of(s, lane)))
      acceptable |= 1U << lane;
    else
      set_number(s, lane, {});  // it has more digits than there is room for
  }
  out.good = lanes_of(acceptable);
  alignas(64) std::uint64_t digests[8][lanes];
  vec hashed[8];
  sha512(inputs, hashed);
  // the digest is a little-endian number, and its words are big-endian
  for (std::size_t i = 0; i < 8; ++i) store(digests[i], hashed[i]);
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    std::uint64_t digest[8];
    for (std::size_t i = 0; i < 8; ++i) digest[i] = __builtin_bswap64(digests[i][lane]);
    set_number(k, lane, ed25519::modulo_order(digest));
  }
  const point sum = sum_of_multiples(s, k, decode_negative(keys, out.good));
  out.x = sum.x;
  out.y = sum.y;
  return sum.z;
}

/// finish_group(g, inverse): the lanes whose point encodes to R (RFC 8032 5.1.2).
inline mask finish_group(const verify_group& g, const factor& inverse) noexcept {
  words encoded;
  to_words(reduce(carry(g.y * inverse)), encoded);
  const mask odd = odd_lanes(reduce(carry(g.x * inverse)));
  vec differs = load(encoded.of[3]) ^ select(odd, broadcast(std::uint64_t{1} << 63U), vec{}) ^ load(g.r.of[3]);
  for (std::size_t k = 0; k < 3; ++k) differs |= load(encoded.of[k]) ^ load(g.r.of[k]);
  return static_cast<mask>(g.good & ~lanes_with(differs, differs));
}

inline void ed25519_verify(ed25519_job* jobs, std::size_t count) noexcept {
  constexpr std::size_t groups = 16;  // they share one division
  verify_group group[groups];
  unsigned good[groups];
  factor denominators[groups], before[groups];
  while (count > 0) {
    const std::size_t now = count < groups * lanes ? count : groups * lanes, used = (now + lanes - 1) / lanes;
    for (std::size_t g = 0; g < used; ++g) {
      const std::size_t first = g * lanes, left = now - first;
      denominators[g] = start_group(jobs + first, left < lanes ? left : lanes, group[g]);
    }
    invert_all(denominators, used, before);
    for (std::size_t i = 0; i < now; ++i) {
      if (i % lanes == 0) good[i / lanes] = bits_of(finish_group(group[i / lanes], denominators[i / lanes]));
      jobs[i].good = (good[i / lanes] >> i % lanes & 1U) != 0;
    }
    jobs += now;
    count -= now;
  }
}

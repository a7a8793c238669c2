// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The field of 2^255 - 19 above its products: representatives, bytes, powers, inverses. Written once for all vectors, as
// x86_fe25519.inl; it stands behind operator*, square() and carry().

/// reduce(a): the one representative below p. Its carry() is below 2^255 + 2^251, and p is subtracted where adding 19
/// reaches 2^255.
template <std::uint64_t U>
inline canonical_fe reduce(const fe<U>& a) noexcept {
  factor x = carry(a);
  vec beyond = (x.limb[0] + 19) >> limb_bits(0);
  for (std::size_t i = 1; i < limb_count; ++i) beyond = (x.limb[i] + beyond) >> limb_bits(i);
  x.limb[0] += (beyond << 4) + (beyond << 1) + beyond;
  canonical_fe out;
  for (std::size_t i = 0; i < limb_count; ++i) {
    out.limb[i] = x.limb[i] & broadcast(limb_mask(i));
    if (i + 1 < limb_count) x.limb[i + 1] += x.limb[i] >> limb_bits(i);
  }
  return out;
}

/// zero_lanes(a): where a is 0; odd_lanes(a): where the representative below p is odd.
[[gnu::always_inline]] inline mask zero_lanes(const canonical_fe& a) noexcept {
  vec any = a.limb[0];
  for (std::size_t i = 1; i < limb_count; ++i) any |= a.limb[i];
  return static_cast<mask>(~lanes_with(any, any));
}
[[gnu::always_inline]] inline mask odd_lanes(const canonical_fe& a) noexcept {
  return lanes_with(a.limb[0], broadcast(1));
}

/// constant(limbs): five limbs of 51 bits, the same element in every lane.
[[gnu::always_inline]] inline canonical_fe constant(const std::uint64_t (&limbs)[5]) noexcept {
  const vec x[5] = {broadcast(limbs[0]), broadcast(limbs[1]), broadcast(limbs[2]), broadcast(limbs[3]),
                    broadcast(limbs[4])};
  return from_51<canonical_fe>(x);
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
  const vec m = broadcast((std::uint64_t{1} << 51U) - 1);
  const vec a = load(w.of[0]), b = load(w.of[1]), c = load(w.of[2]), d = load(w.of[3]);
  const vec x[5] = {a & m, (a >> 51 | b << 13) & m, (b >> 38 | c << 26) & m, (c >> 25 | d << 39) & m, (d >> 12) & m};
  return from_51<canonical_fe>(x);
}
inline void to_words(const canonical_fe& a, words& out) noexcept {
  vec x[5];
  to_51(a, x);
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

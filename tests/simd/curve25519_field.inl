// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The functions of one field, called with plain memory. Included in the region and namespace of the field it tests.

template <u64 U>
fe<U> get(const limbs& a) {
  fe<U> out;
  for (std::size_t i = 0; i < limb_count; ++i) out.limb[i] = load(a[i]);
  return out;
}
template <u64 U>
u64 put(const fe<U>& a, limbs& out) {
  for (std::size_t i = 0; i < limb_count; ++i) store(out[i], a.limb[i]);
  return U;
}

// each writes its result and says how wide it may be
template <u64 U, u64 V>
u64 multiply(const limbs& a, const limbs& b, limbs& out) {
  return put(get<U>(a) * get<V>(b), out);
}
template <u64 U>
u64 square_of(const limbs& a, const limbs&, limbs& out) {
  return put(square(get<U>(a)), out);
}
template <u64 U>
u64 small_multiple(const limbs& a, const limbs&, limbs& out) {
  return put(multiply_small(get<U>(a), 121665), out);
}
template <u64 U, u64 V>
u64 add_wide(const limbs& a, const limbs& b, limbs& out) {
  return put(get<U>(a) + get<V>(b), out);
}
template <u64 U, u64 V>
u64 subtract_wide(const limbs& a, const limbs& b, limbs& out) {
  return put(get<U>(a) - get<V>(b), out);
}
u64 carry_wide(const limbs& a, const limbs&, limbs& out) { return put(carry(get<widest>(a)), out); }
u64 reduce_wide(const limbs& a, const limbs&, limbs& out) { return put(reduce(get<widest>(a)), out); }
u64 inverse(const limbs& a, const limbs&, limbs& out) { return put(invert(get<carried>(a)), out); }

template <u64 U, u64 V>
constexpr operation product{U, V, multiply<U, V>};
template <u64 U>
constexpr operation square_case{U, unit, square_of<U>};
template <u64 U>
constexpr operation small_case{U, unit, small_multiple<U>};
template <u64 U, u64 V>
constexpr operation sum_case{U, V, add_wide<U, V>};
template <u64 U, u64 V>
constexpr operation difference_case{U, V, subtract_wide<U, V>};
constexpr operation carry_case{widest, unit, carry_wide}, reduce_case{widest, unit, reduce_wide},
    inverse_case{carried, unit, inverse};

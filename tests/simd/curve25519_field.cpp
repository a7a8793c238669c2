// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The arithmetic below the curve kernels, with limbs as large as their bounds allow: random tests would next to never
/// meet them. The reference is long multiplication.
#include <conclave/simd/dispatch.hpp>
#include <conclave/simd/x86_ifma.hpp>

#include <catch2/catch.hpp>

#include <array>
#include <random>

#if CONCLAVE_X86_64

namespace {

using namespace conclave;
using u64 = std::uint64_t;
__extension__ using u128 = unsigned __int128;
using limbs = u64[5][8];  // limb, lane

// --- numbers modulo p, slowly -----------------------------------------------------------------------------------------

using number = std::array<u64, 4>;

/// from_words(x): eleven words modulo p, by 2^256 = 38.
number from_words(std::array<u64, 11> x) {
  for (int round = 0; round < 4; ++round) {
    std::array<u64, 11> y{};
    u128 carry = 0;
    for (std::size_t i = 0; i < 11; ++i) {
      carry += i < 4 ? x[i] : 0;
      if (i + 4 < 11) carry += u128{x[i + 4]} * 38;
      y[i] = static_cast<u64>(carry);
      carry >>= 64U;
    }
    x = y;
  }
  number out{x[0], x[1], x[2], x[3]};
  for (int round = 0; round < 2; ++round) {  // bit 255, and the last p
    u128 carry = 19 * (out[3] >> 63U);
    out[3] &= ~u64{0} >> 1U;
    for (u64& w : out) {
      carry += w;
      w = static_cast<u64>(carry);
      carry >>= 64U;
    }
  }
  const bool beyond = out[3] == ~u64{0} >> 1U && out[2] == ~u64{0} && out[1] == ~u64{0} && out[0] >= ~u64{0} - 18;
  return beyond ? number{out[0] - (~u64{0} - 18), 0, 0, 0} : out;
}
number value(const limbs& a, std::size_t lane) {
  std::array<u64, 11> x{};
  for (std::size_t i = 0; i < 5; ++i) {
    const std::size_t word = 51 * i / 64, shift = 51 * i % 64;
    u128 carry = u128{a[i][lane]} << shift;
    for (std::size_t k = word; k < 11; ++k) {
      carry += x[k];
      x[k] = static_cast<u64>(carry);
      carry >>= 64U;
    }
  }
  return from_words(x);
}
number times(const number& a, const number& b) {
  std::array<u64, 11> x{};
  for (std::size_t i = 0; i < 4; ++i) {
    u128 carry = 0;
    for (std::size_t j = 0; j < 4; ++j) {
      carry += u128{a[i]} * b[j] + x[i + j];
      x[i + j] = static_cast<u64>(carry);
      carry >>= 64U;
    }
    x[i + 4] = static_cast<u64>(carry);
  }
  return from_words(x);
}
/// plus(a, b, factor): a + factor * b.
number plus(const number& a, const number& b, u64 factor) {
  std::array<u64, 11> x{};
  u128 carry = 0;
  for (std::size_t i = 0; i < 5; ++i) {
    carry += i < 4 ? u128{b[i]} * factor + a[i] : 0;
    x[i] = static_cast<u64>(carry);
    carry >>= 64U;
  }
  return from_words(x);
}
number minus(const number& a, const number& b) {
  const number minus_1{~u64{0} - 19, ~u64{0}, ~u64{0}, ~u64{0} >> 1U};
  return plus(a, times(b, minus_1), 1);
}

}  // namespace

// --- the kernels' functions, called with plain memory -----------------------------------------------------------------

CONCLAVE_TARGET_BEGIN(CONCLAVE_TARGET_X86_IFMA)
namespace {
namespace lanes_test {

using namespace conclave::simd::x86_ifma;

constexpr unsigned widest = 4095;  // whose difference is just below 2^13

template <unsigned U>
fe<U> get(const limbs& a) {
  fe<U> out;
  for (std::size_t i = 0; i < 5; ++i) out.limb[i] = load(a[i]);
  return out;
}
template <unsigned U>
u64 put(const fe<U>& a, limbs& out) {
  for (std::size_t i = 0; i < 5; ++i) store(out[i], a.limb[i]);
  return U;
}

// each writes its result and says how many times 2^51 is above its limbs
u64 multiply(const limbs& a, const limbs& b, limbs& out) { return put(get<2>(a) * get<2>(b), out); }
u64 square_of(const limbs& a, const limbs&, limbs& out) { return put(square(get<2>(a)), out); }
u64 small_multiple(const limbs& a, const limbs&, limbs& out) { return put(multiply_small(get<2>(a), 121665), out); }
u64 add_wide(const limbs& a, const limbs& b, limbs& out) { return put(get<widest>(a) + get<widest>(b), out); }
u64 subtract_wide(const limbs& a, const limbs& b, limbs& out) { return put(get<widest>(a) - get<widest>(b), out); }
u64 carry_wide(const limbs& a, const limbs&, limbs& out) { return put(carry(get<8192>(a)), out); }
u64 reduce_wide(const limbs& a, const limbs&, limbs& out) { return put(reduce(get<8192>(a)), out); }
u64 inverse(const limbs& a, const limbs&, limbs& out) { return put(invert(get<2>(a)), out); }

}  // namespace lanes_test
}  // namespace
CONCLAVE_TARGET_END

namespace {

using operation = u64 (*)(const limbs&, const limbs&, limbs&);
using reference = number (*)(const number&, const number&);

/// fill(random, units, out): limbs below units * 2^51, every other one the greatest, or nearly.
void fill(std::mt19937_64& random, u64 units, limbs& out) {
  const u64 most = units * (u64{1} << 51U) - 1;  // 8192 units wrap to the greatest number of 64 bits
  const u64 unit = (u64{1} << 51U) - 1;
  const u64 edges[] = {0, 1, most, most - 1, most - 18, unit, unit - 18, std::min(most, unit + 1)};
  for (auto& limb : out)
    for (u64& x : limb) x = (random() & 1U) != 0 ? edges[random() % 8] : (random() & most);
  if (random() % 16 == 0)
    for (auto& limb : out)
      for (u64& x : limb) x = most;
}

void check(operation work, reference expected, u64 units, int rounds) {
  std::mt19937_64 random(units);
  int wrong = 0, wide = 0;
  for (int i = 0; i < rounds; ++i) {
    limbs a, b, out;
    fill(random, units, a);
    fill(random, units, b);
    const u64 bound = work(a, b, out) * (u64{1} << 51U) - 1;
    for (std::size_t lane = 0; lane < 8; ++lane) {
      wrong += value(out, lane) != expected(value(a, lane), value(b, lane)) ? 1 : 0;
      for (const auto& limb : out) wide += limb[lane] > bound ? 1 : 0;
    }
  }
  CHECK(wrong == 0);
  CHECK(wide == 0);
}

bool can_run() { return simd::cpu_can_run(simd::isa::x86_ifma); }

}  // namespace

TEST_CASE("Curve 25519: the field holds its bounds with the largest limbs") {
  if (!can_run()) {
    SUCCEED("this CPU has no IFMA");
    return;
  }
  SECTION("product") { check(lanes_test::multiply, times, 2, 3000); }
  SECTION("square") {
    check(lanes_test::square_of, [](const number& a, const number&) { return times(a, a); }, 2, 3000);
  }
  SECTION("small multiple") {
    check(lanes_test::small_multiple, [](const number& a, const number&) { return plus({}, a, 121665); }, 2, 3000);
  }
  SECTION("sum") {
    check(lanes_test::add_wide, [](const number& a, const number& b) { return plus(a, b, 1); }, 4095, 3000);
  }
  SECTION("difference") { check(lanes_test::subtract_wide, minus, 4095, 3000); }
  SECTION("carry") {
    check(lanes_test::carry_wide, [](const number& a, const number&) { return a; }, 8192, 3000);
  }
  SECTION("the inverse, which is 0 for 0") {
    std::mt19937_64 random(3);
    int wrong = 0, zeros = 0;
    for (int i = 0; i < 100; ++i) {
      limbs a, out;
      fill(random, 2, a);
      for (auto& limb : a) limb[i % 8] = 0;
      (void)lanes_test::inverse(a, a, out);
      for (std::size_t lane = 0; lane < 8; ++lane) {
        const number x = value(a, lane), one = times(x, value(out, lane));
        const bool zero = x == number{};
        zeros += zero ? 1 : 0;
        wrong += one != (zero ? number{} : number{1}) ? 1 : 0;
      }
    }
    CHECK(wrong == 0);
    CHECK(zeros >= 100);
  }
}

TEST_CASE("Curve 25519: the representative of an element is the one below p") {
  if (!can_run()) {
    SUCCEED("this CPU has no IFMA");
    return;
  }
  std::mt19937_64 random(1);
  int wrong = 0;
  for (int i = 0; i < 3000; ++i) {
    limbs a, out;
    fill(random, i % 2 == 0 ? 1 : 8192, a);
    if (i % 4 == 0)  // around p and around 0
      for (std::size_t lane = 0; lane < 8; ++lane)
        for (std::size_t k = 0; k < 5; ++k)
          a[k][lane] = k == 0 ? (u64{1} << 51U) - 1 - random() % 40 : (u64{1} << 51U) - 1;
    (void)lanes_test::reduce_wide(a, a, out);
    for (std::size_t lane = 0; lane < 8; ++lane) {
      const number x = value(a, lane);
      u64 word[4] = {};
      for (std::size_t k = 0; k < 5; ++k) {
        wrong += out[k][lane] >> 51U != 0 ? 1 : 0;
        word[51 * k / 64] |= out[k][lane] << 51 * k % 64;
        if (51 * k % 64 > 13) word[51 * k / 64 + 1] |= out[k][lane] >> (64 - 51 * k % 64);
      }
      wrong += x != number{word[0], word[1], word[2], word[3]} ? 1 : 0;
    }
  }
  CHECK(wrong == 0);
}

#endif

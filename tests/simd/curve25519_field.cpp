// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The arithmetic below the curve kernels, with limbs as large as their bounds allow: random tests would next to never
/// meet them. The reference is long multiplication.
#include <conclave/simd/dispatch.hpp>
#include <conclave/simd/x86_avx2.hpp>
#include <conclave/simd/x86_ifma.hpp>

#include <catch2/catch.hpp>

#include <array>
#include <random>
#include <vector>

#if CONCLAVE_X86_64

namespace {

using namespace conclave;
using u64 = std::uint64_t;
__extension__ using u128 = unsigned __int128;
using limbs = u64[10][8];  // limb, lane; as many as the field has

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

namespace {

/// operation: for limbs below u, v units; it writes its result and says how wide that may be.
struct operation {
  u64 u, v;
  u64 (*run)(const limbs& a, const limbs& b, limbs& out);
};
using reference = number (*)(const number&, const number&);

struct field {
  std::uint32_t needs;
  std::size_t lanes, limb_count;
  u64 unit;
  unsigned (*limb_bits)(std::size_t);
  std::vector<operation> products, squares, small_multiples, sums, differences;
  operation carry, reduce, inverse;

  [[nodiscard]] u64 most(u64 units, std::size_t limb) const {
    return static_cast<u64>((u128{units} << limb_bits(limb)) / unit - 1);
  }
  /// weighted(a, lane): the sum of all limbs.
  [[nodiscard]] std::array<u64, 11> weighted(const limbs& a, std::size_t lane) const {
    std::array<u64, 11> x{};
    for (std::size_t i = 0, weight = 0; i < limb_count; weight += limb_bits(i++)) {
      u128 carry_over = u128{a[i][lane]} << weight % 64;
      for (std::size_t k = weight / 64; k < 11; ++k) {
        carry_over += x[k];
        x[k] = static_cast<u64>(carry_over);
        carry_over >>= 64U;
      }
    }
    return x;
  }
  [[nodiscard]] number value(const limbs& a, std::size_t lane) const { return from_words(weighted(a, lane)); }
};

}  // namespace

CONCLAVE_TARGET_BEGIN(CONCLAVE_TARGET_X86_IFMA)
namespace {
namespace on_ifma {
using namespace conclave::simd::x86_ifma;
#include "curve25519_field.inl"
}  // namespace on_ifma
}  // namespace
CONCLAVE_TARGET_END

CONCLAVE_TARGET_BEGIN(CONCLAVE_TARGET_X86_AVX2)
namespace {
namespace on_avx2 {
using namespace conclave::simd::x86_avx2;
#include "curve25519_field.inl"
constexpr u64 half = widest / 2 - (u64{1} << 19U);  // whose difference is just below the widest
}  // namespace on_avx2
}  // namespace
CONCLAVE_TARGET_END

namespace {

field ifma() {
  using namespace on_ifma;
  return {simd::isa::x86_ifma,
          lanes,
          limb_count,
          unit,
          limb_bits,
          {product<2, 2>},
          {square_case<2>},
          {small_case<2>},
          {sum_case<4096, 4096>},
          {difference_case<4095, 4095>, difference_case<2, 2>},
          carry_case,
          reduce_case,
          inverse_case};
}
field avx2() {
  using namespace on_avx2;
  return {simd::isa::x86_avx2,
          lanes,
          limb_count,
          unit,
          limb_bits,
          {product<34, 34>, product<53, 21>, product<21, 53>, product<68, 17>, product<17, 68>, product<17, 17>},
          {square_case<34>, square_case<17>},
          {small_case<53>},
          {sum_case<widest / 2, widest / 2>, sum_case<17, 17>},
          {difference_case<half, half>, difference_case<17, 17>, difference_case<16, 16>},
          carry_case,
          reduce_case,
          inverse_case};
}

/// on_each(work): work(field) for each field that this CPU can run.
template <class F>
void on_each(F&& work) {
  int ran = 0;
  for (const field& f : {ifma(), avx2()}) {
    if (!simd::cpu_can_run(f.needs)) continue;
    work(f);
    ++ran;
  }
  if (ran == 0) SUCCEED("this CPU has neither AVX2 nor IFMA");
}

/// fill(f, random, units, out): limbs of so many units, every other one the greatest, or nearly.
void fill(const field& f, std::mt19937_64& random, u64 units, limbs& out) {
  const bool full = random() % 16 == 0;
  for (std::size_t i = 0; i < f.limb_count; ++i) {
    const u64 most = f.most(units, i), mask = (u64{1} << f.limb_bits(i)) - 1;
    const u64 edges[] = {0, 1, most, most - 1, most - 18, mask, mask - 18, std::min(most, mask + 1)};
    for (u64& x : out[i])
      x = full ? most : (random() & 1U) != 0 ? edges[random() % 8] : random() % (most + (most + 1 != 0));
  }
}

void check(const field& f, const std::vector<operation>& all, reference expected) {
  for (const operation& o : all) {
    INFO(f.lanes << " lanes, " << o.u << " and " << o.v);
    std::mt19937_64 random(o.u);
    int wrong = 0, wide = 0;
    for (int i = 0; i < 3000; ++i) {
      limbs a, b, out;
      fill(f, random, o.u, a);
      fill(f, random, o.v, b);
      const u64 units = o.run(a, b, out);
      for (std::size_t lane = 0; lane < f.lanes; ++lane) {
        wrong += f.value(out, lane) != expected(f.value(a, lane), f.value(b, lane)) ? 1 : 0;
        for (std::size_t k = 0; k < f.limb_count; ++k) wide += out[k][lane] > f.most(units, k) ? 1 : 0;
      }
    }
    CHECK(wrong == 0);
    CHECK(wide == 0);
  }
}

}  // namespace

TEST_CASE("Curve 25519: the fields hold their bounds with the largest limbs") {
  on_each([](const field& f) {
    check(f, f.products, times);
    check(f, f.squares, [](const number& a, const number&) { return times(a, a); });
    check(f, f.small_multiples, [](const number& a, const number&) { return plus({}, a, 121665); });
    check(f, f.sums, [](const number& a, const number& b) { return plus(a, b, 1); });
    check(f, f.differences, minus);
    check(f, {f.carry}, [](const number& a, const number&) { return a; });
  });
}

TEST_CASE("Curve 25519: the inverse is 0 for 0") {
  on_each([](const field& f) {
    std::mt19937_64 random(3);
    int wrong = 0, zeros = 0;
    for (std::size_t i = 0; i < 100; ++i) {
      limbs a, out;
      fill(f, random, f.inverse.u, a);
      for (auto& limb : a) limb[i % f.lanes] = 0;
      (void)f.inverse.run(a, a, out);
      for (std::size_t lane = 0; lane < f.lanes; ++lane) {
        const number x = f.value(a, lane), one = times(x, f.value(out, lane));
        const bool zero = x == number{};
        zeros += zero ? 1 : 0;
        wrong += one != (zero ? number{} : number{1}) ? 1 : 0;
      }
    }
    CHECK(wrong == 0);
    CHECK(zeros >= 100);
  });
}

TEST_CASE("Curve 25519: the representative of an element is the one below p") {
  on_each([](const field& f) {
    std::mt19937_64 random(1);
    int wrong = 0;
    for (int i = 0; i < 3000; ++i) {
      limbs a, out;
      fill(f, random, i % 2 == 0 ? f.unit : f.reduce.u, a);
      if (i % 4 == 0)  // around p and around 0
        for (std::size_t k = 0; k < f.limb_count; ++k)
          for (u64& x : a[k]) x = f.most(f.unit, k) - (k == 0 ? random() % 40 : 0);
      (void)f.reduce.run(a, a, out);
      for (std::size_t lane = 0; lane < f.lanes; ++lane) {
        const auto sum = f.weighted(out, lane);
        for (std::size_t k = 0; k < f.limb_count; ++k) wrong += out[k][lane] > f.most(f.unit, k) ? 1 : 0;
        wrong += f.value(a, lane) != number{sum[0], sum[1], sum[2], sum[3]} ? 1 : 0;
      }
    }
    CHECK(wrong == 0);
  });
}

#endif

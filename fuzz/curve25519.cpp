// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Curve 25519 for many against libsodium one by one. An input whose first byte is even is a list of scalars and points; any
/// other is a script of signatures, right ones with some bytes changed, or with a key, an R or an S of the input's own. The
/// oracle: every item has the outcome of its single call, whatever lies in the other lanes, on every kernel of the CPU.
#include <conclave/crypto/provider.hpp>

#include <support/kernels.hpp>

#include "support/oracle.hpp"

namespace {

using namespace conclave;
using conclave_fuzz::require, conclave_fuzz::script;
using conclave_test::for_each_kernel;

constexpr auto kem = kem_id::dhkem_x25519_sha256;
constexpr auto ed25519 = signature_scheme::ed25519;
constexpr std::size_t most = 20;

template <std::size_t N>
void read(script& from, std::array<std::uint8_t, N>& to) {
  std::ranges::copy(from.take(N), to.begin());
}

void products(script in) {
  struct item {
    std::array<std::uint8_t, 32> scalar{}, point{}, out{}, base{};
  };
  std::vector<item> items;
  while (!in.empty() && items.size() < most) {
    read(in, items.emplace_back().scalar);
    read(in, items.back().point);
  }
  std::vector<dh_job> jobs;
  std::vector<dh_public_key_job> base_jobs;
  for (item& i : items) {
    jobs.push_back({i.scalar, i.point, i.out});
    base_jobs.push_back({i.scalar, i.base});
  }
  for_each_kernel<simd::curve_kernels>([&](const simd::curve_kernels&) {
    dh_many<native_curves<sodium>>(kem, jobs);
    dh_public_key_many<native_curves<sodium>>(kem, base_jobs);
    for (std::size_t i = 0; i < items.size(); ++i) {
      std::array<std::uint8_t, 32> expected{};
      const status done = sodium::dh(kem, items[i].scalar, items[i].point, expected);
      require(done.has_value() == jobs[i].done.has_value() && expected == items[i].out, "another product");
      require(sodium::dh_public_key(kem, items[i].scalar, expected) && base_jobs[i].done && expected == items[i].base,
              "another public key");
    }
  });
}

void signatures(script in) {
  struct item {
    std::array<std::uint8_t, 32> key{};
    bytes message;
    std::array<std::uint8_t, 64> signature{};
  };
  std::vector<item> items;
  system_environment env;
  while (!in.empty() && items.size() < most) {
    const unsigned kind = in.byte();
    item& i = items.emplace_back();
    const bytes seed(32, static_cast<std::uint8_t>(kind & 3U));
    i.message = to_bytes(in.take(in.byte()));
    require(sodium::signature_public_key(ed25519, seed, i.key) &&
                sodium::sign(env, ed25519, seed, i.key, i.message, i.signature).has_value(),
            "libsodium does not sign");
    if ((kind & 0x80U) != 0) read(in, i.key);
    if ((kind & 0x40U) != 0) std::ranges::copy(in.take(32), i.signature.begin());
    if ((kind & 0x20U) != 0) std::ranges::copy(in.take(32), i.signature.begin() + 32);
    for (unsigned edits = kind >> 2U & 7U; edits > 0; --edits) {
      const std::size_t at = in.byte() % 96U;
      (at < 32 ? i.key[at] : i.signature[at - 32]) ^= in.byte();
    }
  }
  std::vector<simd::ed25519_job> jobs;
  std::vector<bool> good;
  std::vector<signed_item> together;
  for (const item& i : items) {
    jobs.push_back({i.key.data(), i.signature.data(), i.message.data(), i.message.size(), false});
    together.push_back({i.key, i.message, i.signature});
  }
  for (const item& i : items) good.push_back(sodium::verify(ed25519, i.key, i.message, i.signature).has_value());
  const bool all = std::ranges::count(good, false) == 0;
  for_each_kernel<simd::curve_kernels>([&](const simd::curve_kernels& kernels) {
    kernels.ed25519_verify(jobs.data(), jobs.size());
    for (std::size_t i = 0; i < items.size(); ++i) require(good[i] == jobs[i].good, "another verdict");
    require(verify_many<native_curves<sodium>>(ed25519, together).has_value() == all, "another verdict on all");
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  require(sodium::ready().has_value(), "no libsodium");
  script in({data, size});
  if (in.byte() % 2 == 0)
    products(in);
  else
    signatures(in);
  return 0;
}

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/kernels.hpp"

#include <conclave/crypto/native.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

namespace {

using namespace conclave;
using conclave_test::forced_kernel;

bool is_available(std::string_view name) { return std::ranges::count(simd::available(), name) == 1; }

#if CONCLAVE_X86_64 && defined(__linux__)
/// What the operating system says of the CPU: somebody else has read CPUID and XCR0 for it.
std::set<std::string> cpu_flags() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with("flags")) continue;
    std::istringstream words(line.substr(line.find(':') + 1));
    return {std::istream_iterator<std::string>(words), {}};
  }
  return {};
}
#endif

}  // namespace

#if CONCLAVE_X86_64 && defined(__linux__)
TEST_CASE("Kernels: those are available whose instructions the operating system lists") {
  const auto flags = cpu_flags();
  REQUIRE(!flags.empty());
  const forced_kernel best_of_all("best");
  const auto all_of = [&](std::initializer_list<const char*> names) {
    return std::ranges::all_of(names, [&](const char* name) { return flags.contains(name); });
  };
  const bool aesni = all_of({"aes", "pclmulqdq", "ssse3", "sse4_1"});
  const bool vaes256 = aesni && all_of({"avx", "avx2", "vaes", "vpclmulqdq"});
  const bool vaes512 = vaes256 && all_of({"bmi2", "avx512f", "avx512bw", "avx512dq", "avx512vl"});
  CHECK(is_available("aesni") == aesni);
  CHECK(is_available("vaes256") == vaes256);
  CHECK(is_available("vaes512") == vaes512);
  CHECK(is_available("avx2") == all_of({"avx", "avx2"}));
  CHECK(is_available("ifma") == all_of({"avx2", "bmi2", "avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512ifma"}));
  const auto* const best = simd::current<simd::aes_kernels>();
  CHECK(std::string(best == nullptr ? "" : best->name) == (vaes512   ? "vaes512"
                                                           : vaes256 ? "vaes256"
                                                           : aesni   ? "aesni"
                                                                     : ""));

  const bool shani = all_of({"sha_ni", "ssse3", "sse4_1"});
  CHECK(is_available("sha-ni") == shani);
  CHECK(is_available("sha-ni-avx512") == (shani && vaes512));
  const auto* const best_hash = simd::current<simd::hash_kernels>();
  CHECK(std::string(best_hash == nullptr ? "" : best_hash->name) == (shani && vaes512 ? "sha-ni-avx512"
                                                                     : shani          ? "sha-ni"
                                                                                      : ""));
}
#endif

TEST_CASE("Kernels: each that is available can be forced, and nothing else") {
  std::set<const simd::aes_kernels*> seen;
  const int count = conclave_test::for_each_kernel<simd::aes_kernels>([&](const simd::aes_kernels& table) {
    CHECK(is_available(table.name));
    CHECK(simd::current<simd::aes_kernels>() == &table);
    CHECK_FALSE(simd::force("no such kernel"));
    CHECK(simd::current<simd::aes_kernels>() == &table);
    seen.insert(&table);
  });
  CHECK(static_cast<int>(seen.size()) == count);

  const forced_kernel none("none");
  CHECK(simd::current<simd::aes_kernels>() == nullptr);
  CHECK(simd::current<simd::hash_kernels>() == nullptr);
  CHECK(simd::current<simd::curve_kernels>() == nullptr);
  CHECK_FALSE(detail::native_gcm::supports(aead_id::aes_128_gcm));
  CHECK(detail::native_gcm::make(aead_id::aes_128_gcm, bytes(16)).error() == errc::unsupported);
  CHECK(detail::native_ctr::make(ctr_id::aes_128_ctr, bytes(16)).error() == errc::unsupported);
}

TEST_CASE("Kernels: a key keeps the one it was made with") {
  conclave_test::for_each_kernel<simd::aes_kernels>([](const simd::aes_kernels& table) {
    const auto gcm = detail::native_gcm::make(aead_id::aes_256_gcm, bytes(32));
    const auto ctr = detail::native_ctr::make(ctr_id::aes_256_ctr, bytes(32));
    REQUIRE((gcm && ctr));
    simd::force("none");
    CHECK(gcm->kernels() == &table);
    CHECK(ctr->kernels() == &table);
  });
  CHECK_FALSE(detail::native_gcm::supports(aead_id::chacha20_poly1305));
}

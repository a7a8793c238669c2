// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What the CPU at hand can run, and what its operating system lets it.
#pragma once

#include <conclave/simd/target.hpp>

#include <cstdint>

#if CONCLAVE_X86_64
#include <cpuid.h>
#elif CONCLAVE_AARCH64 && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace conclave::inline CONCLAVE_ABI::simd {

/// isa: instruction sets as the kernels need them, one bit for each target of target.hpp.
namespace isa {
inline constexpr std::uint32_t x86_aesni = 1U << 0U;    ///< AES, PCLMULQDQ, SSSE3, SSE4.1
inline constexpr std::uint32_t x86_shani = 1U << 1U;    ///< SHA, SSSE3, SSE4.1
inline constexpr std::uint32_t x86_vaes256 = 1U << 2U;  ///< x86_aesni, AVX2, VAES, VPCLMULQDQ
inline constexpr std::uint32_t x86_vaes512 = 1U << 3U;  ///< x86_vaes256, BMI2, AVX-512 F, BW, DQ, VL
inline constexpr std::uint32_t aarch64_aes = 1U << 4U;  ///< AES, PMULL
inline constexpr std::uint32_t aarch64_sha2 = 1U << 5U;
inline constexpr std::uint32_t x86_ifma = 1U << 6U;  ///< AVX2, BMI2, AVX-512 F, BW, DQ, VL, IFMA
inline constexpr std::uint32_t x86_avx2 = 1U << 7U;
}  // namespace isa

namespace detail {

[[nodiscard]] constexpr bool has_bits(std::uint64_t word, std::uint64_t wanted) noexcept {
  return (word & wanted) == wanted;
}

#if CONCLAVE_X86_64
// Intel SDM volume 2A, CPUID: leaf 1 ECX, leaf 7 EBX and ECX
inline constexpr std::uint32_t leaf1_pclmul = 1U << 1U, leaf1_ssse3 = 1U << 9U, leaf1_sse41 = 1U << 19U,
                               leaf1_aes = 1U << 25U, leaf1_osxsave = 1U << 27U, leaf1_avx = 1U << 28U;
inline constexpr std::uint32_t leaf7b_avx2 = 1U << 5U, leaf7b_bmi2 = 1U << 8U, leaf7b_avx512f = 1U << 16U,
                               leaf7b_avx512dq = 1U << 17U, leaf7b_avx512ifma = 1U << 21U, leaf7b_sha = 1U << 29U,
                               leaf7b_avx512bw = 1U << 30U, leaf7b_avx512vl = 1U << 31U;
inline constexpr std::uint32_t leaf7c_vaes = 1U << 9U, leaf7c_vpclmul = 1U << 10U;
// SDM volume 1, 13.3: state the system saves. SSE and AVX; with AVX-512 also the masks and both halves of ZMM
inline constexpr std::uint64_t xcr0_avx = 0x06, xcr0_avx512 = 0xe6;

[[nodiscard]] inline std::uint64_t xcr0() noexcept {
  std::uint32_t low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return std::uint64_t{high} << 32U | low;
}

[[nodiscard]] inline std::uint32_t detect() noexcept {
  std::uint32_t a = 0, b = 0, c1 = 0, d = 0, b7 = 0, c7 = 0;
  if (__get_cpuid(1, &a, &b, &c1, &d) == 0) return 0;
  if (__get_cpuid_count(7, 0, &a, &b7, &c7, &d) == 0) b7 = c7 = 0;
  const std::uint64_t saved = has_bits(c1, leaf1_osxsave) ? xcr0() : 0;

  std::uint32_t out = 0;
  const bool sse = has_bits(c1, leaf1_ssse3 | leaf1_sse41);
  if (sse && has_bits(b7, leaf7b_sha)) out |= isa::x86_shani;
  const bool avx2 = has_bits(c1, leaf1_avx) && has_bits(saved, xcr0_avx) && has_bits(b7, leaf7b_avx2);
  if (avx2) out |= isa::x86_avx2;
  constexpr std::uint32_t avx512_bits =
      leaf7b_bmi2 | leaf7b_avx512f | leaf7b_avx512bw | leaf7b_avx512dq | leaf7b_avx512vl;
  const bool avx512 = avx2 && has_bits(saved, xcr0_avx512) && has_bits(b7, avx512_bits);
  if (avx512 && has_bits(b7, leaf7b_avx512ifma)) out |= isa::x86_ifma;
  if (!sse || !has_bits(c1, leaf1_aes | leaf1_pclmul)) return out;
  out |= isa::x86_aesni;
  if (!avx2 || !has_bits(c7, leaf7c_vaes | leaf7c_vpclmul)) return out;
  out |= isa::x86_vaes256;
  if (avx512) out |= isa::x86_vaes512;
  return out;
}
#elif CONCLAVE_AARCH64 && defined(__linux__)
// Linux, arch/arm64/include/uapi/asm/hwcap.h
inline constexpr unsigned long hwcap_aes = 1UL << 3U, hwcap_pmull = 1UL << 4U, hwcap_sha2 = 1UL << 6U;

[[nodiscard]] inline std::uint32_t detect() noexcept {
  const unsigned long caps = getauxval(AT_HWCAP);
  return (has_bits(caps, hwcap_aes | hwcap_pmull) ? isa::aarch64_aes : 0) |
         (has_bits(caps, hwcap_sha2) ? isa::aarch64_sha2 : 0);
}
#else
[[nodiscard]] inline std::uint32_t detect() noexcept { return 0; }
#endif

}  // namespace detail

/// cpu_can_run(needs): true where the CPU and its operating system offer all bits of `needs` (see isa).
[[nodiscard]] inline bool cpu_can_run(std::uint32_t needs) noexcept {
  return detail::has_bits(detail::detect(), needs);
}

}  // namespace conclave::simd

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The kernels of this build. With CONCLAVE_EXTERN_KERNELS, one file of the program includes this header, and no other
/// does.
#pragma once

#include <conclave/simd/aarch64_crypto.hpp>
#include <conclave/simd/kernels.hpp>
#include <conclave/simd/x86_avx2.hpp>
#include <conclave/simd/x86_ifma.hpp>
#include <conclave/simd/x86_shani.hpp>
#include <conclave/simd/x86_shani512.hpp>
#include <conclave/simd/x86_vaes256.hpp>
#include <conclave/simd/x86_vaes512.hpp>

#include <array>

#if CONCLAVE_EXTERN_KERNELS
#define CONCLAVE_KERNELS_LINKAGE
#else
#define CONCLAVE_KERNELS_LINKAGE inline
#endif

namespace conclave::inline CONCLAVE_ABI::simd {

template <>
CONCLAVE_KERNELS_LINKAGE std::span<const aes_kernels* const> all<aes_kernels>() noexcept {
#if CONCLAVE_X86_64
  static constexpr std::array tables{&x86_aesni::aes, &x86_vaes256::aes, &x86_vaes512::aes};
  return tables;
#elif CONCLAVE_AARCH64
  static constexpr std::array tables{&aarch64_crypto::aes};
  return tables;
#else
  return {};
#endif
}
template <>
CONCLAVE_KERNELS_LINKAGE std::span<const hash_kernels* const> all<hash_kernels>() noexcept {
#if CONCLAVE_X86_64
  static constexpr std::array tables{&x86_shani::hash, &x86_shani512::hash};
  return tables;
#elif CONCLAVE_AARCH64
  static constexpr std::array tables{&aarch64_crypto::hash};
  return tables;
#else
  return {};
#endif
}
template <>
CONCLAVE_KERNELS_LINKAGE std::span<const curve_kernels* const> all<curve_kernels>() noexcept {
#if CONCLAVE_X86_64
  static constexpr std::array tables{&x86_avx2::curves, &x86_ifma::curves};
  return tables;
#else
  return {};
#endif
}

}  // namespace conclave::simd

#undef CONCLAVE_KERNELS_LINKAGE

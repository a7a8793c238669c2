// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// SHA-256 with the SHA extensions of x86, for CPUs with AVX-512 too: twice the registers, which the streams fill, and
/// instructions that overwrite none of them.
#pragma once

#include <conclave/simd/cpu.hpp>
#include <conclave/simd/kernels.hpp>
#include <conclave/simd/sha256.hpp>
#include <conclave/simd/target.hpp>

#if CONCLAVE_X86_64
#include <immintrin.h>

#include <utility>

CONCLAVE_TARGET_BEGIN(CONCLAVE_TARGET_X86_SHANI512)
namespace conclave::inline CONCLAVE_ABI::simd::x86_shani512 {

#include <conclave/simd/x86_sha256.inl>

inline constexpr hash_kernels hash{"sha-ni-avx512", isa::x86_shani | isa::x86_vaes512, sha256, sha256_many};

}  // namespace conclave::simd::x86_shani512
CONCLAVE_TARGET_END
#endif

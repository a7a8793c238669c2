// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// SHA-256 with the SHA extensions of x86.
#pragma once

#include <conclave/simd/cpu.hpp>
#include <conclave/simd/kernels.hpp>
#include <conclave/simd/sha256.hpp>
#include <conclave/simd/target.hpp>

#if CONCLAVE_X86_64
#include <immintrin.h>

#include <utility>

CONCLAVE_TARGET_BEGIN(CONCLAVE_TARGET_X86_SHANI)
namespace conclave::inline CONCLAVE_ABI::simd::x86_shani {

#include <conclave/simd/x86_sha256.inl>

inline constexpr hash_kernels hash{"sha-ni", isa::x86_shani, sha256, sha256_many};

}  // namespace conclave::simd::x86_shani
CONCLAVE_TARGET_END
#endif

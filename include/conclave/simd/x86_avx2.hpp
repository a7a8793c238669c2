// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Curve 25519 on AVX2, four operations side by side.
#pragma once

#include <conclave/detail/wipe.hpp>
#include <conclave/simd/ed25519.hpp>
#include <conclave/simd/sha512.hpp>
#include <conclave/simd/x86_avx2_field.hpp>

#if CONCLAVE_X86_64
CONCLAVE_TARGET_BEGIN(CONCLAVE_TARGET_X86_AVX2)
namespace conclave::inline CONCLAVE_ABI::simd::x86_avx2 {

#include <conclave/simd/x86_edwards25519.inl>
#include <conclave/simd/x86_sha512.inl>

#include <conclave/simd/x86_ed25519_verify.inl>
#include <conclave/simd/x86_x25519.inl>

inline constexpr curve_kernels curves{"avx2", isa::x86_avx2, lanes, 3, 2, x25519, x25519_base, ed25519_verify};

}  // namespace conclave::simd::x86_avx2
CONCLAVE_TARGET_END
#endif

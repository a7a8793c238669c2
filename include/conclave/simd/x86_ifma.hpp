// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Curve 25519 on AVX-512 IFMA, eight operations side by side.
#pragma once

#include <conclave/simd/x86_ifma_ed25519_verify.hpp>
#include <conclave/simd/x86_ifma_x25519.hpp>

#if CONCLAVE_X86_64
namespace conclave::inline CONCLAVE_ABI::simd::x86_ifma {

inline constexpr curve_kernels curves{"ifma", isa::x86_ifma, lanes, x25519, x25519_base, ed25519_verify};

}  // namespace conclave::simd::x86_ifma
#endif

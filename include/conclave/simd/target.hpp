// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The only pragmas and target strings. A kernel file puts all its functions between CONCLAVE_TARGET_BEGIN(isa) and
/// CONCLAVE_TARGET_END, in a namespace of its own, after all its includes: a header that is first included inside a
/// region would emit code of that instruction set under names which baseline code shares.
#pragma once

#include <conclave/config.hpp>

/// Whose kernels this build holds, always 0 or 1.
#if CONCLAVE_WITH_NATIVE && defined(__x86_64__)
#define CONCLAVE_X86_64 1
#else
#define CONCLAVE_X86_64 0
#endif
#if CONCLAVE_WITH_NATIVE && defined(__aarch64__) && !defined(__AARCH64EB__)
#define CONCLAVE_AARCH64 1
#else
#define CONCLAVE_AARCH64 0
#endif

#define CONCLAVE_PRAGMA(...) _Pragma(#__VA_ARGS__)

#if defined(__clang__)
#define CONCLAVE_TARGET_BEGIN(isa) \
  CONCLAVE_PRAGMA(clang attribute push(__attribute__((target(isa))), apply_to = function))
#define CONCLAVE_TARGET_END CONCLAVE_PRAGMA(clang attribute pop)
#else
#define CONCLAVE_TARGET_BEGIN(isa)  \
  CONCLAVE_PRAGMA(GCC push_options) \
  CONCLAVE_PRAGMA(GCC target(isa))
#define CONCLAVE_TARGET_END CONCLAVE_PRAGMA(GCC pop_options)
#endif

// What each kernel file compiles for; simd/cpu.hpp looks for the same before one of its kernels runs.
#define CONCLAVE_TARGET_X86_AESNI "aes,pclmul,ssse3,sse4.1"
#define CONCLAVE_TARGET_X86_SHANI "sha,ssse3,sse4.1"
#define CONCLAVE_TARGET_X86_SHANI512 "sha,avx,avx2,avx512f,avx512bw,avx512vl"
#define CONCLAVE_TARGET_X86_VAES256 "aes,pclmul,avx,avx2,vaes,vpclmulqdq"
#define CONCLAVE_TARGET_X86_VAES512 "aes,pclmul,avx,avx2,bmi2,vaes,vpclmulqdq,avx512f,avx512bw,avx512dq,avx512vl"
#define CONCLAVE_TARGET_X86_AVX2 "avx,avx2"
#define CONCLAVE_TARGET_X86_IFMA "avx,avx2,bmi2,avx512f,avx512bw,avx512dq,avx512vl,avx512ifma"
#if defined(__clang__)
#define CONCLAVE_TARGET_AARCH64_CRYPTO "aes,sha2"
#else
#define CONCLAVE_TARGET_AARCH64_CRYPTO "+crypto"
#endif

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Version, feature switches and the name of the inline ABI namespace. Every switch is always defined, as 0 or 1.
#pragma once

#define CONCLAVE_VERSION_MAJOR 0
#define CONCLAVE_VERSION_MINOR 1
#define CONCLAVE_VERSION_PATCH 0

/// Which libraries may serve primitives. The CMake target sets them to what it found; without CMake the host does.
#ifndef CONCLAVE_WITH_SODIUM
#define CONCLAVE_WITH_SODIUM 1
#endif
#ifndef CONCLAVE_WITH_BOTAN
#define CONCLAVE_WITH_BOTAN 1
#endif
#ifndef CONCLAVE_WITH_OPENSSL
#define CONCLAVE_WITH_OPENSSL 0
#endif

/// Whether extensions of GCC and Clang may be used. Each has a portable stand-in beside it, and CI compiles those too.
#ifndef CONCLAVE_WITH_GNU
#if defined(__GNUC__)
#define CONCLAVE_WITH_GNU 1
#else
#define CONCLAVE_WITH_GNU 0
#endif
#endif

/// Whether kernels of our own for AES and hashes are compiled in; they run where the CPU has the instructions.
#ifndef CONCLAVE_WITH_NATIVE
#if CONCLAVE_WITH_GNU && (defined(__x86_64__) || (defined(__aarch64__) && defined(__linux__)))
#define CONCLAVE_WITH_NATIVE 1
#else
#define CONCLAVE_WITH_NATIVE 0
#endif
#endif

/// Whether the kernels are compiled apart. Then one file of the program includes conclave/simd/tables.hpp, the one that -O3
/// pays for, and every other file is spared half of its compiling.
#ifndef CONCLAVE_EXTERN_KERNELS
#define CONCLAVE_EXTERN_KERNELS 0
#endif

#if CONCLAVE_WITH_GNU
#define CONCLAVE_NOINLINE [[gnu::noinline]]
#else
#define CONCLAVE_NOINLINE
#endif

/// Whether clang's MemorySanitizer watches this translation unit.
#define CONCLAVE_MEMORY_SANITIZER 0
#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#undef CONCLAVE_MEMORY_SANITIZER
#define CONCLAVE_MEMORY_SANITIZER 1
#endif
#endif

#if defined(__cpp_exceptions)
#define CONCLAVE_HAS_EXCEPTIONS 1
#else
#define CONCLAVE_HAS_EXCEPTIONS 0
#endif

// The linker merges inline functions of equal name. What changes their meaning or their instructions is part of the
// name: the version, the architecture level of the translation unit, exceptions, and who serves the primitives.
#if defined(__AVX512F__)
#define CONCLAVE_ABI_ARCH _avx512
#elif defined(__AVX2__)
#define CONCLAVE_ABI_ARCH _avx2
#elif defined(__AVX__)
#define CONCLAVE_ABI_ARCH _avx
#elif defined(__ARM_FEATURE_CRYPTO) || defined(__ARM_FEATURE_AES)
#define CONCLAVE_ABI_ARCH _armcrypto
#else
#define CONCLAVE_ABI_ARCH _base
#endif

#define CONCLAVE_ABI_JOIN_(major, minor, patch, arch, exceptions, sodium, botan, openssl, native, apart) \
  v##major##_##minor##_##patch##arch##_e##exceptions##s##sodium##b##botan##o##openssl##n##native##x##apart
#define CONCLAVE_ABI_JOIN(major, minor, patch, arch, exceptions, sodium, botan, openssl, native, apart) \
  CONCLAVE_ABI_JOIN_(major, minor, patch, arch, exceptions, sodium, botan, openssl, native, apart)
#define CONCLAVE_ABI                                                                                           \
  CONCLAVE_ABI_JOIN(CONCLAVE_VERSION_MAJOR, CONCLAVE_VERSION_MINOR, CONCLAVE_VERSION_PATCH, CONCLAVE_ABI_ARCH, \
                    CONCLAVE_HAS_EXCEPTIONS, CONCLAVE_WITH_SODIUM, CONCLAVE_WITH_BOTAN, CONCLAVE_WITH_OPENSSL, \
                    CONCLAVE_WITH_NATIVE, CONCLAVE_EXTERN_KERNELS)

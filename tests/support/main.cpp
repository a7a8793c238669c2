// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The main of every test program. The environment variable CONCLAVE_FORCE_ARCH names the kernel that its objects are made
/// with, as simd::force takes it: "avx2", or "none" for libraries alone. The exit status is 77 where this CPU has no such
/// kernel.
#include <conclave/simd/dispatch.hpp>

#include <cstdio>
#include <cstdlib>

#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>

int main(int argc, char** argv) {
  const char* const kernel = std::getenv("CONCLAVE_FORCE_ARCH");
  if (kernel != nullptr && *kernel != '\0' && !conclave::simd::force(kernel)) {
    std::fprintf(stderr, "no such kernel here: %s\n", kernel);
    return 77;
  }
  return Catch::Session().run(argc, argv);
}

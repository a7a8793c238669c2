# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Read right after project() by the preset `mutation`: the instrumented headers come before the real ones.
include_directories(BEFORE ${PROJECT_BINARY_DIR}/include)

# What ./dev mutate runs
add_custom_target(mutants)
foreach(area IN ITEMS codec faults identity meeting mls otp recording rules sas sframe)
  add_dependencies(mutants test_${area})
endforeach()

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# What only the project's own tests, benchmarks, fuzzers and examples are built with. Consumers never read this file.
include_guard()

set(CONCLAVE_SANITIZE "" CACHE STRING "Sanitizers for developer targets, as in address,undefined")
set(CONCLAVE_EXTRA_VECTORS "" CACHE PATH "Folder of further test vectors; when set, a missing or empty file there fails")
option(CONCLAVE_CCACHE "Compile through ccache where it is installed" ON)
set(CMAKE_CXX_EXTENSIONS OFF)

if(CONCLAVE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(CONCLAVE_CCACHE_PROGRAM ccache)
  mark_as_advanced(CONCLAVE_CCACHE_PROGRAM)
  if(CONCLAVE_CCACHE_PROGRAM)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CONCLAVE_CCACHE_PROGRAM})
  endif()
endif()

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release)
endif()

# conclave_developer(<target>): the library, strict warnings and the sanitizers asked for. The kernels are compiled once for
# all of them, but for the few that have them inside, as hosts do who ask for nothing.
function(conclave_developer target)
  target_link_libraries(${target} PRIVATE conclave::conclave)
  if(NOT target MATCHES "^(conclave_hello|test_headers)")
    target_compile_definitions(${target} PRIVATE CONCLAVE_EXTERN_KERNELS=1)
    if(NOT target STREQUAL conclave_kernels)
      target_link_libraries(${target} PRIVATE conclave_kernels)
    endif()
  endif()
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wundef -Werror)
  if(CONCLAVE_SANITIZE)
    set(sanitize -fsanitize=${CONCLAVE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_compile_options(${target} PRIVATE ${sanitize})
    target_link_options(${target} PRIVATE ${sanitize})
  endif()
endfunction()

file(CONFIGURE OUTPUT kernels.cpp CONTENT "#include <conclave/simd/tables.hpp>\n")
add_library(conclave_kernels STATIC EXCLUDE_FROM_ALL ${CMAKE_CURRENT_BINARY_DIR}/kernels.cpp)
conclave_developer(conclave_kernels)
target_compile_options(conclave_kernels PRIVATE -O3)

# conclave_test_target(<target>): a developer target with assertions on and the vector folders known, CONCLAVE_VECTORS for
# the project's own and CONCLAVE_EXTRA_VECTORS for the others (an empty string where there are none).
function(conclave_test_target target)
  conclave_developer(${target})
  # tests take longer to compile than to run
  target_compile_options(${target} PRIVATE -UNDEBUG $<$<CONFIG:Release>:-O1>)
  target_compile_definitions(${target} PRIVATE
    _GLIBCXX_ASSERTIONS
    CONCLAVE_VECTORS="${PROJECT_SOURCE_DIR}/vectors"
    CONCLAVE_EXTRA_VECTORS="${CONCLAVE_EXTRA_VECTORS}")
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
endfunction()

# Groups and meetings cost the compiler more than anything: one instantiation for all tests that have them
add_library(conclave_test_groups OBJECT EXCLUDE_FROM_ALL ${PROJECT_SOURCE_DIR}/tests/support/instantiation.cpp)
conclave_test_target(conclave_test_groups)

# conclave_media(<target>): what the media files of the examples are read with, examples/media and libogg.
function(conclave_media target)
  find_path(CONCLAVE_OGG_INCLUDE ogg/ogg.h REQUIRED)
  find_library(CONCLAVE_OGG_LIBRARY ogg REQUIRED)
  mark_as_advanced(CONCLAVE_OGG_INCLUDE CONCLAVE_OGG_LIBRARY)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/examples)
  target_include_directories(${target} SYSTEM PRIVATE ${CONCLAVE_OGG_INCLUDE})
  target_link_libraries(${target} PRIVATE ${CONCLAVE_OGG_LIBRARY})
endfunction()

# conclave_qr(<target>): what the second factor of the examples needs, examples/qr with libqrencode and libpng, and SQLite.
function(conclave_qr target)
  find_path(CONCLAVE_QRENCODE_INCLUDE qrencode.h REQUIRED)
  find_library(CONCLAVE_QRENCODE_LIBRARY qrencode REQUIRED)
  mark_as_advanced(CONCLAVE_QRENCODE_INCLUDE CONCLAVE_QRENCODE_LIBRARY)
  find_package(PNG REQUIRED)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/examples)
  target_include_directories(${target} SYSTEM PRIVATE ${CONCLAVE_QRENCODE_INCLUDE})
  target_link_libraries(${target} PRIVATE ${CONCLAVE_QRENCODE_LIBRARY} PNG::PNG conclave::sqlite)
endfunction()

# conclave_folders(<variable> <folder>): the names of the folders in <folder> that hold .cpp files.
function(conclave_folders variable folder)
  file(GLOB sources CONFIGURE_DEPENDS RELATIVE ${folder} ${folder}/*/*.cpp)
  list(TRANSFORM sources REPLACE "/.*" "")
  list(REMOVE_DUPLICATES sources)
  set(${variable} ${sources} PARENT_SCOPE)
endfunction()

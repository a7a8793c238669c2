#!/bin/bash -eu
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Builds every fuzzer as OSS-Fuzz asks for it: flags come in CC, CXX, CFLAGS, CXXFLAGS and LIB_FUZZING_ENGINE, programs go
# to $OUT. CONCLAVE_FUZZ_TARGETS names some instead of all.
source_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [[ -f $source_folder/../fuzz/CMakeLists.txt ]]; then
  source_folder=$(dirname "$source_folder")
else
  source_folder=$SRC/conclave
fi

targets=(${CONCLAVE_FUZZ_TARGETS-})
options=(-D CONCLAVE_DEVELOPER=ON -D CONCLAVE_PARTS=fuzz -D CONCLAVE_CCACHE=OFF -D CMAKE_BUILD_TYPE=None
  -D CONCLAVE_FUZZING_ENGINE="$LIB_FUZZING_ENGINE")
if [[ ${SANITIZER-} == memory ]]; then
  # the libraries are not instrumented: what they write would seem never written. These fuzzers do without.
  ((${#targets[@]})) || targets=(mls_message otpauth rules_json)
  options+=(-D CONCLAVE_WITH_SODIUM=OFF -D CONCLAVE_WITH_BOTAN=OFF -D CONCLAVE_WITH_OPENSSL=OFF)
else
  # Botan was built with libstdc++; and where fuzzers run there is none of the libraries
  CXXFLAGS=${CXXFLAGS//-stdlib=libc++/}
  export CXXFLAGS
  folder=/usr/lib/$(uname -m)-linux-gnu
  options+=(-D CMAKE_EXE_LINKER_FLAGS=-static-libstdc++ -D CONCLAVE_SODIUM_LIBRARY="$folder/libsodium.a"
    -D CONCLAVE_BOTAN_LIBRARY="$folder/libbotan-2.a" -D OPENSSL_USE_STATIC_LIBS=TRUE)
fi
((${#targets[@]})) || mapfile -t targets < <(cd "$source_folder/fuzz" && basename -s .cpp ./*.cpp)

cmake -S "$source_folder" -B "$WORK/build" -G Ninja "${options[@]}"
cmake --build "$WORK/build" --target "${targets[@]/#/fuzz_}"
for target in "${targets[@]}"; do
  cp "$WORK/build/fuzz/fuzz_$target" "$OUT/"
  (cd "$source_folder/fuzz" && zip -q -r -j "$OUT/fuzz_${target}_seed_corpus.zip" "corpus/$target")
  dictionary=$source_folder/fuzz/dictionaries/$target.dict
  [[ ! -f $dictionary ]] || cp "$dictionary" "$OUT/fuzz_$target.dict"
done

#!/bin/bash -eu
# SPDX-License-Identifier: Apache-2.0
# build: the fuzz targets that need no CPython, as OSS-Fuzz and ClusterFuzzLite build them.
#
# Takes CC, CXX, CFLAGS, CXXFLAGS and LIB_FUZZING_ENGINE as they are given; leaves in OUT each target, its seeds, its
# dictionary and its options. SRC has the sources in constrictor/, WORK is a folder to build in.

root=$SRC/constrictor
cmake -S "$root/fuzz" -B "$WORK/build" -G Ninja -DCMAKE_C_COMPILER="$CC" -DCMAKE_CXX_COMPILER="$CXX" \
    -DCMAKE_C_FLAGS="$CFLAGS" -DCMAKE_CXX_FLAGS="$CXXFLAGS" -DCX_FUZZ_ENGINE="$LIB_FUZZING_ENGINE"
for name in gate_state known_file options trace_reader; do
    cmake --build "$WORK/build" --target "fuzz_$name"
    cp "$WORK/build/fuzz_$name" "$OUT/"
    cp "$root/fuzz/dict/$name.dict" "$OUT/fuzz_$name.dict"
    python3 -m zipfile -c "$OUT/fuzz_${name}_seed_corpus.zip" "$root/fuzz/seeds/$name/"*
    printf '[libfuzzer]\nmax_len = 8192\ntimeout = 20\ndict = fuzz_%s.dict\n' "$name" >"$OUT/fuzz_$name.options"
done

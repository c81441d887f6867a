#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# oss_fuzz: fuzz/oss-fuzz/build.sh in an empty folder, with the variables that OSS-Fuzz sets; then each target plays its
# own seeds. The Dockerfile is not tried.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT
mkdir "$folder/src" "$folder/out" "$folder/work"
ln -s "$root" "$folder/src/constrictor"
export SRC=$folder/src OUT=$folder/out WORK=$folder/work
export CC=clang-19 CXX=clang++-19 LIB_FUZZING_ENGINE=-fsanitize=fuzzer
export CFLAGS="-O1 -fsanitize=address,fuzzer-no-link" CXXFLAGS="-O1 -fsanitize=address,fuzzer-no-link"
"$root/fuzz/oss-fuzz/build.sh" >"$folder/log" 2>&1 || { tail -n 20 "$folder/log"; exit 1; }
count=0
for target in "$OUT"/fuzz_*; do
    [[ $(basename "$target") == *.* ]] && continue
    name=$(basename "$target")
    [ -s "$target.options" ] && [ -s "$target.dict" ]
    mkdir "$folder/$name"
    python3 -m zipfile -e "${target}_seed_corpus.zip" "$folder/$name"
    "$target" -runs=2000 -dict="$target.dict" "$folder/$name" >"$folder/$name.log" 2>&1 ||
        { tail -n 20 "$folder/$name.log"; exit 1; }
    count=$((count + 1))
done
echo "oss_fuzz: $count targets built and played"
[ "$count" = 4 ]

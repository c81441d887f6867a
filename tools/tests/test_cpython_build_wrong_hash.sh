#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A tarball with other bytes than the pinned ones is never used: not from CONSTRICTOR_DISTFILES, not from the cache.
. "$(dirname "$0")/lib.sh"
without_network

mkdir "$work/distfiles"
echo "not a tarball" >"$work/distfiles/Python-3.14.7.tar.xz"
CONSTRICTOR_DISTFILES=$work/distfiles run 3.14.7-ft-debug
expect_status 3
expect_last_line "error: wrong hash: $work/distfiles/Python-3.14.7.tar.xz has SHA-256 $(sha256sum <"$work/distfiles/Python-3.14.7.tar.xz" | cut -d ' ' -f 1) but tools/cpython.lock pins 3b48dac8fb59"
expect_stdout ""
expect_nothing_left
[ -f "$work/distfiles/Python-3.14.7.tar.xz" ] || fail "the user's file is gone"

# A broken file in the cache is ours to remove; without another source the build ends there.
unset CONSTRICTOR_DISTFILES
mkdir -p "$CONSTRICTOR_CACHE/distfiles"
echo "cut short" >"$CONSTRICTOR_CACHE/distfiles/Python-3.14.7.tar.xz"
run 3.14.7-ft-debug
expect_status 3
expect_line "the cached Python-3.14.7.tar.xz has a wrong hash: removed"
expect_last_line "error: no source for Python 3.14.7"
expect_nothing_left
[ ! -e "$CONSTRICTOR_CACHE/distfiles/Python-3.14.7.tar.xz" ] || fail "the broken file is still in the cache"

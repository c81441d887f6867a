#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A target of another recipe, compiler or source is stale: listed as such, not given out, built anew.
. "$(dirname "$0")/lib.sh"
use_distfiles 3.14.7
target=3.14.7-ft-debug
copy_ready_target $target "$CONSTRICTOR_CACHE/targets/$target"

run --list
grep -q "^$target	ready\$" "$work/stdout" || fail "--list: not ready: $(cat "$work/stdout")"
run --dir $target
expect_status 0
expect_stdout "$CONSTRICTOR_CACHE/targets/$target"

sed -i 's/^  "key": ".*",$/  "key": "0123456789abcdef",/' "$CONSTRICTOR_CACHE/targets/$target/target.json"
run --list
grep -q "^$target	stale\$" "$work/stdout" || fail "--list: not stale"
run --dir $target
expect_status 3
expect_last_line "error: target $target is stale: build it with tools/cpython-build $target"

start $target
wait_until "the stale line" grep -qF "the cached target is stale (another source, compiler or recipe): building it anew" "$work/stderr"
wait_until "configure" grep -qF "step 1 of 4" "$work/stderr"
stop TERM
expect_status 143
# The old one stays until a new one is complete.
[ -f "$CONSTRICTOR_CACHE/targets/$target/target.json" ] || fail "the old target is gone"
[ -z "$(find "$CONSTRICTOR_CACHE" -name '.tmp-*')" ] || fail "left behind: $(find "$CONSTRICTOR_CACHE" -name '.tmp-*')"

run --remove $target
expect_status 0
[ ! -e "$CONSTRICTOR_CACHE/targets/$target" ] || fail "--remove left it"

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Two builders at once. On a warm target neither waits. Where another builder has the target's lock, the second says
# that it waits, and uses the result.
. "$(dirname "$0")/lib.sh"
without_network
target=3.14.7-ft-debug
copy_ready_target $target "$CONSTRICTOR_CACHE/targets/$target"

started=$(date +%s%N)
"$tools/cpython-build" $target >"$work/first" 2>&1 &
first=$!
run $target
wait "$first" || fail "the first builder"
elapsed_ms=$((($(date +%s%N) - started) / 1000000))
expect_status 0
expect_stdout "$CONSTRICTOR_CACHE/targets/$target"
[ "$(cat "$work/first")" = "$CONSTRICTOR_CACHE/targets/$target" ] || fail "the first builder says: $(cat "$work/first")"
[ "$elapsed_ms" -lt 2000 ] || fail "two warm calls took $elapsed_ms ms"

# We are the other builder: we hold the lock, and the target appears while we do.
mv "$CONSTRICTOR_CACHE/targets/$target" "$work/finished"
mkdir -p "$CONSTRICTOR_CACHE/locks"
exec 9>"$CONSTRICTOR_CACHE/locks/target-$target"
flock 9
start $target 9>&-
wait_until "the waiting line" grep -qF "another builder is at work on $target: waiting for it" "$work/stderr"
mv "$work/finished" "$CONSTRICTOR_CACHE/targets/$target"
exec 9>&-
status=0
wait "$builder" || status=$?
expect_status 0
expect_stdout "$CONSTRICTOR_CACHE/targets/$target"

# Interrupted while it waits.
mv "$CONSTRICTOR_CACHE/targets/$target" "$work/finished"
exec 9>"$CONSTRICTOR_CACHE/locks/target-$target"
flock 9
start $target 9>&-
wait_until "the waiting line" grep -qF "waiting for it" "$work/stderr"
stop TERM
expect_status 143
expect_nothing_left

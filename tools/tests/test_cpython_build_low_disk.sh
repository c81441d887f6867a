#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A disk with too little room, at the start and in the middle: one line that says what is needed, nothing left behind.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip "only root can mount a small disk"
use_distfiles 3.14.7

mkdir "$CONSTRICTOR_CACHE"
mount -t tmpfs -o size=40m none "$CONSTRICTOR_CACHE" 2>/dev/null || skip "cannot mount a tmpfs here"
mounted=$CONSTRICTOR_CACHE
run 3.14.7-ft-debug
expect_status 3
expect_last_line "error: no room: $CONSTRICTOR_CACHE has 40 MB free and this step needs 450 MB; free some, or set CONSTRICTOR_CACHE to a folder with room"
expect_nothing_left

# Enough when the builder looks, then somebody else fills the disk.
mount -o remount,size=460m "$mounted"
start 3.14.7-ft-debug
wait_until "unpacking" test -d "$CONSTRICTOR_CACHE/src/.tmp-3.14.7/Include"
dd if=/dev/zero of="$CONSTRICTOR_CACHE/filler" bs=1M 2>/dev/null || true
status=0
wait "$builder" || status=$?
expect_status 3
expect_last_line "error: no room: the disk of $CONSTRICTOR_CACHE filled up while unpacking"
expect_nothing_left
[ ! -e "$CONSTRICTOR_CACHE/src/3.14.7" ] || fail "a half-unpacked source has the final name"

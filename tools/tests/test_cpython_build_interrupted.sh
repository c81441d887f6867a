#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A builder that is interrupted while it unpacks or configures leaves no temporary folder and no running program, and
# gives its locks back: the next builder starts at once.
. "$(dirname "$0")/lib.sh"
use_distfiles 3.14.7
target=3.14.7-ft-debug

# interrupt SIGNAL STATUS
interrupt()
{
    stop "$1"
    expect_status "$2"
    expect_last_line "interrupted: the unfinished build is removed"
    expect_stdout ""
    expect_nothing_left
}

unpacking() { [ -d "$CONSTRICTOR_CACHE/src/.tmp-3.14.7/Lib" ]; }
configuring() { [ -s "$CONSTRICTOR_CACHE/targets/.tmp-$target/build/config.log" ]; }

start $target
wait_until "unpacking" unpacking
interrupt TERM 143
[ ! -e "$CONSTRICTOR_CACHE/src/3.14.7" ] || fail "a half-unpacked source has the final name"

start $target
wait_until "configure" configuring
interrupt INT 130

start $target
wait_until "configure again" configuring
! grep -q "waiting for it" "$work/stderr" || fail "a lock was kept"
interrupt HUP 129

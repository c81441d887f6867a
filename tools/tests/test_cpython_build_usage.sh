#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Bad command lines: exit 2, one line, and nothing is created.
. "$(dirname "$0")/lib.sh"

for name in 3.14.7 3.14.7-ft 3.9.1-ft-debug ft-debug ../x; do
    run "$name"
    expect_status 2
    expect_last_line "unknown target $name; versions: 3.13.5 "
done
run
expect_status 2
expect_last_line "which target?"
run --bogus
expect_status 2
expect_last_line "unknown option --bogus"
run --name mine --source /
expect_status 2
expect_last_line "--name, --source and --build go together"
run --name 3.14.7-ft-debug --source / --build ft-debug
expect_status 2
expect_last_line "3.14.7-ft-debug is the name of a release"
run --name a/b --source / --build ft-debug
expect_status 2
expect_last_line "a target's name is made of"
run --name mine --source "$work" --build ft-debug
expect_status 3
expect_last_line "$work is neither a tarball nor a CPython source tree"
run --name mine --source "$work/absent" --build ft-debug
expect_status 3
expect_last_line "$work/absent does not exist"
run --remove 3.14.7-ft-debug
expect_status 3
expect_last_line "there is no target 3.14.7-ft-debug"
run --dir 3.14.7-ft-debug
expect_status 3
expect_last_line "target 3.14.7-ft-debug is not built: build it with tools/cpython-build 3.14.7-ft-debug"
run --tests 3.9.1
expect_status 2
expect_last_line "unknown version 3.9.1; versions: 3.13.5 "
run --list
expect_status 0
grep -q '^3.14.7-ft-debug	not built$' "$work/stdout" || fail "--list"
[ "$(wc -l <"$work/stdout")" = 40 ] || fail "--list does not list 40 targets"

CONSTRICTOR_CACHE="$work/with space" run 3.14.7-ft-debug
expect_status 3
expect_last_line "error: the cache $work/with space has white space or a colon in its name"
env -u CONSTRICTOR_CACHE -u HOME -u XDG_CACHE_HOME "$tools/cpython-build" 3.14.7-ft-debug 2>"$work/stderr" && fail "built without HOME"
expect_last_line "error: no HOME: set CONSTRICTOR_CACHE to a folder for targets"

# A cache that cannot be made, also for root.
touch "$work/file"
CONSTRICTOR_CACHE=$work/file/cache run 3.14.7-ft-debug
expect_status 3
expect_last_line "error: cannot write to the cache $work/file/cache: set CONSTRICTOR_CACHE to a folder of yours"
expect_nothing_left

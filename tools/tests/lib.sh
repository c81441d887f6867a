# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# lib: what the tests of tools/cpython-build share. Each test has a cache of its own and never touches the user's.

set -euo pipefail
set -m # own process groups, and background builders that do not ignore SIGINT

tools=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
user_cache=${CONSTRICTOR_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/constrictor}
work=$(mktemp -d)
export CONSTRICTOR_CACHE=$work/cache
mounted=

finish()
{
    if [ -n "$mounted" ]; then umount -l "$mounted"; fi
    rm -rf -- "$work"
}
trap finish EXIT

skip()
{
    echo "skipped: $*"
    exit 77
}

fail()
{
    echo "FAILED: $*"
    echo "--- stderr of the builder:"
    cat "$work/stderr" 2>/dev/null || true
    echo "--- logs:"
    tail -n 40 "$work"/cache/logs/*.log 2>/dev/null || true
    echo "--- cache:"
    find "$work" | head -n 40
    exit 1
}

# Downloads find no way out: all of them, curl's, wget's and apt's, go to a proxy that is not there.
without_network()
{
    export http_proxy=http://127.0.0.1:1 https_proxy=http://127.0.0.1:1 HTTPS_PROXY=http://127.0.0.1:1
    printf 'Acquire::http::Proxy "http://127.0.0.1:1";\nAcquire::https::Proxy "http://127.0.0.1:1";\n' >"$work/apt.conf"
    export APT_CONFIG=$work/apt.conf
}

# use_distfiles VERSION: a folder that holds the real tarball, in CONSTRICTOR_DISTFILES; skips when there is none here.
use_distfiles()
{
    local file=Python-$1.tar.xz folder
    for folder in "${CONSTRICTOR_DISTFILES:-/nonexistent}" "$user_cache/distfiles" "$tools/../../shared/cpython"; do
        if [ -f "$folder/$file" ]; then
            mkdir -p "$work/distfiles"
            ln -s "$(realpath "$folder/$file")" "$work/distfiles/$file"
            export CONSTRICTOR_DISTFILES=$work/distfiles
            return 0
        fi
    done
    skip "no $file on this machine"
}

# run ARGUMENT...: the builder, in the foreground; its status, stdout and stderr.
run()
{
    status=0
    "$tools/cpython-build" "$@" >"$work/stdout" 2>"$work/stderr" || status=$?
}

# start ARGUMENT...: the builder, in the background.
start()
{
    "$tools/cpython-build" "$@" >"$work/stdout" 2>"$work/stderr" &
    builder=$!
}

# stop SIGNAL: ends the background builder and waits for it; its status.
stop()
{
    status=0
    kill -s "$1" -- "$builder"
    wait "$builder" 2>/dev/null || status=$?
}

# wait_until WHAT COMMAND...: at most 60 s, for busy machines.
wait_until()
{
    local what=$1 tries=0
    shift
    until "$@"; do
        tries=$((tries + 1))
        [ "$tries" -lt 1200 ] || fail "waited in vain for: $what"
        sleep 0.05
    done
}

expect_status() { [ "$status" = "$1" ] || fail "exit status $status, expected $1"; }

# expect_last_line TEXT: the last line on stderr holds TEXT, and is the only one that says error.
expect_last_line()
{
    tail -n 1 "$work/stderr" | grep -qF -- "$1" || fail "the last line does not say: $1"
    [ "$(grep -c 'error' "$work/stderr")" -le 1 ] || fail "more than one error line"
}

expect_line() { grep -qF -- "$1" "$work/stderr" || fail "no line says: $1"; }

expect_stdout() { [ "$(cat "$work/stdout")" = "$1" ] || fail "stdout is: $(cat "$work/stdout"); expected: $1"; }

# expect_nothing_left: no half-unpacked source, half-downloaded file or half-built target, and no compiler at work.
expect_nothing_left()
{
    local left
    left=$(find "$work/cache" -name '.tmp-*' 2>/dev/null || true)
    [ -z "$left" ] || fail "left behind: $left"
    [ -z "$(ls -A "$work/cache/targets" 2>/dev/null)" ] || fail "left behind: $(ls -A "$work/cache/targets")"
    if grep -lsa "$work" /proc/[0-9]*/environ | grep -v "/proc/\($$\|$BASHPID\|self\)/" | grep -q .; then
        # Our own children of this check inherit the environment too: look at programs, not at shells.
        left=$(pgrep -a 'clang|make|tar|configure|conftest' | grep -F -- "$work" || true)
        [ -z "$left" ] || fail "still running: $left"
    fi
}

# use_ready_target NAME FOLDER: a copy of the user's finished target's description, in FOLDER.
copy_ready_target()
{
    local json=$user_cache/targets/$1/target.json
    [ -f "$json" ] && [ "$(CONSTRICTOR_CACHE=$user_cache "$tools/cpython-build" --dir "$1" 2>/dev/null)" ] ||
        skip "target $1 is not built on this machine"
    mkdir -p "$2"
    cp "$json" "$2/target.json"
}

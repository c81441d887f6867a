#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cli_test: the constrictor command as a user meets it, on the plain runner: exit codes, lines, files.
#
#   harness/tests/cli_test.sh BUILD_DIR
#
# One line per check; the exit status is the number of checks that failed, 77 when the plain runner is not built.
# Waits are for a condition (a line in a file), with a bound; nothing is ordered by sleeping.

set -uo pipefail

build=$(cd "$1" && pwd)
readonly build
readonly constrictor=$build/constrictor
[ -x "$build/runners/plain/runner" ] || { echo "cli_test: no plain runner in $build/runners"; exit 77; }
work=$(mktemp -d)
readonly work
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
unset CONSTRICTOR_RUNNERS CONSTRICTOR_SOURCE_DIR

failed=0
code=0

report()
{
    if [ "$1" = 0 ]; then
        echo "ok - $2"
    else
        echo "not ok - $2 (exit code $code)"
        sed 's/^/    /' "$work/err" "$work/out" | head -20
        failed=$((failed + 1))
    fi
}

# run ARGUMENT...: out, err and code are what came of it.
run()
{
    timeout 120 "$constrictor" "$@" >"$work/out" 2>"$work/err"
    code=$?
}

# expect CODE TEXT NAME: the last run ended so, and TEXT (a fixed string) is in its output.
expect()
{
    local right=1
    if [ "$code" = "$1" ] && { [ -z "$2" ] || grep -qF -- "$2" "$work/out" "$work/err"; }; then
        right=0
    fi
    report $right "$3"
}

# expect_one_line CODE TEXT NAME: the same, and standard error is one line, standard output nothing.
expect_one_line()
{
    local right=1
    if [ "$code" = "$1" ] && grep -qF -- "$2" "$work/err" && [ "$(wc -l <"$work/err")" = 1 ] && [ ! -s "$work/out" ]; then
        right=0
    fi
    report $right "$3"
}

# wait_for FILE TEXT: until FILE has TEXT, at most a minute.
wait_for()
{
    local deadline=$((SECONDS + 60))
    until grep -qF -- "$2" "$1" 2>/dev/null; do
        [ $SECONDS -lt $deadline ] || return 1
        read -rt 0.02 <> <(:) || true
    done
}

# schedule_seal FILE: give it the sum that its bytes deserve.
schedule_seal()
{
    local body byte hash=-3750763034362895579 # 0xcbf29ce484222325
    body=$(sed '$d' "$1"; echo x)
    for byte in $(printf '%s' "${body%x}" | od -An -v -tu1); do
        hash=$(((hash ^ byte) * 0x100000001b3))
    done
    { printf '%s' "${body%x}"; printf 'end %016x\n' "$hash"; } >"$1.sealed"
    mv "$1.sealed" "$1"
}

command_line_tests()
{
    run
    expect 2 "usage: constrictor COMMAND" "without a command: usage"
    run --help
    expect 0 "Exit codes: 0 nothing unexpected" "--help"
    run --version
    expect 0 "constrictor 0." "--version"
    run rnu
    expect_one_line 2 'unknown command "rnu": nearest are run' "an unknown command names the nearest"
    run list --target plain
    expect 0 "plain/abba_deadlock" "list"
    mkdir -p runners/3.14.7-ft-debug
    printf '#!/bin/sh\nexit 3\n' >runners/3.14.7-ft-debug/runner
    chmod +x runners/3.14.7-ft-debug/runner
    ln -s "$build/runners/plain" runners/plain
    CONSTRICTOR_RUNNERS=$work/runners run list
    expect 3 "plain/abba_deadlock" "list: a runner that does not start hides no other"
    run list --target plian
    expect_one_line 2 'unknown target "plian"' "list of an unknown target"
    run run plain/abba_deadlok --target plain
    expect_one_line 2 "nearest are plain/abba_deadlock" "an unknown scenario names the nearest"
    run run 'nowhere/*' --target plain
    expect_one_line 4 "nothing ran" "a pattern that matches nothing is no pass"
    run run plain/abba_deadlock --target plain --strategy pcd
    expect_one_line 2 'unknown strategy "pcd": did you mean pct or pos?' "an unknown strategy"
    run run plain/abba_deadlock --target 9.9.9-ft-debug
    expect_one_line 2 'unknown target "9.9.9-ft-debug"' "an unknown target"
    run run plain/abba_deadlock --target 3.13.5-gil-tsan
    expect_one_line 3 "constrictor target add 3.13.5-gil-tsan" "a target that is not built names the command"
    run run plain/abba_deadlock --target plain --runs 0
    expect_one_line 2 "--runs 0: must be at least 1" "--runs 0"
    run run plain/abba_deadlock --target plain --for 5x
    expect_one_line 2 "--for 5x: expected a time" "a time without a unit that we know"
    run run plain/abba_deadlock
    expect_one_line 2 "--target is missing" "run without a target"
    run run --target plain
    expect_one_line 2 "name a scenario" "run without a scenario"
    run run plain/abba_deadlock --target plain --nonsense
    expect 2 "unrecognized option" "an unknown option"
    touch occupied
    run run plain/abba_deadlock --target plain --out occupied/sub
    expect_one_line 3 "--out occupied/sub" "a folder that cannot be made, before anything runs"
    run run plain/abba_deadlock --target plain --json occupied/file
    expect_one_line 3 "occupied/file" "a file that cannot be written, before anything runs"
    run target sideways
    expect_one_line 2 "expected list, add NAME" "an unknown action"
    run target info nope
    expect_one_line 2 'unknown target "nope"' "info of an unknown target"
    run target list
    expect 0 "3.14.7-ft-debug" "target list"
}

run_tests()
{
    run run plain/abba_deadlock --target plain --runs 60 --out a --json a.jsonl
    expect 0 "expected: deadlock of backwards mutex-lock in add; forwards mutex-lock in add" "a canary's deadlock is found"
    [ "$(head -n 1 a.jsonl | cut -c 1-15)" = '{"type":"start"' ] && [ "$(tail -n 1 a.jsonl | cut -c 1-13)" = '{"type":"end"' ]
    report $? "JSON lines begin with start and end with end"
    ls a/plain/plain.abba_deadlock-*.cxs >/dev/null
    report $? "a finding leaves a schedule file"
    run run plain/check_then_act plain/crash_null --target plain --runs 80 --out b --json b.jsonl --jobs 1
    expect 0 "" "two scenarios, one job"
    run run plain/check_then_act plain/crash_null --target plain --runs 80 --out b --json c.jsonl --jobs 3
    expect 0 "" "two scenarios, three jobs"
    cmp <(grep '"type":"finding"' b.jsonl) <(grep '"type":"finding"' c.jsonl) && grep -q finding b.jsonl
    report $? "findings do not depend on --jobs"
    run run plain/wakeup_ok --target plain --runs 30 --strategy random --verify --out d
    expect 0 "nothing unexpected in 30 runs" "a correct scenario passes, every run replayed"
    run run plain/abba_deadlock --target plain --runs 1 --strategy pct --out d
    expect 1 "DID NOT COME" "a canary that stays silent is a failure"
    run run plain/check_then_act_ok --target plain --strategy exhaustive --preemptions any --jobs 2 --out d
    expect 0 "schedules explored, whatever their preemptions" "all schedules of a correct scenario"
    run run plain/abba_deadlock --target plain --strategy exhaustive --preemptions 0 --out d
    expect 1 "schedules with at most 0 preemptions explored" "a bound that leaves the finding out"
    run run plain/abba_deadlock --target plain --strategy exhaustive --findings 1 --out d
    expect 0 "schedules explored, NOT all" "a search that is ended by --findings"
    run run plain/bench_five_threads --target plain --for 500ms --out d
    expect 0 "nothing unexpected" "--for"
    run run plain/check_then_act --target plain --runs 20 --strategy native --out d
    [ "$code" = 0 ] || [ "$code" = 1 ]
    report $? "native runs"
}

schedule_tests()
{
    local file bytes cut good=0 tried=0
    file=$(ls a/plain/plain.abba_deadlock-*.cxs)
    run replay "$file" --times 100 --log steps.txt
    expect 0 "100/100 with the recorded signature, 0 passed; step log the same every time" "a hundred replays are one"
    grep -q "^1 main 1 " steps.txt && grep -q "mutex-lock" steps.txt
    report $? "the step log"
    run shrink "$file"
    expect 0 "replayed 3/3" "shrink"
    run explain "${file%.cxs}.min.cxs"
    expect 0 "no thread can ever run again" "explain"
    run explain --full "${file%.cxs}.min.cxs"
    expect 0 "harness/sched" "explain --full"
    bytes=$(wc -c <"$file")
    for ((cut = 0; cut < bytes; cut += 13)); do
        head -c "$cut" "$file" >cut.cxs
        run replay cut.cxs
        tried=$((tried + 1))
        [ "$code" = 2 ] && grep -q "cut.cxs: line .*cut off" err && [ "$(wc -l <err)" = 1 ] && good=$((good + 1))
    done
    [ $tried = $good ]
    report $? "a schedule that is cut off anywhere says so ($good of $tried)"
    sed 's/^run /run 1/' "$file" >changed.cxs
    run replay changed.cxs
    expect_one_line 2 "the file is damaged" "a changed schedule"
    sed 's/^build-id ..../build-id 0000/' "$file" >other.cxs
    schedule_seal other.cxs
    run replay other.cxs
    expect_one_line 3 "was made on build 0000" "a schedule of another build"
    run shrink other.cxs
    expect_one_line 3 "was made on build 0000" "shrinking a schedule of another build"
    run replay other.cxs --force
    expect 0 "1/1 with the recorded signature" "--force"
    sed 's,^scenario .*,scenario plain/gone,' "$file" >gone.cxs
    schedule_seal gone.cxs
    run replay gone.cxs
    expect_one_line 2 "plain/gone" "a schedule of a scenario that is gone"
    run replay nowhere.cxs
    expect_one_line 2 "cannot read nowhere.cxs" "a schedule that is not there"
    run replay "$work"
    expect_one_line 2 "is no schedule file" "a folder for a schedule"
    run explain occupied
    expect_one_line 2 "cut off" "an empty file"
}

# child_of PID NAME: the process whose parent is PID and whose program's name begins with NAME.
child_of()
{
    local child
    # shellcheck disable=SC2013 # one line of words
    for child in $(cat "/proc/$1/task/$1/children"); do
        case $(readlink "/proc/$child/exe") in
            */"$2"*) echo "$child" ;;
        esac
    done
}

accident_tests()
{
    local pid
    "$constrictor" run plain/abba_deadlock plain/bench_five_threads plain/crash_null --target plain --runs 3000 \
        --out e --json e.jsonl >out 2>err &
    pid=$!
    wait_for e.jsonl '"type":"scenario","scenario":"plain/abba_deadlock"'
    kill -KILL "$(child_of $pid runner)" "$(child_of $pid llvm-symbolizer)"
    wait $pid
    code=$?
    expect 0 "was killed by signal 9" "a runner killed from outside is replaced"
    grep -q '"scenario":"plain/bench_five_threads".*"runs":3000,' e.jsonl && grep -q '"type":"finding"' e.jsonl
    report $? "no run and no finding is lost with it"
    grep -q '"signature":"crash SIGSEGV in user ' e.jsonl
    report $? "what names functions is started again, too"

    "$constrictor" run plain/abba_deadlock plain/bench_five_threads --target plain --for 60s --out f --json f.jsonl \
        >out 2>err &
    pid=$!
    wait_for f.jsonl '"type":"finding"'
    kill -INT $pid
    wait $pid
    code=$?
    expect 130 "interrupted" "an interrupt ends with 130"
    tail -n 1 f.jsonl | grep -q '"type":"end","exit":130' && grep -q '"type":"finding"' f.jsonl
    report $? "what was found before the interrupt is written"
    run replay "$(ls f/plain/*.cxs)"
    expect 0 "1/1 with the recorded signature" "and replays"
}

# Canaries of every CPython runner that is built: each must be reported as what it is.
canary_tests()
{
    local target
    for target in "$build"/runners/*; do
        target=${target##*/}
        case $target in plain* | *.log) continue ;; esac
        [ -x "$build/runners/$target/runner" ] || continue
        run run canary/nothing_explored --target "$target" --runs 10 --out g
        expect 4 "nothing was explored" "$target: nothing to explore is no pass"
        run run canary/crash --target "$target" --runs 100 --jobs 0 --out g
        expect 0 "expected: crash SIGSEGV in user" "$target: the crash canary"
        run run canary/deadlock --target "$target" --runs 100 --jobs 0 --out g
        expect 0 "expected: deadlock of backwards mutex-lock" "$target: the deadlock canary"
        run run canary/divergence --target "$target" --runs 30 --jobs 0 --out g
        expect 0 "(diverged)" "$target: the divergence canary"
        case $target in
            *-tsan)
                run run canary/race canary/race_locked --target "$target" --runs 30 --jobs 0 --out g
                expect 0 "expected: race increment / increment" "$target: the race canary, and its twin with a lock"
                ;;
        esac
    done
}

command_line_tests
run_tests
schedule_tests
accident_tests
canary_tests
echo "cli_test: $failed failed"
exit $((failed > 99 ? 99 : failed))

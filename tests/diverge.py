#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""diverge: where two runs of one schedule part, and why, by `constrictor diverge` and by `run` itself.

    tests/diverge.py [--target T] [--build build/default] [--optional]

tests/subject/diverging.c decides by something that is not under control, each way in its own run; so does the canary
of the target. The step, the function and the source must be named; a program that is deterministic must not be accused.
"""
import re

import command

SOURCES = command.ROOT / "tests/subject"
# argument of the program, kind of the source, what it must name, and in which function it was read
WAYS = [
    ("pid", "process id", "getpid", "decision"),
    ("proc", "I/O", "the bytes of /proc/", "bytes_of"),
    ("file", "I/O", "kept.txt", "bytes_of"),
    ("counter", "time", "rdtsc", "decision"),
    ("random", "random", "the bytes of /dev/urandom", "bytes_of"),
]
LONG_TURNS = 2_000_000
FIRST = re.compile(r"the first step that differs: step (\d+), after (\d+) equal ones")


def explore(test, out, *arguments):
    """One schedule of the program, which fails in each of them."""
    return test.command("run", "--subject", "./diverging", "--runs", 1, "--findings", 1, "--out", out, "--",
                        *arguments)


def check_told(test, name, text, where, kind, tells, reader):
    """The step, its function in both runs, and the source."""
    first = FIRST.search(text)
    source = re.search(r"  likely source: (.*)", text)
    sides = re.findall(r"^  run [12]: .*\n +(\w+)", text, re.M)
    test.check(first is not None and int(first[1]) == int(first[2]) + 1 and sides == [where, where],
               f"{name}: the step that differs is in {where}, in both runs", text)
    right = source is not None and source[1].startswith(f"{kind}: ") and tells in source[1] and reader in source[1]
    test.check(right, f"{name}: its source is {kind}, {tells}, in {reader}", text)


def check_ways(test):
    compiled = test.command("cc", "-g", "-O1", "-Wall", "-Werror", "-fno-inline", "-o", "diverging",
                            SOURCES / "diverging.c")
    if compiled.status != 0:
        test.give_up("diverging.c compiles", compiled)
    for way, kind, tells, reader in WAYS:
        (test.work / "kept.txt").write_text("0\n")
        out = f"out-{way}"
        ended = explore(test, out, way)
        files = sorted(test.work.glob(f"{out}/*/*.cxs"))
        if not test.check(len(files) == 1, f"{way}: there is a schedule", ended):
            continue
        ended = test.command("diverge", files[0])
        test.check(ended.status == command.EXIT_FINDINGS, f"{way}: two runs differ", ended)
        check_told(test, way, ended.out, "chooser", kind, tells, reader)
    explore(test, "out-none")
    ended = test.command("diverge", *sorted(test.work.glob("out-none/*/*.cxs")))
    test.check(ended.status == 0 and "the same, step by step" in ended.out, "no difference, and none is named", ended)


def check_long(test):
    """Millions of steps before the one that differs: the log is kept in blocks, and one of them played again."""
    explore(test, "out-long", "counter", LONG_TURNS)
    ended = test.command("diverge", *sorted(test.work.glob("out-long/*/*.cxs")))
    check_told(test, f"after {LONG_TURNS} turns", ended.out, "chooser", "time", "rdtsc", "decision")
    first = FIRST.search(ended.out)
    test.check(first is not None and int(first[1]) > LONG_TURNS, f"and the step is behind {LONG_TURNS} others", ended)


def check_run(test):
    """`run` asks by itself where a finding could not be replayed."""
    ended, report = None, None
    for seed in range(1, 6):
        ended = test.command("run", "--subject", "./diverging", "--runs", 300, "--strategy", "pct", "--seed",
                             seed, "--json", "run.jsonl", "--out", "out-run", "--", "pid-bug")
        report = command.Report((test.work / "run.jsonl").read_text(), test.work)
        if any(item["status"] == "diverged" for item in report.findings):
            break
    sources = [item["source"] for item in report.findings if item["status"] == "diverged"]
    test.check(sources and sources[0].startswith("process id: getpid") and "likely source: process id" in ended.out,
               "a run that cannot be replayed says why by itself", ended)


def check_canary(test):
    ended, report = test.run("canary/divergence", "--runs", 20)
    if not test.check(report.findings, "canary/divergence has a finding", ended):
        return
    ended = test.command("diverge", report.schedule(report.findings[0]))
    check_told(test, "canary/divergence", ended.out, "gambler", "time", "rdtsc", "uncontrolled")


def main():
    test = command.Test(command.arguments(__doc__, "3.14.7-ft-debug").parse_args())
    test.need_runner()
    check_ways(test)
    check_long(test)
    check_run(test)
    check_canary(test)
    test.end()


if __name__ == "__main__":
    main()

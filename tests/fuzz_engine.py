#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fuzz_engine: half a minute of libFuzzer on a fuzz target that needs CPython; all that it files replays.

    tests/fuzz_engine.py NAME [--seconds 30] [--target 3.14.7-ft-debug] [--build build/default] [--optional]

What it finds is told, and fails nothing: how far an engine gets in a time is no constant. What does fail: no input was
played, a finding was not confirmed, or one of up to six artifacts does not show its signature in 10 of 10 replays of
the schedule and when the fuzz target is given the input.
"""
import re

import command

ARTIFACTS_MAX = 6
REPLAYS = 10
RUNS = re.compile(r"^fuzz_\w+: (\d+) runs, (\d+) findings", re.M)
IDENTITY = re.compile(r"^signature .*\[([0-9a-f]{12})\]$", re.M)


def check_artifact(test, name, schedule):
    identity = IDENTITY.search(schedule.read_text())[1]
    ended = test.command("replay", schedule, "--times", REPLAYS)
    test.check(f"{REPLAYS}/{REPLAYS} with the recorded signature" in ended.out, f"{schedule.name} replays", ended)
    ended = test.fuzz(name, schedule.with_suffix(".input"), test.work / "again")
    test.check(ended.status != 0 and f"[{identity}]" in ended.err, f"{schedule.stem}.input shows the same", ended)


def main():
    parser = command.arguments(__doc__, "3.14.7-ft-debug")
    parser.add_argument("name", choices=("lifecycle", "schedule"))
    parser.add_argument("--seconds", type=int, default=30)
    options = parser.parse_args()
    test = command.Test(options)
    test.need_runner()
    name = f"fuzz_{options.name}"
    ended = test.command("fuzz", name, "--target", test.target, "--for", f"{options.seconds}s", "--out", "out")
    summary = RUNS.search(ended.out)
    test.check(ended.status in (0, command.EXIT_FINDINGS) and summary is not None and int(summary[1]) > 0,
               "inputs were played", ended)
    confirmed = ended.out.count("replayed with the same signature 3 of 3 times")
    test.check(summary is not None and confirmed == int(summary[2]), "each finding was confirmed", ended)
    found = sorted(path for path in (test.work / "out").glob("*/*.cxs") if not path.name.endswith(".min.cxs"))
    print(f"{name}: {summary[0] if summary else '?'}; {len(found)} schedule files")
    for schedule in found[:ARTIFACTS_MAX]:
        check_artifact(test, options.name, schedule)
    test.end()


if __name__ == "__main__":
    main()

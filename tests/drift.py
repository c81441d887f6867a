#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""drift: what a scenario leaves behind, or drops once too often, is found, named, and found again.

    tests/drift.py [--target 3.14.7-ft-debug] [--build build/default] [--optional]

The canaries are found, each with the text that names what drifts; their schedules replay in processes of their own,
shrink, and are explained. Scenarios that leave nothing behind are quiet over many schedules; what the messages count
is in docs/drift.md.
"""
import re

import command

PLAYS_MAX = 4  # of one run: what needs a preemption needs one in each play, at most
# The last word is the function that made what was left behind; what is gone cannot be asked.
CANARIES = {"canary/drift": ("drift", "drift +1 dict, +1 reference", "+1 dict, +1 reference; +1 object", "cycle"),
            "canary/drift_negative": ("drift", "drift -1 reference of a watched list",
                                      "-1 reference of a watched list", ""),
            "canary/leak_raw": ("leak", "leak +1 raw block", "+1 raw block; +64 raw bytes", "user")}
QUIET = ("drift/critical/nested_same_pair", "drift/critical/suspended_by_detach", "drift/detach/suspend_resume",
         "drift/attach/nested_release", "drift/gc/noise")
RUNS_QUIET = 60


def check_canary(test, name, wanted):
    """Found by portfolio in the usual number of runs, confirmed; replayed, shrunk and explained."""
    kind, signature, message, maker = wanted
    ended, report = test.run(name, "--findings", 1, folder=test.work / name.replace("/", "-"))
    right = [(item["kind"], item["status"], item["expected"], item["message"]) for item in report.findings]
    texts = [item["signature"].rsplit(" [", 1)[0] for item in report.findings]
    if not test.check(ended.status == 0 and right == [(kind, "confirmed", True, message)] and texts == [signature],
                      f"{name}: {message}, three replays", ended):
        return
    frames = command.frames_of(report.findings[0]["stacks"][0])
    test.check(maker in frames if maker else frames == [], f"{name}: made in {maker or 'a place that nobody kept'}",
               f"    {frames}")
    path = report.schedule(report.findings[0])
    replays = [command.Replayed(test.command("replay", path)) for _ in range(2)]
    test.check([replay.same for replay in replays] == [1, 1] and replays[0].logs == replays[1].logs,
               f"{name}: two fresh processes replay it, with one step log",
               "\n".join(f"    {replay.outcomes} {replay.logs}" for replay in replays))
    ended = test.command("shrink", path, "--out", "min.cxs")
    shrunk = re.search(r"(\d+) preemptions of \d+ left, \d+ deviations of \d+.*; replayed 3/3", ended.out)
    test.check(ended.status == 0 and shrunk is not None and int(shrunk[1]) <= PLAYS_MAX, f"{name}: it shrinks",
               ended)
    ended = test.command("explain", "min.cxs")
    test.check(ended.status == 0 and message in ended.out, f"{name}: explain says what drifts", ended)


def main():
    test = command.Test(command.arguments(__doc__, "3.14.7-ft-debug").parse_args())
    test.need_runner()
    for name, wanted in CANARIES.items():
        check_canary(test, name, wanted)
    for strategy in ("random", "pct"):
        ended, report = test.run(*QUIET, "--strategy", strategy, "--runs", RUNS_QUIET, folder=test.work / strategy)
        wanted = {name: ("pass", RUNS_QUIET) for name in QUIET}
        found = {name: (item["verdict"], item["runs"]) for name, item in report.scenarios.items()}
        test.check(ended.status == 0 and found == wanted and not report.findings,
                   f"{strategy}: {len(QUIET)} scenarios leave nothing behind in {RUNS_QUIET} runs each", ended)
    test.end()


if __name__ == "__main__":
    main()

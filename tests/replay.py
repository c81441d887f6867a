#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""replay: what was found once is found again. Same command, same findings; same file, same steps, in fresh processes.

    tests/replay.py [--target T] [--shrink TEXT] [--build build/default] [--optional]

Finds crashes of finalize/attach_new_thread and of the canaries, replays each file in three processes of their own and
one of them a hundred times; --shrink names the signature whose schedule must shrink to at most three preemptions, in
functions that preemptions show it in.
"""
import re

import command

SCENARIO = "finalize/attach_new_thread"
CANARIES = ("canary/crash", "canary/deadlock")
RUNS = 300
FAILING_MIN = 0.15
SIGNATURES_MIN = 3
PREEMPTIONS_MAX = 3
WINDOW = re.compile(r"^Preemptions inside these functions suffice: (.+)\n +of 100 random schedules each, the finding "
                    r"comes in (\d+) that preempt only there,\n +in (\d+) that preempt everywhere else", re.M)


def same_command_twice(test):
    """The report of the first of three equal commands; the other two must say the same, byte for byte."""
    words = (SCENARIO, *CANARIES, "--strategy", "pct", "--runs", RUNS, "--seed", 1)
    ended, first = test.run(*words, folder=test.work / "first")
    test.check(ended.status == 0 and all(item["known"] or item["expected"] for item in first.findings),
               "every finding is a canary's or known", ended)
    failing = first.scenarios[SCENARIO]["runs_failing"]
    test.check(failing >= FAILING_MIN * RUNS, f"{failing} of {RUNS} runs of {SCENARIO} fail, at least "
               f"{FAILING_MIN:.0%}", ended)
    signatures = first.signatures(SCENARIO)
    test.check(len(signatures) >= SIGNATURES_MIN, f"{len(signatures)} signatures, at least {SIGNATURES_MIN}", ended)
    for name in CANARIES:
        test.check(len(first.signatures(name)) > 0, f"{name} was found", ended)
    for jobs in (1, 2):
        folder = test.work / f"jobs-{jobs}"
        ended, again = test.run(*words, "--jobs", jobs, folder=folder)
        differing = [f"    {a}\n    {b}" for a, b in zip(first.finding_lines, again.finding_lines) if a != b]
        test.check(again.finding_lines == first.finding_lines, f"the same command with --jobs {jobs} writes the same "
                   f"{len(first.findings)} findings", "\n".join(differing) or ended)
        files = [(first.schedule(item).read_bytes(), again.schedule(item).read_bytes()) for item in first.findings]
        test.check(all(a == b for a, b in files), f"and the same schedule files, with --jobs {jobs}")
    return first


def replay_fresh(test, path, signature, what):
    """Three processes, one replay each: all with the signature, and one step log."""
    replays = [command.Replayed(test.command("replay", path)) for _ in range(3)]
    logs = set().union(*(replay.logs for replay in replays))
    outcomes = set().union(*(replay.outcomes for replay in replays))
    test.check([replay.same for replay in replays] == [1, 1, 1] and outcomes == {signature} and len(logs) == 1,
               f"{what} replays in three processes", f"    outcomes {outcomes}\n    step logs {logs}")
    return logs


def shrink_and_explain(test, path, signature, explain):
    ended = test.command("shrink", path, "--out", "min.cxs")
    found = re.search(r"(\d+) preemptions of (\d+) left, \d+ deviations of \d+.*; replayed 3/3", ended.out)
    if not test.check(ended.status == 0 and found is not None and int(found[1]) <= PREEMPTIONS_MAX,
                      f"shrink leaves at most {PREEMPTIONS_MAX} preemptions", ended):
        return
    window = WINDOW.search(ended.out)
    if not test.check(window is not None and int(window[2]) >= 10 and int(window[2]) > 2 * int(window[3]),
                      "the functions in which it preempts show the finding, and the others hardly do", ended):
        return
    replay_fresh(test, test.work / "min.cxs", signature, "what it leaves")
    explain = (*explain, f"Preemptions inside these functions suffice: {window[1]}")
    ended = test.command("explain", "min.cxs")
    missing = [text for text in explain if text not in ended.out]
    test.check(ended.status == 0 and not missing, "explain names " + ", ".join(explain), ended)


def main():
    parser = command.arguments(__doc__, "3.14.7-ft-debug")
    parser.add_argument("--shrink", default="", help="shrink and explain the finding with this text in its signature")
    options = parser.parse_args()
    test = command.Test(options)
    test.need_runner()
    report = same_command_twice(test)
    wanted = [item for item in report.findings if options.shrink in item["signature"] and item["scenario"] == SCENARIO]
    if not wanted:
        test.give_up(f"there is a finding with \"{options.shrink}\"", "\n".join(report.signatures(SCENARIO)))
    for item in report.findings:
        path = report.schedule(item)
        logs = replay_fresh(test, path, item["signature"], item["signature"])
        if item is wanted[0]:
            ended = test.command("replay", path, "--times", 100)
            replay = command.Replayed(ended)
            test.check(replay.same == replay.played == 100 and not replay.differs and replay.logs == logs,
                       "a hundred replays of it in one process are the same again, step by step", ended)
        if options.shrink and item is wanted[0]:
            shrink_and_explain(test, path, item["signature"],
                               ("PyGILState_Ensure", "Py_FinalizeEx", "main", "late_thread"))
    test.end()


if __name__ == "__main__":
    main()

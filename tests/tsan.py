#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tsan: ThreadSanitizer sees a race though one thread runs at a time, and sees none where a lock orders the accesses.

    tests/tsan.py [--target 3.14.7-ft-tsan] [--build build/default] [--optional]

canary/race is reported in every strategy with both accesses at the line that races; canary/race_locked, the same
program with its lock, is never reported in a thousand schedules. canary/race_atomic has an atomic operation on one
side: our wrapper of it is on no stack. canary/race_ended, whose older side belongs to a thread that ended long before,
is reported in every run.
"""
import command

SOURCE = "scenarios/canary/race.c"
SOURCE_ATOMIC = "scenarios/canary/race_atomic.c"
LOCKED_RUNS = {"random": 500, "pct": 500}


def line_of(source, text):
    lines = (command.ROOT / source).read_text().splitlines()
    return 1 + next(i for i, line in enumerate(lines) if text in line)


def accesses_of(finding):
    return [item for item in finding["stacks"] if item["access"] in ("read", "write")]


def check_race(test, ended, finding):
    accesses = accesses_of(finding)
    racing_line = line_of(SOURCE, "state->shared++")
    top = [next((frame for frame in item["frames"] if frame["program"]), None) for item in accesses]
    where = {(frame["function"], frame["file"], frame["line"]) for frame in top if frame is not None}
    test.check(len(accesses) == 2 and where == {("increment", SOURCE, racing_line)},
               f"both accesses are in increment, {SOURCE}:{racing_line}", ended)
    test.check("write" in {item["access"] for item in accesses} and {item["bytes"] for item in accesses} == {4} and
               not any(item["atomic"] for item in accesses), "plain accesses of an int, one of them a write", ended)
    test.check({item["role"] for item in accesses} == {"racer-0", "racer-1"}, "by the two actors", accesses)
    test.check(all("racer" in command.frames_of(item) for item in accesses), "with the way there", accesses)


# The innermost frames as they come, whatever they are: ours have no business there.
def check_race_atomic(test, ended, finding):
    accesses = accesses_of(finding)
    where = {(item["atomic"], item["frames"][0]["function"], item["frames"][0]["file"], item["frames"][0]["line"])
             for item in accesses}
    wanted = {(True, "atomically", SOURCE_ATOMIC, line_of(SOURCE_ATOMIC, "__atomic_fetch_add")),
              (False, "plainly", SOURCE_ATOMIC, line_of(SOURCE_ATOMIC, "state->shared++"))}
    test.check(len(accesses) == 2 and where == wanted, "each access is at its own line, one of them atomic", ended)
    callers = {item["frames"][1]["function"] for item in accesses}
    test.check(callers == {"careful", "careless"}, "called by the two actors", accesses)


def main():
    test = command.Test(command.arguments(__doc__, "3.14.7-ft-tsan").parse_args())
    test.need_runner()
    for strategy, runs in LOCKED_RUNS.items():
        ended, report = test.run("canary/race", "--strategy", strategy, "--runs", 20, "--seed", 1,
                                 folder=test.work / strategy)
        confirmed = [item for item in report.findings if item["kind"] == "race" and item["status"] == "confirmed"]
        if test.check(ended.status == 0 and len(report.findings) == 1 and len(confirmed) == 1,
                      f"{strategy}: one race, confirmed and expected", ended):
            check_race(test, ended, confirmed[0])
            fresh = command.Replayed(test.command("replay", report.schedule(confirmed[0])))
            test.check(fresh.same == 1, f"{strategy}: it replays in a fresh process")
        ended, report = test.run("canary/race_atomic", "--strategy", strategy, "--runs", 20, "--seed", 1,
                                 folder=test.work / (strategy + "-atomic"))
        confirmed = [item for item in report.findings if item["status"] == "confirmed"]
        if test.check(ended.status == 0 and len(report.findings) == 1 and len(confirmed) == 1,
                      f"{strategy}: a race with an atomic operation, confirmed and expected", ended):
            check_race_atomic(test, ended, confirmed[0])
        ended, report = test.run("canary/race_ended", "--strategy", strategy, "--runs", 20, "--seed", 1,
                                 folder=test.work / (strategy + "-ended"))
        totals = report.scenarios["canary/race_ended"]
        test.check(ended.status == 0 and totals["runs_failing"] == totals["runs"] == 20,
                   f"{strategy}: a race with a thread that has ended, in every run", ended)
        ended, report = test.run("canary/race_locked", "--strategy", strategy, "--runs", runs, "--seed", 1,
                                 folder=test.work / (strategy + "-locked"))
        totals = report.scenarios["canary/race_locked"]
        distinct = totals["interleavings_distinct"]
        test.check(ended.status == 0 and totals["runs"] == runs and not report.findings and distinct > 10,
                   f"{strategy}: with its lock, no race in {runs} schedules, {distinct} of them distinct", ended)
    test.end()


if __name__ == "__main__":
    main()

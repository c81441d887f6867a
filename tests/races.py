#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""races: `constrictor races` classifies the races of small programs, half of them harmful, half benign.

    tests/races.py [--build build/default]

Each program of tests/subject/races is compiled with ThreadSanitizer and explored; the race that is found is then
directed. Every race of a harmful program must be called harmful, with the failure that is its own, and that replays;
every race of a benign one must end with nothing seen in many runs of both orders. A race whose accesses never stand
side by side is said to be that, and nothing else.
"""
import re

import command
from subject import Subjects, one_line

SOURCES = command.ROOT / "tests/subject/races"
RUNS = 40
MET_MIN = RUNS // 4
# program, start of the signature that must come of its race
HARMFUL = [
    ("torn_pair", 'assertion "seen_low == seen_high" in read_pair'),
    ("lost_update", 'assertion "counter == 2 * ROUNDS" in main'),
    ("check_then_use", "crash SIGSEGV in use"),
    ("early_flag", "exit 3 in use"),
    ("double_init", 'assertion "shared->users == 2" in main'),
    ("stuck_waiter", "deadlock of main thread-join in main; thread cond-wait in wait_for_work"),
    ("freed_twice", "race heap-use-after-free leave / leave"),
]
BENIGN = ["same_value", "statistics", "rechecked", "idempotent", "polled_flag", "hint"]


class Directed:
    """What `races` printed: runs that met and failed each way, the failures, and their schedule files."""

    def __init__(self, ended):
        orders = re.findall(r"^first .*: (\d+) of (\d+) runs met, (\d+) failed$", ended.out, re.M)
        self.met = [int(met) for met, _, _ in orders]
        self.failed = [int(failed) for _, _, failed in orders]
        self.all_played = len(orders) == 2 and all(int(played) == RUNS for _, played, _ in orders)
        self.failures = re.findall(r"^    \d+ times (.*)$", ended.out, re.M)
        self.kept = re.findall(r"^\[[0-9a-f]{12}\] replayed 3/3: constrictor replay (.*)$", ended.out, re.M)
        self.verdict = re.findall(r"^verdict: (.*)$", ended.out, re.M)


def find_races(test, program):
    """Compile and explore; the schedule files of its races."""
    test.compile("--tsan", "-O1", "-g", "-Wall", "-Werror", "-std=gnu11", "-o", program, SOURCES / f"{program}.c")
    ended, report = test.explore(f"./{program}", "--runs", 50, "--seed", 1)
    found = [item["schedule"] for item in report.findings
             if item["kind"] == "race" and item["status"] == "confirmed" and item["signature"].startswith("race ")]
    test.check(found, f"{program}: ThreadSanitizer reports a race", ended)
    return found


def direct(test, path):
    ended = test.command("races", path, "--runs", RUNS)
    return ended, Directed(ended)


def check_harmful(test, program, start):
    for path in find_races(test, program):
        ended, directed = direct(test, path)
        test.check(ended.status == command.EXIT_FINDINGS and directed.verdict == ["harmful"] and directed.all_played and
                   sum(directed.failed) > 0 and min(directed.met) >= MET_MIN, f"{program}: harmful", ended)
        test.check(directed.failures and all(text.startswith(start) for text in directed.failures),
                   f"{program}: what comes of it is {start}", ended)
        for kept in directed.kept:
            replayed = command.Replayed(test.command("replay", kept))
            test.check(replayed.same == 1 and any(text.startswith(start) for text in replayed.outcomes),
                       f"{program}: a process of its own replays that")
        test.check(directed.kept, f"{program}: a schedule is kept", ended)


def check_benign(test, program):
    for path in find_races(test, program):
        ended, directed = direct(test, path)
        test.check(ended.status == 0 and directed.all_played and directed.failed == [0, 0] and
                   directed.verdict == [f"nothing seen in {directed.met[0]} and {directed.met[1]} runs"] and
                   min(directed.met) >= MET_MIN, f"{program}: nothing seen, in many runs of both orders", ended)


def check_apart(test):
    for path in find_races(test, "handed_over"):
        ended, directed = direct(test, path)
        test.check(ended.status == command.EXIT_NOTHING and directed.met == [0, 0] and
                   directed.verdict == ["not brought together"], "handed_over: not brought together", ended)


def check_freed(test):
    """Memory that is used after it was freed needs nothing more to come of it."""
    ended, report = test.explore("./freed_twice", "--runs", 200, "--points", "access")
    paths = [item["schedule"] for item in report.findings if "heap-use-after-free" in item["signature"]]
    if test.check(paths, "freed_twice: the use of freed memory has a schedule", ended):
        ended = test.command("races", paths[0], "--runs", 5)
        test.check(ended.status == command.EXIT_FINDINGS and "harmful: memory was used after it was freed" in ended.out,
                   "freed_twice: the use of freed memory is harmful by itself", ended)


def check_refused(test):
    ended, report = test.explore("./torn_pair", "--runs", 200, "--points", "access")
    paths = [item["schedule"] for item in report.findings if item["kind"] == "assertion"]
    if test.check(paths, "torn_pair: its assertion has a schedule, too", ended):
        ended = test.command("races", paths[0])
        test.check(ended.status == command.EXIT_USAGE and one_line(ended) and "is the schedule of no race" in ended.err,
                   "the schedule of an assertion is refused with one line", ended)
    ended = test.command("races", "nowhere.cxs")
    test.check(ended.status == command.EXIT_USAGE and one_line(ended), "and a file that is not there", ended)


def main():
    test = Subjects(command.arguments(__doc__, "subject").parse_args())
    for program, start in HARMFUL:
        check_harmful(test, program, start)
    for program in BENIGN:
        check_benign(test, program)
    check_apart(test)
    check_freed(test)
    check_refused(test)
    test.end()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fuzz_schedule: bench/fuzz-schedule at a tiny size; its table is of runs that were played.

    tests/fuzz_schedule.py [--target 3.14.7-ft-debug] [--build build/default] [--optional]

Which side reaches more is a matter of the full size, and no part of this.
"""
import json
import re
import subprocess

import command

SCHEDULES = 40
SCENARIO = "finalize/attach_new_thread"


def bench(test, *arguments):
    ended = subprocess.run([command.ROOT / "bench/fuzz-schedule", "--build", test.build, "--scenarios", SCENARIO,
                            "--seeds", "1", "--jobs", "1", "--json", test.work / "kept.json", *map(str, arguments)],
                           env=test.environment, capture_output=True, text=True)
    return command.Ended(f"bench/fuzz-schedule {' '.join(map(str, arguments))}", ended)


def kept(test):
    return json.loads((test.work / "kept.json").read_text())


def main():
    test = command.Test(command.arguments(__doc__, "3.14.7-ft-debug").parse_args())
    test.need_runner()
    ended = bench(test, "--schedules", SCHEDULES, "--no-check")
    first = kept(test) if test.check(ended.status == 0, "three sides are played", ended) else []
    pairs = {item["side"]: item["pairs"] for item in first}
    test.check(set(pairs) == {"random", "blind", "coverage"} and min(pairs.values(), default=0) > 20,
               f"each has pairs of hand-offs: {pairs}", ended)
    test.check(all(re.search(rf"\b{count} \({count}-{count}\)", ended.out) for count in pairs.values()),
               "the table has these numbers", ended)
    test.check(all(item["findings"] and all(1 <= number <= SCHEDULES for number in item["findings"].values())
                   for item in first), "each has findings, those of schedules")
    ended = bench(test, "--schedules", SCHEDULES, "--no-check")
    test.check(kept(test) == first, "the same seeds are the same schedules", ended)
    ended = bench(test, "--schedules", 4 * SCHEDULES, "--no-check")
    more = {item["side"]: item["pairs"] for item in kept(test)}
    test.check(all(more.get(side, 0) > count for side, count in pairs.items()), f"more schedules, more pairs: {more}",
               ended)
    test.end()


if __name__ == "__main__":
    main()

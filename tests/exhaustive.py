#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""exhaustive: all schedules of two sections, up to a bound; the right one passes, and the broken one's bug is found.

    tests/exhaustive.py [--target T] [--build build/default] [--optional]

The bound in time, ten minutes on one core, is that of ctest (TIMEOUT).
"""
import re

import command

RIGHT = "critical/two_objects_crossed"
BROKEN = "canary/two_sections_crossed"


def explore(test, scenario, preemptions, *options):
    """What the exhaustive search says, on one core; how it ended, and its report."""
    ended, report = test.run(scenario, "--strategy", "exhaustive", "--preemptions", preemptions, "--jobs", 1, "--runs",
                             1000000, *options)
    return ended, report, report.scenarios[scenario]["shown"]


def main():
    test = command.Test(command.arguments(__doc__, "3.14.7-ft-debug").parse_args())
    test.need_runner()
    ended, report, shown = explore(test, BROKEN, 0)
    test.check(not report.findings and re.fullmatch(r"all \d+ schedules? with at most 0 preemptions explored", shown),
               "the broken sections: all schedules without a preemption pass", ended)
    ended, report, shown = explore(test, BROKEN, 2, "--findings", 1)
    found = [item["signature"] for item in report.findings]
    test.check(ended.status == 0 and len(found) == 1 and found[0].startswith('invariant "state->total == 2"'),
               "and with at most 2 the lost increment is found", ended)
    ended, report, shown = explore(test, RIGHT, 2)
    said = re.fullmatch(r"all (\d+) schedules with at most 2 preemptions explored.*", shown)
    test.check(ended.status == 0 and not report.findings and said is not None and int(said[1]) > 1000,
               f"the right one: {shown}", ended)
    test.end()


if __name__ == "__main__":
    main()

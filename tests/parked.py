#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""parked: on 3.15 a thread that attaches too late is parked for ever, and nothing crashes.

    tests/parked.py [--target 3.15.0rc2-ft-debug] [--build build/default] [--optional]

A thousand schedules of finalize/attach_new_thread without a finding; that late threads were really parked is seen in
the counts, else the pass would mean nothing.
"""
import command

SCENARIO = "finalize/attach_new_thread"
RUNS = 1000


def main():
    test = command.Test(command.arguments(__doc__, "3.15.0rc2-ft-debug").parse_args())
    test.need_runner()
    ended, report = test.run(SCENARIO, "--strategy", "pct", "--runs", RUNS, "--seed", 1)
    totals = report.scenarios[SCENARIO]
    test.check(ended.status == 0 and totals["verdict"] == "pass" and not report.findings,
               f"no finding in {RUNS} schedules", ended)
    test.check(totals["runs"] == RUNS and totals["runs_failing"] == totals["runs_error"] == 0,
               "all of them were played", ended)
    test.check(totals["interleavings_distinct"] > RUNS / 4 and totals["threads_max"] == 3,
               f"{totals['interleavings_distinct']} distinct interleavings of three threads", ended)
    parked = totals["runs_parked"]
    test.check(RUNS / 10 < parked, f"{parked} runs parked a late thread", ended)
    test.end()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""nothing: a run that explored nothing is no pass. Exit code 4 and a sentence, whatever the strategy.

    tests/nothing.py [--target 3.14.7-ft-debug] [--build build/default] [--optional]
"""
import command

SCENARIO = "canary/nothing_explored"


def main():
    test = command.Test(command.arguments(__doc__, "3.14.7-ft-debug").parse_args())
    test.need_runner()
    for strategy in ("random", "pct"):
        ended, report = test.run(SCENARIO, "--strategy", strategy, "--runs", 10, folder=test.work / strategy)
        test.check(ended.status == command.EXIT_NOTHING and "nothing was explored, so this is no pass" in ended.err,
                   f"{strategy}: exit code 4, and a sentence", ended)
        test.check(report.scenarios[SCENARIO]["verdict"] == "nothing-expected", f"{strategy}: as this canary expects",
                   ended)
        ended, report = test.run(SCENARIO, "canary/crash", "--strategy", strategy, "--runs", 100,
                                 folder=test.work / (strategy + "-beside"))
        test.check(ended.status == 0 and report.signatures("canary/crash"), f"{strategy}: beside one that explores, 0",
                   ended)
    test.end()


if __name__ == "__main__":
    main()

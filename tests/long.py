#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""long: a run with more switches than a schedule file holds is confirmed all the same, from its seed.

    tests/long.py [--target plain] [--build build/default] [--optional]
"""
import command

SCENARIO = "plain/livelock_if_met"
STEPS = 6000000  # of which a fifth are switches, more than the 2^20 that a file holds


def main():
    test = command.Test(command.arguments(__doc__, "plain").parse_args())
    test.need_runner()
    words = (SCENARIO, "--strategy", "urw", "--seed", 1, "--runs", 20, "--findings", 1)
    ended, report = test.run(*words, folder=test.work / "short")
    found = report.findings
    test.check(ended.status == 0 and len(found) == 1 and found[0]["schedule"] and found[0]["confirmed"] == 3,
               "the default order passes, another livelocks and is confirmed from its file", ended)
    ended, report = test.run(*words, "--steps-max", STEPS, folder=test.work / "long")
    found = report.findings
    test.check(ended.status == 0 and len(found) == 1 and not found[0]["schedule"] and
               (found[0]["status"], found[0]["confirmed"], found[0]["replays"]) == ("confirmed", 3, 3) and
               "played again from its seed with the same signature 3 of 3 times" in ended.out,
               f"with {STEPS} steps it has no file and is confirmed from its seed", ended)
    again = test.command(*found[0]["replay"].split()[1:], folder=test.work / "again")
    test.check(again.status == 0 and f"expected: {found[0]['signature']}\n" in again.out and
               "played again from its seed with the same signature 3 of 3 times" in again.out,
               "the command that is told plays it again", again)
    test.end()


if __name__ == "__main__":
    main()

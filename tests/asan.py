#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""asan: a report of AddressSanitizer tells where the memory was used, freed and allocated; others tell no such thing.

    tests/asan.py [--target 3.14.7-ft-asan] [--build build/default] [--optional]
"""
import command

SOURCE = "scenarios/canary/freed.c"


def main():
    test = command.Test(command.arguments(__doc__, "3.14.7-ft-asan").parse_args())
    test.need_runner()
    ended, report = test.run("canary/freed", "canary/crash", "--runs", 60, "--seed", 1)
    stacks = {item["scenario"]: item["stacks"] for item in report.findings if item["status"] == "confirmed"}
    if not test.check(ended.status == 0 and set(stacks) == {"canary/freed", "canary/crash"}, "both were found", ended):
        test.end()
    told = [(item.get("access"), [frame["function"] for frame in item["frames"] if frame["file"] == SOURCE])
            for item in stacks["canary/freed"]]
    test.check(told == [(None, ["reader"]), ("release", ["freer"]), ("allocation", ["setup"])],
               "used by reader, freed by freer, allocated by setup", told)
    test.check("the memory was freed here" in ended.out and "the memory was allocated here" in ended.out,
               "and so says the report", ended)
    test.check(len(stacks["canary/crash"]) == 1 and ended.out.count("the memory was") == 2,
               "a crash that is about no memory has its own stack alone", stacks["canary/crash"])
    test.end()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""order: what `constrictor explain` says of a shrunk schedule: which operation must come before which, which functions
matter and which threads do not. Every such sentence has been tried by playing the other order.

    tests/order.py [--target plain] [--build build/default]
"""
import re

import command

ORDER = re.compile(r"^  \d+\. (.*)\n     before (.*)\n     (.*)$", re.M)
PASSES = re.compile(r"must come before: reversed, the run passes \((\d+) of \1\)")
WINDOW = re.compile(r"^  Only points inside these functions matter: (.*)\n +of 100 random schedules each, the finding "
                    r"comes in (\d+) that preempt only there,\n +in (\d+) that preempt everywhere else", re.M)
# scenario, pairs of texts that stand before and after "before", functions that matter, the only ones
SCENARIOS = [
    ("plain/check_then_act", [("load", "buyer", "read-modify-write", "buyer"),
                              ("read-modify-write", "buyer", "read-modify-write", "buyer")], "buyer"),
    ("plain/lost_wakeup", [("load", "waiter", "store", "signaller"),
                           ("cond-signal", "signaller", "cond-wait", "waiter")], "waiter"),
    ("plain/abba_deadlock", [("mutex-lock", "forwards", "mutex-lock", "backwards"),
                             ("mutex-lock", "backwards", "mutex-lock", "forwards")], "add"),
    ("plain/idle_thread", [("load", "buyer", "read-modify-write", "buyer"),
                            ("read-modify-write", "buyer", "read-modify-write", "buyer")], "buyer"),
]


def explain(test, scenario, shrink):
    """The story of a finding of the scenario, shrunk or as it was found."""
    ended, report = test.run(scenario, "--runs", 200, "--strategy", "pos", "--seed", 3, "--findings", 1)
    if not report.findings:
        test.give_up(f"{scenario} has a finding", ended)
    path = report.schedule(report.findings[0])
    if shrink:
        ended = test.command("shrink", path, "--out", "min.cxs")
        test.check(ended.status == 0, f"{scenario} shrinks", ended)
        path = test.work / "min.cxs"
    return test.command("explain", path)


def check_scenario(test, scenario, wanted, functions):
    ended = explain(test, scenario, True)
    orders = ORDER.findall(ended.out)
    test.check(len(orders) == len(wanted), f"{scenario}: {len(wanted)} orders", ended)
    for (first, second, verdict), (op, actor, other_op, other_actor) in zip(orders, wanted):
        right = f": {op} of" in first and actor in first and f": {other_op} of" in second and other_actor in second
        test.check(right and PASSES.fullmatch(verdict),
                   f"{scenario}: {op} of {actor} before {other_op} of {other_actor}, and reversed it passes", ended)
    window = WINDOW.search(ended.out)
    test.check(window and window[1] == functions and int(window[2]) >= 10 and int(window[3]) == 0,
               f"{scenario}: points in {functions} matter: with them it comes often, without them never", ended)
    return ended


def main():
    test = command.Test(command.arguments(__doc__, "plain").parse_args())
    test.need_runner()
    stories = {scenario: check_scenario(test, scenario, wanted, functions)
               for scenario, wanted, functions in SCENARIOS}
    test.check("Every thread is needed" in stories["plain/abba_deadlock"].out, "both threads of a deadlock are needed",
               stories["plain/abba_deadlock"])
    idle = stories["plain/idle_thread"]
    test.check(re.findall(r"Not needed: (\S+) ", idle.out) == ["idler"], "an idle thread is not, and no other", idle)
    ended = explain(test, "plain/check_then_act", False)
    test.check("functions" not in ended.out, "of it nobody has measured which functions matter", ended)
    verdicts = [verdict for _, _, verdict in ORDER.findall(ended.out)]
    test.check(any(verdict.startswith("need not come before") for verdict in verdicts) and
               any(PASSES.fullmatch(verdict) for verdict in verdicts),
               "of a schedule that is not shrunk, some order is needed and some is not", ended)
    test.end()


if __name__ == "__main__":
    main()

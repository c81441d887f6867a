#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""truth_table: tools/gate-truth-table asks the gate about a bug, keeps the answer, and says where it is another one.

    tests/truth_table.py [--target 3.14.7-ft-debug] [--build build/default] [--optional]

gc/frozen_visited fails on this target (gh-131740) and not on 3.15.0rc2.
"""
import json
import subprocess

import command

FIXED_IN = "3.15.0rc2-ft-debug"
ROW = {"row": "C15", "issue": "gh-131740", "what": "frozen objects are not visited", "scenario": "gc/frozen_visited",
       "build": "ft-debug", "states": "- - - P F", "signature": "^invariant \"after.seen\""}


def tool(test, rows, *words):
    """Run the tool over these rows; (exit status, what it printed, its page)."""
    catalogue = test.work / "catalogue.json"
    catalogue.write_text(json.dumps({"rows": rows}))
    table = test.work / "table.md"
    table.unlink(missing_ok=True)
    ended = subprocess.run([command.ROOT / "tools/gate-truth-table", "--build", test.build, "--catalogue", catalogue,
                            "--results", test.work / "results.jsonl", "--table", table, "--runs", "20", *words],
                           env=test.environment, capture_output=True, text=True)
    return ended.returncode, ended.stdout + ended.stderr, table.read_text() if table.exists() else ""


def main():
    test = command.Test(command.arguments(__doc__, "3.14.7-ft-debug").parse_args())
    test.need_runner()
    test.need_runner(FIXED_IN)
    status, said, page = tool(test, [ROW])
    results = (test.work / "results.jsonl").read_text()
    result = json.loads(results.splitlines()[0])
    test.check(status == 0 and f"C15: {test.target} -> {FIXED_IN}: fixed, as expected" in said,
               "the verdict flips where the bug was fixed", said)
    sides = result["sides"]
    test.check(sides["baseline"]["seen"] and sides["baseline"]["confirmed"] and not sides["candidate"]["seen"] and
               sides["candidate"]["schedules"] == 20, "one side ends at its finding, the other one has all its runs",
               result)
    test.check("**1 of 1 rows flip**" in page and "1 of them hold in full" in page and "**fixed** (" in page and
               page.count("\nNone.\n") == 1, "the page says so", page)
    status, said, _ = tool(test, [ROW])
    test.check(status == 0 and said == "" and (test.work / "results.jsonl").read_text() == results,
               "what was played with the same programs is not played again", said)

    wrong = ROW | {"states": "- - - P P"}
    status, said, page = tool(test, [wrong], "--print")
    test.check(status == 1 and "no \"why\" for rows that do not hold: C15" in said and
               "EXPECTED still there" in page and "**0 of 1 rows flip**" in page,
               "another verdict than expected: it stands in the page, and wants a reason", said + page)
    status, said, page = tool(test, [wrong | {"why": "It was fixed early."}], "--print")
    test.check(status == 0 and "| It was fixed early. |" in page, "a reason that is given is in the page", said + page)
    status, said, _ = tool(test, [ROW], "--rows", "Z9")
    test.check(status == 2 and "no such row: Z9" in said, "an unknown row: exit status 2", said)
    test.end()


if __name__ == "__main__":
    main()

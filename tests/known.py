#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""known: a known defect fails no run; one that nobody expects, that is back, or that an entry is wrong about, does.

    tests/known.py [--target 3.14.7-ft-debug] [--build build/default] [--optional]

interp/end_while_main_joins deadlocks in every run on this target, and its corrected twin in none.
"""
import json

import command

SCENARIO = "interp/end_while_main_joins"
TWIN = SCENARIO + "_detached"
RUNS = 10


def entry(**changes):
    """An entry that explains the deadlock, with some of it changed."""
    usual = {"id": "joins", "issue": "gh-1", "kind": "misuse", "what": "Main joins.",
             "signatures": ["^deadlock of main thread-join "],
             "expected": [{"scenarios": SCENARIO, "targets": "3.14.*-ft-*", "rate": 0.9}]}
    return usual | changes


def run(test, name, scenario, *words, **changes):
    """`constrictor run` with a file of one entry."""
    path = test.work / f"{name}.json"
    path.write_text(json.dumps({"defects": [entry(**changes)]}))
    return test.run(scenario, "--runs", RUNS, "--known", path, *words, folder=test.work / name)


def check_findings(test):
    ended, report = test.run(SCENARIO, "--runs", RUNS, folder=test.work / "usual")
    known = [(item["known"], item["known_id"], item["regressed"]) for item in report.findings]
    test.check(ended.status == 0 and known == [("pybind11#5934", "main-joins-attached", "")] and
               report.scenarios[SCENARIO]["verdict"] == "known" and "known: deadlock" in ended.out and
               "misuse pybind11#5934: " in ended.out,
               "scenarios/known.json explains the deadlock: exit status 0", ended)
    ended, report = test.run(SCENARIO, "--runs", RUNS, "--known", "none", folder=test.work / "none")
    test.check(ended.status == command.EXIT_FINDINGS and [item["known"] for item in report.findings] == [""] and
               "FINDING: deadlock" in ended.out, "--known none: the same is unexpected", ended)
    ended, report = run(test, "other", SCENARIO, signatures=["^crash "])
    test.check(ended.status == command.EXIT_FINDINGS and not report.findings[0]["known"],
               "an entry with another signature explains nothing", ended)
    ended, report = run(test, "regressed", SCENARIO, expected=[{"scenarios": SCENARIO, "targets": "3.13.*-ft-*"}],
                        **{"fixed in": ["3.14.0"]})
    test.check(ended.status == command.EXIT_FINDINGS and report.findings[0]["regressed"] == "gh-1" and
               report.findings[0]["known"] == "" and
               "REGRESSED: deadlock" in ended.out and report.scenarios[SCENARIO]["verdict"] == "findings",
               "what an entry calls fixed here is a regression", ended)


def check_unseen(test):
    places = [{"scenarios": TWIN, "targets": test.target, "rate": 0.9}]
    ended, report = run(test, "unseen", TWIN, expected=places)
    wanted = [{"id": "joins", "issue": "gh-1", "rate": 0.9}]
    test.check(ended.status == 0 and report.scenarios[TWIN]["unseen"] == wanted and
               f"possibly fixed: gh-1 (joins): not seen in {RUNS} runs; at least 90.0 %" in ended.out,
               "one that should have shown itself may be fixed: said, and no failure", ended)
    places[0]["rate"] = 0.1
    ended, report = run(test, "rare", TWIN, expected=places)
    test.check(ended.status == 0 and report.scenarios[TWIN]["unseen"] == [],
               f"{RUNS} runs say nothing about one that shows itself in a tenth of them", ended)
    ended, report = run(test, "seen", SCENARIO)
    unseen = report.scenarios[SCENARIO]["unseen"]
    test.check(ended.status == 0 and unseen == [], "one that was seen is not fixed", ended)


def check_stale(test):
    for words, changes in (
            ("no scenario of", {"expected": [{"scenarios": "interp/gone", "targets": "3.14.*"}]}),
            ("no target that can be built fits", {"expected": [{"scenarios": SCENARIO, "targets": "3.14.7-ft-dbg"}]}),
            ("which has the fix", {"fixed in": ["3.14.0"]}),
            ("does not parse", {"signatures": ["("]})):
        path = test.work / "stale.json"
        path.write_text(json.dumps({"defects": [entry(**changes)]}))
        ended = test.command("run", SCENARIO, "--target", test.target, "--runs", 1, "--known", path)
        test.check(ended.status == command.EXIT_USAGE and words in ended.err and ended.err.count("\n") == 1,
                   f"a stale entry is an error: {words}", ended)
    ended = test.command("list", "--target", test.target)
    lines = [line.split("{known: ")[1] for line in ended.out.splitlines() if line.startswith(f"  {SCENARIO} ") and
             "{known: " in line]
    test.check(lines == ["pybind11#5934 (main-joins-attached)}"], "list shows what is known of a scenario", ended)


def main():
    test = command.Test(command.arguments(__doc__, "3.14.7-ft-debug").parse_args())
    test.need_runner()
    check_findings(test)
    check_unseen(test)
    check_stale(test)
    test.end()


if __name__ == "__main__":
    main()

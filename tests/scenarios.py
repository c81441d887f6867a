#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scenarios: every scenario on one target at a fixed seed, against the table of what it shows there.

    tests/scenarios.py --target T [--build build/default] [--optional]

What is expected of CPython is in scenarios/known.json, which the command reads; what belongs to this test is in
tests/expected.json, whose "about" says how to read it. An entry of the table that no scenario and no target has is an
error, as a stale known defect is for the command.
"""
import fnmatch
import json
import re

import command

TABLE = json.loads((command.ROOT / "tests/expected.json").read_text())
STRATEGIES = ("random", "pct")
QUIET = {"on": "*", "result": "quiet"}
RESULTS = {"quiet", "known", "canary", "nothing", "skipped", "elsewhere"}


def matches(target, patterns):
    """A target under AddressSanitizer is a debug target, too."""
    names = {target, re.sub("-asan$", "-debug", target)}
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns.split() for name in names)


def runs_of(target, scenario):
    """The first line of "runs" that fits."""
    for patterns, name, runs, *quiet in TABLE["runs"]:
        if matches(target, patterns) and fnmatch.fnmatchcase(scenario, name):
            return quiet[0] if quiet and entry_of(target, scenario)["result"] == "quiet" else runs
    raise KeyError(f"no line of runs fits {scenario} on {target}")


def entry_of(target, scenario):
    """The first entry of the scenario that fits the target."""
    entries = (entry for name, entries in TABLE["scenarios"].items() if fnmatch.fnmatchcase(scenario, name)
               for entry in entries)
    return next((entry for entry in entries if matches(target, entry["on"])), QUIET)


def listed(test):
    """Scenario to "applies here", as `constrictor list` has it."""
    ended = test.command("list", "--target", test.target)
    names = re.findall(r"^  (\S+/\S+) .*?(\(does not apply here\))?$", ended.out, re.M)
    if ended.status != 0 or not names:
        test.give_up(f"{test.target} has scenarios", ended)
    return {name: not apart for name, apart in names}


def check_table(test, names):
    """What the table names is there."""
    plain = test.target.startswith("plain")
    stale = sorted(name for name in TABLE["scenarios"] if name.startswith("plain/") == plain and
                   not fnmatch.filter(names, name))
    test.check(not stale, "the table has no scenario that is gone", f"    stale: {', '.join(stale)}")
    entries = [entry for entries in TABLE["scenarios"].values() for entry in entries]
    used = {group for entry in entries for group in entry.get("shows", [])}
    wrong = sorted(used ^ set(TABLE["signatures"]))
    test.check(not wrong, "the table's groups of signatures are those that it uses", f"    {', '.join(wrong)}")
    results = {entry["result"] for entry in entries} - RESULTS
    test.check(not results, "the table's results are known ones", f"    {results}")


def check_targets(test):
    """Every entry of the table fits a target that can be built, and is the first to fit it."""
    lines = command.subprocess.run([command.ROOT / "tools/cpython-build", "--list"], capture_output=True, text=True,
                                   check=True).stdout.splitlines()
    targets = [line.split("\t")[0] for line in lines] + ["plain", "plain-tsan"]
    idle = [f"{name} on {entry['on']}" for name, entries in TABLE["scenarios"].items() for entry in entries
            if not any(entry_of(target, name) is entry for target in targets)]
    test.check(not idle, "every entry of the table fits some target", f"    stale: {', '.join(idle)}")


def patterns_of(entry):
    return [re.compile(pattern) for group in entry.get("shows", []) for pattern in TABLE["signatures"][group]]


def found(patterns, signatures):
    return [text for text in signatures if any(pattern.search(text) for pattern in patterns)]


def check_scenario(test, name, entry, totals, findings):
    """One scenario: `totals` has its line of each strategy, `findings` those of both."""
    verdicts = {strategy: item["verdict"] for strategy, item in totals.items()}
    signatures = sorted({item["signature"] for item in findings})
    seen = found(patterns_of(entry), signatures)
    known = {item["signature"] for item in findings if item["known"]}
    problems = [f"not expected: {text}" for text in signatures if text not in seen and text not in known]
    problems += [f"--strategy {strategy}: verdict {verdict}" for strategy, verdict in verdicts.items()
                 if verdict not in ({"nothing-expected"} if entry["result"] == "nothing" else {"pass", "known"})]
    if entry["result"] == "canary" and not seen:
        problems.append("the canary was not found: " + ", ".join(entry["shows"]))
    if entry["result"] == "known" and not known:
        problems.append("no known defect was found, and one must be")
    for strategy, item in totals.items():
        if item["runs"] != runs_of(test.target, name) or item["runs_error"] or item["runs_skipped"]:
            problems.append(f"--strategy {strategy}: {item['runs']} runs, {item['runs_error']} errors, "
                            f"{item['runs_skipped']} skipped")
        # A deadlock that needs no preemption may end each run before the second choice.
        if entry["result"] != "nothing" and (item["choices"] == 0 or item["threads_max"] < 2 or
                                             (not signatures and item["interleavings_distinct"] < 2)):
            problems.append(f"--strategy {strategy}: explored nothing: {item['choices']} choices, "
                            f"{item['threads_max']} threads, {item['interleavings_distinct']} interleavings")
        if entry["result"] == "nothing" and item["choices"] != 0:
            problems.append(f"--strategy {strategy}: {item['choices']} choices where there is nothing to choose")
    counts = ", ".join(f"{strategy} {item['runs_failing']}/{item['runs']} in "
                       f"{item['cpu_s']:.1f} s" for strategy, item in totals.items())
    test.check(not problems, f"{name}: {entry['result']} ({counts})", "\n".join("    " + text for text in problems))


def main():
    parser = command.arguments(__doc__, None)
    parser.add_argument("--seed", default=1, help="another seed than the table's")
    options = parser.parse_args()
    test = command.Test(options)
    test.need_runner()
    names = listed(test)
    check_table(test, names)
    check_targets(test)
    skipped = {name for name, applies in names.items() if not applies}
    due = {name for name in names if entry_of(test.target, name)["result"] == "skipped"}
    test.check(skipped == due, f"{len(skipped)} scenarios do not apply here, as the table says",
               f"    list: {sorted(skipped)}\n    table: {sorted(due)}")
    totals, findings = {}, []
    due = [name for name in sorted(names)
           if name not in skipped and entry_of(test.target, name)["result"] != "elsewhere"]
    for strategy in STRATEGIES:
        for runs in sorted({runs_of(test.target, name) for name in due}):
            wanted = [name for name in due if runs_of(test.target, name) == runs]
            ended, report = test.run(*wanted, "--strategy", strategy, "--runs", runs, "--seed", options.seed,
                                     folder=test.work / f"{strategy}-{runs}")
            test.check(set(report.scenarios) == set(wanted), f"{strategy}, {runs} runs: all {len(wanted)} ran", ended)
            findings += report.findings
            for name, item in report.scenarios.items():
                totals.setdefault(name, {})[strategy] = item
    for name in due:
        check_scenario(test, name, entry_of(test.target, name), totals.get(name, {}),
                       [item for item in findings if item["scenario"] == name])
    # A canary that must diverge cannot be confirmed; everything else is, three times, in the process that found it.
    # What ThreadSanitizer remembers of an access depends on more than the schedule: a race may stay away from a replay.
    shaky = [item for item in findings if item["scenario"] != "canary/divergence" and
             (item["status"], item["confirmed"]) != ("confirmed", 3)]
    races = [item for item in shaky if item["signature"].startswith("race ") and item["confirmed"] > 0]
    for item in races:
        print(f"# {item['scenario']}: {item['signature']}: {item['confirmed']} of 3 replays: {item['divergence']}")
    texts = [f"    {item['scenario']}: {item['signature']}: {item['status']} {item['divergence']}" for item in shaky
             if item not in races]
    test.check(not texts, f"{len(findings) - len(races)} findings replayed three times", "\n".join(texts))
    test.end()


if __name__ == "__main__":
    main()

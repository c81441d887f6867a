#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gate: the verdict between two CPython builds, both ways round; interrupted and resumed; never valid without canaries.

    tests/gate.py [--target 3.14.7-ft-debug] [--build build/default] [--optional]

finalize/attach_new_thread fails on this target (gh-124619) and not on the other one; the other scenarios pass on both.
"""
import json
import shutil
import signal
import subprocess
import time

import command
import silence

FIXED_IN = "3.15.0rc2-ft-debug"
SCENARIO = "finalize/attach_new_thread"
NO_TIME = "the time was over before both sides had played it"
BOUND_S = 20
LATE_S = 60  # for a machine that is busy: to kill what runs, and to write the reports
PASSING = ["critical/mutex_forms", "gc/noise", "lock/code_extra"]
ASKED = [*PASSING, SCENARIO, "--runs", 30, "--search", 30]
VERDICTS = ("pass", "uncertain", "still there", "changed", "fixed", "new", "not comparable")


def words(test, *more, baseline=None, candidate=FIXED_IN):
    return ["gate", *ASKED, "--baseline", baseline or test.target, "--candidate", candidate, "--markdown", "gate.md",
            "--json", "gate.json", *more]


def document(folder):
    path = folder / "gate.json"
    return json.loads(path.read_text()) if path.exists() else {"results": []}


def comparable(results):
    """Results without times and names of files, in the order of scenarios and signatures."""
    bare = []
    for result in results:
        findings = [finding | {side: {key: value for key, value in finding[side].items() if key != "schedule"}
                               for side in ("baseline", "candidate")} for finding in result["findings"]]
        bare.append({key: value for key, value in result.items() if not key.endswith(("_cpu_s", "_ms"))} |
                    {"findings": sorted(findings, key=lambda finding: finding["id"])})
    return sorted(bare, key=lambda result: result["scenario"])


def check_verdict(test, name, ended, status, verdict, present, absent):
    """One gate: its exit status, the verdict of the scenario and its findings, and both reports."""
    gate = document(test.work / name)
    results = {result["scenario"]: result for result in gate["results"]}
    test.check(ended.status == status and sorted(results) == sorted([SCENARIO, *PASSING]) and
               results[SCENARIO]["verdict"] == verdict and
               all(results[passing]["verdict"] == "pass" for passing in PASSING),
               f"{name}: exit status {status}, {SCENARIO} is {verdict} and the others pass", ended)
    findings = results.get(SCENARIO, {}).get("findings", [])
    test.check(findings and all(finding["issue"] == "gh-124619" and finding["verdict"] == verdict and
                                finding[present]["confirmed"] and not finding[absent]["seen"] and
                                finding[absent]["schedules"] >= 60 for finding in findings),
               f"{name}: every finding is of gh-124619, confirmed on one side and looked for on the other", findings)
    test.check(gate.get("complete") is True and gate.get("exit") == status and gate.get("format") == 1,
               f"{name}: --json is complete and has the exit status", gate)
    page = (test.work / name / "gate.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| ") and line.count("|") == 6]
    test.check(page.startswith("# Gate: " + ("new findings" if status else "nothing new") + "\n") and
               "**Not complete**" not in page and
               all(any(row.startswith(f"| {scenario} | ") for row in rows) for scenario in [SCENARIO, *PASSING]),
               f"{name}: --markdown has every scenario", page)


def check_resume(test, whole):
    """A gate that is interrupted when its first result is there, and the same gate gone on with."""
    folder = test.work / "interrupted"
    folder.mkdir()
    line = [test.build / "constrictor", *words(test)]
    process = subprocess.Popen(list(map(str, line)), cwd=folder, env=test.environment, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    for printed in process.stdout:
        if printed.startswith(tuple(f"{verdict} " for verdict in VERDICTS)):
            break
    process.send_signal(signal.SIGINT)
    process.stdout.read()
    process.wait()
    part = document(folder)
    test.check(process.returncode == 130 and 0 < len(part["results"]) < len(whole) and part["complete"] is False and
               "**Not complete**" in (folder / "gate.md").read_text(),
               "interrupted: exit status 130, reports of a part that say so", part)
    ended = test.command("gate", "--resume", "constrictor-gate", "--json", "gate.json", folder=folder)
    test.check(ended.status == 0 and comparable(document(folder)["results"]) == comparable(whole),
               "resumed: the results are those of the gate that was not interrupted", ended)


def check_time(test):
    """What has no time is no pass, and is asked when there is more; the rest of much goes to what finds most."""
    ended = test.command("gate", SCENARIO, PASSING[0], "--baseline", test.target, "--candidate", FIXED_IN, "--for",
                         "1ms", "--json", "gate.json", folder=test.work / "rest")
    test.check(ended.status == command.EXIT_NOTHING and "the time was over" in ended.err and
               document(test.work / "rest").get("complete") is False and "no pass" in ended.err,
               "no time even for the canaries: exit status 4, and no pass", ended)
    ended = test.command("gate", "--resume", "constrictor-gate", "--for", "60s", "--json", "gate.json",
                         folder=test.work / "rest")
    runs = {result["scenario"]: result["candidate_runs"] for result in document(test.work / "rest")["results"]}
    lines = (test.work / "rest/constrictor-gate/gate.jsonl").read_text().splitlines()
    turns = [json.loads(line)["scenario"] for line in lines[3:]]
    test.check(ended.status == 0 and sorted(runs) == sorted([SCENARIO, PASSING[0]]) and
               turns[:1] == [SCENARIO] and turns.count(SCENARIO) > turns.count(PASSING[0]),
               "what is left of the time goes to the scenario that has found most", turns or ended)


def check_bound(test):
    """More scenarios than a short time allows: it ends in time, and every one has its runs or says that it has none."""
    started = time.monotonic()
    ended = test.command("gate", "drift/*", "critical/*", "gc/*", "--baseline", test.target, "--candidate", FIXED_IN,
                         "--for", f"{BOUND_S}s", "--json", "gate.json", "--markdown", "gate.md",
                         folder=test.work / "bound")
    took = time.monotonic() - started
    test.check(took < BOUND_S + LATE_S, f"--for {BOUND_S}s: over before {BOUND_S + LATE_S} s", took)
    gate = document(test.work / "bound")
    if "before all canaries" in ended.err:
        test.check(ended.status == command.EXIT_NOTHING and not gate["results"], "no time but for canaries", ended)
        return
    played = [result for result in gate["results"] if result["reason"] != NO_TIME]
    left_out = len(gate["results"]) - len(played)
    test.check(len({result["scenario"] for result in gate["results"]}) == len(gate["results"]) > 30 and
               all(result["verdict"] == "not comparable" or min(result["baseline_runs"], result["candidate_runs"]) > 0
                   for result in played),
               "every scenario has a verdict and runs on both sides, or none and the reason", gate["results"])
    test.check(ended.status == (command.EXIT_NOTHING if left_out else 0) and gate["complete"] is (left_out == 0) and
               (f"No verdict on {left_out} scenarios" in (test.work / "bound/gate.md").read_text()) is (left_out > 0),
               "exit status 4 and a page that says so, if there was no time for some", ended)


def check_stop_at(test):
    """One question: a side ends when it has shown what fits, and the other one has its own bounds."""
    ended = test.command("gate", SCENARIO, "--baseline", test.target, "--candidate", FIXED_IN, "--runs", 60,
                         "--stop-at", "^(crash|assertion) ", "--json", "gate.json", folder=test.work / "stop")
    result = (document(test.work / "stop")["results"] or [{"verdict": "", "findings": []}])[0]
    test.check(ended.status == 0 and result["verdict"] == "fixed" and result["baseline_runs"] < 60 and
               result["candidate_runs"] == 60 and len(result["findings"]) == 1,
               "--stop-at: the baseline ends at its first finding that fits, the candidate plays all its runs", ended)


def check_canary(test):
    runners = test.work / "runners"
    for target in (test.target, FIXED_IN):
        (runners / target).mkdir(parents=True)
        shutil.copy(test.build / "runners" / target / "runner", runners / target)
    silence.silence(runners / FIXED_IN / "runner", "canary_crash")
    test.environment["CONSTRICTOR_RUNNERS"] = str(runners)
    ended = test.command(*words(test), folder=test.work / "silent")
    del test.environment["CONSTRICTOR_RUNNERS"]
    test.check(ended.status == command.EXIT_ENVIRONMENT and "this gate is not valid" in ended.err and
               f"canary/crash on {FIXED_IN} has not shown" in ended.err and
               document(test.work / "silent")["results"] == [],
               "a canary that stays silent: the gate is not valid and has no results", ended)


def check_input(test):
    def wrong(what, text, *line):
        ended = test.command("gate", *line, folder=test.work / "wrong")
        lines = [line for line in ended.err.splitlines() if line.startswith(("constrictor: ", "constrictor gate: "))]
        test.check(ended.status == command.EXIT_USAGE and len(lines) == 1 and text in lines[0],
                   f"one clear line, exit status 2: {what}", ended)

    pair = ("--baseline", test.target, "--candidate", FIXED_IN)
    wrong("an unknown target", "3.14.7-ft-dbg", "--baseline", "3.14.7-ft-dbg", "--candidate", FIXED_IN)
    wrong("an unknown scenario", "gc/no_such", "gc/no_such", *pair, "--runs", 1)
    wrong("the same target twice", "both sides", "--baseline", test.target, "--candidate", test.target)
    wrong("an expression that does not parse", "--stop-at (", "gc/noise", *pair, "--stop-at", "(")
    wrong("one side only", "--candidate", "--baseline", test.target)
    wrong("no gate to resume", "there is no gate to resume", "--resume", test.work)
    broken = test.work / "broken"
    broken.mkdir()
    (broken / "gate.jsonl").write_text('{"type":"start"}\n')
    wrong("a file that is no gate", "line 1", "--resume", broken)


def main():
    test = command.Test(command.arguments(__doc__, "3.14.7-ft-debug").parse_args())
    test.need_runner()
    test.need_runner(FIXED_IN)
    ended = test.command(*words(test), folder=test.work / "forth")
    check_verdict(test, "forth", ended, 0, "fixed", "baseline", "candidate")
    check_resume(test, document(test.work / "forth")["results"])
    ended = test.command(*words(test, baseline=FIXED_IN, candidate=test.target), folder=test.work / "back")
    check_verdict(test, "back", ended, command.EXIT_FINDINGS, "new", "candidate", "baseline")
    check_time(test)
    check_bound(test)
    check_stop_at(test)
    check_canary(test)
    check_input(test)
    test.end()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""cpython_tests: CPython's own tests under control, beside what they say without it.

    tests/cpython_tests.py [--target T] [--strategies random,pct] [--runs 1] [--seed 1] [--log FILE] [MODULE...]
    tests/cpython_tests.py --print [--log FILE]

MODULE is a name below `test`, by default every module of test_free_threading and test_threading. Each is run as
`constrictor exec -m test MODULE` does it: once without control, and so many times under each strategy. A module is the
same if each of its tests passes, fails or is skipped as it is without control, and no run is a finding of another kind.
The table goes to standard output; with --log, what is in the log already is not run again. Exit status 1: a
module that is not the same, or that does not pass without control.
"""
import json
import pathlib
import subprocess
import sys
import xml.etree.ElementTree

import command

WALL_MAX = "20m"         # a busy machine is no hang
EARLY_MAX = "20ms"       # the waits of the interpreter itself; tests say how late one of their own may end
STEPS_MAX = 4_000_000_000  # the largest module passes some hundred million points


def modules_of(tests):
    """test_free_threading's modules and test_threading, by name."""
    names = [f"test_free_threading.{path.stem}" for path in (tests / "test/test_free_threading").glob("test_*.py")]
    return sorted(names) + ["test_threading"]


def verdicts(path):
    """Test by test: pass, skip or fail, from the report that regrtest writes."""
    if not path.exists():
        return {}
    found = {}
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        name = case.get("name")
        if case.find("skipped") is not None:
            found[name] = "skip"
        else:
            failed = case.find("failure") is not None or case.find("error") is not None
            found[name] = "fail" if failed else "pass"
    return found


def play(test, module, strategy, options):
    """One line of the log: a module under a strategy. The current folder stays empty: Python lists it, and a replay
    would find there what the run before has left."""
    junit = test.work / "junit.xml"
    junit.unlink(missing_ok=True)
    runs = 1 if strategy == "native" else options.runs
    report_path = test.work / "run.jsonl"
    ended = test.command("exec", "--target", test.target, "--strategy", strategy, "--runs", runs, "--seed",
                         options.seed, "--early-max", EARLY_MAX, "--wall-max", WALL_MAX, "--steps-max", STEPS_MAX,
                         "--json", report_path, "--out", test.work / "out", "-m", "test", "--junit-xml", junit, module,
                         folder=test.work / "empty")
    report = command.Report(report_path.read_text() if report_path.exists() else "", test.work)
    total = report.scenarios.get("test")
    if total is None:
        test.give_up(f"{module} under {strategy}", ended)
    return {"module": module, "strategy": strategy, "tests": verdicts(junit), "runs": total["runs"],
            "seconds": total["wall_s"] / max(total["runs"], 1), "steps": total["steps"],
            "threads": total["threads_max"], "findings": [item["signature"] for item in report.findings]}


def count(line):
    """"12 pass, 1 skip" and what was found."""
    values = list(line["tests"].values())
    parts = [f"{values.count(word)} {word}" for word in ("pass", "skip", "fail") if word in values]
    return ", ".join(parts or ["nothing"])


def troubles(line):
    """What was found, without runs that passed and whose replay passed by other steps: shown, but no verdict."""
    return [signature for signature in line["findings"] if not signature.startswith("divergence of a passing run")]


def is_same(native, line):
    return line["tests"] == native["tests"] and troubles(line) == troubles(native)


def passes(native):
    return "pass" in native["tests"].values() and "fail" not in native["tests"].values() and not native["findings"]


def table(lines, strategies):
    """Prints it; returns the modules that are not the same."""
    by = {(line["module"], line["strategy"]): line for line in lines}
    names = sorted({line["module"] for line in lines})
    print("| module | native | " + " | ".join(f"{name} | steps | s" for name in strategies) + " |")
    print("|---|---|" + "---|---|---|" * len(strategies))
    different = []
    passing = 0
    for name in names:
        native = by[name, "native"]
        cells = []
        same = True
        for strategy in strategies:
            line = by[name, strategy]
            same = same and is_same(native, line)
            word = "same" if is_same(native, line) else count(line)
            word += ", replay diverges" if troubles(line) != line["findings"] else ""
            cells += [word, str(line["steps"]), f"{line['seconds']:.1f}"]
        passing += passes(native)
        if not same:
            different.append(name)
        print(f"| {name} | {count(native)} | " + " | ".join(cells) + " |")
    for name in sorted({line["module"] for line in lines if line["findings"]} | set(different)):
        for strategy in ("native", *strategies):
            for signature in by[name, strategy]["findings"]:
                print(f"\n{name} under {strategy}: {signature}", end="")
            unlike = {test: verdict for test, verdict in by[name, strategy]["tests"].items()
                      if by[name, "native"]["tests"].get(test) != verdict}
            for test, verdict in sorted(unlike.items()):
                print(f"\n{name} under {strategy}: {test}: {verdict}", end="")
    good = [name for name in names if passes(by[name, "native"]) and name not in different]
    print(f"\n{len(good)} of the {passing} modules that pass without control are the same under control")
    return different


def main():
    parser = command.arguments(__doc__, "3.14.7-ft-debug")
    parser.add_argument("modules", nargs="*")
    parser.add_argument("--strategies", default="random,pct")
    parser.add_argument("--runs", type=int, default=1, help="of each strategy")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--log", type=pathlib.Path)
    parser.add_argument("--print", action="store_true", help="the table of the log, and no run")
    options = parser.parse_args()
    strategies = options.strategies.split(",")
    lines = []
    if options.log and options.log.exists():
        lines = [json.loads(text) for text in options.log.read_text().splitlines()]
    if not options.print:
        test = command.Test(options)
        test.need_runner()
        version = test.target.rsplit("-", 2)[0]
        unpacked = subprocess.run([command.ROOT / "tools/cpython-build", "--tests", version], capture_output=True,
                                  text=True)
        if unpacked.returncode != 0:
            test.give_up("CPython's own tests are in the cache", unpacked.stderr)
        done = {(line["module"], line["strategy"]) for line in lines}
        for module in options.modules or modules_of(pathlib.Path(unpacked.stdout.strip())):
            for strategy in ("native", *strategies):
                if (module, strategy) not in done:
                    line = play(test, module, strategy, options)
                    lines.append(line)
                    if options.log:
                        with options.log.open("a") as log:
                            print(json.dumps(line), file=log)
                    print(f"# {module} {strategy}: {count(line)}, {line['seconds']:.1f} s", *line["findings"],
                          file=sys.stderr, flush=True)
        test.folder.cleanup()
    sys.exit(1 if table(lines, strategies) or not lines else 0)


if __name__ == "__main__":
    main()

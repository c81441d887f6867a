#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""matrix: many schedules of the runtime's scenarios on many targets, in rounds, and a table of what they showed.

    tests/matrix.py --target T[,T...] [--runs 500] [--step 100] [--strategy pct,random] [--jobs 1] [SCENARIO...]
    tests/matrix.py --print

SCENARIO is a name or a shell pattern; without one, every scenario that docs/upstream-tests.md names beside upstream's
tests. A round plays the next --step runs of each scenario, target and strategy; the rounds end when each has --runs.
What a round showed goes into --log, one line each, so that the same command goes on where it was stopped; a changed
runtime or scenario wants a new log. Schedule files of findings are in the build's folder, in matrix-out. The table
goes to standard output. Exit status 1: a finding that scenarios/known.json does not explain.
"""
import argparse
import fnmatch
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import command

DOCUMENT = command.ROOT / "docs/upstream-tests.md"
WALL_MAX = "10m"  # a busy machine is no hang


def names_in(text):
    """The scenarios in the column "Controlled" of the tables there."""
    cells = [line.split("|")[3] for line in text.splitlines() if line.startswith("|") and line.count("|") == 5]
    return sorted({name for cell in cells for name in re.findall(r"`(\w+/\w+)`", cell)})


def names_of(build, target, patterns):
    """The scenarios that fit, without those that do not apply on the target."""
    ended = subprocess.run([build / "constrictor", "list", "--target", target], capture_output=True, text=True)
    if ended.returncode != 0:
        sys.exit(f"matrix: {target}: {ended.stderr.strip()}")
    lines = [line.strip() for line in ended.stdout.splitlines() if line.startswith("  ") and "/" in line.split()[0]]
    return [line.split()[0] for line in lines if not line.endswith("(does not apply here)")
            and any(fnmatch.fnmatchcase(line.split()[0], pattern) for pattern in patterns)]


def play(options, target, name, strategy, first, runs):
    """One round's line for the log."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "run.jsonl")
        words = [options.build / "constrictor", "run", name, "--target", target, "--strategy", strategy, "--first-run",
                 first, "--runs", runs, "--jobs", options.jobs, "--wall-max", WALL_MAX, "--json", path, "--out",
                 options.build / "matrix-out"]
        ended = subprocess.run(list(map(str, words)), capture_output=True, text=True, errors="replace")
        objects = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    totals = next((item for item in objects if item["type"] == "scenario"), None)
    if totals is None or totals["runs"] != runs or totals["runs_error"]:
        sys.exit(f"matrix: {name} on {target}: exit {ended.returncode}: {ended.stderr.strip()[-500:]}")
    signatures = {item["signature"]: item["known"] for item in objects if item["type"] == "finding"}
    return {"target": target, "scenario": name, "strategy": strategy, "first": first, "runs": runs,
            "commit": options.commit, "failing": totals["runs_failing"], "choices": totals["choices"],
            "cpu_s": totals["cpu_s"], "interleavings": totals["interleavings_distinct"], "signatures": signatures}


def read(log):
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def cell(lines):
    """Runs, and those that failed, of one scenario on one target."""
    if not lines:
        return "-"
    runs = sum(line["runs"] for line in lines)
    failing = sum(line["failing"] for line in lines)
    return f"{runs}" if failing == 0 else f"{runs}, {failing} failing"


def print_table(lines):
    """Markdown; below it, the findings by signature."""
    targets = sorted({line["target"] for line in lines})
    print("| scenario | " + " | ".join(targets) + " |\n|---|" + "---|" * len(targets))
    for name in sorted({line["scenario"] for line in lines}):
        cells = [cell([line for line in lines if (line["scenario"], line["target"]) == (name, target)])
                 for target in targets]
        print(f"| `{name}` | " + " | ".join(cells) + " |")
    issues = {(line["scenario"], line["target"], text): issue for line in lines
              for text, issue in line["signatures"].items()}
    for (name, target, text), issue in sorted(issues.items()):
        print(f"\n{'known: ' + issue if issue else 'NOT KNOWN'}: {name} on {target}: {text}", end="")
    strange = list(issues.values()).count("")
    print(f"\n{sum(line['runs'] for line in lines)} runs, {sum(line['cpu_s'] for line in lines):.0f} s of processor "
          f"time, {strange} findings that are not known")
    return strange


def arguments(text, log, runs, step):
    """The options of a command that plays rounds. `log`: a name in the build's folder, or a path."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="*")
    parser.add_argument("--build", type=pathlib.Path, default=command.ROOT / "build/default")
    parser.add_argument("--target", default="")
    parser.add_argument("--strategy", default="pct,random")
    parser.add_argument("--runs", type=int, default=runs, help="of each strategy")
    parser.add_argument("--step", type=int, default=step, help="runs of one round")
    parser.add_argument("--jobs", default="1")
    parser.add_argument("--log", type=pathlib.Path, help="what has been played so far")
    parser.add_argument("--print", action="store_true", help="the table of the log, and no run")
    options = parser.parse_args()
    options.build = options.build.resolve()
    options.log = (options.log or options.build / log).resolve()
    options.commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=command.ROOT, capture_output=True,
                                    text=True, check=True).stdout.strip()
    return options


def play_rounds(options, patterns):
    """Play what the log does not have yet."""
    targets = [] if options.print else options.target.split(",")
    names = {target: names_of(options.build, target, patterns) for target in targets}
    for first in range(0, options.runs, options.step):
        done = {(line["target"], line["scenario"], line["strategy"], line["first"]) for line in read(options.log)}
        for target in targets:
            for name in names[target]:
                for strategy in options.strategy.split(","):
                    if (target, name, strategy, first) in done:
                        continue
                    line = play(options, target, name, strategy, first, min(options.step, options.runs - first))
                    with options.log.open("a") as log:
                        print(json.dumps(line), file=log)
                    for text in line["signatures"]:
                        print(f"# {name} on {target}: {text}", file=sys.stderr, flush=True)


def main():
    options = arguments(__doc__, "matrix.jsonl", 500, 100)
    play_rounds(options, options.scenarios or names_in(DOCUMENT.read_text()))
    sys.exit(1 if print_table(read(options.log)) else 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""safe_patterns: many schedules of what the documentation calls safe; none may fail.

    tests/safe_patterns.py --target T[,T...] [--runs 10000] [--step 500] [--strategy pct,random] [--jobs 1]
    tests/safe_patterns.py --print

Plays the scenarios that "safe" of scenarios/catalogue.json lists, in rounds as tests/matrix.py does, keeps what each
round showed in docs/gates/safe-patterns.jsonl, with the commit that played it, and writes the table of them all to
docs/safe-patterns.md. A second command goes on where the first was stopped; what is known of a defect excuses nothing
here. Exit status 1: a run has failed.
"""
import json
import sys
import textwrap

import command
import matrix

CATALOGUE = command.ROOT / "scenarios/catalogue.json"
PAGE = command.ROOT / "docs/safe-patterns.md"
LOG = command.ROOT / "docs/gates/safe-patterns.jsonl"
HEAD = """# What is documented as safe

Written by `tests/safe_patterns.py` from "safe" of `scenarios/catalogue.json` and from what has been played so far
(`docs/gates/safe-patterns.jsonl`): do not edit. A cell has the schedules that were played, those that failed, the
interleavings that were different within a round, and the processor time of the runs. The schedules are of `pct` and of
`random`, with seed 1.

    {command}
"""


def cell(lines):
    if not lines:
        return "-"
    runs, failing, interleavings = (sum(line[key] for line in lines) for key in ("runs", "failing", "interleavings"))
    return f"{runs:,}, **{failing:,} failing**; {interleavings:,}; {sum(line['cpu_s'] for line in lines):,.0f} s"


def page(patterns, lines, words):
    targets = sorted({line["target"] for line in lines})
    text = HEAD.format(command=words)
    for pattern in patterns:
        runs, failing = (sum(line[key] for line in lines if line["scenario"] in pattern["scenarios"])
                         for key in ("runs", "failing"))
        text += f"\n## {pattern['pattern']}\n\n{textwrap.fill(pattern['promise'], 118)}\n\n"
        text += f"{runs:,} schedules, {failing:,} failed.\n\n| scenario | " + " | ".join(targets)
        text += " |\n|---|" + "---|" * len(targets) + "\n"
        for name in pattern["scenarios"]:
            cells = [cell([line for line in lines if (line["scenario"], line["target"]) == (name, target)])
                     for target in targets]
            text += f"| `{name}` | " + " | ".join(cells) + " |\n"
    listed = {name for pattern in patterns for name in pattern["scenarios"]}
    counted = [line for line in lines if line["scenario"] in listed]
    runs, failing = (sum(line[key] for line in counted) for key in ("runs", "failing"))
    fewest = min((sum(line["runs"] for line in counted if (line["scenario"], line["target"]) == (name, target))
                  for name in listed for target in targets), default=0)
    return text + (f"\n{runs:,} schedules in all, {fewest:,} of the scenario that has fewest, "
                   f"{sum(line['cpu_s'] for line in counted):,.0f} s of processor time: {failing:,} failed.\n")


def main():
    options = matrix.arguments(__doc__, LOG, 10000, 500)
    patterns = json.loads(CATALOGUE.read_text())["safe"]
    matrix.play_rounds(options, options.scenarios or [name for pattern in patterns for name in pattern["scenarios"]])
    lines = matrix.read(options.log)
    targets = ",".join(sorted({line["target"] for line in lines})) or "T"
    PAGE.write_text(page(patterns, lines, f"tests/safe_patterns.py --target {targets}"))
    sys.exit(1 if any(line["failing"] for line in lines) else 0)


if __name__ == "__main__":
    main()

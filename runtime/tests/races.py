#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""races: judge ThreadSanitizer's reports of the runtime by their top frames.

    runtime/tests/races.py FOLDER                                      reports that a native test has written
    runtime/tests/races.py --build BUILD --target T-tsan [--runs 20]   all scenarios of the runtime, controlled

Nothing of the runtime's is suppressed: a report with a top frame in runtime/ is a failure, whatever else it is. One of
CPython's is a failure, too, unless KNOWN, or scenarios/known.json for scenarios, names it; those are printed. The
native tests have the suppressions of CPython's own source; scenarios have none. Exit status 1: a failure.
"""
import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys
import tempfile

FAMILIES = ("attach/*", "critical/*", "detach/*", "finalize/*", "gc/*", "guard/*", "interp/*", "pool/*", "start/*")
# Top frame: why it is CPython's, and harmless or filed. docs/bugs-found.md has each.
KNOWN = {
    "free_threadstate": "compares with interp->threads.preallocated, a plain read in an assertion",
    "Py_IsInitialized": "reads plainly, up to 3.14, what the start writes (gh-146302)",
}
FRAME = re.compile(r"^ +#(\d+) (\S+) (\S*)")
RUNTIME = re.compile(r"(^|/)runtime/(src|include)/")


def tops_of(report):
    """(function, file) of the top frame with a source file, of the two stacks that race."""
    stacks = []
    for line in report.splitlines():
        match = FRAME.match(line)
        if match is None:
            continue
        if match[1] == "0":
            stacks.append([])
        stacks[-1].append((match[2], match[3]))
    return [next((frame for frame in stack if "/" in frame[1] and "sanitizer" not in frame[1]), stack[0])
            for stack in stacks[:2]]


def judge(all_tops):
    """Print what the reports are, by their top frames. True if all are known, and none is the runtime's."""
    fine = True
    counts = collections.Counter(all_tops)
    for tops, count in sorted(counts.items()):
        names = " / ".join(function for function, _ in tops)
        ours = [place for _, place in tops if RUNTIME.search(place)]
        known = [KNOWN[function] for function, _ in tops if function in KNOWN]
        verdict = f"THE RUNTIME'S: {ours[0]}" if ours else f"CPython's, known: {known[0]}" if known else "NOT KNOWN"
        fine = fine and not ours and bool(known)
        print(f"races: {count} x {names}: {verdict}", file=sys.stderr)
    return fine


def native(folder):
    tops = []
    for path in sorted(folder.iterdir()):
        for report in path.read_text(errors="replace").split("=" * 18):
            if "WARNING: ThreadSanitizer" in report:
                tops.append(tuple(tops_of(report)))
    return judge(tops)


def controlled(build, target, runs):
    """Play the scenarios. Races are judged here; other findings are the business of tests/scenarios.py."""
    tops = []
    total = 0
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "run.jsonl")
        words = [build / "constrictor", "run", *FAMILIES, "--target", target, "--runs", runs, "--seed", 1, "--jobs", 1,
                 "--wall-max", "10m", "--json", path, "--out", folder]
        ended = subprocess.run(list(map(str, words)), capture_output=True, text=True, errors="replace")
        objects = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    totals = [item for item in objects if item["type"] == "scenario"]
    if not totals or any(item["runs_error"] for item in totals):
        sys.exit(f"races: {target}: exit {ended.returncode}: {ended.stderr.strip()[-500:]}")
    total = sum(item["runs"] for item in totals)
    races = [item for item in objects if item["type"] == "finding" and item["kind"] == "race"]
    fine = True
    for race in races:
        accesses = [stack for stack in race["stacks"] if stack["access"] in ("read", "write")]
        tops = [next((frame for frame in stack["frames"] if frame["program"]), {}) for stack in accesses]
        ours = [frame["file"] for frame in tops if RUNTIME.search(frame.get("file") or "")]
        known = race["known"] or "not in scenarios/known.json"
        verdict = f"THE RUNTIME'S: {ours[0]}" if ours else f"CPython's: {known}"
        # A function of CPython's that reads without a lock is on top where the runtime calls it wrongly.
        fine = fine and not ours and bool(race["known"])
        print(f"races: {race['scenario']}: {race['signature']}: {verdict}", file=sys.stderr)
    print(f"races: {target}: {len(totals)} scenarios, {total} runs, {len(races)} races", file=sys.stderr)
    return fine


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, nargs="?")
    parser.add_argument("--build", type=pathlib.Path)
    parser.add_argument("--target")
    parser.add_argument("--runs", type=int, default=20)
    options = parser.parse_args()
    if (options.folder is None) == (options.build is None or options.target is None):
        parser.error("either FOLDER, or --build and --target")
    fine = native(options.folder) if options.folder else controlled(options.build, options.target, options.runs)
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fuzz: what a fuzz target finds on a real CPython replays, by the target and by the command, and is filed once.

    tests/fuzz.py [--target 3.14.7-ft-debug] [--build build/default] [--optional]

fuzz/regress/lifecycle/attach_while_finalizing is a program of gh-124619 with a schedule that crashes this target.
"""
import os
import re
import subprocess

import command

INPUT = command.ROOT / "fuzz/regress/lifecycle/attach_while_finalizing"
SIGNATURE = r"^FINDING: (.*PyGILState_Ensure.*|.*_Py_qsbr_register.*) \[([0-9a-f]{12})\]$"


def play(test, number, path=INPUT):
    """The target with its engine on the file: how it ended, and the ids of what it found."""
    out = test.work / f"play{number}"
    ended = test.fuzz("lifecycle", path, out)
    return out, ended, [match[1] for match in re.findall(SIGNATURE, ended.err, re.M)]


def plain(test, out, inputs, **variables):
    environment = test.environment | {"CONSTRICTOR_FUZZ_TARGET": test.target, "CONSTRICTOR_FUZZ_OUT": str(out),
                                      "CONSTRICTOR_FUZZ_GO_ON": "1"} | variables
    return subprocess.run([test.build / "fuzz/fuzz_lifecycle_plain", *inputs], env=environment, capture_output=True,
                          text=True, errors="replace")


def check_artifact(test):
    plays = [play(test, number) for number in range(3)]
    ids = [found for _, _, found in plays]
    test.check(all(len(found) == 1 and found == ids[0] for found in ids) and
               all(ended.status not in (0, command.EXIT_ENVIRONMENT) for _, ended, _ in plays),
               "the file crashes the target with one signature, every time", plays[0][1])
    test.check("replayed with the same signature 3 of 3 times" in plays[0][1].err, "it is replayed when it is found")
    schedules = list(plays[0][0].glob("*/*.cxs"))
    if not test.check(len(schedules) == 1, "one schedule file is written"):
        return
    ended = test.command("replay", schedules[0], "--times", 3)
    test.check("3/3 with the recorded signature" in ended.out, "constrictor replay shows the same", ended)
    for path in (INPUT, schedules[0]):
        printed = subprocess.run([test.build / "fuzz/lifecycle_print", path], capture_output=True, text=True)
        test.check(printed.returncode == 0 and printed.stdout.count("PyGILState_Ensure();    // gilstate") == 6 and
                   "Py_FinalizeEx();" in printed.stdout and "void thread_2(void)" in printed.stdout,
                   f"{path.suffix or 'the input'} is printed as its program", printed.stdout + printed.stderr)
    saved = schedules[0].with_suffix(".input").read_bytes()
    test.check(saved == INPUT.read_bytes(), "the input is saved beside it")
    check_shrunk(test, schedules[0], ids[0])


def tool(test, name, *words):
    """The standard output of a tool of the fuzz targets."""
    return subprocess.run([test.build / "fuzz" / name, *words], check=True, capture_output=True, text=True).stdout


def check_shrunk(test, schedule, ids):
    small, again = test.work / "small.cxs", test.work / "small.input"
    ended = test.command("shrink", schedule, "--out", small)
    program = tool(test, "lifecycle_print", small) if ended.status == 0 else ""
    test.check(program.count("PyGILState_Ensure();") == 1 and "Py_FinalizeEx();" in program and
               program.count(" // switch ") <= 3 and program.count(";    // ") == 1,
               "shrink leaves one attach beside the finalization", f"{ended}\n{program}")
    tool(test, "lifecycle_print", "--input", again, small)
    _, ended, found = play(test, "small", again)
    test.check(found == ids, "the small schedule is an input, too, with the same signature", ended)


def check_command(test):
    corpus = test.work / "corpus"
    corpus.mkdir()
    (corpus / "input").write_bytes(INPUT.read_bytes())
    words = ["fuzz", "fuzz_lifecycle", "--target", test.target, "--for", "5s", "--corpus", corpus]
    ended = test.command(*words, "--out", "known")
    test.check(ended.status == 0 and "known: " in ended.out and "  gh-124619: " in ended.out and
               "replayed with the same signature 3 of 3 times" in ended.out,
               "constrictor fuzz: a known defect fails nothing", ended)
    test.check("merged from" in ended.out and (corpus).is_dir() and os.listdir(corpus) != [],
               "the corpus is merged and kept", ended)
    # What is known by its file only is told again when it comes again.
    (corpus / "input").write_bytes(INPUT.read_bytes())
    ended = test.command(*words, "--out", "unknown", "--known", "none")
    found = re.findall(SIGNATURE, ended.out, re.M)
    test.check(ended.status == command.EXIT_FINDINGS and found != [] and len(found) == len(set(found)),
               "--known none: it is a finding, told once", ended)
    small = re.findall(r"^shrunk: (.*\.min\.cxs): \d+ deviations of ", ended.out, re.M)
    test.check(all(any(identity in path for path in small) for _, identity in found) and
               all((test.work / path).exists() for path in small),
               "each finding that nothing explains is shrunk", ended)


def check_drift(test):
    seeds = test.build / "fuzz/seeds/lifecycle"
    names = ("pool.decref_detached", "gc.weakref_callbacks", "interp.activate_and_destroy", "guard.nested_ensures")
    ended = plain(test, test.work / "drift", [seeds / f"{name}-in-order" for name in names],
                  CONSTRICTOR_FUZZ_MODE="drift")
    test.check(ended.returncode == 0 and f"fuzz: {len(names)} inputs\n" in ended.stdout and
               "FINDING" not in ended.stderr, "programs that are played again and again leave nothing behind",
               ended.stdout + ended.stderr)


PLANTED = """passes return
    call
    attach call make close
forgets return
    call
    attach make drop close
aborts return
    call
    attach drop:1 close
"""


def shared_of(test, ended):
    """How many runs shared a process, of how many that could; all of them but one of each process, or none."""
    told = re.findall(r"^fuzz: (\d+) of (\d+) runs that could share a process did$", ended.stderr, re.M)
    shared, could = map(int, told[0]) if len(told) == 1 else (0, 0)
    able = subprocess.run([test.build / "harness/test_rewind"], capture_output=True).returncode != 77
    return shared if able else could, could


def check_shared(test):
    """Runs that share a process are the same as alone, and what fails among them is found."""
    (test.work / "planted.txt").write_text(PLANTED)
    subprocess.run([test.build / "fuzz/lifecycle_seeds", test.work / "planted.txt", test.work / "planted"], check=True)
    passes, forgets, aborts = (test.work / f"planted/{name}-in-order" for name in ("passes", "forgets", "aborts"))
    inputs = [passes] * 30 + [forgets] + [passes] * 30 + [aborts] + [passes] * 30
    ended = plain(test, test.work / "shared", inputs, CONSTRICTOR_FUZZ_MODE="canary")
    shared, could = shared_of(test, ended)
    test.check(ended.returncode == 0 and could == len(inputs) and shared >= len(inputs) - 8,
               "programs that finalize nothing share a process", ended.stderr)
    found = dict(re.findall(r"^FINDING: (invariant|crash) .*\[([0-9a-f]{12})\]$", ended.stderr, re.M))
    test.check(len(found) == 2 and ended.stderr.count("FINDING") == 2 and
               ended.stderr.count("replayed with the same signature 3 of 3 times") == 2,
               "a reference that is forgotten and an abort among them are found, each once", ended.stderr)
    for path, kind in ((forgets, "invariant"), (aborts, "crash")):
        again = plain(test, test.work / kind, [path], CONSTRICTOR_FUZZ_MODE="canary")
        test.check(re.findall(r"^FINDING: .*\[([0-9a-f]{12})\]$", again.stderr, re.M) == [found.get(kind)],
                   f"the input of the {kind} shows it alone, too", again.stderr)
        schedule = test.work / f"shared/{test.target}/fuzz.lifecycle_canary-{found.get(kind)}.cxs"
        ended = test.command("replay", schedule, "--times", 10)
        test.check("10/10 with the recorded signature" in ended.out, f"the schedule of the {kind} replays", ended)
    seeds = sorted((test.build / "fuzz/seeds/lifecycle").iterdir())
    ended = plain(test, test.work / "both", seeds, CONSTRICTOR_FUZZ_BOTH="1")
    shared, could = shared_of(test, ended)
    test.check(f"fuzz: {len(seeds)} inputs\n" in ended.stdout and "is another one alone" not in ended.stderr and
               shared >= could - 3, "every seed is the same run, in a process that it shares and in its own",
               ended.stderr)
    ended = plain(test, test.work / "alone", [passes] * 3, CONSTRICTOR_FUZZ_ALONE="1")
    test.check("share a process" not in ended.stderr and "fuzz: 3 inputs\n" in ended.stdout,
               "CONSTRICTOR_FUZZ_ALONE: none does", ended.stderr)


def check_refusals(test):
    for words, text in ((["fuzz_nothing"], "builds the fuzz targets"), (["nothing"], "is no fuzz target"),
                        ([], "name a fuzz target"), (["fuzz_options", "fuzz_schedule"], "one fuzz target at a time"),
                        (["fuzz_options", "--for", "10ms"], "at least 1s")):
        ended = test.command("fuzz", *words)
        test.check(ended.status in (command.EXIT_USAGE, command.EXIT_ENVIRONMENT) and text in ended.err,
                   f"fuzz {' '.join(words)}: {text}", ended)


def main():
    test = command.Test(command.arguments(__doc__, "3.14.7-ft-debug").parse_args())
    test.need_runner()
    check_artifact(test)
    check_command(test)
    check_drift(test)
    check_shared(test)
    check_refusals(test)
    test.end()


if __name__ == "__main__":
    main()

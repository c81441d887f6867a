#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""in_process: `run --in-process` plays many runs in one process, and nobody can tell.

    tests/in_process.py [--build build/default]

What is found, and every number about the runs, is what a process for each run gives: for a program that leaves nothing
behind, for a bug, and for programs that leave something to the next run, which is said in one line. Where no process
can have two runs, that is refused.
"""
import command
from subject import SOURCES, Subjects, one_line

RUNS = 300
SAME = ("runs", "runs_failing", "steps", "choices", "interleavings_distinct", "threads_max", "signatures")
# what the program leaves, and what is said of it
LEAVES = [
    ("thread", "threads that have not ended"),
    ("lock", "locks that are held"),
    ("file", "open files"),
    ("atexit", "functions that are to run at exit"),
    ("key", "keys of thread-specific data"),
    ("handler", "handlers of signals"),
    ("child", "a process that the program forks"),
]


def play(test, program, word, *options):
    ended, report = test.explore(program, "--runs", RUNS, *options, arguments=[word])
    scenario = next(iter(report.scenarios.values()))
    findings = [(item["run"], item["seed"], item["signature"]) for item in report.findings]
    return ended, {name: scenario[name] for name in SAME}, findings


def check_same(test, program, word, said, *options):
    """Both ways the same; one line says `said`, or nothing is said. A program with real children never is the same."""
    options = list(map(str, options))
    ended, numbers, findings = play(test, program, word, *options)
    together, *results = play(test, program, word, "--in-process", *options)
    test.check(([numbers, findings] == results or word == "child") and ended.status == together.status,
               f"again {word} {' '.join(options)}: the same runs, and the same findings", f"{ended}\n{together}")
    lines = [line for line in together.err.splitlines() if "--in-process ends" in line]
    right = len(lines) == (said is not None) and all(said in line for line in lines)
    test.check(right, f"again {word} {' '.join(options)}: says {said or 'nothing'}", together)
    return findings


def check_next(test):
    """What is left of one scenario, when it has found enough, is nothing to the next one. At seed 1 the first ends when
    its runs were about to be compared."""
    names = ["corpus/double_checked", "corpus/flag_mutex", "corpus/aba_stack"]
    both = []
    for words in (["--in-process"], []):
        ended, report = test.run(*names, *words, "--strategy", "random", "--seed", 1, "--runs", RUNS, "--findings", 1,
                                 "--jobs", 1, target="plain-corpus")
        both.append([[report.scenarios[name][key] for key in SAME] for name in names])
    test.check(both[0] == both[1], f"{', '.join(names)}: the same one after the other", f"{both}\n{ended}")


def main():
    test = Subjects(command.arguments(__doc__, "subject").parse_args())
    test.compile("-O1", "-g", "-Wall", "-Werror", "-std=gnu11", "-o", "again", SOURCES / "again.c")
    for strategy in ("portfolio", "random", "pct", "pos", "urw", "surw", "delay", "feedback"):
        check_same(test, "./again", "clean", None, "--strategy", strategy)
    findings = check_same(test, "./again", "racy", None, "--strategy", "delay", "--seed", 4)
    test.check(len(findings) == 1 and findings[0][2].startswith('assertion "strcmp'), "its bug is found", str(findings))
    check_same(test, "./again", "clean", None, "--jobs", 2)
    for word, said in LEAVES:
        check_same(test, "./again", word, said)
    check_next(test)
    check_same(test, "./again", "memory", "only after others in its process: it remembers something")
    for words, text in ((["run", "--subject", "./again", "--strategy", "native"], "strategies that draw"),
                        (["exec", "--", "true"], "programs of `constrictor cc`")):
        ended = test.command(words[0], "--in-process", *words[1:])
        test.check(ended.status == command.EXIT_USAGE and one_line(ended) and text in ended.err,
                   f"constrictor {words[0]} --in-process {words[1]} is refused with one line", ended)
    test.end()


if __name__ == "__main__":
    main()

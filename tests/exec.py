#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""exec: Python programs under control on a target, and programs as they are, preloaded.

    tests/exec.py [--target 3.14.7-ft-debug] [--build build/default] [--optional]

The scripts of tests/exec fail in some schedules; their corrected twins never do. What is found is replayed three times
in a process of its own. Programs of tests/subject, compiled without us, are controlled at their pthread calls. On a
TSan target: a race between two threads of an extension module that `constrictor cc --tsan` compiled, and a deadlock
that is reported without a race, because what we read of Python's frames to describe it is no access of the program.
"""
import json
import pathlib
import shutil
import subprocess

import command

SCRIPTS = command.ROOT / "tests/exec"
PROGRAMS = command.ROOT / "tests/subject"
# script, runs, start of the signature, kind
LOCKS = ("locks.py", 40, "deadlock of main sem-wait in ThreadHandle_join; thread sem-wait in "
         "lock_PyThread_acquire_lock", "deadlock")
FAILING = [
    ("race.py", 30, "exit 1: AssertionError in <module>, race.py", "exit"),
    LOCKS,
    ("executor.py", 40, "exit 5", "exit"),
]


class Execs(command.Test):
    def explore(self, *words, folder=None):
        ended = self.command("exec", "--json", "run.jsonl", "--out", "out", *words, folder=folder)
        path = (folder or self.work) / "run.jsonl"
        return ended, command.Report(path.read_text() if path.exists() else "", folder or self.work)

    def found(self, name, ended, report, start, kind):
        """One confirmed finding of this kind; checked and returned, or None."""
        right = (ended.status == command.EXIT_FINDINGS and len(report.findings) == 1 and
                 report.findings[0]["signature"].startswith(start) and report.findings[0]["kind"] == kind and
                 report.findings[0]["status"] == "confirmed")
        self.check(right, f"{name}: {start}, confirmed", ended)
        return report.findings[0] if right else None

    def replays(self, name, finding, folder=None):
        ended = [self.command("replay", finding["schedule"], folder=folder) for _ in range(3)]
        replayed = [command.Replayed(one) for one in ended]
        self.check(all(one.same == 1 and one.logs == replayed[0].logs for one in replayed),
                   f"{name}: three processes replay it, step by step the same", ended[0])


def check_forks(test):
    """--forks follow: the child of os.fork stays under control; one of multiprocessing, too."""
    words = ("--target", test.target, "--forks", "follow", "--runs", 60, SCRIPTS / "forking.py")
    ended, report = test.explore(*words)
    finding = test.found("forking.py", ended, report, "deadlock of forked", "deadlock")
    if finding:
        test.replays("forking.py", finding)
        test.check("which the fork left behind" in ended.out or "left behind by the fork" in ended.out,
                   "forking.py: the report says what the child lacks", ended)
    for way in ("corrected", "pool"):
        ended, report = test.explore(*words, way)
        test.check(ended.status == 0 and not report.findings and report.scenarios["forking.py"]["choices"] > 0,
                   f"forking.py {way}: 60 runs pass", ended)


def check_failing(test, script, runs, start, kind):
    """This finding and no other; then the words that explored it."""
    words = ("--target", test.target, "--strategy", "random", "--runs", runs, SCRIPTS / script)
    ended, report = test.explore(*words)
    finding = test.found(script, ended, report, start, kind)
    if finding:
        test.replays(script, finding)
    if kind == "deadlock":
        test.check("for what swap (locks.py:" in ended.out, f"{script}: the report has the lines of Python", ended)
    return words


def check_scripts(test):
    for script, runs, start, kind in FAILING:
        words = check_failing(test, script, runs, start, kind)
        ended, report = test.explore(*words, "corrected")
        test.check(ended.status == 0 and not report.findings and report.scenarios[script]["choices"] > 0,
                   f"{script}: corrected, {runs} runs pass", ended)


def check_thread_error(test):
    ended, report = test.explore("--target", test.target, "--runs", 2, SCRIPTS / "thread_error.py")
    finding = test.found("thread_error.py", ended, report, "exit 0: IndexError that ended a thread in take", "exit")
    test.check(finding and "pop from empty list" in finding["output"], "its traceback is with the finding", ended)


def check_module(test):
    words = ("--target", test.target, "--runs", 3)
    ended, report = test.explore(*words, "--env", f"PYTHONPATH={SCRIPTS}", "-m", "demo", "--a", "b")
    test.check(ended.status == 0 and report.scenarios["demo"]["choices"] > 0, "-m: a module passes", ended)
    ended, report = test.explore(*words, "--env", f"PYTHONPATH={SCRIPTS}", "-m", "demo", "fail", "-x")
    finding = test.found("demo", ended, report, "exit 7", "exit")
    test.check(finding and finding["output"] == "['-x', 'fail'] __main__\n", "-m: its arguments are its own", ended)
    if finding:
        test.replays("demo", finding)
    ended, report = test.explore(*words, "--from-start", SCRIPTS / "race.py", "corrected")
    test.check(ended.status == 0 and report.scenarios["race.py"]["steps"] > 3 * 300000,
               "--from-start: start-up is counted, too", ended)


def compile_extension(test, *options):
    """The folder with tests/exec/account.c as an extension module of the target; None, and checked, if it fails."""
    folder = test.work / "extension"
    folder.mkdir()
    built = subprocess.run([command.ROOT / "tools/cpython-build", test.target], capture_output=True, text=True,
                           check=True)
    target = json.loads((pathlib.Path(built.stdout.strip()) / "target.json").read_text())
    for name in ("account.c", "extension.py"):
        shutil.copy(SCRIPTS / name, folder)
    includes = (f"-I{path}" for path in target["include_dirs"])
    ended = test.command("cc", *options, "-shared", "-fPIC", "-g", "-O1", *includes, "-o", "account.so", "account.c",
                         folder=folder)
    return folder if test.check(ended.status == 0, "an extension module compiles", ended) else None


def check_extension_race(test):
    """Seen where the two accesses follow each other closely: `pos` switches most often."""
    folder = compile_extension(test, "--tsan")
    if folder is None:
        return
    words = ("--target", test.target, "--strategy", "pos", "--runs", 40, "--seed", 1, "extension.py", "visit")
    ended, report = test.explore(*words, folder=folder)
    finding = test.found("extension.py visit", ended, report, "race visit / visit", "race")
    if finding:
        test.replays("extension.py visit", finding, folder)
        where = {(frame["function"], pathlib.Path(frame["file"]).name) for stack in finding["stacks"]
                 if stack["access"] in ("read", "write") for frame in stack["frames"][:1]}
        test.check(where == {("visit", "account.c")}, "both accesses are in account.c", where)
    ended, report = test.explore(*words, "corrected", folder=folder)
    test.check(ended.status == 0 and not report.findings and report.scenarios["extension.py"]["choices"] > 0,
               "extension.py visit: corrected, no race in 40 runs", ended)


def check_extension(test):
    """An extension module that `constrictor cc` compiled is controlled like the interpreter."""
    folder = compile_extension(test)
    if folder is None:
        return
    words = ("--target", test.target, "--strategy", "random", "--runs", 20, "--wall-max", "60s", "extension.py")
    ended, report = test.explore(*words, "deposit", folder=folder)
    test.found("extension.py deposit", ended, report, "exit 1: AssertionError in <module>, extension.py", "exit")
    ended, report = test.explore(*words, "audit", folder=folder)
    stuck = "thread mutex-lock in audit; thread sem-wait in stop_the_world"
    test.check(report.findings and all(stuck in item["signature"] and item["status"] == "confirmed"
                                       for item in report.findings),
               f"extension.py audit: deadlock of {stuck}", ended)
    test.check("account.c:" in ended.out, "its functions have names and lines in the report", ended)
    for action in ("deposit", "audit"):
        ended, report = test.explore(*words, action, "corrected", folder=folder)
        test.check(ended.status == 0 and not report.findings, f"extension.py {action}: corrected, it passes", ended)


def check_preload(test):
    for source, start, kind in (("abba.c", "deadlock of main thread-join in main", "deadlock"),
                                ("exit_code.c", "exit 3 in checker", "exit"),
                                ("queue.cpp", 'assertion "!items.empty()" in consume()', "assertion")):
        program = test.work / source.split(".")[0]
        compiler = "c++" if source.endswith(".cpp") else "cc"
        subprocess.run([compiler, "-O1", "-g", "-o", program, PROGRAMS / source, "-pthread"], check=True)
        ended, report = test.explore("--", program)
        finding = test.found(f"{source}, preloaded", ended, report, start, kind)
        if finding:
            test.replays(source, finding)
        ended, report = test.explore("--runs", 50, "--", program, "corrected")
        test.check(ended.status == 0 and not report.findings, f"{source}, preloaded: corrected, it passes", ended)


def check_refused(test):
    static = test.work / "static"
    subprocess.run(["cc", "-static", "-o", static, PROGRAMS / "no_threads.c"], check=True)
    linked = test.work / "linked"
    ended = test.command("cc", "-o", linked, PROGRAMS / "no_threads.c")
    test.check(ended.status == 0, "constrictor cc compiles", ended)
    for words, text in ((("--target", test.target, "nowhere.py"), "there is no such file"),
                        (("--target", "plain", "x.py"), "there is no Python in it"),
                        (("--target", "9.9-ft-debug", SCRIPTS / "race.py"), "unknown target"),
                        (("--", "./nowhere"), "there is no such file"),
                        (("--", SCRIPTS / "race.py"), "it cannot be executed"),
                        (("-m", "demo"), "--target is missing"),
                        (("--", linked), "was linked by `constrictor cc`"),
                        (("--", static), "is linked statically")):
        ended = test.command("exec", *words)
        test.check(ended.status == command.EXIT_USAGE and text in ended.err and ended.err.count("\n") <= 2,
                   f"{' '.join(map(str, words))}: {text}", ended)
    ended = test.command("exec", "--runs", 5, "--", "true")
    test.check(ended.status == command.EXIT_NOTHING and "nothing was explored" in ended.err,
               "no threads: nothing was explored, exit code 4", ended)
    (test.work / "alone.py").write_text("print('alone')\n")
    ended = test.command("exec", "--target", test.target, "--runs", 2, "alone.py")
    test.check(ended.status == command.EXIT_NOTHING and "nothing was explored" in ended.err,
               "a script without threads: the same", ended)


def main():
    test = Execs(command.arguments(__doc__, "3.14.7-ft-debug").parse_args())
    test.need_runner()
    if test.target.endswith("-tsan"):
        check_extension_race(test)
        check_failing(test, *LOCKS)
    else:
        check_preload(test)
        check_refused(test)
        check_thread_error(test)
        check_module(test)
        check_extension(test)
        check_scripts(test)
        check_forks(test)
    test.end()


if __name__ == "__main__":
    main()

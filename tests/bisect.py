#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bisect: `git bisect run constrictor gate --bisect` ends at the commit that brought a defect.

    tests/bisect.py [--build build/default] [--optional]

The repository has two CPython versions as commits, each with a commit before or after it that changes nothing.
interp/end_while_main_joins passes on the first version and deadlocks on the second one (pybind11 #5934). Two trees are
built on the way, a few minutes each; --optional: exit 77 where the sources are not in the cache.
"""
import os
import pathlib
import shutil
import subprocess
import sys

import command

GOOD = "3.13.15"
BAD = "3.14.7"
BUILD = "ft-debug"
SCENARIO = "interp/end_while_main_joins"
SKIP_TREE = 125
STOP = 128
IDENTITY = ["-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "gc.auto=0", "-c", "core.autocrlf=false"]


def source(version):
    """The unpacked source of a release, or None."""
    cache = os.environ.get("CONSTRICTOR_CACHE")
    if not cache:
        home = os.environ.get("XDG_CACHE_HOME") or os.environ.get("HOME", "") + "/.cache"
        cache = home + "/constrictor"
    folder = pathlib.Path(cache, "src", version)
    return folder if (folder / "configure").exists() else None


class Repository:
    def __init__(self, folder):
        self.folder = folder
        self.commits = []
        folder.mkdir()
        self.git("init", "--quiet")

    def git(self, *words):
        return subprocess.run(["git", *IDENTITY, *words], cwd=self.folder, capture_output=True, text=True, check=True)

    def commit(self, what):
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "-m", what)
        self.commits.append(self.git("rev-parse", "HEAD").stdout.strip())

    def version(self, version):
        for entry in self.folder.iterdir():
            if entry.name != ".git":
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        shutil.copytree(source(version), self.folder, dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns("__pycache__", ".constrictor-source"))
        self.commit(version)

    def note(self, version):
        (self.folder / "NOTE").write_text(f"Another commit of {version}.\n")
        self.commit(f"a note beside {version}")


def gate(test, folder, *words):
    return test.command("gate", "--bisect", folder, "--build", BUILD, "--out", test.work / "out", *words,
                        folder=test.work)


def check_bisection(test):
    repository = Repository(test.work / "cpython")
    repository.version(GOOD)
    repository.note(GOOD)
    repository.version(BAD)
    repository.note(BAD)
    repository.git("bisect", "start", repository.commits[-1], repository.commits[0])
    ran = subprocess.run(["git", "bisect", "run", str(test.build / "constrictor"), "gate", "--bisect", ".", "--build",
                          BUILD, "--runs", "200", "--out", str(test.work / "out"), SCENARIO],
                         cwd=repository.folder, env=test.environment, capture_output=True, text=True)
    lines = ran.stdout.splitlines()
    test.check(ran.returncode == 0 and f"{repository.commits[2]} is the first bad commit" in lines,
               "git bisect run ends at the commit with the second version", ran.stdout[-3000:] + ran.stderr[-3000:])
    said = [line for line in lines if line.startswith(("good: ", "bad: "))]
    test.check(any(line.startswith("good: nothing in 200 runs") for line in said) and
               any(line.startswith(f"bad: {SCENARIO}: deadlock of main thread-join") for line in said),
               "a tree without the defect is good, one with it is bad, and both say why", said)
    log = repository.git("bisect", "log").stdout
    test.check("git bisect skip" not in log, "no tree was left out", log)
    return repository


def check_schedule(test, repository):
    """The finding of the bad tree, looked for by its schedule file in the same tree."""
    found = list((test.work / "out").rglob("*.cxs"))
    test.check(len(found) == 1, "the finding left one schedule file", found)
    repository.git("checkout", "--quiet", repository.commits[2])
    ended = gate(test, repository.folder, "--schedule", found[0], "--runs", 1)
    test.check(ended.status == 1 and f"bad: {SCENARIO}: deadlock" in ended.out,
               "--schedule: the tree that shows the finding again is bad", ended)


def check_skipped(test, repository):
    (repository.folder / "configure").write_text("#!/bin/sh\nexit 1\n")
    ended = gate(test, repository.folder, "--runs", 1, SCENARIO)
    test.check(ended.status == SKIP_TREE and "this tree is left out" in ended.err, "a tree that does not build: 125",
               ended)


def check_stopped(test, repository):
    """What is wrong with the command line must not make a commit bad."""
    for what, words in (("no scenario", []), ("an unknown option", ["--no-such", SCENARIO]),
                        ("two sides", [SCENARIO, "--baseline", "a", "--candidate", "b"]),
                        ("an unknown build", [SCENARIO, "--build", "ft-dbg"]),
                        ("an expression", [SCENARIO, "--stop-at", "("])):
        ended = gate(test, repository.folder, *words)
        test.check(ended.status == STOP, f"exit status {STOP}: {what}", ended)


def main():
    options = command.arguments(__doc__, f"{BAD}-{BUILD}").parse_args()
    if source(GOOD) is None or source(BAD) is None:
        if options.optional:
            sys.exit(command.SKIPPED)
        for version in (GOOD, BAD):
            subprocess.run([command.ROOT / "tools/cpython-build", "--fetch", version], check=True)
    test = command.Test(options)
    repository = check_bisection(test)
    check_schedule(test, repository)
    check_skipped(test, repository)
    check_stopped(test, repository)
    test.command("target", "remove", f"bisect-{BUILD}", folder=test.work)
    test.end()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""disk: full and read-only disks, at every write of run, merge, explain, shrink and report.

    tests/disk.py [--target plain] [--build build/default]

Small disks are mounted (which needs root; else the test is skipped), in so many sizes that nearly each write is the
first one to fail at one of them. A command that fails says so in a line that names the file; what was in a store before
is in it afterwards.
"""
import re
import shutil
import sqlite3
import subprocess

import command

SCENARIOS = ["plain/abba_deadlock", "plain/check_then_act", "plain/crash_null"]
OLD = command.ROOT / "tests/store/version1.db"


def mount(*words):
    return subprocess.run(["mount", *map(str, words)], capture_output=True).returncode == 0


class Disk:
    """A disk of so many KiB, with some files on it; gone in the end."""

    def __init__(self, test, size_kb, *files):
        self.path = test.work / "disk"
        self.path.mkdir(exist_ok=True)
        self.size_kb, self.files = size_kb, files

    def __enter__(self):
        if not mount("-t", "tmpfs", "-o", f"size={self.size_kb}k", "tmpfs", self.path):
            print("# skipped: no disk can be mounted here")
            raise SystemExit(command.SKIPPED)
        for file in self.files:
            shutil.copy(file, self.path)
        return self

    def read_only(self):
        return mount("-o", "remount,ro", self.path)

    def __exit__(self, *_):
        subprocess.run(["umount", self.path], check=True)


def content(test, name):
    """What a store holds, from a copy that can be opened; None: it is not sound."""
    copies = test.work / "copies"
    shutil.rmtree(copies, ignore_errors=True)
    copies.mkdir()
    for file in (test.work / "disk").glob(f"{name}*"):
        shutil.copy(file, copies)
    with sqlite3.connect(copies / name) as store:
        sound = store.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        made = store.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'sighting'").fetchone()[0]
        ids = {row[0] for row in store.execute("SELECT id || session FROM sighting")} if made else set()
    store.close()
    return ids if sound else None


def check_full(test, what, files, words, store, step_kb=8):
    """The same command on larger and larger disks, until one is large enough."""
    used_kb = sum(file.stat().st_size // 1024 + 4 for file in files)
    failures, bad = 0, []
    for step in range(60):
        with Disk(test, used_kb + step_kb * (step + 1), *files):
            before = content(test, store) if (test.work / "disk" / store).exists() else set()
            ended = test.command(*words)
            after = content(test, store) if (test.work / "disk" / store).exists() else set()
            if ended.status == 0:
                break
            failures += 1
            named = any("disk/" in line and line.startswith("constrictor: ") for line in ended.err.splitlines())
            if ended.status != command.EXIT_ENVIRONMENT or not named or after is None or not before <= after:
                bad.append((step, ended.status, ended.err))
    test.check(not bad and failures >= 2 and ended.status == 0,
               f"{what}: {failures} disks too small, each says so and loses nothing; then one will do", bad or ended)


def check_stops(test):
    """What cannot be kept is not played: a campaign ends when its store is full, and not after all its runs."""
    asked = 20000
    for size_kb in range(64, 400, 4):
        with Disk(test, size_kb):
            ended = test.command("run", "plain/crash_null", "--target", test.target, "--runs", asked, "--out",
                                 "disk/out", "--store", "disk/new.db")
            played = re.search(r"^plain/crash_null on \S+: (\d+) runs", ended.out, re.M)
            if played and int(played.group(1)) > 0:
                break
    said = [line for line in ended.err.splitlines() if "disk/" in line]
    test.check(played and int(played.group(1)) < asked / 10 and ended.status == command.EXIT_ENVIRONMENT and
               len(said) >= 1 and len(said) == len(set(said)),
               "run: a full disk ends it early, in lines that each say something else", ended)


def check_read_only(test, files):
    with Disk(test, 4096, *files) as disk:
        test.check(disk.read_only(), "a disk for reading only")
        for what, words in (("run", ("run", SCENARIOS[0], "--target", test.target, "--runs", 5, "--out", "disk/out")),
                            ("run --store", ("run", SCENARIOS[0], "--target", test.target, "--runs", 5, "--out", "out2",
                                             "--store", "disk/one.db")),
                            ("merge", ("merge", "disk/one.db", "two.db")),
                            ("explain --store", ("explain", "disk/min.cxs", "--store", "disk/one.db")),
                            ("shrink", ("shrink", "disk/min.cxs", "--out", "disk/less.cxs")),
                            ("report", ("report", "disk/one.db", "--html", "disk/report.html"))):
            ended = test.command(*words)
            said = [line for line in ended.err.splitlines() if "disk/" in line]
            test.check(ended.status == command.EXIT_ENVIRONMENT and len(said) == 1, f"{what}: one line, status 3",
                       ended)
        for store in ("one.db", OLD.name):
            ended = test.command("report", f"disk/{store}", "--html", "report.html", "--junit", "junit.xml")
            test.check(ended.status == 0, f"report: reads {store} there", ended)
            ended = test.command("merge", "all.db", f"disk/{store}")
            test.check(ended.status == 0, f"merge: takes {store} from there", ended)


def main():
    test = command.Test(command.arguments(__doc__, "plain").parse_args())
    test.need_runner()
    campaign = ["run", *SCENARIOS, "--target", test.target, "--runs", 60, "--out"]
    for name, seed in (("one", 1), ("two", 2)):
        ended = test.command(*campaign, name, "--seed", seed, "--store", f"{name}.db")
        if ended.status != 0:
            test.give_up("two campaigns", ended)
    one, two = test.work / "one.db", test.work / "two.db"
    schedule = next((test.work / "one").rglob("*abba*.cxs"))
    test.command("shrink", schedule, "--out", "min.cxs")
    schedules = [test.work / "min.cxs"]
    check_full(test, "run, a new store", [], [*campaign, "disk/out", "--store", "disk/new.db"], "new.db")
    check_full(test, "run, a store with something", [one],
               [*campaign, "disk/out", "--seed", 3, "--store", "disk/one.db"], "one.db")
    check_stops(test)
    check_full(test, "run --json", [], [*campaign, "out3", "--store", "none", "--json", "disk/lines.jsonl"], "none.db",
               step_kb=4)
    check_full(test, "merge", [one], ["merge", "disk/one.db", two], "one.db")
    check_full(test, "a store of an older form", [OLD], ["merge", f"disk/{OLD.name}", two], OLD.name)
    check_full(test, "explain --store", [one, *schedules],
               ["explain", "disk/min.cxs", "--store", "disk/one.db"], "one.db")
    check_full(test, "report", [one], ["report", "disk/one.db", "--html", "disk/report.html", "--sarif", "disk/s.sarif",
                                       "--junit", "disk/j.xml", "--markdown", "disk/m.md"], "one.db")
    check_read_only(test, [one, OLD, *schedules])
    test.end()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""soak: a soak is a function of its seed, however often it is stopped, killed or starved, and says when it is invalid.

    tests/soak.py [--target plain] [--build build/default] [--kills 15]

Kills come at moments that a seeded generator draws. One wait has a bound of real time, the one that the command
promises: that it ends soon after SIGTERM and SIGINT.
"""
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
from xml.etree import ElementTree

import command
import silence
from store import rows, sound

SCENARIOS = ["plain/abba_deadlock", "plain/check_then_act", "plain/check_then_act_ok", "plain/crash_null",
             "plain/lost_wakeup", "plain/self_deadlock", "plain/timed_wait_signalled"]
UNITS = 40
WHOLE = "whole"  # the folder of a soak that nobody disturbed
STOP_S_MAX = 10  # promised
UNIT_COLUMNS = "number, target, scenario, strategy, seed, runs, fresh, cost, counts"
FILED = re.compile(r"^(?:FINDING|expected|known): .*\[([0-9a-f]{12})\]$", re.M)


def asked(test, *more, out=WHOLE, seed=1):
    return ["soak", *SCENARIOS, "--target", test.target, "--runs", 20, "--seed", seed, "--out", out, *more]


def start(test, *words):
    """In the background; what it prints can be read line by line."""
    return subprocess.Popen([test.build / "constrictor", *map(str, words)], cwd=test.work, env=test.environment,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


def read_until(process, text):
    """Read its output up to a line with this text."""
    read = ""
    for line in process.stdout:
        read += line
        if text in line:
            break
    return read


def units(test, out):
    return rows(test.work / out / "results.db", f"SELECT {UNIT_COLUMNS} FROM soak_unit ORDER BY number")


def filed(test, out):
    """Everything about findings and totals that is no time."""
    store = test.work / out / "results.db"
    return (rows(store, "SELECT scenario, id, signature, status, count, strategy, run, seed, schedule FROM sighting "
                        "ORDER BY scenario, id"),
            rows(store, "SELECT scenario, strategy, verdict, runs, runs_failing, steps, choices, interleavings "
                        "FROM exploration ORDER BY 1, 2"))


def heartbeat(test, out):
    return json.loads((test.work / out / "heartbeat.json").read_text())


def check_pure(test):
    ended = test.command(*asked(test, "--units", UNITS))
    if ended.status != 0:
        test.give_up("a soak ends", ended)
    test.check([row[0] for row in units(test, WHOLE)] == list(range(UNITS)), f"it has played {UNITS} units", ended)
    test.check(rows(test.work / WHOLE / "results.db", "SELECT pass, scenario, found FROM soak_canary ORDER BY 1, 2") ==
               [(number, canary, 1) for number in (0, 1) for canary in ("plain/abba_deadlock", "plain/crash_null")],
               "the canaries were found at its beginning and at its end", ended)
    test.command(*asked(test, "--units", UNITS, "--jobs", 2, out="again"))
    test.check(units(test, WHOLE) == units(test, "again") and filed(test, WHOLE) == filed(test, "again"),
               "the same seed: the same units and findings, with more jobs too", units(test, "again"))
    test.command(*asked(test, "--units", UNITS, out="other", seed=2))
    test.check(not {row[4] for row in units(test, WHOLE)} & {row[4] for row in units(test, "other")},
               "another seed: other units")
    found = {row[1] for row in filed(test, WHOLE)[0]}
    files = {path.stem.rpartition("-")[2] for path in (test.work / WHOLE / test.target).glob("*.cxs")}
    test.check(len(found) >= 5 and found == files, "every finding has its schedule file", (found, files))
    replayed = test.command("replay", next((test.work / WHOLE / test.target).glob("*crash_null*.cxs")))
    test.check(replayed.status == 0, "a schedule file replays", replayed)
    played = {(row[2], row[3]) for row in units(test, WHOLE)}
    test.check({scenario for scenario, _ in played} == set(SCENARIOS) and
               {strategy for _, strategy in played} == {"portfolio", "random", "pct"},
               "every scenario and every strategy has units", played)


def check_unit_is_a_run(test):
    """A unit is what `run` plays with its seed."""
    for number, _, scenario, strategy, seed, runs, _, _, counts in units(test, WHOLE)[:8]:
        ended, report = test.run(scenario, "--strategy", strategy, "--seed", seed, "--runs", runs,
                                 folder=test.work / "single")
        got = {item["id"]: item["count"] for item in report.scenarios[scenario]["signatures"]}
        test.check(got == json.loads(counts), f"unit {number} is `run {scenario}` with its seed: {counts}", ended)


def kill_at_random(process, draw):
    """1 if it was killed, 0 if it had ended before."""
    try:
        process.wait(timeout=draw.random() * 1.2)  # any moment will do: none is waited for
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return 1
    return 0


def check_killed(test, kills):
    draw = random.Random(2)
    bad, lost, ended, killed, other = [], [], 0, 0, []
    out, seen = "killed0", set()
    while killed < kills:
        with start(test, *asked(test, "--units", UNITS, out=out)) as process:
            was_killed = kill_at_random(process, draw)
            seen |= set(FILED.findall(process.stdout.read()))
        killed += was_killed
        store = test.work / out / "results.db"
        if store.exists():
            if not sound(store):
                bad.append(killed)
            there = {row[0] for row in rows(store, "SELECT id FROM sighting WHERE status = 'confirmed'")} \
                if rows(store, "SELECT name FROM sqlite_schema WHERE name = 'sighting'") else set()
            lost += seen - there
            seen |= there
        if not was_killed:
            ended += 1
            if units(test, out) != units(test, WHOLE) or filed(test, out) != filed(test, WHOLE):
                other.append(out)
            out, seen = f"killed{ended}", set()
    last = test.command(*asked(test, "--units", UNITS, out=out))
    test.check(not bad, f"killed {killed} times, the store is sound each time", bad)
    test.check(not lost, "no confirmed finding that was there is lost", lost)
    test.check(last.status == 0 and not other and units(test, out) == units(test, WHOLE) and
               filed(test, out) == filed(test, WHOLE),
               f"gone on with after every kill, {ended + 1} soaks are those of nobody who was killed", last)


def check_stopped(test):
    """SIGTERM and SIGINT: an end soon, everything on disk, and the same command goes on."""
    for number in (signal.SIGTERM, signal.SIGINT):
        process = start(test, *asked(test, out=number.name))
        read_until(process, "expected: ")
        process.send_signal(number)
        try:
            process.wait(timeout=3 * STOP_S_MAX)  # a busy machine
        except subprocess.TimeoutExpired:
            test.check(False, f"{number.name}: it ends")
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        out, err = process.communicate()
        store = test.work / number.name / "results.db"
        test.check(process.returncode == 130 and "goes on" in err and sound(store) and
                   rows(store, "SELECT exit_code FROM session") == [(130,)] and
                   heartbeat(test, number.name)["state"] == "ended" and not store.with_name("results.db-wal").exists(),
                   f"{number.name}: exit status 130, the store closed, the heartbeat says that it has ended", out + err)
        ended = test.command("soak", "--out", number.name, "--units", UNITS)
        test.check(ended.status == 0 and units(test, number.name) == units(test, WHOLE) and
                   rows(store, "SELECT exit_code FROM session") == [(0,)],
                   f"{number.name}: the folder's name alone goes on to the same end", ended)


def check_status(test):
    process = start(test, *asked(test, "--canary-every", "1ms", out="alive"))
    read_until(process, "expected: ")
    asked_twice = [test.command("soak", "--status", "alive") for _ in range(2)]
    said = json.loads(asked_twice[1].out or "{}")
    test.check(all(ended.status == 0 for ended in asked_twice) and said.get("pid") == process.pid and
               said["state"] in ("exploring", "canaries") and said["signatures"] >= 1 and
               said["usage"]["own_kb"] > 1000 and said["usage"]["files"] > 3, "--status: what runs says so",
               asked_twice[1])
    broken = 0
    for _ in range(200):
        try:
            broken += heartbeat(test, "alive")["format"] != 1
        except (ValueError, FileNotFoundError):
            broken += 1
    test.check(broken == 0, "heartbeat.json is whole whenever it is read", broken)
    second = test.command(*asked(test, out="alive"))
    test.check(second.status == command.EXIT_ENVIRONMENT and "a soak is running there" in second.err and
               second.err.count("\n") == 1, "a second soak in the same folder is refused in one line", second)
    read_until(process, "all canaries found, 3 units done")
    process.send_signal(signal.SIGTERM)
    process.communicate()
    passes = rows(test.work / "alive/results.db", "SELECT count(DISTINCT pass), min(found) FROM soak_canary")
    test.check(passes[0][0] >= 4 and passes[0][1] == 1, "--canary-every: the canaries are played again and again",
               passes)
    last = test.command("soak", "--status", "alive")
    test.check(last.status == command.EXIT_NOTHING and json.loads(last.out)["state"] == "ended" and
               "no soak is running" in last.err, "--status: after its end, what it said last", last)
    never = test.command("soak", "--status", test.work)
    test.check(never.status == command.EXIT_USAGE and never.err.count("\n") == 1, "--status: where none ever was",
               never)


def check_canary(test):
    runners = test.work / "runners"
    (runners / test.target).mkdir(parents=True)
    runner = runners / test.target / "runner"
    shutil.copy(test.build / "runners" / test.target / "runner", runner)
    test.environment["CONSTRICTOR_RUNNERS"] = str(runners)
    ended = test.command(*asked(test, "--units", 3, out="canary"))
    test.check(ended.status == 0, "a copied runner finds its canaries", ended)
    silence.silence(runner, "plain_crash_null")
    said = "plain/crash_null on plain has not shown what it must"
    for what in ("is found no more: the soak is not valid", "was not found: the soak stays so"):
        ended = test.command("soak", "--units", UNITS, "--out", "canary")
        test.check(ended.status == command.EXIT_INVALID and said in ended.err, f"a canary {what}, exit status 5", ended)
    del test.environment["CONSTRICTOR_RUNNERS"]
    store = test.work / "canary/results.db"
    test.check(rows(store, "SELECT count(*) FROM soak_unit") == [(3,)] and
               rows(store, "SELECT exit_code, invalid LIKE ? FROM session JOIN soak ON session = id"
                    .replace("?", f"'{said}%'")) == [(command.EXIT_INVALID, 1)] and
               rows(store, "SELECT scenario FROM soak_canary WHERE NOT found") == [("plain/crash_null",)],
               "the store says that the soak is not valid, and why")
    report = test.command("report", store, "--markdown", "-", "--html", "canary.html", "--sarif", "canary.sarif",
                          "--junit", "canary.xml", "--annotations", "canary.txt")
    run = json.loads((test.work / "canary.sarif").read_text())["runs"][0]
    errors = [case.get("name") for case in ElementTree.parse(test.work / "canary.xml").iter("testcase")
              if any(said in error.get("message") for error in case.iter("error"))]
    test.check("**Not valid: plain/crash" in report.out.replace("\\", "") and errors == ["canaries"] and
               said in (test.work / "canary.html").read_text() and
               (test.work / "canary.txt").read_text().startswith(f"::error title=soak::{said}") and
               run["invocations"][0]["executionSuccessful"] is False and
               said in run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"],
               "so do the reports, each in its way", report)


def check_caps(test):
    for option, value in (("--memory-max", "1M"), ("--processes-max", "1"), ("--disk-max", "4K")):
        ended = test.command(*asked(test, "--units", UNITS, option, value, out="capped"))
        test.check(ended.status == command.EXIT_ENVIRONMENT and
                   sum(option in line for line in ended.err.splitlines()) == 1, f"{option} {value}: stops in one line",
                   ended)
        test.check(sound(test.work / "capped/results.db") and "stopped" in heartbeat(test, "capped")["stop"],
                   f"{option}: the store is sound, the heartbeat says why")
    ended = test.command(*asked(test, "--units", UNITS, out="capped"))
    test.check(ended.status == 0 and units(test, "capped") == units(test, WHOLE) and
               filed(test, "capped") == filed(test, WHOLE), "with more room it goes on to the same end", ended)


def check_shards(test):
    """A shard is a function of seed, index and total, whoever says which one it is; and goes on as that one."""
    many = 12
    for number in (1, 2, 3):
        ended = test.command(*asked(test, "--units", many, "--shard", f"{number}/3", out=f"shard{number}"))
        test.check(ended.status == 0, f"a soak as shard {number} of 3", ended)
    job = {"JOB_COMPLETION_INDEX": "1", "CONSTRICTOR_SHARDS": "3"}
    test.environment.update(job)
    said = test.command(*asked(test, "--units", many, out="job"))
    for name in job:
        del test.environment[name]
    test.check("this is shard 2 of 3, says JOB_COMPLETION_INDEX" in said.err and
               units(test, "job") == units(test, "shard2") and filed(test, "job") == filed(test, "shard2"),
               "the environment's shard is the command line's: the same units and findings", said)
    seeds = [{row[4] for row in units(test, out)} for out in ("shard1", "shard2", "shard3", WHOLE)]
    test.check(len(set.union(*seeds)) == sum(map(len, seeds)) == 3 * many + UNITS, "no two shards play the same units",
               seeds)
    for words in (("--shard", "3/3"), ("--shard", "none"), ("--seed", 9)):
        ended = test.command("soak", "--out", "shard2", "--units", many + 1, *words)
        test.check(ended.status == command.EXIT_USAGE and ended.err.count("\n") == 1, f"going on with {words}: refused",
                   ended)
    test.command("soak", "--out", "shard2", "--units", many + 3)
    test.command(*asked(test, "--units", many + 3, "--shard", "2/3", out="longer"))
    test.check(len(units(test, "shard2")) == many + 3 and units(test, "shard2") == units(test, "longer"),
               "the folder's name alone goes on with the same shard")
    merged = test.command("merge", "shards.db", *(f"shard{number}/results.db" for number in (1, 2, 3)))
    test.check(merged.status == 0 and rows(test.work / "shards.db", "SELECT count(*) FROM soak_unit") ==
               [(3 * many + 3,)], "merge joins what they leave", merged)


def mount(*words):
    return subprocess.run(["mount", *map(str, words)], capture_output=True).returncode == 0


def check_disk(test):
    """Disks that are full at the one or the other write, and one that cannot be written. Needs root, to mount them."""
    disk = test.work / "disk"
    disk.mkdir()
    full = []
    for size_kb in (int(16 * 1.3 ** step) for step in range(20)):
        if not mount("-t", "tmpfs", "-o", f"size={size_kb}k", "tmpfs", disk):
            print("# skipped: no small disk can be mounted here")
            return
        try:
            ended = test.command(*asked(test, "--units", UNITS, out="disk/out"))
            copy = test.work / f"copy{size_kb}"
            shutil.copytree(disk, copy, ignore=shutil.ignore_patterns("*.sock", "*-shm"))
            store = copy / "out/results.db"
            said = [line for line in ended.err.splitlines() if "disk/out" in line and "goes on" not in line]
            if ended.status == 0:
                break  # this one is large enough
            full.append(size_kb)
            test.check(ended.status == command.EXIT_ENVIRONMENT and 1 <= len(said) <= 2 and
                       (not store.exists() or sound(store)),
                       f"a disk of {size_kb} KiB is full: it stops and says so, the store is sound", ended)
        finally:
            subprocess.run(["umount", disk], check=True)
    test.check(len(full) >= 4 and ended.status == 0 and filed(test, f"{copy.name}/out") == filed(test, WHOLE),
               "a larger one is enough", (full, ended))
    mount("-t", "tmpfs", "-o", f"size={full[-1]}k", "tmpfs", disk)
    try:
        test.command(*asked(test, "--units", UNITS, out="disk/out"))
        test.check(mount("-o", "remount,ro", disk), "a full disk becomes one for reading")
        ended = test.command(*asked(test, "--units", UNITS, out="disk/out"))
        test.check(ended.status == command.EXIT_ENVIRONMENT and ended.err.count("\n") == 1 and
                   "disk/out" in ended.err, "a folder that cannot be written: one clear line", ended)
        test.check(mount("-o", "remount,rw,size=64m", disk), "it becomes a larger one")
        ended = test.command(*asked(test, "--units", UNITS, out="disk/out"))
        test.check(ended.status == 0 and units(test, "disk/out") == units(test, WHOLE) and
                   filed(test, "disk/out") == filed(test, WHOLE), "with room it goes on to the same end", ended)
    finally:
        subprocess.run(["umount", disk], check=True)


def check_input(test):
    def wrong(what, text, *words, status=command.EXIT_USAGE):
        ended = test.command("soak", *words)
        test.check(ended.status == status and ended.err.count("\n") == 1 and text in ended.err,
                   f"one clear line: {what}", ended)

    target = ("--target", test.target)
    wrong("no target", "--target is missing", SCENARIOS[0], "--out", "nowhere")
    wrong("an unknown target", "nosuch", "--target", "nosuch")
    wrong("an unknown scenario", "plain/no_such", "plain/no_such", *target, "--out", "wrong")
    wrong("no control", "native", *target, "--strategy", "native")
    wrong("no seed", "exhaustive", *target, "--strategy", "random,exhaustive")
    wrong("a size", "--disk-max", *target, "--disk-max", "4Q")
    wrong("another seed than before", "other seed", *asked(test, seed=3)[1:])
    wrong("other scenarios than before", "other scenarios", "all", *target, "--out", WHOLE)
    wrong("other runs than before", "other runs", *target, "--runs", 21, "--out", WHOLE)


def main():
    parser = command.arguments(__doc__, "plain")
    parser.add_argument("--kills", type=int, default=15)
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    test = command.Test(options)
    test.need_runner()
    check_pure(test)
    check_unit_is_a_run(test)
    check_killed(test, options.kills)
    check_stopped(test)
    check_status(test)
    check_canary(test)
    check_caps(test)
    check_shards(test)
    check_disk(test)
    check_input(test)
    test.end()


if __name__ == "__main__":
    main()

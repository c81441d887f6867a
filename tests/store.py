#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""store: commands that are killed, and what they leave.

    tests/store.py [--target plain] [--build build/default] [--kills 30]

`run` and `merge` are killed with SIGKILL at a moment that a seeded generator draws (after so many bytes of output, or
so many stores). Afterwards the store opens, is sound, and has every finding that anybody can have read.
"""
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess

import command

SCENARIOS = ["plain/abba_deadlock", "plain/check_then_act", "plain/crash_null", "plain/lost_wakeup",
             "plain/self_deadlock", "plain/timed_wait_signalled"]
SIGNATURE = re.compile(r"^(?:FINDING|expected|known): .*\[([0-9a-f]{12})\]$", re.M)


def rows(path, query):
    with sqlite3.connect(path) as store:
        answer = store.execute(query).fetchall()
    store.close()
    return answer


def start(test, *words):
    return subprocess.Popen([test.build / "constrictor", *map(str, words)], cwd=test.work, env=test.environment,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)


def kill_after(process, bytes_max):
    """Read so many bytes, then kill the whole group; what was read."""
    text = b""
    while len(text) < bytes_max:
        part = os.read(process.stdout.fileno(), bytes_max - len(text))
        if not part:
            break
        text += part
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    return text.decode(errors="replace")


def sound(path):
    return rows(path, "PRAGMA integrity_check") == [("ok",)]


def check_killed_runs(test, kills, draw):
    bad, lost, seen = [], [], set()
    for number in range(kills):
        process = start(test, "run", *SCENARIOS, "--target", test.target, "--runs", 60, "--seed", number,
                        "--out", "out")
        text = kill_after(process, draw.randrange(1, 6000))
        told = set(SIGNATURE.findall(text))
        seen |= told
        store = test.work / "out/results.db"
        if store.exists():
            if not sound(store):
                bad.append(number)
            lost += seen - {row[0] for row in rows(store, "SELECT id FROM sighting")}
    test.check(not bad, f"run: killed {kills} times, the store is sound each time", bad)
    test.check(not lost and len(seen) >= 4, f"run: no finding of the {len(seen)} that were read is lost", lost)
    unfinished = rows(test.work / "out/results.db", "SELECT count(*) FROM session WHERE exit_code IS NULL")[0][0]
    test.check(unfinished > 0, "run: sessions that were killed say that they have not ended")
    ended = test.command("run", *SCENARIOS, "--target", test.target, "--runs", 20, "--out", "out")
    test.check(ended.status == 0 and sound(test.work / "out/results.db"), "run: the next one goes on in the same store",
               ended)


def check_killed_merges(test, kills, draw):
    """Parts with thousands of findings each, so that there is a time at which to be killed."""
    parts = []
    for number in range(6):
        part = test.work / f"part{number}.db"
        shutil.copy(test.work / "out/results.db", part)
        with sqlite3.connect(part) as store:
            store.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) "
                          "INSERT INTO sighting SELECT campaign, target, build_id, scenario, unit, "
                          f"printf('%06x%06x', {number}, i), session, signature, kind, status, expected, strategy, "
                          "run, seed, count, confirmed, replays, first_ms, last_ms, details, schedule "
                          "FROM (SELECT * FROM sighting ORDER BY session, id LIMIT 1), n")
        store.close()
        parts.append(part.name)
    whole = test.command("merge", "whole.db", *parts)
    test.check(whole.status == 0, "merge: the parts go together", whole)
    wanted = rows(test.work / "whole.db", "SELECT id, count FROM finding ORDER BY 1")
    bad = []
    for number in range(kills):
        process = start(test, "merge", "all.db", *parts)
        try:
            process.wait(timeout=draw.random() * 0.4)  # any moment will do: none is waited for
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        process.stdout.close()
        if (test.work / "all.db").exists() and not sound(test.work / "all.db"):
            bad.append(number)
    test.check(not bad, f"merge: killed {kills} times, the store is sound each time", bad)
    ended = test.command("merge", "all.db", *reversed(parts))
    got = rows(test.work / "all.db", "SELECT id, count FROM finding ORDER BY 1")
    test.check(ended.status == 0 and got == wanted and len(got) > 3000, "merge: once more, and everything is there",
               ended)


def check_refusals(test):
    """What cannot be written is said, once, before anything runs."""
    (test.work / "text.db").write_text("no database\n" * 100)
    for path, status, said in (("no/such/folder/results.db", 3, "no/such/folder/results.db"),
                               ("text.db", 2, "text.db")):
        ended = test.command("run", SCENARIOS[0], "--target", test.target, "--runs", 5, "--out", "out", "--store", path)
        test.check(ended.status == status and said in ended.err and ended.err.count("\n") == 1 and
                   "runs" not in ended.out, f"--store {path}: refused in one line", ended)
    ended = test.command("run", SCENARIOS[0], "--target", test.target, "--runs", 5, "--out", "none", "--store", "none")
    test.check(ended.status == 0 and not (test.work / "none/results.db").exists(), "--store none: nothing is kept",
               ended)


def check_shared(test):
    """Two commands at once write into one store."""
    both = [start(test, "run", *SCENARIOS, "--target", test.target, "--runs", 40, "--seed", seed, "--out", "both",
                  "--store", "both.db") for seed in (1, 2)]
    for process in both:
        process.communicate()
    sessions = rows(test.work / "both.db", "SELECT exit_code FROM session")
    test.check(sessions == [(0,), (0,)] and sound(test.work / "both.db"), "two commands share a store", sessions)


def main():
    parser = command.arguments(__doc__, "plain")
    parser.add_argument("--kills", type=int, default=30, help="of each command (default 30)")
    options = parser.parse_args()
    test = command.Test(options)
    test.need_runner()
    draw = random.Random(1)
    check_killed_runs(test, options.kills, draw)
    check_killed_merges(test, options.kills, draw)
    check_shared(test)
    check_refusals(test)
    test.end()


if __name__ == "__main__":
    main()

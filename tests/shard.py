#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""shard: a campaign in one shard and in eight is the same campaign.

    tests/shard.py [--target T] [--build build/default] [--optional]

The same seed once as --shard 1/1, and once as eight shards that are merged: each signature, each schedule and each
count must be the same; also after a shard was killed and begun again, from whatever copies of it there are.
"""
import itertools
import os
import random
import shutil
import signal
import sqlite3
import subprocess

import command

SHARDS = 8
PLAIN = ["plain/abba_deadlock", "plain/check_then_act", "plain/wakeup_ok"]
# target: scenarios, runs. A unit has 256 runs.
CAMPAIGNS = {"plain": (PLAIN, 1100),
             "3.14.7-ft-debug": (["finalize/attach_new_thread", "critical/nested_same_pair"], 400)}
# What must be the same: all that says nothing about time, machine, or who did it.
QUERIES = {
    "units": "SELECT campaign, target, scenario, strategy, unit, verdict, runs, runs_failing, replays, choices, steps, "
             "interleavings, threads_max FROM exploration ORDER BY 1, 2, 3, 4, 5",
    "sightings": "SELECT campaign, target, scenario, unit, id, signature, status, run, seed, count, confirmed "
                 "FROM sighting ORDER BY 1, 2, 3, 4, 5",
    "findings with schedules": "SELECT target, scenario, id, status, run, seed, count, confirmed, schedule "
                               "FROM finding ORDER BY 1, 2, 3",
    "totals": "SELECT target, scenario, runs, runs_failing, steps, unfinished FROM total ORDER BY 1, 2",
}


def rows(path, query):
    with sqlite3.connect(path) as store:
        answer = store.execute(query).fetchall()
    store.close()
    return answer


def same(test, one, other, what):
    for name, query in QUERIES.items():
        left, right = rows(test.work / one, query), rows(test.work / other, query)
        test.check(left == right and left, f"{what}: the same {name}",
                   "\n".join(f"    {item}" for item in set(map(str, left)) ^ set(map(str, right))))


def words(test, shard, out, runs=None):
    scenarios, usual = CAMPAIGNS[test.target]
    return ["run", *scenarios, "--target", test.target, "--runs", runs or usual, "--seed", 5, "--out", out,
            "--shard", shard]


def check_equal(test):
    """The whole, and its eight parts in any order; how the whole has ended."""
    whole = test.command(*words(test, "1/1", "whole"))
    test.check(whole.status in (0, command.EXIT_FINDINGS), "the whole campaign, as one shard", whole)
    statuses = set()
    for index in range(1, SHARDS + 1):
        ended = test.command(*words(test, f"{index}/{SHARDS}", f"part{index}"))
        test.check(ended.status <= whole.status, f"shard {index} of {SHARDS}", ended)
        statuses.add(ended.status)
    test.check(max(statuses) == whole.status, "what fails the whole fails a shard", statuses)
    parts = [f"part{index}/results.db" for index in range(1, SHARDS + 1)]
    ended = test.command("merge", "all.db", *parts)
    test.check(ended.status == 0 and "not come to" not in ended.err, "merge: every shard has come to its end", ended)
    same(test, "whole/results.db", "all.db", "one shard and eight")
    ended = test.command("report", "all.db", "--check")
    test.check(ended.status == whole.status, "report --check ends as the whole campaign has", ended)
    random.Random(1).shuffle(parts)
    test.command("merge", "again.db", *parts, parts[0], "all.db", "whole/results.db")
    same(test, "all.db", "again.db", "merged in another order, twice, and with the whole")
    units = {row[:2] for row in rows(test.work / "all.db", "SELECT scenario, unit FROM exploration")}
    seen = [set(rows(test.work / part, "SELECT scenario, unit FROM exploration")) for part in parts]
    test.check(sum(map(len, seen)) == len(units) > 1, "no unit is played by two shards", seen)
    wanted = {row[0] for row in rows(test.work / "all.db", "SELECT id FROM sighting")}
    test.check(wanted, "there is something to compare: signatures", whole)
    return whole.status


def check_killed(test, whole_status):
    """Shard 2 is killed, copied as it is, and begun again in its folder."""
    process = subprocess.Popen([test.build / "constrictor", *map(str, words(test, f"2/{SHARDS}", "killed"))],
                               cwd=test.work, env=test.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                               start_new_session=True)
    process.stdout.readline()  # what is said is kept already
    process.stdout.readline()
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    shutil.copytree(test.work / "killed", test.work / "copy")
    partial = rows(test.work / "copy/results.db", "SELECT sum(exit_code IS NULL), count(*) FROM session")
    test.check(partial == [(1, 1)], "a shard was killed", partial)
    rest = [f"part{index}/results.db" for index in range(1, SHARDS + 1) if index != 2]
    ended = test.command("merge", "lacking.db", *rest, "copy/results.db")
    test.check(f"shard 2 of {SHARDS} has not come to its end" in ended.err, "merge: names the shard that is missing",
               ended)
    ended = test.command("report", "lacking.db", "--check")
    test.check(ended.status == (whole_status or command.EXIT_ENVIRONMENT) and "**No whole: campaign" in ended.out,
               "report --check: a part is not the whole", ended)
    ended = test.command(*words(test, f"2/{SHARDS}", "killed"))
    test.check(ended.status in (0, command.EXIT_FINDINGS), "it is begun again", ended)
    for order in itertools.islice(itertools.permutations(["killed/results.db", "copy/results.db"]), 2):
        ended = test.command("merge", f"{order[0][:4]}.db", *order, *rest)
        test.check("not come to" not in ended.err, "merge: now it has come to its end", ended)
        same(test, "whole/results.db", f"{order[0][:4]}.db", f"killed, begun again, merged after {order[0]}")


def check_resumed(test):
    """What has been played is not played again; what is new is."""
    before = rows(test.work / "whole/results.db", "SELECT exit_code FROM session")
    ended = test.command(*words(test, "1/1", "whole"))
    sessions = rows(test.work / "whole/results.db", "SELECT count(DISTINCT session) FROM exploration")
    total = sum(row[2] for row in rows(test.work / "whole/results.db", QUERIES["totals"]))
    test.check([(ended.status,)] == before and sessions == [(1,)] and
               (f" {total} runs" in ended.out or ended.status == command.EXIT_FINDINGS),
               "a second time, nothing is left to play, and the end says the same", ended)
    if test.target == "plain":
        longer = test.command(*words(test, "1/1", "whole", runs=1300))
        fresh = test.command(*words(test, "1/1", "fresh", runs=1300))
        test.check(longer.status == fresh.status == 0, "more runs: goes on", longer)
        same(test, "whole/results.db", "fresh/results.db", "a campaign that was continued")


def check_environment(test):
    """Who divides is named, once; nobody is divided unasked for."""
    array = {"SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_COUNT": "4", "SLURM_ARRAY_TASK_MIN": "1",
             "SLURM_ARRAY_TASK_MAX": "4"}
    test.environment.update(array)
    said = test.command("run", *PLAIN, "--target", "plain", "--runs", 300, "--out", "env")
    silent = test.command("run", PLAIN[0], "--target", "plain", "--runs", 20, "--out", "none", "--shard", "none")
    explicit = test.command("run", *PLAIN, "--target", "plain", "--runs", 300, "--out", "given", "--shard", "3/4")
    for name in array:
        del test.environment[name]
    test.check(said.status == 0 and said.err.count("this is shard 3 of 4, says SLURM_ARRAY_TASK_ID") == 1,
               "in a Slurm array, run says which shard it is", said)
    test.check(silent.status == 0 and "shard" not in silent.err + silent.out, "--shard none: all of it", silent)
    test.check(explicit.status == 0 and "says SLURM" not in explicit.err, "--shard: needs no explanation", explicit)
    same(test, "env/results.db", "given/results.db", "from the environment and from the command line")


def check_little(test):
    """Fewer units than shards: nothing to do is no failure; nothing at all is one."""
    one = PLAIN[0]
    empty = test.command("run", one, "--target", "plain", "--runs", 30, "--out", "empty", "--shard", "2/2")
    test.check(empty.status == 0 and "no unit belongs to this shard" in empty.out, "a shard without a unit: status 0",
               empty)
    nothing = test.command("run", "no/such*", "--target", "plain", "--runs", 30, "--out", "empty", "--shard", "2/2")
    test.check(nothing.status == 4, "no scenario at all: status 4, in every shard", nothing)
    # With this seed, the deadlock does not come in the first run.
    missing = ["run", one, "--target", "plain", "--runs", 1, "--seed", 5, "--out", "missing", "--shard"]
    whole = test.command(*missing, "1/1")
    test.check(whole.status == 1 and "DID NOT COME" in whole.out,
               "one shard: an expected finding that stays away is missed", whole)
    ended = test.command("report", "missing/results.db", "--check")
    test.check(ended.status == command.EXIT_FINDINGS, "report --check: and is missed there, too", ended)
    part = test.command(*missing, "1/2")
    test.check(part.status == 0 and "did not come in this shard" in part.out,
               "one of two: it may have come in the other", part)
    for more, said in ((["--findings", 1], "--findings"), (["--store", "none"], "--store none")):
        ended = test.command("run", one, "--target", "plain", "--shard", "1/2", *more)
        test.check(ended.status == 2 and said in ended.err, f"{said} and --shard: refused", ended)


def main():
    test = command.Test(command.arguments(__doc__, "plain").parse_args())
    test.need_runner()
    check_killed(test, check_equal(test))
    check_resumed(test)
    if test.target == "plain":
        check_environment(test)
        check_little(test)
    test.end()


if __name__ == "__main__":
    main()

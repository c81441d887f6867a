#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""subject: programs of tests/subject, compiled by `constrictor cc` and explored by `constrictor run --subject`.

    tests/subject.py [--build build/default]

Each program fails in one way, and has a corrected twin (the same with an argument) that never does. What is found is
replayed three times in a process of its own, shrunk, and told. What cannot be run is refused with one line.
"""
import os
import shutil
import subprocess

import command

SOURCES = command.ROOT / "tests/subject"
RUNS = 300
# program, start of the signature, kind, text that its story has to tell
PROGRAMS = [
    ("racy_counter.c", 'assertion "atomic_load(&counter) == 2 * ROUNDS" in main', "assertion", "adder"),
    ("abba.c", "deadlock of main thread-join in main; thread mutex-lock in backward; thread mutex-lock in forward",
     "deadlock", "circle: main.1 --mutex-lock--> main.2 --mutex-lock--> main.1"),
    ("lost_wakeup.c", "deadlock of main thread-join in main; thread cond-wait in consumer", "deadlock", "cond-wait"),
    ("spurious.c", 'assertion "table_is_laid" in guest', "assertion", "ends unasked"),
    ("exit_code.c", "exit 3 in checker", "exit", "exit_code.c:22"),
    ("queue.cpp", 'assertion "!items.empty()" in consume()', "assertion", "consume()"),
    ("c11.c", "deadlock of main thread-join in main; thread cond-wait in waiter", "deadlock", "cond-wait"),
    ("modern.cpp", "exit 6 in main", "exit", "modern.cpp"),
]


class Subjects(command.Test):
    """A test whose folder holds the compiled programs."""

    def compile(self, *words, verb="cc", folder=None):
        ended = self.command(verb, *words, folder=folder)
        if ended.status != 0:
            self.give_up(f"{ended.line} compiles", ended)

    def explore(self, program, *options, arguments=(), folder=None):
        """Explore one program; how it ended, and its report."""
        ended = self.command("run", "--subject", program, "--json", "run.jsonl", "--out", "out", *options, "--",
                             *arguments, folder=folder)
        folder = folder or self.work
        report = command.Report((folder / "run.jsonl").read_text(), folder)
        return ended, report


def check_found(test, program, report, ended, start, kind):
    """The one finding of an exploration, or None."""
    right = (ended.status == command.EXIT_FINDINGS and len(report.findings) == 1 and
             report.findings[0]["signature"].startswith(start) and report.findings[0]["kind"] == kind and
             report.findings[0]["status"] == "confirmed")
    test.check(right, f"{program}: {start}, confirmed", ended)
    return report.findings[0] if right else None


def check_replays(test, program, finding, tells):
    path = finding["schedule"]
    replayed = [command.Replayed(test.command("replay", path)) for _ in range(3)]
    same = all(one.same == 1 and one.logs == replayed[0].logs for one in replayed)
    test.check(same, f"{program}: three processes replay it, step by step the same")
    ended = test.command("shrink", path, "--out", f"{program}.min.cxs")
    test.check(ended.status == 0 and "replayed 3/3" in ended.out, f"{program}: it shrinks", ended)
    ended = test.command("explain", f"{program}.min.cxs")
    test.check(ended.status == 0 and tells in ended.out, f"{program}: its story tells {tells}", ended)


def check_programs(test):
    for source, start, kind, tells in PROGRAMS:
        program = "./" + source.split(".")[0]
        standard = "-std=c++20" if source.endswith(".cpp") else "-std=gnu11"
        test.compile("-O1", "-g", "-Wall", "-Werror", standard, "-o", program, SOURCES / source)
        ran = subprocess.run([test.work / program, "corrected"], cwd=test.work, capture_output=True)
        test.check(ran.returncode == 0, f"{source}: started by hand, it is a program as any other")
        ended, report = test.explore(program, "--runs", RUNS)
        finding = check_found(test, source, report, ended, start, kind)
        if finding:
            check_replays(test, source, finding, tells)
        ended, report = test.explore(program, "--runs", RUNS, arguments=["corrected"])
        test.check(ended.status == 0 and not report.findings, f"{source}: corrected, {RUNS} runs pass", ended)


def check_output(test):
    ended, report = test.explore("./exit_code", "--runs", 50)
    wanted = "the flag is not set\natexit handler\n"
    test.check(report.findings[0]["output"] == wanted and "the flag is not set" in ended.out,
               "what the program printed is with the finding, atexit handlers included", ended)


def check_makefile(test):
    folder = test.work / "project"
    shutil.copytree(SOURCES / "project", folder)
    compiler = f"{test.build / 'constrictor'} cc"
    made = subprocess.run(["make", "-C", folder, f"CC={compiler}"], capture_output=True, text=True)
    if not test.check(made.returncode == 0, 'a Makefile with CC="constrictor cc" builds a program with a shared object',
                      made.stdout + made.stderr):
        return
    ended, report = test.explore("./bank", "--runs", RUNS, folder=folder)
    check_found(test, "bank", report, ended, "exit 4", "exit")
    ended, report = test.explore("./bank", "--runs", RUNS, arguments=["after"], folder=folder)
    test.check(ended.status == 0 and report.scenarios["bank"]["choices"] > 0, "bank: corrected, it passes", ended)


def check_compiler(test):
    """A compiler is asked many things; it answers as clang does."""
    for words in (["--version"], ["-dumpmachine"], ["-print-search-dirs"], ["-E", "-x", "c", "/dev/null"]):
        ended = test.command("cc", *words)
        test.check(ended.status == 0 and ended.out != "", f"constrictor cc {' '.join(words)} answers", ended)
    (test.work / "broken.c").write_text("int main(void) { return x; }\n")
    ended = test.command("cc", "broken.c")
    test.check(ended.status == 1 and "undeclared" in ended.err, "an error is clang's own", ended)
    ended = test.command("cc", "-static", SOURCES / "abba.c")
    test.check(ended.status == command.EXIT_USAGE and one_line(ended), "-static is refused with one line", ended)
    test.compile("-c", "-Werror", SOURCES / "abba.c", SOURCES / "lost_wakeup.c")
    test.check((test.work / "abba.o").exists() and (test.work / "lost_wakeup.o").exists(), "-c of two sources")
    (test.work / "stdin.c").write_text("int main(void) { return 0; }\n")
    test.compile("-Werror", "-x", "c", "stdin.c", "-o", "from-x")
    test.check((test.work / "from-x").exists(), "-x c does not disturb the link")


def check_access(test):
    """Bugs that only points at plain accesses show: never without them, always with them, never in the locked twin."""
    source = SOURCES / "plain_pair.c"
    test.compile("--access", "-O1", "-g", "-Wall", "-Werror", "-o", "pair", source)
    for way, start in (("torn", 'assertion "low == high" in read_pair'),
                       ("lazy", 'assertion "!is_ready || seen == 42" in use')):
        for points, locked, found in (("sync", [], 0), ("atomic", [], 0), ("access", ["locked"], 0),
                                      ("access", [], 1)):
            ended, report = test.explore("./pair", "--runs", RUNS, "--points", points, arguments=[way, *locked])
            test.check(len(report.findings) == found and report.scenarios["pair"]["choices"] > 0,
                       f"pair {way}, points {points}{', locked' if locked else ''}: {found} findings", ended)
        if check_found(test, f"pair {way}", report, ended, start, "assertion"):
            check_replays(test, f"pair-{way}", report.findings[0], "plain_pair.c")
    for strategy in ("pos", "urw", "surw", "delay", "pct", "random", "feedback", "exhaustive"):
        ended, report = test.explore("./pair", "--runs", RUNS, "--points", "access", "--strategy", strategy,
                                     arguments=["torn"])
        test.check(len(report.findings) == 1, f"{strategy} finds the torn pair", ended)
    for place, found in (("function:read_pair", 1), ("file:plain_pair.c", 1), ("object:pair", 1)):
        ended, report = test.explore("./pair", "--runs", RUNS, "--points-in", place, arguments=["torn"])
        test.check(len(report.findings) == found, f"--points-in {place}: {found} findings", ended)
    for words, status, text in (
            (["--points-in", "function:reed_pair"], command.EXIT_USAGE, "nearest are read_pair"),
            (["--points-in", "file:plain_pear.c"], command.EXIT_USAGE, "nearest are plain_pair.c"),
            (["--points-in", "object:pairs"], command.EXIT_USAGE, "nearest are pair"),
            (["--points-in", "pair"], command.EXIT_USAGE, "expected function:NAME"),
            (["--points", "all"], command.EXIT_USAGE, "there are sync, atomic and access"),
            (["--points", "sync", "--points-in", "object:pair"], command.EXIT_USAGE, "--points access"),
            (["--points-in", "object:ready"], command.EXIT_NOTHING, "nothing was explored")):
        ended = test.command("run", "--subject", "./pair", "--runs", 10, *words, "--", "torn")
        test.check(ended.status == status and text in ended.err, f"{' '.join(words)}: {text}", ended)
    test.compile("--tsan", "-O1", "-g", "-o", "detected", source)
    # The portfolio directs runs at the race, and so finds what only points at its plain accesses show.
    for points, strategy, kinds in (("atomic", "random", {"race"}), ("atomic", "portfolio", {"race", "assertion"}),
                                    ("access", "portfolio", {"race", "assertion"})):
        ended, report = test.explore("./detected", "--runs", RUNS, "--points", points, "--strategy", strategy,
                                     arguments=["torn"])
        found = {item["kind"] for item in report.findings if item["status"] == "confirmed"}
        test.check(found == kinds, f"--tsan, points {points}, {strategy}: {', '.join(sorted(kinds))}", ended)
    test.compile("-O1", "-g", "-o", "bare", source)
    ended = test.command("run", "--subject", "./bare", "--runs", 10, "--points", "access")
    test.check(ended.status == command.EXIT_NOTHING and "no plain access was a point" in ended.out,
               "without --access nothing was explored", ended)
    ended = test.command("run", "all", "--target", "plain", "--runs", 1, "--points", "access")
    test.check(ended.status == command.EXIT_USAGE and one_line(ended) and "-tsan" in ended.err,
               "a target without the instrumentation says which have it", ended)


def check_detector(test):
    test.compile("--tsan", "-O1", "-g", "-o", "race", SOURCES / "plain_race.c")
    ended, report = test.explore("./race", "--runs", 50)
    finding = check_found(test, "plain_race.c", report, ended, "race reader / writer", "race")
    if finding:
        ended, report = test.explore("./race", "--runs", 10, "--points-in", f"race:{finding['schedule']}")
        text = (test.work / report.findings[0]["schedule"]).read_text() if report.findings else ""
        test.check("within function:reader function:writer\n" in text, "--points-in race:FILE is its two functions",
                   ended)
    ended = test.command("run", "--subject", "./race", "--points-in", "race:nowhere.cxs")
    test.check(ended.status != 0 and one_line(ended) and "nowhere.cxs" in ended.err, "race:FILE needs a file", ended)


def check_input_output(test):
    """Pipes, sockets, epoll and child processes: threads wait for them in the scheduler."""
    test.compile("-g", "-O1", "-Wall", "-Werror", "-o", "pipes", SOURCES / "pipes.c")
    for way in ("swap", "message", "loop", "child", "big"):
        ended, report = test.explore("./pipes", "--runs", 50, arguments=[way])
        test.check(ended.status == 0 and report.scenarios["pipes"]["choices"] > 0, f"pipes {way}: 50 runs pass", ended)
    for way, start, kind in (
            ("swap", "deadlock of main thread-join in two_threads; thread input-output in swapper", "deadlock"),
            ("message", "assertion \"message[0] == 'h' && message[2] == 'h'\" in two_threads", "assertion"),
            ("loop", 'assertion "atomic_load(&work) == 7" in run_loop', "assertion")):
        ended, report = test.explore("./pipes", "--runs", 30, arguments=[way, "wrong"])
        finding = check_found(test, f"pipes {way} wrong", report, ended, start, kind)
        if finding:
            check_replays(test, f"pipes-{way}", finding, "pipes.c")


def check_file_locks(test):
    """Locks of streams and files, and named pipes: threads wait for them in the scheduler."""
    test.compile("-g", "-O1", "-Wall", "-Werror", "-o", "filelocks", SOURCES / "filelocks.c")
    for way in ("stream", "crossed", "flock", "record", "fifo", "child"):
        ended, report = test.explore("./filelocks", "--runs", 50, arguments=[way])
        test.check(ended.status == 0 and report.scenarios["filelocks"]["choices"] > 0,
                   f"filelocks {way}: 50 runs pass", ended)
    for way, start, kind, tells in (
            ("stream", 'assertion "strcmp(text, "ababcdcd") == 0', "assertion", "line_writer"),
            ("crossed", "deadlock of main thread-join in run_two; thread mutex-lock in crosser", "deadlock",
             "circle: main.1 --mutex-lock--> main.2 --mutex-lock--> main.1"),
            ("flock", 'assertion "atomic_fetch_add(&inside, 1) == 0" in enter_and_leave', "assertion", "flocker"),
            ("record", 'assertion "atomic_fetch_add(&inside, 1) == 0" in enter_and_leave', "assertion", "recorder"),
            ("fifo", "deadlock of main thread-join in run_two; thread input-output in opener", "deadlock", "opener")):
        ended, report = test.explore("./filelocks", "--runs", 60, arguments=[way, "wrong"])
        finding = check_found(test, f"filelocks {way} wrong", report, ended, start, kind)
        if finding:
            check_replays(test, f"filelocks-{way}", finding, tells)


def check_forks(test):
    """--forks follow: the child of a fork goes on under control, and what it does wrong is a finding."""
    test.compile("-g", "-O1", "-Wall", "-Werror", "-o", "forks", SOURCES / "forks.c")
    for way in ("lock", "threads", "pipe", "asks", "shared", "exec", "nested"):
        ended, report = test.explore("./forks", "--runs", RUNS, "--forks", "follow", "--verify", arguments=[way])
        alone = way in ("asks", "shared", "exec")
        said = "a forked process that became another program, or waited for its parent" in ended.out
        test.check(ended.status == 0 and not report.findings and report.scenarios["forks"]["choices"] > 0 and
                   said == alone, f"forks {way}: {RUNS} runs pass{', the child left alone' if alone else ''}", ended)
    for way, start, kind, tells in (
            ("lock", "deadlock of forked mutex-lock in take_lock", "deadlock",
             "depends on main.1, which the fork left behind"),
            ("threads", 'assertion "atomic_load(&counter) == 2" in two_adders', "assertion", "forked (main.2)"),
            ("nested", 'assertion "atomic_load(&counter) == 2" in two_adders', "assertion", "forked (main.2.1)")):
        ended, report = test.explore("./forks", "--runs", RUNS, "--forks", "follow", arguments=[way, "wrong"])
        finding = check_found(test, f"forks {way} wrong", report, ended, start, kind)
        if finding:
            check_replays(test, f"forks-{way}", finding, tells)
    ended, report = test.explore("./forks", "--runs", 20, arguments=["threads"])
    test.check(ended.status == 0 and "not under control: a process that the program has forked" in ended.out,
               "without the option a child is left alone, and that is said", ended)
    ended, report = test.explore("./forks", "--runs", 20, arguments=["becomes"])
    test.check(ended.status == 0 and "not under control: the program that this one became by exec" in ended.out,
               "a program that becomes another one passes if that does", ended)
    ended, report = test.explore("./forks", "--runs", 20, arguments=["becomes", "wrong"])
    check_found(test, "forks becomes wrong", report, ended, "exit 12 of the program that it became by exec", "exit")
    for words in (["run", "canary/race", "--target", "plain", "--forks", "follow"],
                  ["run", "--subject", "./forks", "--forks", "both"]):
        ended = test.command(*words)
        test.check(ended.status == command.EXIT_USAGE and one_line(ended), f"{' '.join(words)}: refused", ended)


def check_uncontrolled(test):
    test.compile("-g", "-o", "uncontrolled", SOURCES / "uncontrolled.c")
    ended, _ = test.explore("./uncontrolled", "--runs", 2, arguments=["clone"])
    test.check("not under control: a thread made by clone" in ended.out, "a thread made by clone is said", ended)
    ended, report = test.explore("./uncontrolled", "--runs", 1, "--wall-max", "200ms", arguments=["lock"])
    test.check("not under control: blocked in flock" in ended.out and report.findings[0]["kind"] == "hang",
               "a system call that blocked is said", ended)


def check_slow(test):
    """A run that did not end, although its schedule does: nobody's fault, or that of what is out of control."""
    test.compile("-g", "-O1", "-Wall", "-Werror", "-o", "once", SOURCES / "once.c")
    ended, report = test.explore("./once", "--runs", 5, "--wall-max", "200ms", arguments=["spin"])
    said = [line for line in ended.err.splitlines() if "3 replays of its schedule passed: it was slow" in line]
    test.check(ended.status == 0 and not report.findings and len(said) == 1 and "in 5 runs" in ended.out and
               report.scenarios["once"]["runs_slow"] == 1, "a run that was only slow is said, and no finding", ended)
    (test.work / "once.done").unlink()
    ended, report = test.explore("./once", "--runs", 5, "--wall-max", "200ms", arguments=["call"])
    found = [item for item in report.findings if item["status"] == "diverged" and
             item["divergence"] == "signature changed: the replay passed" and
             item["uncontrolled"].startswith("blocked in a futex of its own")]
    test.check(ended.status == command.EXIT_FINDINGS and len(found) == len(report.findings) == 1,
               "one that was held up from outside is a finding that says so", ended)


def one_line(ended):
    return ended.err.count("\n") == 1


def check_refused(test):
    (test.work / "text").write_text("no program\n")
    for program, text in (("./nowhere", "there is no such file"), ("./text", "it cannot be executed"),
                          ("/bin/true", "was not linked by `constrictor cc`"), (".", "this is no program")):
        ended = test.command("run", "--subject", program)
        test.check(ended.status == command.EXIT_USAGE and one_line(ended) and text in ended.err,
                   f"{program}: {text}", ended)
    test.compile("-o", "alone", SOURCES / "no_threads.c")
    ended = test.command("run", "--subject", "./alone", "--runs", 10)
    test.check(ended.status == command.EXIT_NOTHING and "nothing was explored" in ended.err,
               "no threads: nothing was explored, exit code 4", ended)
    ended, report = test.explore("./abba", "--runs", RUNS)
    path = report.findings[0]["schedule"]
    test.compile("-O0", "-g", "-o", "abba", SOURCES / "abba.c")
    ended = test.command("replay", path)
    test.check(ended.status == command.EXIT_ENVIRONMENT and one_line(ended) and "the file has changed" in ended.err,
               "a program that was compiled again is refused", ended)
    os.remove(test.work / "abba")
    ended = test.command("replay", path)
    test.check(ended.status == command.EXIT_USAGE and one_line(ended) and "there is no such file" in ended.err,
               "and one that is gone", ended)


def main():
    test = Subjects(command.arguments(__doc__, "subject").parse_args())
    check_programs(test)
    check_output(test)
    check_makefile(test)
    check_compiler(test)
    check_access(test)
    check_detector(test)
    check_input_output(test)
    check_file_locks(test)
    check_forks(test)
    check_uncontrolled(test)
    check_slow(test)
    check_refused(test)
    test.end()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""deadlock: interp/end_while_main_joins is a deadlock behind a wait that polls, seen in the first run.

    tests/deadlock.py [--target 3.14.7-ft-debug] [--build build/default] [--optional]

The worker, in Py_EndInterpreter, polls until the world has stopped; main, attached, joins the worker. The report must
name both, who waits for whom, and where. The corrected twin, whose main thread detaches first, passes.
"""
import command

SCENARIO = "interp/end_while_main_joins"
ISSUE = "pybind11#5934"


def check_report(test, ended, finding):
    """The wait-for graph and the stacks, in the JSON and on the terminal."""
    threads = {item["thread"]: item for item in finding["stacks"]}
    main, worker = threads.get("main"), threads.get("main.1")
    if not test.check(main is not None and worker is not None, "both threads are in the report", finding):
        return
    test.check((main["operation"], main["depends_on"], main["timed"]) == ("thread-join", "main.1", False),
               "main joins the worker", main)
    test.check(worker["depends_on"] == "main" and worker["timed"] and worker["expiries"] > 0,
               "the worker waits for main, and polls", worker)
    test.check("the world to stop" in worker["waits_for"] and "main is attached" in worker["waits_for"],
               "it waits for the world to stop, and main is attached", worker)
    frames = command.frames_of(main)
    test.check("pthread_join" in frames and "joiner" in frames, "main's stack has the join", frames)
    frames = command.frames_of(worker)
    wanted = [name for name in frames if name in ("stop_the_world", "Py_EndInterpreter", "worker")]
    test.check(wanted == ["stop_the_world", "Py_EndInterpreter", "worker"],
               "the worker's stack has the way to the stop", frames)
    texts = ("the world to stop", "stop_the_world", "Py_EndInterpreter", "joiner", "thread-join",
             "scenarios/interp/end_while_main_joins.c")
    missing = [text for text in texts if text not in ended.out]
    test.check(not missing, "the terminal shows the same", f"    missing: {missing}\n{ended}")


def check_native(test):
    # The bound in real time only says when to look: nothing can ever end this run.
    ended, report = test.run(SCENARIO, "--strategy", "native", "--runs", 1, "--seed", 1, "--wall-max", "2s",
                             folder=test.work / "native")
    kinds = [(item["kind"], item["known"]) for item in report.findings]
    if not test.check(ended.status == 0 and kinds == [("hang", ISSUE)], "native: a hang, and known", ended):
        return
    frames = {item["thread"]: command.frames_of(item) for item in report.findings[0]["stacks"]}
    test.check("joiner" in frames.get("main", []) and "Py_EndInterpreter" in frames.get("main.1", []),
               "native: the report has both threads' stacks", frames)


def main():
    test = command.Test(command.arguments(__doc__, "3.14.7-ft-debug").parse_args())
    test.need_runner()
    for strategy in ("pct", "random"):
        ended, report = test.run(SCENARIO, "--strategy", strategy, "--runs", 1, "--seed", 1,
                                 folder=test.work / strategy)
        kinds = [(item["kind"], item["status"], item["known"]) for item in report.findings]
        if test.check(ended.status == 0 and kinds == [("deadlock", "confirmed", ISSUE)],
                      f"{strategy}: a deadlock in the first run, confirmed and known", ended):
            check_report(test, ended, report.findings[0])
        ended, report = test.run(SCENARIO + "_detached", "--strategy", strategy, "--runs", 40, "--seed", 1,
                                 folder=test.work / (strategy + "-detached"))
        totals = report.scenarios[SCENARIO + "_detached"]
        test.check(ended.status == 0 and totals["runs"] == 40 and not report.findings and totals["choices"] > 0,
                   f"{strategy}: with main detached, 40 runs pass", ended)
    check_native(test)
    test.end()


if __name__ == "__main__":
    main()

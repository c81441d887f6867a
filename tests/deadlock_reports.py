#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""deadlock_reports: deadlocks of older versions are told with who stops the world, who hangs, and which lock it is.

    tests/deadlock_reports.py --target 3.13.15-ft-debug|3.14.6-ft-debug [--build build/default] [--optional]

gh-137433, on 3.13: main wants the mutex of stop-the-world in Py_FinalizeEx; its owner was parked on its way to the
next lock. gh-149162, up to 3.14.6: a collector waits for the world to stop; an attached thread waits for a native lock
whose owner interns a string and is stopped. tests/deadlock.py does pybind11 #5934.
"""
import command


def check_order(test):
    """gh-137433: the requester of the stop is main; the thread that is parked for ever was in one, too."""
    name = "finalize/daemon_stops_world"
    ended, report = test.run(name, "--strategy", "pct", "--runs", 60, "--seed", 1)
    found = [item for item in report.findings if item["known"] == "gh-137433" and item["kind"] == "deadlock"]
    if not test.check(found and found[0]["status"] == "confirmed", "gh-137433 is a confirmed deadlock", ended):
        return
    threads = {item["role"]: item for item in found[0]["stacks"]}
    main, stopper = threads["main"], threads["stopper"]
    frames = command.frames_of(main)
    test.check("stop_the_world" in frames and "finalizer" in frames, "main stops the world to finalize", main)
    before = frames[:frames.index("stop_the_world")] if "stop_the_world" in frames else []
    test.check(main["operation"] == "sem-wait" and "_PyMutex_LockTimed" in before,
               "it waits for the mutex of the stop", main)
    test.check(stopper["status"] == "parked" and "PyThread_hang_thread" in command.frames_of(stopper) and
               "stop_the_world" in command.frames_of(stopper), "the other one hangs, in a stop of its own", stopper)
    test.check("stopper (main.1) is parked for ever" in ended.out, "the terminal says so", ended)


def check_native_lock(test):
    """gh-149162: collector -> attached waiter -> native lock -> its owner, which is stopped."""
    name = "lock/interning_in_once"
    ended, report = test.run(name, "--runs", 200, "--findings", 1, "--seed", 1)
    found = [item for item in report.findings if item["known"] == "gh-149162" and item["kind"] == "deadlock"]
    if not test.check(found and found[0]["status"] == "confirmed", "gh-149162 is a confirmed deadlock", ended):
        return
    stacks = found[0]["stacks"]
    threads = {item["thread"]: item for item in stacks}
    requester = next((item for item in stacks if "the world to stop" in item["waits_for"]), None)
    if not test.check(requester is not None and requester["timed"] and "stop_the_world" in
                      command.frames_of(requester), "one waits for the world to stop, and polls", stacks):
        return
    waiter = threads[requester["depends_on"]]
    test.check(waiter["operation"] == "mutex-lock" and "holder" in command.frames_of(waiter) and
               f"{waiter['thread']} is attached and does not" in requester["waits_for"],
               "it names the attached thread, which waits for a native lock", waiter)
    owner = threads[waiter["depends_on"]]
    wanted = [frame for frame in command.frames_of(owner) if frame in ("tstate_wait_attach", "_PyMutex_LockTimed",
                                                                      "holder")]
    test.check(owner["role"].startswith("holder") and
               wanted == ["tstate_wait_attach", "_PyMutex_LockTimed", "holder"],
               "the lock's owner is stopped on its way out of another lock", owner)


CHECKS = {"3.13.15-ft-debug": check_order, "3.14.6-ft-debug": check_native_lock}


def main():
    test = command.Test(command.arguments(__doc__, None).parse_args())
    if test.target not in CHECKS:
        test.give_up(f"there is a deadlock to look for on {test.target}")
    test.need_runner()
    CHECKS[test.target](test)
    test.end()


if __name__ == "__main__":
    main()

// SPDX-License-Identifier: Apache-2.0
//
// lock/interning_in_once: threads intern new strings inside a native lock, as in the guard of a C++ static; others
//                         collect garbage.
// Question: does PyUnicode_InternFromString let go of the interpreter, so that the lock's holder can be stopped?
// Verdict:  never from 3.14.7 on, without the GIL. Before, its own mutex detaches whoever waits for it: the holder is
//           stopped with the lock, and a thread that waits for the lock, attached, is never stopped. A deadlock.
// How:      two threads take the lock, attached; two more make the interning mutex contended; another one collects. A
//           thread of setup has interned, so that the dictionary is marked as shared (see interning_first_read).
// Misuse:   none: nothing that the lock's holder calls is said to detach.
#include <Python.h>

#include "harness/scenario.h"
#include "scenarios/common/interning.h"

static int setup(struct cx_run *run, void *memory)
{
    int failed = PyRun_SimpleString("import sys, threading\n"
                                    "first = threading.Thread(target=sys.intern, args=('the first from elsewhere',))\n"
                                    "first.start()\n"
                                    "first.join()\n");
    return failed ? -1 : interning_setup(run, memory);
}

const struct cx_scenario scenario_lock_interning_in_once = {
    .summary = "threads intern new strings inside a native lock, while others collect garbage",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct interning),
    .setup = setup,
    .check = interning_check,
    .actors = {{"holder", interning_hold, .count = INTERNING_HOLDERS},
               {"interner", interning_intern, .count = 2},
               {"collector", interning_collect}},
    .tags = "lock,gc,stop-the-world,deadlock",
    .refs = "gh-149162",
};

// SPDX-License-Identifier: Apache-2.0
//
// lock/interning_first_read: threads intern new strings inside a native lock, when no other thread has interned before.
// Question: does the first read of the dictionary of interned strings let go of the interpreter?
// Verdict:  it must not, for the reason of interning_in_once. Without the GIL it does, also in 3.14.7 and 3.15.0rc2:
//           the first threads that do not own the dictionary mark it as shared, in a critical section, and may meet
//           there. Whoever waits is detached, and can be stopped with the native lock.
// How:      as interning_in_once, but for the thread of setup.
// Misuse:   none: nothing that the lock's holder calls is said to detach.
#include <Python.h>

#include "harness/scenario.h"
#include "scenarios/common/interning.h"

const struct cx_scenario scenario_lock_interning_first_read = {
    .summary = "threads intern strings inside a native lock, when no other thread has interned before",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct interning),
    .setup = interning_setup,
    .check = interning_check,
    .actors = {{"holder", interning_hold, .count = INTERNING_HOLDERS},
               {"interner", interning_intern, .count = 2},
               {"collector", interning_collect}},
    .tags = "lock,gc,stop-the-world,deadlock",
    .refs = "gh-149162",
};

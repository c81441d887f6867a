// SPDX-License-Identifier: Apache-2.0
//
// steps: what scenarios of the runtime do alike, step for step.
//
//     static int setup(struct cx_run *run, void *state) { ... return steps_meet(); }
//     steps_attach_until_the_end(3, &state->finalized);   // workers
//     steps_finalize(&state->finalized);                  // the main actor
//
// The functions are inline, so that a signature names the actor that came here, and nothing is linked that is not used.
#ifndef CX_SCENARIOS_COMMON_STEPS_H
#define CX_SCENARIOS_COMMON_STEPS_H

#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"

#include <stdatomic.h>

// Let the runtime meet the interpreter, for setup: 0 or -1. Thread state: attached. Blocks: no.
static inline int steps_meet(void)
{
    struct pyrt_attach attach = {0};
    return pyrt_attach_assume(&attach) == PYRT_OK && pyrt_attach_release(&attach) == PYRT_OK ? 0 : -1;
}

// Make as many lists as `count` says, for setup: 0 or -1. Thread state: attached. Blocks: no.
static inline int steps_lists(PyObject **lists, int count)
{
    for (int i = 0; i < count; i++) {
        lists[i] = PyList_New(0);
        if (lists[i] == NULL) {
            return -1;
        }
    }
    return 0;
}

// Add one without an atomic operation, with a point in the middle; the new total. What is lost without a lock shows.
// Thread state: either. Blocks: no.
static inline int steps_increment(int *total)
{
    int before = *total;
    cx_point("between load and store");
    *total = before + 1;
    return before + 1;
}

// Finalize, and say so. Thread state: attached, main. Blocks: yes.
static inline void steps_finalize(atomic_int *finalized)
{
    cx_note("Py_FinalizeEx begins");
    CX_CHECK(Py_FinalizeEx() == 0);
    cx_note("Py_FinalizeEx has returned");
    atomic_store(finalized, 1);
}

// Attach and release `rounds` times: each time inside an interpreter that is not finalized, or refused as late.
// Thread state: either. Blocks: yes.
static inline void steps_attach_until_the_end(int rounds, atomic_int *finalized)
{
    for (int i = 0; i < rounds; i++) {
        struct pyrt_attach attach = {0};
        enum pyrt_status status = pyrt_attach_try(&attach);
        if (status == PYRT_OK) {
            CX_CHECK(!atomic_load(finalized));
            CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
        } else {
            CX_CHECK(status == PYRT_FINALIZING || status == PYRT_NOT_INITIALIZED);
        }
    }
}

#endif

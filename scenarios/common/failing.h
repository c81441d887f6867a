// SPDX-License-Identifier: Apache-2.0
//
// failing: an allocation of CPython's raw domain that fails when a scenario says so.
//
//     failing_install();              // setup
//     failing_next(2);                // an actor: the second allocation of this thread from now on fails
//     tstate = PyThreadState_New(interp);
//     failing_next(0);                // no more
#ifndef CX_SCENARIOS_COMMON_FAILING_H
#define CX_SCENARIOS_COMMON_FAILING_H

#include <Python.h>

// Put the failing allocator before the one of the raw domain, for the rest of the run.
// Thread state: attached. Blocks: no.
void failing_install(void);

// The `count`th allocation of the calling thread fails, and no other; 0 for none. Thread state: either. Blocks: no.
void failing_next(uint32_t count);

#endif

// SPDX-License-Identifier: Apache-2.0
//
// raw: what scenarios share that call CPython by itself, without the runtime.
//
//     state->interp = raw_interp_new(1);              // setup: an empty subinterpreter with a GIL of its own
//     raw_enter(state->interp);                       // an actor: be inside, with a thread state of its own
//     raw_leave();
//
// Whatever fails answers NULL or -1, for setup to hand on.
#ifndef CX_SCENARIOS_COMMON_RAW_H
#define CX_SCENARIOS_COMMON_RAW_H

#include <Python.h>

// A subinterpreter, left without any thread state.
// Thread state: attached, and again afterwards. Blocks: yes.
PyInterpreterState *raw_interp_new(int own_gil);

// Make a thread state of `interp` for the calling thread and attach it; NULL if there is none to be had.
// Thread state: none, or detached. Blocks: yes.
PyThreadState *raw_enter(PyInterpreterState *interp);

// Clear the calling thread's thread state and delete it.
// Thread state: attached. Blocks: no.
void raw_leave(void);

// End `interp`, by a thread state that is made for that.
// Thread state: none, or detached. Blocks: yes.
void raw_interp_end(PyInterpreterState *interp);

// Call `method` from atexit. It stays the caller's. Thread state: attached. Blocks: no.
int raw_at_exit(PyMethodDef *method);

// Give __main__ a function. `method` stays the caller's. Thread state: attached. Blocks: no.
int raw_define(PyMethodDef *method);

// Run `function` with `context` on the thread that tears down the modules of the current interpreter, long after its
// other thread states are gone. Thread state: attached. Blocks: no.
int raw_at_teardown(void (*function)(void *context), void *context);

// Load a function of `code`, Python text that defines it, from __main__. New reference.
// Thread state: attached. Blocks: no.
PyObject *raw_function(const char *code, const char *name);

// Call a function without arguments and drop its result; -1, without an exception set, if it raises.
// Thread state: attached. Blocks: yes.
int raw_call(PyObject *function);

// Attach by PyGILState_Ensure, call `function` so many times, none of which may raise, and leave.
// Thread state: either. Blocks: yes.
void raw_visit(PyObject *function, int times);

#endif

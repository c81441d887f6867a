// SPDX-License-Identifier: Apache-2.0
//
// pyrt/activate: be inside a certain interpreter for a while, then be exactly where one was.
//
// An activation of the interpreter that is attached already only counts. Any other gets a thread state of its own, is
// swapped in, and is cleared and deleted at the end; what was attached before, if anything, is attached again. An
// activation is a scope like an attach (pyrt/attach.h): inside it, attaches nest, and finalization of the interpreter
// waits. Making a thread state for every activation is dear; a thread that comes often keeps one:
//
//     struct pyrt_tstate mine = {0};                  // once per thread
//     pyrt_tstate_open(&mine, &plugin);
//     ...
//     struct pyrt_activate inside = {0};              // often
//     if (pyrt_activate_begin_with(&inside, &mine) == PYRT_OK) {
//         ...
//         pyrt_activate_end(&inside);
//     }
//     ...
//     pyrt_tstate_close(&mine);                       // on the same thread
//
// A kept state is the caller's: nothing waits for it, and when its interpreter ends, activating and closing it answer
// so. With the main interpreter's handle this is also the way for a native thread pool. On 3.15.0rc2 a thread that
// keeps one beyond Py_FinalizeEx must not attach to an interpreter that is started later: CPython takes the dead state
// for the thread's own and parks the thread for ever (docs/bugs-found.md).
#ifndef PYRT_ACTIVATE_H
#define PYRT_ACTIVATE_H

#include <Python.h>

#include <stdint.h>

#include "pyrt/interp.h"
#include "pyrt/status.h"

#ifdef __cplusplus
extern "C" {
#endif

// A thread state that its thread keeps. Zero it, then leave its fields alone.
struct pyrt_tstate {
    uint64_t thread;          // the thread that opened it; owner thread only
    struct pyrt_pool *record; // its interpreter, NULL when closed; owner thread only
    PyThreadState *tstate;    // owner thread only
    int active;               // swapped in by a live activation; owner thread only
};

// One activation. Zero it, then leave its fields alone.
struct pyrt_activate {
    uint64_t thread;          // the thread that began it; owner thread only
    uint64_t serial;          // number of the scope on its thread, 0 when it is not live; owner thread only
    uint64_t outer;           // the scope around it; owner thread only
    struct pyrt_pool *record; // the interpreter, if it was entered; owner thread only
    struct pyrt_tstate *kept; // the state that it borrows, or NULL; owner thread only
    void *own;                // the state that it made, or NULL; owner thread only
    void *previous;           // the state to go back to, or NULL; owner thread only
    void *guard;              // 3.15: CPython's guard; owner thread only
    void *pool;               // what the attaches around it count on; owner thread only
    void *tstate;             // likewise; owner thread only
    uint64_t uses;            // likewise; owner thread only
    uint32_t count;           // likewise; owner thread only
};

// Be inside `interp`. Drains its pool.
// Requires: `activate` zeroed, or ended.
// Thread state: either. Blocks: until the interpreter lets the thread in. May run Python: yes.
// Pointers: `activate` and `interp` stay the caller's.
// Returns: PYRT_OK, INVALID (also: empty), ALREADY_LIVE, FORBIDDEN, NO_MEMORY, FORKED; FINALIZING: it lets nobody in
// any more; GONE: it has ended, or the interpreter of the attaches around has.
// Source: pybind11 `subinterpreter_scoped_activate`; `PyThreadState_New`, `PyThreadState_Swap`.
enum pyrt_status pyrt_activate_begin(struct pyrt_activate *activate, const struct pyrt_interp *interp);

// The same with a state that this thread keeps. If the interpreter is attached already, by whatever state, that one
// stays, and `kept` is not used.
// Requires: `activate` zeroed, or ended.
// Thread state: either. Blocks: until the interpreter lets the thread in. May run Python: yes.
// Pointers: `activate` and `kept` stay the caller's; `kept` stays open until the end.
// Returns: PYRT_OK, INVALID, ALREADY_LIVE, FORBIDDEN, NO_MEMORY, FORKED, FINALIZING, GONE, WRONG_THREAD; BUSY: it is
// active already, around another interpreter's activation.
// Source: pybind11 `subinterpreter_thread_state` (#6073).
enum pyrt_status pyrt_activate_begin_with(struct pyrt_activate *activate, struct pyrt_tstate *kept);

// Go back.
// Thread state: attached by `activate`. Blocks: yes. May run Python: yes.
// Pointers: `activate` stays the caller's.
// Returns: PYRT_OK, INVALID, NOT_LIVE, WRONG_THREAD, OUT_OF_ORDER; MISMATCH: another thread state is attached; GONE:
// the interpreter has ended meanwhile, and so has the activation.
// Source: pybind11 `subinterpreter_scoped_activate`; `PyThreadState_Clear`, `PyThreadState_Swap`.
enum pyrt_status pyrt_activate_end(struct pyrt_activate *activate);

// Make a thread state of `interp` for this thread; it is not attached.
// Requires: `kept` zeroed, or closed.
// Thread state: either. Blocks: no. May run Python: no.
// Pointers: `kept` and `interp` stay the caller's.
// Returns: PYRT_OK, INVALID, ALREADY_LIVE, NO_MEMORY, FINALIZING, GONE, FORKED.
// Source: pybind11 `subinterpreter_thread_state`; `PyThreadState_New`.
enum pyrt_status pyrt_tstate_open(struct pyrt_tstate *kept, const struct pyrt_interp *interp);

// Clear and delete it.
// Requires: no attach of this thread that has taken it, as the state used last, is suspended by a detach or an
// activation.
// Thread state: either. Blocks: yes. May run Python: yes.
// Pointers: `kept` stays the caller's.
// Returns: PYRT_OK, INVALID, NOT_LIVE, WRONG_THREAD, FORBIDDEN, BUSY (active, or attached), FINALIZING (CPython will
// delete it);
// GONE: its interpreter has ended, and with it the state; FORKED: it stays as it is.
// Source: pybind11 `subinterpreter_thread_state`; `PyThreadState_Clear`, `PyThreadState_Delete`.
enum pyrt_status pyrt_tstate_close(struct pyrt_tstate *kept);

#ifdef __cplusplus
}
#endif

#endif

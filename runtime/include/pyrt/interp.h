// SPDX-License-Identifier: Apache-2.0
//
// pyrt/interp: subinterpreters. A handle names an interpreter and may own it; it is plain memory of the caller, zero is
// empty. An interpreter stays alive while its owner lives and while a thread is inside (pyrt/activate.h).
//
//     struct pyrt_interp plugin = {0};
//     if (pyrt_interp_create(&plugin, NULL) == PYRT_OK) {
//         struct pyrt_activate inside = {0};
//         if (pyrt_activate_begin(&inside, &plugin) == PYRT_OK) {
//             PyRun_SimpleString("print('hello from', __name__)");
//             pyrt_activate_end(&inside);
//         }
//         pyrt_interp_destroy(&plugin);
//     }
//
// What CPython imposes:
// * PyGILState_Ensure knows no interpreter: on a thread without a thread state it means the main one, inside an
//   activation it counts on that one. pyrt_attach_try answers PYRT_MISMATCH where it would be wrong.
// * From 3.14.1 on, ending an interpreter without the GIL stops all interpreters: a thread that waits for the
//   destroying thread must be detached, whatever interpreter it belongs to (pybind11 #5934).
// * On 3.13, Py_EndInterpreter ends the process if another thread state is left. pyrt_interp_destroy looks first, but a
//   thread state that other code makes between the look and the end is not seen.
// * Subinterpreters must be destroyed before Py_FinalizeEx; up to 3.14 it ends those that are left without asking.
#ifndef PYRT_INTERP_H
#define PYRT_INTERP_H

#include <Python.h>

#include <stdint.h>

#include "pyrt/status.h"

#ifdef __cplusplus
extern "C" {
#endif

// What the runtime knows of an interpreter, its pool among it (pyrt/pool.h).
struct pyrt_pool;

// A handle. Zero it, then leave its fields alone; copy it with pyrt_interp_move only.
struct pyrt_interp {
    struct pyrt_pool *record; // the interpreter, or NULL; owner thread only
    int owned;                // destroy ends it; owner thread only
};

// Fill in the defaults: own GIL, threads but no daemon threads, no fork or exec, extensions that declare support only.
// Thread state: either. Blocks: no. May run Python: no.
// Pointers: `config` is filled in, not NULL.
// Returns: nothing; it cannot fail.
// Source: pybind11 `subinterpreter::create`; `PyInterpreterConfig` (PEP 684).
void pyrt_interp_defaults(PyInterpreterConfig *config);

// Make an interpreter. What was attached is attached again afterwards; the new one is left without a thread state. A
// thread that is detached is attached to the main interpreter meanwhile. NULL is the defaults.
// Requires: `interp` empty.
// Thread state: either. Blocks: yes. May run Python: yes.
// Pointers: `interp` stays the caller's; `config` is borrowed.
// Returns: PYRT_OK, INVALID, ALREADY_LIVE, INIT_FAILED (CPython refused), NO_MEMORY, and what pyrt_attach_try answers.
// Source: pybind11 `subinterpreter::create` (#6127); `Py_NewInterpreterFromConfig` (PEP 684).
enum pyrt_status pyrt_interp_create(struct pyrt_interp *interp, const PyInterpreterConfig *config);

// End the interpreter, from any thread, or give a borrowed handle back. The handle is empty afterwards, unless the
// answer is BUSY, FORBIDDEN, NO_MEMORY or FORKED. Threads of the `threading` module are waited for; other threads that
// are inside, or that keep a reusable state, make it BUSY, and so do the calling thread, daemon threads, open guards,
// and a thread state that other code has made. (CPython's own guards, of 3.15, are waited for.)
// Requires: nobody makes or deletes a thread state of this interpreter meanwhile but by this library.
// Thread state: either. Blocks: yes. May run Python: yes.
// Pointers: `interp` stays the caller's.
// Returns: PYRT_OK, INVALID (empty), BUSY, FORBIDDEN, NO_MEMORY, FORKED; GONE: it had ended.
// Source: pybind11 `subinterpreter`, its destructor; `Py_EndInterpreter`.
enum pyrt_status pyrt_interp_destroy(struct pyrt_interp *interp);

// A borrowed handle of the main interpreter. NOT_INITIALIZED also when the runtime has not met it: attach once before.
// Requires: `interp` empty.
// Thread state: either. Blocks: no. May run Python: no.
// Pointers: `interp` stays the caller's.
// Returns: PYRT_OK, INVALID, ALREADY_LIVE, NOT_INITIALIZED.
// Source: pybind11 `subinterpreter::main`; `PyInterpreterState_Main`.
enum pyrt_status pyrt_interp_main(struct pyrt_interp *interp);

// A borrowed handle of the interpreter that is attached. Caller frees with pyrt_interp_destroy.
// Requires: `interp` empty.
// Thread state: attached. Blocks: no. May run Python: yes, at the first meeting.
// Pointers: `interp` stays the caller's; what it gets, the caller frees with pyrt_interp_destroy.
// Returns: PYRT_OK, INVALID, ALREADY_LIVE, NOT_ATTACHED, NO_MEMORY.
// Source: pybind11 `subinterpreter::current`.
enum pyrt_status pyrt_interp_current(struct pyrt_interp *interp);

// CPython's number of the interpreter, -1 for an empty handle.
// Thread state: either. Blocks: no. May run Python: no.
// Pointers: `interp` is borrowed.
// Units: counts from 0, the main interpreter's.
// Returns: the number; it cannot fail otherwise.
// Source: pybind11 `subinterpreter::id`; `PyInterpreterState_GetID`.
int64_t pyrt_interp_id(const struct pyrt_interp *interp);

// The interpreter's own dictionary, borrowed.
// Requires: it is the one attached.
// Thread state: attached. Blocks: no. May run Python: no.
// Pointers: `interp` is borrowed; `dict` is filled in with a borrowed reference.
// Returns: PYRT_OK, INVALID, NOT_ATTACHED, MISMATCH, NO_MEMORY.
// Source: pybind11 `subinterpreter::state_dict`; `PyInterpreterState_GetDict`.
enum pyrt_status pyrt_interp_dict(const struct pyrt_interp *interp, PyObject **dict);

// Give up ownership: the handle stays, as a borrowed one, and CPython ends the interpreter when it finalizes.
// Thread state: either. Blocks: no. May run Python: no.
// Pointers: `interp` stays the caller's; NULL is allowed and nothing.
// Returns: nothing; it cannot fail.
// Source: pybind11 `subinterpreter::disarm`.
void pyrt_interp_disarm(struct pyrt_interp *interp);

// Move a handle; `from` is empty afterwards.
// Requires: `to` empty.
// Thread state: either. Blocks: no. May run Python: no.
// Pointers: `to` and `from` stay the caller's.
// Returns: PYRT_OK, INVALID, ALREADY_LIVE.
// Source: pybind11 `subinterpreter`, its move constructor.
enum pyrt_status pyrt_interp_move(struct pyrt_interp *to, struct pyrt_interp *from);

// True for an empty handle.
// Thread state: either. Blocks: no. May run Python: no.
// Pointers: `interp` is borrowed; NULL is empty.
// Returns: 1 or 0.
// Source: pybind11 `subinterpreter::empty`.
int pyrt_interp_is_empty(const struct pyrt_interp *interp);

#ifdef __cplusplus
}
#endif

#endif

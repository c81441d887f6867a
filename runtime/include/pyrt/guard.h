// SPDX-License-Identifier: Apache-2.0
//
// pyrt/guard: keep an interpreter from being finalized, and attach to it from native threads. PEP 788.
//
// A guard holds finalization up: Py_FinalizeEx and Py_EndInterpreter wait until it is closed, and let threads attach
// meanwhile; pyrt_interp_destroy answers BUSY. A view only names an interpreter. A guard can be had from it until
// finalization begins to wait, and after that only by threads that are inside: so the wait ends. An ensure is a scope:
// inside, the thread is attached to the guard's interpreter; at its end, what was attached before is attached again.
//
//     static void worker(struct pyrt_view *view)      // a native thread; the view was made by who started it
//     {
//         struct pyrt_ensure ensure = {0};
//         if (pyrt_ensure_begin_view(&ensure, view) != PYRT_OK) {
//             return;                                 // the interpreter is going away
//         }
//         PyRun_SimpleString("work()");
//         pyrt_ensure_end(&ensure);
//     }
//
// On 3.15 and later these are CPython's own functions, with the runtime's account of scopes around them: misuse that is
// undefined there gets a code here, and the guard that pyrt_ensure_begin_view takes is closed by its own
// pyrt_ensure_end. (CPython keeps it until the outermost release of the thread state.)
//
// On 3.13 and 3.14 the runtime does it by itself (pyrt/attach.h, "What finalization does to an attach"). There,
// * finalization waits at one moment, in an `atexit` callback, not in a loop: callbacks that were registered earlier
//   run after it and can take no guard, and a Python thread that starts after it is not waited for;
// * only interpreters that the runtime has met wait: those where it attached, or took a guard or a view, before;
// * a view of the main interpreter gives NOT_INITIALIZED until then;
// * a thread that finalizes while it holds guards by ensures of its own does not wait for those, it would be for ever.
// A guard that is never closed holds finalization up for ever; on every version. A fork's child does not wait for the
// ensures of threads that it lacks, but for guards; on 3.15 it waits for both.
#ifndef PYRT_GUARD_H
#define PYRT_GUARD_H

#include <Python.h>

#include <stdint.h>

#include "pyrt/activate.h"
#include "pyrt/status.h"

#ifdef __cplusplus
extern "C" {
#endif

// Holds finalization up until it is closed.
struct pyrt_guard;

// Names an interpreter, and holds nothing up.
struct pyrt_view;

// One ensure. Zero it, then leave its fields alone.
struct pyrt_ensure {
    struct pyrt_activate inner; // owner thread only
    struct pyrt_guard *guard;   // the one that it took by itself, or NULL; owner thread only
    void *token;                // 3.15: CPython's; owner thread only
};

// A guard of the interpreter that is attached. Caller frees with pyrt_guard_close, on any thread.
// Thread state: attached. Blocks: no. May run Python: yes, at the first meeting with the interpreter.
// Pointers: `guard` is filled in, and left alone on an error; what it gets, the caller frees with pyrt_guard_close, on
// any thread.
// Returns: PYRT_OK, INVALID, NOT_ATTACHED, FINALIZING, NO_MEMORY.
// Source: `PyInterpreterGuard_FromCurrent` (PEP 788).
enum pyrt_status pyrt_guard_from_current(struct pyrt_guard **guard);

// A guard of the interpreter that `view` names. Caller frees with pyrt_guard_close, on any thread.
// Thread state: either. Blocks: no. May run Python: no.
// Pointers: `guard` is filled in, and left alone on an error; what it gets, the caller frees with pyrt_guard_close, on
// any thread; `view` is borrowed.
// Returns: PYRT_OK, INVALID, NO_MEMORY, FORKED; NOT_INITIALIZED, FINALIZING, GONE: there is none to be had. (On 3.15 a
// view of the main interpreter gives FINALIZING for one that has ended, too.)
// Source: `PyInterpreterGuard_FromView` (PEP 788).
enum pyrt_status pyrt_guard_from_view(struct pyrt_guard **guard, const struct pyrt_view *view);

// Let finalization go on. NULL is allowed.
// Thread state: either. Blocks: no. May run Python: no.
// Pointers: `guard` is stolen.
// Returns: nothing; it cannot fail.
// Source: `PyInterpreterGuard_Close` (PEP 788).
void pyrt_guard_close(struct pyrt_guard *guard);

// A view of the interpreter that is attached. Caller frees with pyrt_view_close.
// Thread state: attached. Blocks: no. May run Python: yes, at the first meeting with the interpreter.
// Pointers: `view` is filled in, and left alone on an error; what it gets, the caller frees with pyrt_view_close.
// Returns: PYRT_OK, INVALID, NOT_ATTACHED, NO_MEMORY.
// Source: `PyInterpreterView_FromCurrent` (PEP 788).
enum pyrt_status pyrt_view_from_current(struct pyrt_view **view);

// A view of the main interpreter, whichever it is when the view is used; also before there is one. Caller frees with
// pyrt_view_close.
// Thread state: either. Blocks: no. May run Python: no.
// Pointers: `view` is filled in, and left alone on an error; what it gets, the caller frees with pyrt_view_close.
// Returns: PYRT_OK, INVALID, NO_MEMORY.
// Source: `PyInterpreterView_FromMain` (PEP 788).
enum pyrt_status pyrt_view_from_main(struct pyrt_view **view);

// Free a view. NULL is allowed.
// Thread state: either. Blocks: no. May run Python: no.
// Pointers: `view` is stolen.
// Returns: nothing; it cannot fail.
// Source: `PyInterpreterView_Close` (PEP 788).
void pyrt_view_close(struct pyrt_view *view);

// Be attached to the guard's interpreter: by the state that is attached, by the one that this thread used last, or by a
// new one. The guard must stay open until the end. Drains the pool.
// Requires: `ensure` zeroed, or ended.
// Thread state: either. Blocks: until the interpreter lets the thread in. May run Python: yes.
// Pointers: `ensure` stays the caller's; `guard` is borrowed until the end.
// Returns: PYRT_OK, INVALID, ALREADY_LIVE, FORBIDDEN, NO_MEMORY, FORKED, GONE.
// Source: `PyThreadState_Ensure` (PEP 788).
enum pyrt_status pyrt_ensure_begin(struct pyrt_ensure *ensure, struct pyrt_guard *guard);

// The same with a guard of its own, until the end.
// Requires: `ensure` zeroed, or ended.
// Thread state: either. Blocks: until the interpreter lets the thread in. May run Python: yes.
// Pointers: `ensure` stays the caller's; `view` is borrowed.
// Returns: PYRT_OK, INVALID, ALREADY_LIVE, FORBIDDEN, NO_MEMORY, FORKED, NOT_INITIALIZED, FINALIZING, GONE.
// Source: `PyThreadState_EnsureFromView` (PEP 788).
enum pyrt_status pyrt_ensure_begin_view(struct pyrt_ensure *ensure, const struct pyrt_view *view);

// Go back.
// Thread state: attached by `ensure`. Blocks: yes. May run Python: yes.
// Pointers: `ensure` stays the caller's.
// Returns: PYRT_OK, INVALID, NOT_LIVE, WRONG_THREAD, OUT_OF_ORDER, MISMATCH, GONE (before 3.15).
// Source: `PyThreadState_Release` (PEP 788).
enum pyrt_status pyrt_ensure_end(struct pyrt_ensure *ensure);

#ifdef __cplusplus
}
#endif

#endif

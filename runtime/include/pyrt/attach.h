// SPDX-License-Identifier: Apache-2.0
//
// pyrt/attach: give the calling thread an attached thread state of the main interpreter, and take it away again.
//
// Attaching nests. The first attach of a thread talks to CPython; those inside it only count, in memory of the thread
// itself. Every attach is a scope that lives in the caller's memory (zeroed before its first use), and scopes end in
// the reverse order of their beginning, together with the scopes of pyrt/detach.h and pyrt/forbid.h. Whoever ends one
// too early, twice or on another thread gets a code, and nothing has happened.
//
//     static void on_event(void *context)             // called by a native library, on any thread
//     {
//         struct pyrt_attach attach = {0};
//         if (pyrt_attach_try(&attach) != PYRT_OK) {
//             return;                                 // Python is going away, or was never there
//         }
//         PyObject_CallNoArgs(context);
//         pyrt_attach_release(&attach);
//     }
//
// What finalization does to an attach: it waits until every attach has been released, suspended ones included. While it
// waits, and afterwards, nobody new gets in: PYRT_FINALIZING. Only threads that are inside already may attach again,
// and everybody while somebody holds a guard (pyrt/guard.h). So it ends, also beside threads that attach without a
// pause. The runtime waits in a function that it registers with `atexit` when it first meets the interpreter; on 3.15
// the guards of CPython hold finalization up besides. That leaves these gaps:
// * up to 3.14, the first attach of all finds no such function yet. It asks CPython, and finalization can begin after
//   the answer: the thread is then parked for ever inside the attach (it never unwinds, also where CPython itself would
//   end it), or CPython crashes (gh-124619). Attach, assume or pyrt_initialize once before there are threads, and the
//   gap is gone;
// * callbacks that were registered with `atexit` earlier run after the door has closed;
// * atexit._run_exitfuncs() closes the door although no finalization follows.
// An attach on a thread that somebody else has attached already adds nothing to that: it counts as an assumed one.
#ifndef PYRT_ATTACH_H
#define PYRT_ATTACH_H

#include <stdint.h>

#include "pyrt/status.h"

#ifdef __cplusplus
extern "C" {
#endif

// One attach. Zero it, then leave its fields alone.
struct pyrt_attach {
    uint64_t thread; // the thread that began it; owner thread only
    uint64_t serial; // number of the scope on its thread, 0 when it is not live; owner thread only
    uint64_t outer;  // the scope around it; owner thread only
    uint64_t counts; // 1: the thread's count went up, 0: plainly nested; owner thread only
    void *token;     // what CPython gave us, NULL for a nested or an assumed attach; owner thread only
    void *used;      // the door that it went through, or NULL; owner thread only
};

// Attach, or say why not. Waits for an initialization that pyrt_initialize has in progress on another thread; one that
// other code does by itself lets others in before `site` has run (up to 3.14, gh-146302), which nobody can see. Nested,
// it counts on the interpreter that the thread is attached to; otherwise it means the main one. Drains the pool.
// Requires: `attach` zeroed, or released.
// Thread state: either. Blocks: until the interpreter lets the thread in. May run Python: yes (the pool's destructors).
// Pointers: `attach` stays the caller's.
// Returns: PYRT_OK, FORBIDDEN, NOT_INITIALIZED, FINALIZING, NO_MEMORY, ALREADY_LIVE, INVALID; MISMATCH: another
// interpreter's thread state is attached here, or was last, and PyGILState_Ensure would take it for the main one's (up
// to 3.14); GONE: the attaches around this one have lost their interpreter; FORKED.
// Source: PyO3 `Python::try_attach` (#5903); `PyThreadState_EnsureFromView` (PEP 788), before 3.15 `PyGILState_Ensure`.
enum pyrt_status pyrt_attach_try(struct pyrt_attach *attach);

// How to start the interpreter, once.
struct pyrt_init {
    int (*start)(void *context); // 0 with the thread attached to the new interpreter; NULL: Py_InitializeEx(0)
    void *context;               // handed to start
    int restart;                 // not 0: the caller knows that a Py_FinalizeEx that ran before has returned
};

// Start the interpreter if there is none, or wait until the thread that does so is through. The starting thread is
// detached afterwards; it is CPython's main thread, and pyrt_finalize is its call. A `start` that fails leaves things
// as they were.
// Requires: not called from `start`. NULL is all defaults.
// Thread state: detached, or there is an interpreter. Blocks: yes. May run Python: yes.
// Pointers: `init` is borrowed, and what it points to is handed on as it is.
// Returns: PYRT_OK, also when it was there before; FINALIZING, INIT_FAILED, NO_MEMORY, FORKED; INVALID: called from
// `start`.
// Source: PyO3 `Python::initialize`; `Py_InitializeEx`; gh-146302.
enum pyrt_status pyrt_initialize(const struct pyrt_init *init);

// End what pyrt_initialize has started, on the thread that has started it; or what other code has started and has
// attached on this thread. It drops what is queued, waits for those inside, finalizes, and says how many references
// were given up because nobody could drop them any more.
// Requires: no scope of this thread is live.
// Thread state: detached, or attached by CPython. Blocks: yes. May run Python: yes.
// Pointers: `dropped` is filled in, or NULL.
// Units: references.
// Returns: PYRT_OK; NOT_FLUSHED: it has ended, too; NOT_INITIALIZED, FINALIZING, FORBIDDEN, WRONG_THREAD, FORKED;
// MISMATCH: another interpreter is attached; OUT_OF_ORDER: a scope is live.
// Source: `Py_FinalizeEx`; pybind11 `finalize_interpreter`.
enum pyrt_status pyrt_finalize(uint64_t *dropped);

// Attach; for callers that cannot go on without Python. With `init` the interpreter is started if there is none (after
// a Py_FinalizeEx: with its `restart`), with NULL it is not. A refusal ends the process, and its sentence is printed.
// Requires: `attach` zeroed, or released.
// Thread state: either. Blocks: until the interpreter lets the thread in. May run Python: yes (the pool's destructors).
// Pointers: `attach` stays the caller's; `init` is borrowed.
// Returns: nothing, and only when attached.
// Source: PyO3 `Python::attach`.
void pyrt_attach(struct pyrt_attach *attach, const struct pyrt_init *init);

// Attach without any question: to an interpreter that is still being initialized, or that is known to stay. If it goes
// away, what happens is CPython's affair.
// Requires: `attach` zeroed, or released. There is an interpreter.
// Thread state: either. Blocks: until the interpreter lets the thread in. May run Python: yes (the pool's destructors).
// Pointers: `attach` stays the caller's.
// Returns: PYRT_OK, FORBIDDEN, NO_MEMORY, ALREADY_LIVE, INVALID, GONE.
// Source: PyO3 `Python::attach_unchecked`; `PyGILState_Ensure`.
enum pyrt_status pyrt_attach_unchecked(struct pyrt_attach *attach);

// Tell the runtime that CPython, or somebody else, has attached this thread to some interpreter already, as in a
// function of an extension module. Until the release the thread counts as attached to it. Drains its pool.
// Requires: `attach` zeroed, or released.
// Thread state: attached. Blocks: no. May run Python: yes (the pool's destructors).
// Pointers: `attach` stays the caller's.
// Returns: PYRT_OK, FORBIDDEN, NOT_ATTACHED, NO_MEMORY, ALREADY_LIVE, INVALID, GONE; MISMATCH: the attaches around this
// one count on another thread state.
// Source: PyO3 `AttachGuard::assume`.
enum pyrt_status pyrt_attach_assume(struct pyrt_attach *attach);

// End an attach. The outermost one gives the thread state back to CPython.
// Thread state: attached through `attach`. Blocks: no, but for destructors. May run Python: yes, the outermost one.
// Pointers: `attach` stays the caller's.
// Returns: PYRT_OK, NOT_LIVE (also: ended twice), WRONG_THREAD, OUT_OF_ORDER, INVALID; MISMATCH: the thread state is
// not the current one; GONE: the interpreter has ended meanwhile, and so has this attach.
// Source: PyO3 `AttachGuard`; `PyThreadState_Release` (PEP 788), before 3.15 `PyGILState_Release`.
enum pyrt_status pyrt_attach_release(struct pyrt_attach *attach);

// True if this thread is inside an attach, not inside a detach or a forbid, and its thread state is the current one. It
// is false on a thread that only somebody else has attached: see pyrt_attach_assume.
// Thread state: either. Blocks: no. May run Python: no.
// Returns: 1 or 0.
// Source: PyO3's attach count (#5350).
int pyrt_is_attached(void);

#ifdef __cplusplus
}
#endif

#endif

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
// What finalization does to an attach. On 3.15 the attach holds a finalization guard: pyrt_attach_try answers
// PYRT_FINALIZING, or finalization waits until the release. On 3.13 and 3.14 there is no such guard. The runtime asks
// CPython whether it finalizes, and finalization can begin right after the answer: the thread is then parked for ever
// inside the attach (it never unwinds, also where CPython itself would end it), or CPython crashes (gh-124619).
// An embedder who controls both ends must release every attach before it calls Py_FinalizeEx.
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
    void *token;     // what CPython gave us, NULL for a nested or an assumed attach; owner thread only
};

// Attach, or say why not. Drains the pool.
// Requires: `attach` zeroed, or released.
// Thread state: either. Blocks: until the interpreter lets the thread in. May run Python: yes (the pool's destructors).
// PYRT_OK, FORBIDDEN, NOT_INITIALIZED, FINALIZING, NO_MEMORY, MISMATCH, ALREADY_LIVE, INVALID.
enum pyrt_status pyrt_attach_try(struct pyrt_attach *attach);

// Attach; for callers that cannot go on without Python. A refusal ends the process, and its sentence is printed.
// Requires: `attach` zeroed, or released.
// Thread state: either. Blocks: until the interpreter lets the thread in. May run Python: yes (the pool's destructors).
void pyrt_attach(struct pyrt_attach *attach);

// Tell the runtime that CPython, or somebody else, has attached this thread to the main interpreter already, as in a
// function of an extension module. Until the release the thread counts as attached. Drains the pool.
// Requires: `attach` zeroed, or released.
// Thread state: attached. Blocks: no. May run Python: yes (the pool's destructors).
// PYRT_OK, FORBIDDEN, NOT_ATTACHED, MISMATCH, ALREADY_LIVE, INVALID.
enum pyrt_status pyrt_attach_assume(struct pyrt_attach *attach);

// End an attach. The outermost one gives the thread state back to CPython.
// Thread state: attached through `attach`. Blocks: no, but for destructors. May run Python: yes, the outermost one.
// PYRT_OK, NOT_LIVE (also: ended twice), WRONG_THREAD, OUT_OF_ORDER, INVALID.
enum pyrt_status pyrt_attach_release(struct pyrt_attach *attach);

// True if this thread is inside an attach, not inside a detach or a forbid, and its thread state is the current one.
// It is false on a thread that only somebody else has attached: see pyrt_attach_assume.
// Thread state: either. Blocks: no. May run Python: no.
int pyrt_is_attached(void);

#ifdef __cplusplus
}
#endif

#endif

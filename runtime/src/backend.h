// SPDX-License-Identifier: Apache-2.0
//
// backend: how a thread gets in and out of the main interpreter. Private to runtime/src.
//
// Two files define these functions, and the version of CPython decides which of them has a content:
// backend_gilstate.c for 3.13 and 3.14, backend_guard.c from 3.15 on. They know nothing of counts and scopes.
#ifndef PYRT_SRC_BACKEND_H
#define PYRT_SRC_BACKEND_H

#include <Python.h>

#include "pyrt/status.h"

struct pyrt_pool;

// A state of the main interpreter that this thread is attached to.
struct pyrt__entry {
    void *token;            // what release needs; NULL: the thread was attached before, by somebody else
    struct pyrt_pool *used; // record whose door it went through, to be dropped after the release; or NULL
};

// Attach a thread state of the main interpreter to this thread, or find that it has one attached.
// Thread state: either. Blocks: yes. May run Python: no.
// PYRT_OK, NOT_INITIALIZED, FINALIZING, MISMATCH, NO_MEMORY, FORKED.
enum pyrt_status pyrt__backend_attach(struct pyrt__entry *entry);

// The same without a question whether the interpreter lets anybody in.
void pyrt__backend_attach_unchecked(struct pyrt__entry *entry);

// Undo an attach. Thread state: attached. Blocks: no. May run Python: yes.
void pyrt__backend_release(struct pyrt__entry *entry);

// Now that the interpreter has a record, go through its door, for an attach that came before there was one.
// Thread state: attached. Blocks: no. May run Python: no.
void pyrt__backend_entered(struct pyrt__entry *entry, struct pyrt_pool *record);

// Swap `tstate` in, and whatever it takes to come through alive where CPython ends late threads. NULL detaches.
// Thread state: either. Blocks: yes. May run Python: no. The state that was attached.
void *pyrt__backend_swap(void *tstate);

// From 3.15 on: a guard of CPython's, from the record's view. Before: NULL, the door is enough. FINALIZING if refused.
// Thread state: either. Blocks: no. May run Python: no.
enum pyrt_status pyrt__backend_guard_new(const struct pyrt_pool *record, void **guard);
void pyrt__backend_guard_close(void *guard);

// A name for the attached interpreter that outlives it, where CPython has such names; else NULL. 0, or -1.
// Thread state: attached. Blocks: no. May run Python: no.
int pyrt__backend_view_new(void **view);
void pyrt__backend_view_close(void *view);

// The same for the main interpreter, also when there is none. Thread state: either. Blocks: no. May run Python: no.
int pyrt__backend_view_main(void **view);

// Detach the attached thread state and return it. Thread state: attached. Blocks: no. May run Python: no.
void *pyrt__backend_suspend(void);

// Attach `tstate` again. During finalization it does not return. Thread state: detached. Blocks: yes.
// May run Python: no.
#if PY_VERSION_HEX >= 0x030D0800
static inline void pyrt__backend_resume(void *tstate)
{
    PyEval_RestoreThread(tstate);
}
#else
void pyrt__backend_resume(void *tstate);
#endif

// PYRT_OK if a thread state of the main interpreter is attached, else NOT_ATTACHED or MISMATCH.
// Thread state: either. Blocks: no. May run Python: no.
enum pyrt_status pyrt__backend_main_attached(void);

#endif

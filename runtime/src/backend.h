// SPDX-License-Identifier: Apache-2.0
//
// backend: how a thread gets in and out of the main interpreter. Private to runtime/src.
//
// Two files define these functions, and the version of CPython decides which of them has a content:
// backend_gilstate.c for 3.13 and 3.14, backend_guard.c from 3.15 on. They know nothing of counts and scopes.
#ifndef PYRT_SRC_BACKEND_H
#define PYRT_SRC_BACKEND_H

#include "pyrt/status.h"

// Attach a thread state of the main interpreter to this thread. On PYRT_OK, `*token` is what release needs, not NULL.
// Thread state: either. Blocks: yes. May run Python: no.
enum pyrt_status pyrt__backend_attach(void **token);

// Undo an attach. Thread state: attached. Blocks: no. May run Python: yes.
void pyrt__backend_release(void *token);

// Detach the attached thread state and return it. Thread state: attached. Blocks: no. May run Python: no.
void *pyrt__backend_suspend(void);

// Attach `tstate` again. During finalization it does not return. Thread state: detached. Blocks: yes.
// May run Python: no.
void pyrt__backend_resume(void *tstate);

// PYRT_OK if a thread state of the main interpreter is attached, else NOT_ATTACHED or MISMATCH.
// Thread state: either. Blocks: no. May run Python: no.
enum pyrt_status pyrt__backend_main_attached(void);

#endif

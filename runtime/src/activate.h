// SPDX-License-Identifier: Apache-2.0
//
// activate: entering an interpreter whose record is known. Private to runtime/src.
#ifndef PYRT_SRC_ACTIVATE_H
#define PYRT_SRC_ACTIVATE_H

#include "pyrt/activate.h"
#include "thread.h"

// What every activation asks first. PYRT_OK, ALREADY_LIVE, FORBIDDEN, GONE, FORKED.
enum pyrt_status pyrt__activate_permitted(const struct pyrt__thread *self, struct pyrt_activate *activate);

// Be inside `record`, by the state that `kept` holds, by `tstate`, which is the caller's, or by a new one.
// Requires: permitted, and the caller has a reference to `record`.
// Thread state: either. Blocks: yes. May run Python: yes. PYRT_OK, FINALIZING, GONE, NO_MEMORY.
enum pyrt_status pyrt__activate_enter(struct pyrt_activate *activate, struct pyrt_pool *record,
                                      struct pyrt_tstate *kept, PyThreadState *tstate);

// Clear and delete the attached thread state `tstate`. Thread state: attached. May run Python: yes.
void pyrt__activate_dispose(PyThreadState *tstate);

#endif

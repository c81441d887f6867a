// SPDX-License-Identifier: Apache-2.0
//
// pool_drain: the drain as attach and resume call it. Private to runtime/src.
#ifndef PYRT_SRC_POOL_DRAIN_H
#define PYRT_SRC_POOL_DRAIN_H

#include "thread.h"

// Drop what is queued for the interpreter that `self` is attached to; one relaxed load when nothing is.
// Requires: `self` is the calling thread and is attached.
// Thread state: attached. Blocks: no, but for destructors. May run Python: yes.
void pyrt__pool_drain(struct pyrt__thread *self);

// Add what this thread has counted by itself to the totals. Thread state: either.
void pyrt__pool_flush(struct pyrt__thread *self);

#endif

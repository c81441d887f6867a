// SPDX-License-Identifier: Apache-2.0
//
// start: an initialization in progress, and forks. Private to runtime/src.
#ifndef PYRT_SRC_START_H
#define PYRT_SRC_START_H

#include <stdatomic.h>
#include <stdint.h>

extern _Atomic uint64_t pyrt__starter; // atomic; written under starting: id of the thread that initializes, or 0
extern _Atomic int pyrt__stranded;     // atomic; see pyrt__thread_stranded

// Wait while pyrt_initialize runs on another thread. One relaxed load when it does not. A thread that is attached has
// been let in by the starting thread and is not held up: the two could wait for each other.
// Thread state: either. Blocks: yes, when detached. May run Python: no.
void pyrt__start_wait(void);

// True while pyrt_initialize runs on another thread.
int pyrt__start_elsewhere(void);

// True while nothing is the matter: no initialization is in progress, and this is no stranded child of a fork.
static inline int pyrt__start_quiet(void)
{
    // Acquire pairs with the release in finish() of start.c: who sees the end sees all that the start has done.
    return atomic_load_explicit(&pyrt__starter, memory_order_acquire) == 0 &&
           atomic_load_explicit(&pyrt__stranded, memory_order_relaxed) == 0;
}

#endif

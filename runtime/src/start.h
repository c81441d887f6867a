// SPDX-License-Identifier: Apache-2.0
//
// start: an initialization in progress, and forks. Private to runtime/src.
#ifndef PYRT_SRC_START_H
#define PYRT_SRC_START_H

#include <stdatomic.h>
#include <stddef.h>

struct pyrt_pool;

// The main interpreter's record while nothing is the matter: it has been met, no initialization is in progress, and
// this is no stranded child of a fork. Else NULL.
extern struct pyrt_pool *_Atomic pyrt__start_quiet __attribute__((visibility("hidden"))); // atomic

// Wait while pyrt_initialize runs on another thread. One relaxed load when it does not. A thread that is attached has
// been let in by the starting thread and is not held up: the two could wait for each other.
// Thread state: either. Blocks: yes, when detached. May run Python: no.
void pyrt__start_wait(void);

// True while pyrt_initialize runs on another thread.
int pyrt__start_elsewhere(void);

// The runtime has met a main interpreter, and its door is armed.
void pyrt__start_met(struct pyrt_pool *record);

#endif

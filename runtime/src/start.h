// SPDX-License-Identifier: Apache-2.0
//
// start: an initialization in progress, and forks. Private to runtime/src.
#ifndef PYRT_SRC_START_H
#define PYRT_SRC_START_H

// Wait while pyrt_initialize runs on another thread. One relaxed load when it does not. A thread that is attached has
// been let in by the starting thread and is not held up: the two could wait for each other.
// Thread state: either. Blocks: yes, when detached. May run Python: no.
void pyrt__start_wait(void);

#endif

// SPDX-License-Identifier: Apache-2.0
//
// tasks: the threads of this process as the kernel lists them. Usable in signal handlers: raw system calls only.
#ifndef CX_TASKS_H
#define CX_TASKS_H

#include <stdint.h>

// Call `visit` with the kernel's id of each thread. Thread state: any. Blocks: no.
void cx_tasks_each(void (*visit)(long tid, void *argument), void *argument);

// How long the threads that live now have waited for a processor, together, in ns. 0 where the kernel does not tell
// (/proc/.../schedstat). Thread state: any. Blocks: no.
uint64_t cx_tasks_delay_ns(void);

#endif

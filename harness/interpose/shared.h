// SPDX-License-Identifier: Apache-2.0
//
// shared: semaphores and mutexes that another process may have, too. Within a process the scheduler knows who lets whom
// go; what another process does to such an object only the object itself tells.
#ifndef CX_SHARED_H
#define CX_SHARED_H

#include <stdint.h>

// Threads of this process that are blocked on an object in shared memory. Costs a look at the list of mappings for
// each that could be.
uint32_t cx_shared_waiters(void);
// Those of them whose object is free now may try again. Returns how many.
uint32_t cx_shared_wake(void);

#endif

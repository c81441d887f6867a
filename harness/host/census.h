// SPDX-License-Identifier: Apache-2.0
//
// census: what the host can count when it is quiet: references, objects by type, blocks of memory. Two hosts, as in
// host.h. All of it in a controlled run, on the main thread, attached, with every other thread gone.
#ifndef CX_CENSUS_H
#define CX_CENSUS_H

#include "harness/detect/drift.h"
#include "harness/exec/channel.h"

// Count allocations from now on. 0, or -1 if this host cannot.
int cx_host_census_begin(void);
// Flush what CPython keeps for later (garbage, free lists, deferred frees, caches), then count.
// 0, or -1 if the host was finalized.
int cx_host_census(struct cx_census *census);
// From now on, what is made keeps where it was made.
void cx_host_census_ask_where(void);
// Where one of what an entry of the census counts was made since then, the first in memory; empty if there is none.
void cx_host_census_where(uint32_t entry, struct cx_stack *made);
// Names of the types that censuses have counted so far, in the order of their entries after the totals. Borrowed.
const char *const *cx_host_census_types(void);

// Keep a reference to this object. Thread state: attached.
void cx_host_watch(void *object);
// The watched objects whose count is no more what it was: "-1 dict"; empty when all is well. Flushes before it looks.
// Then lets all of them go.
void cx_host_watch_end(char *text, size_t text_bytes);

#endif

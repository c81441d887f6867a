// SPDX-License-Identifier: Apache-2.0
//
// set: a set of 64-bit numbers, for counting distinct interleavings.
#ifndef CX_EXEC_SET_H
#define CX_EXEC_SET_H

#include <stddef.h>
#include <stdint.h>

// Zeroed memory is a valid, empty set.
struct cx_set {
    uint64_t *slots;    // owned; 0: free
    size_t slots_count; // 0 or a power of two
    size_t count;
};

// Add a number unless it is there. Returns 1 if it is new. Without memory the set stops growing.
int cx_set_add(struct cx_set *set, uint64_t number);

void cx_set_fini(struct cx_set *set);

#endif

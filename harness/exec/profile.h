// SPDX-License-Identifier: Apache-2.0
//
// profile: what the run in the default order teaches about a scenario: which threads there are, how many operations
// each performs, and which objects they share. urw and surw weigh by it, and feedback mutates within it.
#ifndef CX_EXEC_PROFILE_H
#define CX_EXEC_PROFILE_H

#include <stdint.h>

#include "harness/exec/channel.h"
#include "harness/exec/record.h"

#define CX_PROFILE_OBJECTS_MAX 256 // that several threads use; a run with more keeps the first

// An object that at least two threads use, and how often each does.
struct cx_profile_object {
    uint64_t object;
    uint64_t threads; // one bit each
    uint32_t total;
    uint32_t events[CX_TRACE_THREADS_MAX];
};

// Zeroed memory is a valid profile that knows nothing.
struct cx_profile_table {
    uint32_t threads_count;
    struct cx_trace_thread threads[CX_TRACE_THREADS_MAX];
    uint32_t events[CX_TRACE_THREADS_MAX];
    struct cx_profile_object *objects; // owned
    uint32_t objects_count;
};

// Learn from a record that has a trace. Without one, or without memory, the profile stays empty.
void cx_profile_learn(struct cx_profile_table *table, const struct cx_record *record);
void cx_profile_fini(struct cx_profile_table *table);

// Fill in profile and focus of a request: for urw all operations, for surw those on one to three objects, drawn by how
// often they are used. `place`, a fraction of 2^64, decides the first of them. Other strategies get nothing.
void cx_profile_request(const struct cx_profile_table *table, uint64_t place, struct cx_request *request);

#endif

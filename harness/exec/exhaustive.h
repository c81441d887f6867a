// SPDX-License-Identifier: Apache-2.0
//
// exhaustive: every schedule of a scenario, those with few preemptions first.
//
// It owns the list of schedules that are still to be played, each as a prefix of deviations from the default order. It
// plays nothing: a run of a prefix is a replay with CX_MODE_TRACE, whose trace says what else could have been done.
#ifndef CX_EXEC_EXHAUSTIVE_H
#define CX_EXEC_EXHAUSTIVE_H

#include <stddef.h>
#include <stdint.h>

#include "harness/exec/channel.h"

#define CX_PREEMPTIONS_ANY UINT32_MAX

// The trace of one run, as the channel has it.
struct cx_trace {
    const struct cx_choice *choices;
    uint32_t count;
    uint32_t dropped; // 1: it is not whole
    const struct cx_trace_thread *threads;
    uint32_t threads_count;
};

// A schedule to be played: deviations, and for each the threads whose turn at that place is explored elsewhere.
struct cx_prefix {
    uint32_t count;
    uint32_t preemptions;
    struct {
        struct cx_deviation deviation;
        uint64_t asleep;
    } steps[];
};

struct cx_exhaustive_stack {
    struct cx_prefix **list; // owned
    size_t count;
    size_t room;
};

struct cx_exhaustive_node {
    uint64_t hash;  // of everything that was decided before, 0: free
    uint64_t taken; // threads whose turn here is explored, or will be
};

// Zeroed memory and a bound are a valid state: only the run in the default order is known.
struct cx_exhaustive {
    uint32_t preemptions_max; // CX_PREEMPTIONS_ANY: no bound
    uint32_t level;           // preemptions of the schedules that are being played
    uint64_t schedules;       // played; without a bound, no two of them equivalent
    uint64_t cut;             // played, and found to be equivalent to others
    uint64_t pushed;          // played, or still to be played
    int beyond;               // schedules with more than preemptions_max preemptions were left out
    int incomplete;           // out of memory, or a run that could not be traced: nothing can be promised
    struct cx_exhaustive_stack now;
    struct cx_exhaustive_stack later; // with one preemption more
    struct cx_exhaustive_node *nodes; // owned: an open-addressing table
    size_t nodes_room;
    size_t nodes_count;
};

// The next schedule to be played, which the caller frees with free(); NULL if there is none until more runs are judged,
// or, with all of them judged, none at all.
struct cx_prefix *cx_exhaustive_next(struct cx_exhaustive *search);
// A run of `prefix` (NULL: in the default order) is over.
void cx_exhaustive_judge(struct cx_exhaustive *search, const struct cx_prefix *prefix, const struct cx_trace *trace);
void cx_exhaustive_fini(struct cx_exhaustive *search);

// What has been shown, in one sentence. `over`: all that was to be played is judged.
void cx_exhaustive_text(const struct cx_exhaustive *search, int over, char *text, size_t text_bytes);

#endif

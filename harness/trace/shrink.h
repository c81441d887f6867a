// SPDX-License-Identifier: Apache-2.0
//
// shrink: the smallest set of deviations that still shows a finding.
//
// Delta debugging (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", TSE 2002), with three
// changes. A trial is a lenient replay, and what it really did, its own normalised list of deviations, becomes the
// next base: following a plan loosely often needs fewer switches than the plan has. Lists are compared by their
// preemptions first, then by their length. And after the chunks come single deviations, all those of a thread, pairs,
// and other targets for a switch, until nothing helps any more. A list that stays long (threads that spin on a lock are
// counted, visit by visit) is then left for another one. Its last places are looked for in shorter runs (relocate.c),
// then new runs with few preemptions are drawn; one that shows the finding is shrunk instead. Where the thread `main`
// draws numbers, such as a program, they become fewer before all that (numbers.c), and count before all else.
//
// No processes here: the trial is a callback, so that the search can be tested alone.
#ifndef CX_TRACE_SHRINK_H
#define CX_TRACE_SHRINK_H

#include <stddef.h>
#include <stdint.h>

#include "harness/exec/channel.h"
#include "harness/status.h"

struct cx_shrink_list {
    struct cx_deviation *list; // owned
    size_t count;
};

struct cx_shrink_log {
    struct cx_step *steps; // owned
    size_t count;
};

struct cx_shrink {
    void *context;
    // Play `plan`. `*same` tells whether it showed the finding; if so `normalised` (zeroed) takes what the run did.
    enum cx_status (*play)(void *context, const struct cx_deviation *plan, size_t plan_count, int *same,
                           struct cx_shrink_list *normalised, struct cx_error *error);
    // Play `plan`, strictly or not, and hand out its step log; the caller frees `*steps`. May be NULL.
    enum cx_status (*log)(void *context, const struct cx_deviation *plan, size_t plan_count, struct cx_step **steps,
                          size_t *steps_count, struct cx_error *error);
    // Play a new run, drawn with few preemptions, in which main gets the numbers of `plan`; the same answers. May be
    // NULL.
    enum cx_status (*sample)(void *context, uint64_t number, const struct cx_shrink_list *plan, int *same,
                             struct cx_shrink_list *normalised, struct cx_error *error);
    // Called when the best list has become smaller.
    void (*progress)(void *context, const struct cx_shrink *shrink);
    struct cx_shrink_list best; // owned; the caller fills in the list to begin with
    const uint32_t *threads;    // borrowed; keys that a switch may be given to instead
    size_t threads_count;
    uint64_t samples_max;
    uint64_t trials_max;
    uint64_t trials; // played so far
};

// Shrink `best` in place. CX_OK when nothing smaller was found any more or trials_max is reached; any other status
// comes from `play` (an interrupt, a lost runner) and leaves the best so far.
enum cx_status cx_shrink_run(struct cx_shrink *shrink, struct cx_error *error);

// Between shrink.c, relocate.c and numbers.c. Play one candidate, or a new run with its numbers; `*better` is set when
// that becomes the best one.
enum cx_status cx_shrink__try(struct cx_shrink *shrink, const struct cx_deviation *plan, size_t plan_count, int *better,
                              struct cx_error *error);
enum cx_status cx_shrink__sample(struct cx_shrink *shrink, const struct cx_shrink_list *plan, uint64_t number,
                                 int *better, struct cx_error *error);

// Look for the places of the best list in runs with one or two preemptions; stops at the first success.
enum cx_status cx_shrink__relocate(struct cx_shrink *shrink, int *better, struct cx_error *error);

// Fewer of the numbers that main draws. `*any`: there are.
enum cx_status cx_shrink__fewer_numbers(struct cx_shrink *shrink, int *any, struct cx_error *error);

// Move the switches of a plan from their places in one run to those in another; what has no place goes.
enum cx_status cx_shrink__align(const struct cx_shrink_log *from, const struct cx_shrink_log *to,
                                struct cx_deviation *plan, size_t *plan_count, struct cx_error *error);

void cx_shrink_list_fini(struct cx_shrink_list *list);

// How many numbers of main a list has, and what the first one is; 0: none, or not in the list.
size_t cx_shrink_numbers(const struct cx_shrink_list *list);
uint32_t cx_shrink_first_number(const struct cx_shrink_list *list);
// The numbers of main alone; the caller frees `numbers`.
enum cx_status cx_shrink_numbers_of(const struct cx_shrink_list *list, struct cx_shrink_list *numbers,
                                    struct cx_error *error);

// 1 if the first list is smaller: fewer numbers of main, a smaller first one, fewer preemptions, fewer deviations; the
// first of these that differs decides.
int cx_shrink_smaller(const struct cx_shrink_list *left, const struct cx_shrink_list *right);

#endif

// SPDX-License-Identifier: Apache-2.0
//
// order: what has to happen before what, for a shrunk schedule to show its finding; tried, not guessed.
//
// Each switch of a schedule that stops thread A in favour of others fixes the order of two pairs of operations. The
// last thing that A did before the stop, among those that conflict with what the others then do, comes before that;
// and that comes before the first thing of A behind the stop that conflicts with it. Both are tried the other way
// round: the stop moves in front of the one, or behind the other. A trial counts only if its step log shows that the
// order was the other one. Ideas from Lotto's inflection points and ordering constraints, and from the cause-effect
// chains of delta debugging (Zeller, "Isolating cause-effect chains from computer programs", FSE 2002).
//
// No processes here: the trial is a callback, so that the search can be tested alone.
#ifndef CX_TRACE_ORDER_H
#define CX_TRACE_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include "harness/exec/channel.h"
#include "harness/status.h"

#define CX_ORDERS_MAX 24
#define CX_ORDER_TRIALS 3 // places of the stop that reverse one order

struct cx_order {
    struct cx_step first;  // comes before
    struct cx_step second; // in the run that shows the finding
    uint64_t at;           // step of the run at which the first one was performed
    uint32_t reversed;     // trials in which they came the other way round,
    uint32_t passed;       // and among them those that passed,
    uint32_t same;         // and those that showed the finding all the same
    size_t deviation;      // that makes the order
};

struct cx_orders {
    void *context;
    // Play `plan` leniently: its step log, which the caller frees; whether it showed the finding; whether it passed.
    enum cx_status (*play)(void *context, const struct cx_deviation *plan, size_t plan_count, struct cx_step **steps,
                           size_t *steps_count, int *same, int *passed, struct cx_error *error);
    const struct cx_deviation *plan; // borrowed: the schedule
    size_t plan_count;
    const struct cx_step *steps; // borrowed: its log
    size_t steps_count;
    struct cx_order list[CX_ORDERS_MAX]; // in the order in which they happen
    size_t count;
    size_t silent; // switches without such a pair: they matter for plain memory
};

// Fill in the list. CX_OK, or what `play` answered; then the list is as far as it came.
enum cx_status cx_orders_find(struct cx_orders *orders, struct cx_error *error);

#endif

// SPDX-License-Identifier: Apache-2.0
//
// order: see order.h. A step is logged before it is performed: one at which its thread is stopped is performed when the
// thread goes on.
#include "harness/trace/order.h"

#include <stdlib.h>
#include <string.h>

#define LOOK_MAX 4000 // steps of the log that are searched on either side of a stop
#define NONE SIZE_MAX

struct log {
    const struct cx_step *steps;
    size_t count;
};

static size_t thread_next(const struct log *log, size_t from, uint32_t thread)
{
    size_t end = log->count - from > LOOK_MAX ? from + LOOK_MAX : log->count;
    for (size_t i = from; i < end; i++) {
        if (log->steps[i].thread == thread) {
            return i;
        }
    }
    return NONE;
}

// A number that orders steps by when they were performed; NONE: never.
static size_t performed(const struct log *log, size_t at)
{
    if (at + 1 >= log->count || log->steps[at + 1].thread == log->steps[at].thread) {
        return 2 * at + 1;
    }
    size_t next = thread_next(log, at + 1, log->steps[at].thread);
    return next == NONE ? NONE : 2 * next;
}

static int step_like(const struct cx_step *a, const struct cx_step *b)
{
    return a->thread == b->thread && a->op == b->op && a->object == b->object && a->caller == b->caller;
}

static int steps_conflict(const struct cx_step *a, const struct cx_step *b)
{
    return a->object != 0 && a->object == b->object && a->thread != b->thread && a->op < CX_OP_COUNT &&
           b->op < CX_OP_COUNT && cx_conflicting(a->op, b->op);
}

// The first (or last) step between `from` and `to` that conflicts with `step`.
static size_t conflict_find(const struct log *log, size_t from, size_t to, const struct cx_step *step, int last)
{
    size_t found = NONE;
    for (size_t i = from; i < to && i < log->count && (last || found == NONE); i++) {
        if (steps_conflict(&log->steps[i], step)) {
            found = i;
        }
    }
    return found;
}

// When the step that is like `wanted` was performed in a trial: the `rank`-th such one of its thread.
static size_t trial_performed(const struct log *trial, const struct cx_step *wanted, size_t rank)
{
    for (size_t i = 0; i < trial->count; i++) {
        if (step_like(&trial->steps[i], wanted) && rank-- == 0) {
            return performed(trial, i);
        }
    }
    return NONE;
}

static size_t rank_of(const struct log *log, size_t at)
{
    size_t rank = 0;
    for (size_t i = 0; i < at; i++) {
        rank += (size_t)step_like(&log->steps[i], &log->steps[at]);
    }
    return rank;
}

// Play the schedule with stop number `deviation` at another point of its thread; count it if that reverses the order.
static enum cx_status reverse_try(struct cx_orders *orders, struct cx_order *order, size_t first, size_t second,
                                  uint64_t point, struct cx_error *error)
{
    const struct log log = {orders->steps, orders->steps_count};
    struct cx_deviation *plan = malloc(orders->plan_count * sizeof(*plan));
    struct cx_step *steps = NULL;
    size_t steps_count = 0;
    int same = 0;
    int passed = 0;
    if (plan == NULL) {
        return cx_error_set(error, CX_ERR_MEMORY, "out of memory");
    }
    memcpy(plan, orders->plan, orders->plan_count * sizeof(*plan));
    plan[order->deviation].point = point;
    enum cx_status status =
        orders->play(orders->context, plan, orders->plan_count, &steps, &steps_count, &same, &passed, error);
    if (status == CX_OK) {
        const struct log trial = {steps, steps_count};
        size_t first_at = trial_performed(&trial, &order->first, rank_of(&log, first));
        size_t second_at = trial_performed(&trial, &order->second, rank_of(&log, second));
        // One that does not come any more comes after the other: the program went another way before it.
        int reversed = second_at != NONE && (first_at == NONE || second_at < first_at);
        order->reversed += (uint32_t)reversed;
        order->passed += (uint32_t)(reversed && passed);
        order->same += (uint32_t)(reversed && same);
    }
    free(steps);
    free(plan);
    return status;
}

static struct cx_order *order_add(struct cx_orders *orders, size_t first, size_t second, size_t deviation)
{
    const struct log log = {orders->steps, orders->steps_count};
    for (size_t i = 0; i < orders->count; i++) {
        if (step_like(&orders->list[i].first, &log.steps[first]) &&
            step_like(&orders->list[i].second, &log.steps[second])) {
            return NULL; // told already
        }
    }
    if (orders->count == CX_ORDERS_MAX) {
        return NULL;
    }
    struct cx_order *order = &orders->list[orders->count++];
    *order = (struct cx_order){.first = log.steps[first],
                               .second = log.steps[second],
                               .at = performed(&log, first) / 2,
                               .deviation = deviation};
    return order;
}

// `before` of the stopped thread comes before `other`: the stop is tried in front of it.
static enum cx_status before_try(struct cx_orders *orders, size_t deviation, size_t before, size_t other,
                                 struct cx_error *error)
{
    struct cx_order *order = order_add(orders, before, other, deviation);
    enum cx_status status = CX_OK;
    uint64_t point = orders->steps[before].point;
    for (uint64_t i = 0; order != NULL && status == CX_OK && i < CX_ORDER_TRIALS && point > i; i++) {
        status = reverse_try(orders, order, before, other, point - i, error);
    }
    return status;
}

// `other` comes before `after` of the stopped thread: the stop is tried behind it.
static enum cx_status after_try(struct cx_orders *orders, size_t deviation, size_t other, size_t after,
                                struct cx_error *error)
{
    struct cx_order *order = order_add(orders, other, after, deviation);
    enum cx_status status = CX_OK;
    for (uint64_t i = 1; order != NULL && status == CX_OK && i <= CX_ORDER_TRIALS; i++) {
        status = reverse_try(orders, order, other, after, orders->steps[after].point + i, error);
    }
    return status;
}

// The two pairs of one stop.
static enum cx_status stop_try(struct cx_orders *orders, size_t deviation, struct cx_error *error)
{
    const struct log log = {orders->steps, orders->steps_count};
    const struct cx_deviation *stop = &orders->plan[deviation];
    size_t at = 0;
    while (at < log.count && (log.steps[at].thread != stop->thread || log.steps[at].point != stop->point)) {
        at++;
    }
    if (at >= log.count) {
        return CX_OK;
    }
    size_t back = thread_next(&log, at + 1, stop->thread);
    size_t end = back != NONE ? back : (log.count - at > LOOK_MAX ? at + LOOK_MAX : log.count);
    size_t before = NONE, before_other = NONE, after = NONE, after_other = NONE;
    for (size_t i = at, looked = 0; i-- > 0 && looked < LOOK_MAX && before == NONE; looked++) {
        if (log.steps[i].thread == stop->thread) {
            before_other = conflict_find(&log, at + 1, end, &log.steps[i], 0);
            before = before_other != NONE ? i : NONE;
        }
    }
    for (size_t i = at; i < log.count && i - at < LOOK_MAX + (end - at) && after == NONE; i = i == at ? end : i + 1) {
        if (log.steps[i].thread == stop->thread) {
            after_other = conflict_find(&log, at + 1, end, &log.steps[i], 1);
            after = after_other != NONE ? i : NONE;
        }
    }
    orders->silent += before == NONE && after == NONE;
    enum cx_status status = before != NONE ? before_try(orders, deviation, before, before_other, error) : CX_OK;
    if (status == CX_OK && after != NONE) {
        status = after_try(orders, deviation, after_other, after, error);
    }
    return status;
}

static int order_compare(const void *left, const void *right)
{
    const struct cx_order *a = left;
    const struct cx_order *b = right;
    return (a->at > b->at) - (a->at < b->at);
}

enum cx_status cx_orders_find(struct cx_orders *orders, struct cx_error *error)
{
    enum cx_status status = CX_OK;
    for (size_t i = 0; i < orders->plan_count && status == CX_OK; i++) {
        if (orders->plan[i].kind == CX_DEVIATION_SWITCH && orders->plan[i].thread != orders->plan[i].choice) {
            status = stop_try(orders, i, error);
        }
    }
    qsort(orders->list, orders->count, sizeof(orders->list[0]), order_compare);
    return status;
}

// SPDX-License-Identifier: Apache-2.0
//
// What exhaustive promises: as many schedules as arithmetic says, no final state lost to its reductions, and the bound
// kept.
#include "harness/tests/sched_case.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "harness/exec/exhaustive.h"
#include "harness/sched/sched.h"

#define STATES_MAX 4096

// What a whole search came to.
struct searched {
    struct cx_exhaustive search;
    uint32_t deadlocks;
    uint32_t states_count;
    uint64_t states[STATES_MAX]; // distinct values of note 0
};

static int knows(const struct searched *all, uint64_t state)
{
    uint32_t at = 0;
    while (at < all->states_count && all->states[at] != state) {
        at++;
    }
    return at < all->states_count;
}

// Of a run that did not pass, how it ended.
static uint64_t state_of(const struct cx_result *result)
{
    return result->outcome == CX_OUTCOME_PASS ? *sched_note(0) : UINT64_MAX - result->outcome;
}

static void play(struct searched *all, void (*body)(void), const struct cx_prefix *prefix)
{
    struct cx_request request = {.strategy = CX_STRATEGY_REPLAY, .mode = CX_MODE_TRACE};
    struct cx_channel *channel = sched_channel();
    for (uint32_t i = 0; prefix != NULL && i < prefix->count; i++) {
        channel->plan[request.plan_count++] = prefix->steps[i].deviation;
    }
    const struct cx_result *result = sched_run(body, &request);
    const struct cx_trace trace = {channel->trace, result->trace_count, result->trace_dropped, channel->threads_made,
                                   result->threads_count};
    assert_int_equal(result->deviations_ignored, 0);
    assert_true(result->preemptions <= all->search.preemptions_max);
    all->deadlocks += result->outcome == CX_OUTCOME_DEADLOCK;
    if (!knows(all, state_of(result))) {
        assert_true(all->states_count < STATES_MAX);
        all->states[all->states_count++] = state_of(result);
    }
    cx_exhaustive_judge(&all->search, prefix, &trace);
}

// Borrowed until the next call.
static const struct searched *search(void (*body)(void), uint32_t preemptions_max)
{
    static struct searched all;
    cx_exhaustive_fini(&all.search);
    all = (struct searched){.search = {.preemptions_max = preemptions_max}};
    play(&all, body, NULL);
    for (struct cx_prefix *prefix; (prefix = cx_exhaustive_next(&all.search)) != NULL;) {
        play(&all, body, prefix);
        free(prefix);
    }
    assert_int_equal(all.search.incomplete, 0);
    return &all;
}

static int operations;
static uint64_t order;
static uint64_t words[4];

// Any two operations conflict; note 0 is the order in which they came.
static void *write_order(void *argument)
{
    for (int i = 0; i < operations; i++) {
        __atomic_fetch_add(&words[0], 1, __ATOMIC_SEQ_CST);
        order = order * 4 + (uint64_t)(uintptr_t)argument;
    }
    *sched_note(0) = order;
    return NULL;
}

// Nobody has anything to do with anybody.
static void *write_own(void *argument)
{
    for (int i = 0; i < operations; i++) {
        __atomic_fetch_add(&words[(uintptr_t)argument], 1, __ATOMIC_SEQ_CST);
    }
    return NULL;
}

static void spawn_and_join(void *(*body)(void *), uintptr_t count)
{
    pthread_t threads[3];
    for (uintptr_t i = 0; i < count; i++) {
        threads[i] = sched_spawn(body, (void *)(i + 1));
    }
    for (uintptr_t i = 0; i < count; i++) {
        sched_join(threads[i]);
    }
}

static void two_in_order(void)
{
    spawn_and_join(write_order, 2);
}

static void three_in_order(void)
{
    spawn_and_join(write_order, 3);
}

static void three_alone(void)
{
    spawn_and_join(write_own, 3);
}

static void test_counts_are_the_closed_forms(void **state)
{
    (void)state;
    static const uint32_t central[] = {1, 2, 6, 20, 70, 252}; // 2n over n
    for (operations = 1; operations <= 5; operations++) {
        const struct searched *all = search(two_in_order, CX_PREEMPTIONS_ANY);
        assert_int_equal(all->search.schedules, central[operations]);
        assert_int_equal(all->states_count, central[operations]);
    }
    static const uint32_t multinomial[] = {1, 6, 90}; // 3n over n, n, n
    for (operations = 1; operations <= 2; operations++) {
        const struct searched *all = search(three_in_order, CX_PREEMPTIONS_ANY);
        assert_int_equal(all->search.schedules, multinomial[operations]);
        assert_int_equal(all->states_count, multinomial[operations]);
    }
    operations = 4;
    assert_int_equal(search(three_alone, CX_PREEMPTIONS_ANY)->search.schedules, 1);
}

static void test_a_bound_leaves_out_what_it_must(void **state)
{
    (void)state;
    operations = 4;
    // Two runs of n operations with at most k preemptions: orders that change thread at most k + 1 times.
    static const uint32_t orders[] = {2, 2 + 6, 8 + 18, 26 + 18};
    for (uint32_t bound = 0; bound < 4; bound++) {
        const struct searched *all = search(two_in_order, bound);
        assert_int_equal(all->states_count, orders[bound]);
        assert_true(all->search.beyond);
    }
    const struct searched *all = search(two_in_order, 7);
    assert_int_equal(all->states_count, 70);
    assert_false(all->search.beyond);
    char text[200];
    cx_exhaustive_text(&all->search, 1, text, sizeof(text));
    assert_non_null(strstr(text, "whatever their preemptions"));
}

static pthread_mutex_t locks[2] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static int ready;

static void leave_mark(uint64_t mark)
{
    order = order * 8 + mark;
    *sched_note(0) = order;
}

// Locks in both orders, a condition, atomics, and one thread that gives up when a lock is taken.
static void *mixed(void *argument)
{
    uint64_t me = (uint64_t)(uintptr_t)argument;
    pthread_mutex_lock(&locks[me & 1]);
    uint64_t seen = __atomic_fetch_add(&words[1], me, __ATOMIC_SEQ_CST);
    if (me == 3 && pthread_mutex_trylock(&locks[0]) != 0) {
        leave_mark(7);
        pthread_mutex_unlock(&locks[me & 1]);
        return NULL;
    }
    if (me == 2) {
        pthread_mutex_lock(&locks[1]);
    }
    leave_mark(me);
    leave_mark(seen & 7);
    if (me == 1) {
        while (!ready) {
            pthread_cond_wait(&condition, &locks[1]);
        }
    } else {
        ready = 1;
        pthread_cond_signal(&condition);
        pthread_mutex_unlock(&locks[me == 3 ? 0 : 1]);
    }
    pthread_mutex_unlock(&locks[me & 1]);
    return NULL;
}

static void mixture(void)
{
    spawn_and_join(mixed, 3);
}

// Whatever other strategies reach with as many preemptions as the bound allows, the search has reached as well.
static void check_none_lost(void (*body)(void), uint32_t bound, uint32_t runs)
{
    static const uint32_t strategies[] = {CX_STRATEGY_POS, CX_STRATEGY_URW, CX_STRATEGY_PCT};
    const struct searched *all = search(body, bound);
    uint32_t within = 0;
    for (uint32_t seed = 1; seed <= runs; seed++) {
        struct cx_request request = {
            .strategy = strategies[seed % 3], .seed = seed, .pct_depth = 1 + seed % 4, .choices_expected = 40};
        const struct cx_result *result = sched_run(body, &request);
        if (result->preemptions <= bound) {
            within++;
            if (!knows(all, state_of(result))) {
                fail_msg("bound %u: seed %u of strategy %u is in none of %u states", bound, seed, strategies[seed % 3],
                         all->states_count);
            }
        }
    }
    assert_true(within > 10);
}

static void test_no_state_is_lost(void **state)
{
    (void)state;
    for (uint32_t bound = 0; bound <= 3; bound++) {
        check_none_lost(mixture, bound, 1500);
    }
    check_none_lost(mixture, CX_PREEMPTIONS_ANY, 1500);
    operations = 2;
    check_none_lost(three_in_order, 2, 600);
}

static void *wait_for_turn(void *argument)
{
    pthread_mutex_lock(&locks[0]);
    if (!ready) {
        pthread_cond_wait(&condition, &locks[0]);
    }
    leave_mark((uint64_t)(uintptr_t)argument);
    pthread_cond_signal(&condition);
    pthread_mutex_unlock(&locks[0]);
    return NULL;
}

// Who of three waiters is woken is a choice as well.
static void woken_in_any_order(void)
{
    pthread_t threads[3];
    for (uintptr_t i = 0; i < 3; i++) {
        threads[i] = sched_spawn(wait_for_turn, (void *)(i + 1));
    }
    sched_yield();
    pthread_mutex_lock(&locks[0]);
    ready = 1;
    pthread_cond_signal(&condition);
    pthread_mutex_unlock(&locks[0]);
    for (int i = 0; i < 3; i++) {
        sched_join(threads[i]);
    }
}

static void test_picks_are_searched(void **state)
{
    (void)state;
    assert_true(search(woken_in_any_order, 0)->states_count >= 6);
}

static void *cross(void *argument)
{
    uintptr_t me = (uintptr_t)argument & 1;
    pthread_mutex_lock(&locks[me]);
    pthread_mutex_lock(&locks[1 - me]);
    pthread_mutex_unlock(&locks[1 - me]);
    pthread_mutex_unlock(&locks[me]);
    return NULL;
}

static void crossed(void)
{
    spawn_and_join(cross, 2);
}

static void test_a_deadlock_needs_its_preemption(void **state)
{
    (void)state;
    assert_int_equal(search(crossed, 0)->deadlocks, 0);
    assert_true(search(crossed, 1)->deadlocks > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts_are_the_closed_forms),
        cmocka_unit_test(test_a_bound_leaves_out_what_it_must),
        cmocka_unit_test(test_no_state_is_lost),
        cmocka_unit_test(test_picks_are_searched),
        cmocka_unit_test(test_a_deadlock_needs_its_preemption),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

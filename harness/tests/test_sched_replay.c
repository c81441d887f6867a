// SPDX-License-Identifier: Apache-2.0
//
// Replay: a finding comes back bit for bit, a schedule that was tampered with is noticed at the step that differs, and
// lenient replay (which shrinking uses) counts what it passed over.
#include "harness/tests/sched_case.h"

#include <semaphore.h>
#include <string.h>

#include "harness/sched/sched.h"

#define REPLAYS 100

static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_mutex_t left = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t right = PTHREAD_MUTEX_INITIALIZER;
static int counter;
static int waiting;

static void *add_badly(void *unused)
{
    for (int i = 0; i < 5; i++) {
        int seen = __atomic_load_n(&counter, __ATOMIC_ACQUIRE);
        __atomic_store_n(&counter, seen + 1, __ATOMIC_RELEASE);
    }
    return unused;
}

// One thread loads, others store any number of times, the first stores what it had loaded plus one.
static void lost_update(void)
{
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) {
        threads[i] = sched_spawn(add_badly, NULL);
    }
    for (int i = 0; i < 3; i++) {
        sched_join(threads[i]);
    }
    SCHED_CHECK(counter == 15);
}

static void *right_then_left(void *unused)
{
    pthread_mutex_lock(&right);
    pthread_mutex_lock(&left);
    pthread_mutex_unlock(&left);
    pthread_mutex_unlock(&right);
    return unused;
}

static void *wait_for_signal(void *unused)
{
    pthread_mutex_lock(&left);
    waiting++;
    pthread_cond_wait(&condition, &left);
    pthread_mutex_unlock(&left);
    return unused;
}

// One thread holds left and waits for right while the other holds right and waits for left. Beside them two wait on a
// condition, so that numbers are chosen, too.
static void abba(void)
{
    sched_spawn(wait_for_signal, NULL);
    sched_spawn(wait_for_signal, NULL);
    for (int both = 0; !both; sched_yield()) {
        pthread_mutex_lock(&left);
        both = waiting == 2;
        pthread_mutex_unlock(&left);
    }
    pthread_cond_signal(&condition);
    pthread_t other = sched_spawn(right_then_left, NULL);
    pthread_mutex_lock(&left);
    pthread_mutex_lock(&right);
    pthread_mutex_unlock(&right);
    pthread_mutex_unlock(&left);
    sched_join(other);
}

static void check_replays(void (*body)(void), uint32_t strategy, enum cx_outcome outcome)
{
    struct cx_result first = *sched_find(body, strategy, outcome, 500);
    uint64_t log_hash = 0;
    uint64_t log_steps = 0;
    for (int i = 0; i < REPLAYS; i++) {
        const struct cx_result *result = sched_replay(body, CX_MODE_LOG);
        assert_int_equal(result->outcome, outcome);
        assert_true(result->fingerprint == first.fingerprint);
        assert_true(result->steps == first.steps && result->time_ns == first.time_ns);
        assert_int_equal(result->preemptions, first.preemptions);
        assert_int_equal(result->deviations_count, first.deviations_count);
        assert_int_equal(result->deviations_ignored, 0);
        assert_string_equal(result->message, first.message);
        if (i == 0) {
            log_hash = result->log_hash;
            log_steps = result->log_steps;
            assert_true(log_hash != 0 && log_steps > 10);
        }
        assert_true(result->log_hash == log_hash && result->log_steps == log_steps);
    }
}

static void test_findings_replay_bit_for_bit(void **state)
{
    (void)state;
    check_replays(lost_update, CX_STRATEGY_RANDOM, CX_OUTCOME_INVARIANT);
    check_replays(lost_update, CX_STRATEGY_PCT, CX_OUTCOME_INVARIANT);
    check_replays(abba, CX_STRATEGY_RANDOM, CX_OUTCOME_DEADLOCK);
    check_replays(abba, CX_STRATEGY_PCT, CX_OUTCOME_DEADLOCK);
}

// Copy the deviations of the last run into the plan. Returns how many there are.
static uint32_t take_plan(void)
{
    struct cx_channel *channel = sched_channel();
    uint32_t count = channel->result.deviations_count;
    memcpy(channel->plan, channel->deviations, count * sizeof(channel->plan[0]));
    return count;
}

static const struct cx_result *follow(void (*body)(void), uint32_t count, uint32_t mode)
{
    struct cx_request request = {.strategy = CX_STRATEGY_REPLAY, .mode = mode, .plan_count = count};
    return sched_run(body, &request);
}

enum tamper { TAMPER_OP, TAMPER_OBJECT, TAMPER_CHOICE, TAMPER_POINT, TAMPER_THREAD, TAMPER_COUNT };

static void tamper(struct cx_deviation *entry, enum tamper how)
{
    switch (how) {
    case TAMPER_OP:
        entry->op = CX_OP_PAUSE;
        break;
    case TAMPER_OBJECT:
        entry->object ^= 8;
        break;
    case TAMPER_CHOICE: // a thread that never exists
        entry->choice = cx_thread_key_from_path("main.9.9");
        break;
    case TAMPER_POINT: // a point that never comes
        entry->point += 1000000;
        break;
    case TAMPER_THREAD:
        entry->thread = cx_thread_key_from_path("main.9.9");
        break;
    default:
        break;
    }
}

static uint32_t last_switch(const struct cx_deviation *plan, uint32_t count)
{
    while (count > 0 && plan[count - 1].kind != CX_DEVIATION_SWITCH) {
        count--;
    }
    assert_true(count > 0);
    return count - 1;
}

// The last switch is changed, so that everything before it is followed.
static void test_tampered_schedule_diverges_at_the_entry(void **state)
{
    (void)state;
    struct cx_deviation *plan = sched_channel()->plan;
    for (enum tamper how = TAMPER_OP; how < TAMPER_COUNT; how++) {
        sched_find(lost_update, CX_STRATEGY_RANDOM, CX_OUTCOME_PASS, 500);
        while (sched_channel()->result.deviations_count == 0) {
            struct cx_request request = sched_channel()->request;
            request.seed++;
            sched_run(lost_update, &request);
        }
        uint32_t count = take_plan();
        uint32_t at = last_switch(plan, count);
        assert_int_equal(follow(lost_update, count, CX_MODE_STRICT)->deviations_ignored, 0);
        tamper(&plan[at], how);
        const struct cx_result *result = follow(lost_update, count, CX_MODE_STRICT);
        if (result->outcome != CX_OUTCOME_INVARIANT) {
            assert_int_equal(result->outcome, CX_OUTCOME_DIVERGED);
            assert_true(result->diverged_step > 0 && result->diverged_step <= result->steps);
            assert_memory_equal(&result->diverged_expected, &plan[at], sizeof(plan[at]));
            assert_true(result->message[0] != 0);
        } else {
            // Without its last switch the run takes another turn and finds something else.
            assert_true(how == TAMPER_POINT || how == TAMPER_THREAD);
        }
        if (how == TAMPER_OP || how == TAMPER_OBJECT) {
            assert_int_equal(result->diverged_found.thread, plan[at].thread);
            assert_true(result->diverged_found.point == plan[at].point);
        }
    }
}

static void *sleep_long(void *unused)
{
    nanosleep(&(struct timespec){1000, 0}, NULL);
    return unused;
}

static void *wait_for_ever(void *unused)
{
    static sem_t never;
    __atomic_store_n(&waiting, 1, __ATOMIC_RELEASE);
    sem_wait(&never);
    return unused;
}

// main.1 waits without a deadline, main.2 with one: at main's atomic add, only the second may be let go.
static void one_blocked_one_asleep(void)
{
    sched_spawn(wait_for_ever, NULL);
    sched_spawn(sleep_long, NULL);
    while (!__atomic_load_n(&waiting, __ATOMIC_ACQUIRE)) {
        sched_yield();
    }
    sched_yield();
    sched_yield();
    *sched_note(0) = cx_self->points + 1;
    __atomic_fetch_add(&counter, 1, __ATOMIC_SEQ_CST);
    pthread_mutex_lock(&right);
    *sched_note(1) = 1;
}

static void test_thread_that_cannot_run_diverges(void **state)
{
    (void)state;
    assert_int_equal(sched_run_default(one_blocked_one_asleep)->outcome, CX_OUTCOME_PASS);
    struct cx_deviation *plan = sched_channel()->plan;
    plan[0] = (struct cx_deviation){
        .point = *sched_note(0),
        .object = (uint64_t)(uintptr_t)&counter,
        .thread = CX_THREAD_KEY_MAIN,
        .choice = cx_thread_key_from_path("main.1"),
        .kind = CX_DEVIATION_SWITCH,
        .op = CX_OP_RMW,
        .preemption = 1,
    };
    const struct cx_result *result = follow(one_blocked_one_asleep, 1, CX_MODE_STRICT);
    assert_int_equal(result->outcome, CX_OUTCOME_DIVERGED);
    assert_string_equal(result->message, "the thread that the schedule names cannot run");
    assert_memory_equal(&result->diverged_expected, &plan[0], sizeof(plan[0]));
    assert_int_equal(result->diverged_found.op, CX_OP_RMW);
    assert_true(result->diverged_found.point == plan[0].point);
    assert_int_equal(*sched_note(1), 0);
    result = follow(one_blocked_one_asleep, 1, 0);
    assert_int_equal(result->outcome, CX_OUTCOME_PASS);
    assert_int_equal(result->deviations_ignored, 1);
    plan[0].choice = cx_thread_key_from_path("main.2");
    result = follow(one_blocked_one_asleep, 1, CX_MODE_STRICT);
    assert_int_equal(result->outcome, CX_OUTCOME_PASS);
    assert_int_equal(*sched_note(1), 1);
    assert_int_equal(result->preemptions, 1);
    assert_true(result->time_ns >= 1000000000000ULL);
}

static void test_lenient_replay_counts_what_it_passed_over(void **state)
{
    (void)state;
    struct cx_deviation *plan = sched_channel()->plan;
    static const uint32_t ignored[TAMPER_COUNT] = {[TAMPER_CHOICE] = 1, [TAMPER_POINT] = 1, [TAMPER_THREAD] = 1};
    for (enum tamper how = TAMPER_OP; how < TAMPER_COUNT; how++) {
        sched_find(lost_update, CX_STRATEGY_PCT, CX_OUTCOME_INVARIANT, 500);
        uint32_t count = take_plan();
        uint32_t at = last_switch(plan, count);
        tamper(&plan[at], how);
        const struct cx_result *result = follow(lost_update, count, 0);
        assert_true(result->outcome == CX_OUTCOME_PASS || result->outcome == CX_OUTCOME_INVARIANT);
        assert_int_equal(result->deviations_ignored, ignored[how]);
        assert_int_equal(result->diverged_step, 0);
    }
    // An empty plan is the default order.
    uint64_t fingerprint = sched_run_default(lost_update)->fingerprint;
    assert_true(follow(lost_update, 0, CX_MODE_STRICT)->fingerprint == fingerprint);
}

static void pick_once(void)
{
    *sched_note(0) = cx_pick(cx_self, 3);
}

static void test_wrong_picks_diverge(void **state)
{
    (void)state;
    struct cx_deviation *plan = sched_channel()->plan;
    plan[0] = (struct cx_deviation){.point = 1, .thread = CX_THREAD_KEY_MAIN, .choice = 2, .kind = CX_DEVIATION_PICK};
    assert_int_equal(follow(pick_once, 1, CX_MODE_STRICT)->outcome, CX_OUTCOME_PASS);
    assert_int_equal(*sched_note(0), 2);
    plan[0].choice = 3;
    assert_int_equal(follow(pick_once, 1, CX_MODE_STRICT)->outcome, CX_OUTCOME_DIVERGED);
    assert_int_equal(follow(pick_once, 1, 0)->deviations_ignored, 1);
    assert_int_equal(*sched_note(0), 0);
    plan[0].choice = 2;
    plan[0].point = 2;
    const struct cx_result *result = follow(pick_once, 1, CX_MODE_STRICT);
    assert_int_equal(result->outcome, CX_OUTCOME_DIVERGED);
    assert_memory_equal(&result->diverged_expected, &plan[0], sizeof(plan[0]));
    assert_int_equal(follow(pick_once, 1, 0)->deviations_ignored, 1);
}

static void noted(void)
{
    pthread_t other = sched_spawn(add_badly, NULL);
    cx_record_note(cx_self, "a remark");
    sched_yield();
    sched_join(other);
}

static void test_explain_records_switches_with_both_stacks(void **state)
{
    (void)state;
    struct cx_result first = *sched_find(abba, CX_STRATEGY_RANDOM, CX_OUTCOME_DEADLOCK, 500);
    const struct cx_result *result = sched_replay(abba, CX_MODE_EXPLAIN);
    assert_int_equal(result->outcome, CX_OUTCOME_DEADLOCK);
    assert_true(result->fingerprint == first.fingerprint);
    assert_int_equal(result->events_count, result->switches);
    uint32_t preemptions = 0;
    uint64_t step = 0;
    for (uint32_t i = 0; i < result->events_count; i++) {
        const struct cx_event *event = &result->events[i];
        assert_true(event->from != event->to && event->step >= step);
        assert_true(i == 0 || event->from == result->events[i - 1].to);
        assert_true(event->from_stack.count > 1 && event->to_stack.count > 1);
        preemptions += event->reason == CX_SWITCH_PREEMPT;
        step = event->step;
    }
    assert_int_equal(preemptions, result->preemptions);
    struct cx_request request = {.strategy = CX_STRATEGY_REPLAY, .mode = CX_MODE_EXPLAIN};
    result = sched_run(noted, &request);
    assert_int_equal(result->outcome, CX_OUTCOME_PASS);
    assert_int_equal(result->events[0].reason, CX_SWITCH_NOTE);
    assert_string_equal(result->events[0].note, "a remark");
    assert_int_equal(result->events[1].reason, CX_SWITCH_YIELD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_findings_replay_bit_for_bit),
        cmocka_unit_test(test_tampered_schedule_diverges_at_the_entry),
        cmocka_unit_test(test_thread_that_cannot_run_diverges),
        cmocka_unit_test(test_lenient_replay_counts_what_it_passed_over),
        cmocka_unit_test(test_wrong_picks_diverge),
        cmocka_unit_test(test_explain_records_switches_with_both_stacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

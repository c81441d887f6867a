// SPDX-License-Identifier: Apache-2.0
//
// Atomic operations under control: every operation at every width and order gives the right values, and there are
// points where races need them.
#include "harness/tests/sched_case.h"

#include <stdatomic.h>

#define THREADS 3
#define ROUNDS 20

// Every operation once, with one order, on a word of one type: old values, new values, and neighbours untouched.
#define DEFINE_CHECK(type, load_order, store_order, rmw_order, fail_order, name)                                       \
    static void name(void)                                                                                             \
    {                                                                                                                  \
        static struct {                                                                                                \
            type before, word, after;                                                                                  \
        } area = {(type)0x5a5a5a5a5a5a5a5aULL, 0, (type)0xa5a5a5a5a5a5a5a5ULL};                                        \
        type high = (type)((type)1 << (sizeof(type) * 8 - 1));                                                         \
        type expected = 3;                                                                                             \
        __atomic_store_n(&area.word, (type)(high + 6), store_order);                                                   \
        SCHED_CHECK(__atomic_load_n(&area.word, load_order) == (type)(high + 6));                                      \
        SCHED_CHECK(__atomic_exchange_n(&area.word, 6, rmw_order) == (type)(high + 6));                                \
        SCHED_CHECK(__atomic_fetch_add(&area.word, (type) - 7, rmw_order) == 6);                                       \
        SCHED_CHECK(__atomic_fetch_sub(&area.word, (type) - 7, rmw_order) == (type) - 1);                              \
        SCHED_CHECK(__atomic_fetch_and(&area.word, 3, rmw_order) == 6);                                                \
        SCHED_CHECK(__atomic_fetch_or(&area.word, high, rmw_order) == 2);                                              \
        SCHED_CHECK(__atomic_fetch_xor(&area.word, 7, rmw_order) == (type)(high | 2));                                 \
        SCHED_CHECK(__atomic_fetch_nand(&area.word, 5, rmw_order) == (type)(high | 5));                                \
        SCHED_CHECK(__atomic_add_fetch(&area.word, 1, rmw_order) == (type)(~(type)5 + 1));                             \
        SCHED_CHECK(!__atomic_compare_exchange_n(&area.word, &expected, 9, 0, rmw_order, fail_order));                 \
        SCHED_CHECK(expected == (type)(~(type)5 + 1));                                                                 \
        SCHED_CHECK(__atomic_compare_exchange_n(&area.word, &expected, 9, 0, rmw_order, fail_order));                  \
        expected = 9;                                                                                                  \
        SCHED_CHECK(__atomic_compare_exchange_n(&area.word, &expected, 9, 1, rmw_order, fail_order));                  \
        SCHED_CHECK(__atomic_load_n(&area.word, load_order) == 9);                                                     \
        SCHED_CHECK(area.before == (type)0x5a5a5a5a5a5a5a5aULL && area.after == (type)0xa5a5a5a5a5a5a5a5ULL);          \
        ++*sched_note(0);                                                                                              \
    }

#define DEFINE_ORDERS(type, bits)                                                                                      \
    DEFINE_CHECK(type, __ATOMIC_RELAXED, __ATOMIC_RELAXED, __ATOMIC_RELAXED, __ATOMIC_RELAXED, relaxed_##bits)         \
    DEFINE_CHECK(type, __ATOMIC_CONSUME, __ATOMIC_RELEASE, __ATOMIC_CONSUME, __ATOMIC_CONSUME, consume_##bits)         \
    DEFINE_CHECK(type, __ATOMIC_ACQUIRE, __ATOMIC_RELEASE, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE, acquire_##bits)         \
    DEFINE_CHECK(type, __ATOMIC_ACQUIRE, __ATOMIC_RELEASE, __ATOMIC_RELEASE, __ATOMIC_RELAXED, release_##bits)         \
    DEFINE_CHECK(type, __ATOMIC_ACQUIRE, __ATOMIC_RELEASE, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE, acq_rel_##bits)         \
    DEFINE_CHECK(type, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST, seq_cst_##bits)

DEFINE_ORDERS(uint8_t, 8)
DEFINE_ORDERS(uint16_t, 16)
DEFINE_ORDERS(uint32_t, 32)
DEFINE_ORDERS(uint64_t, 64)

#define LIST_ORDERS(bits) relaxed_##bits, consume_##bits, acquire_##bits, release_##bits, acq_rel_##bits, seq_cst_##bits
static void (*const checks[])(void) = {LIST_ORDERS(8), LIST_ORDERS(16), LIST_ORDERS(32), LIST_ORDERS(64)};
#define CHECKS (sizeof(checks) / sizeof(checks[0]))

static void all_checks(void)
{
    for (size_t i = 0; i < CHECKS; i++) {
        checks[i]();
    }
    atomic_thread_fence(memory_order_acquire);
    atomic_thread_fence(memory_order_seq_cst);
    atomic_signal_fence(memory_order_seq_cst);
}

static void test_values_are_right_at_every_width_and_order(void **state)
{
    (void)state;
    const struct cx_result *result = sched_run_default(all_checks);
    assert_string_equal(result->message, "");
    assert_int_equal(result->outcome, CX_OUTCOME_PASS);
    assert_int_equal(*sched_note(0), CHECKS);
    // Each list has 14 operations; relaxed loads and stores are no points.
    assert_true(result->steps >= CHECKS * 11);
}

// The same without control: the entry points are libc-free, and a process that plays nothing must be able to call them.
static void test_values_are_right_without_control(void **state)
{
    (void)state;
    sched_channel();
    *sched_note(0) = 0;
    all_checks();
    assert_int_equal(*sched_note(0), CHECKS);
}

static uint8_t sum_8;
static uint16_t sum_16;
static uint32_t sum_32;
static uint64_t sum_64;

static void *add_everywhere(void *unused)
{
    for (int i = 0; i < ROUNDS; i++) {
        __atomic_fetch_add(&sum_8, 1, __ATOMIC_RELAXED);
        __atomic_add_fetch(&sum_16, 3, __ATOMIC_ACQ_REL);
        uint32_t seen = __atomic_load_n(&sum_32, __ATOMIC_RELAXED);
        while (!__atomic_compare_exchange_n(&sum_32, &seen, seen + 5, 1, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
        }
        __atomic_fetch_sub(&sum_64, 7, __ATOMIC_SEQ_CST);
    }
    return unused;
}

static void sums(void)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        threads[i] = sched_spawn(add_everywhere, NULL);
    }
    for (int i = 0; i < THREADS; i++) {
        sched_join(threads[i]);
    }
    SCHED_CHECK(sum_8 == THREADS * ROUNDS);
    SCHED_CHECK(sum_16 == THREADS * ROUNDS * 3);
    SCHED_CHECK(sum_32 == THREADS * ROUNDS * 5);
    SCHED_CHECK(sum_64 == (uint64_t)0 - THREADS * ROUNDS * 7);
    *sched_note(0) = 1;
}

static void test_sums_over_threads_are_right(void **state)
{
    (void)state;
    assert_int_equal(sched_explore(sums, CX_STRATEGY_RANDOM, 100).of[CX_OUTCOME_PASS], 100);
    assert_true(sched_channel()->result.switches > THREADS);
    assert_int_equal(sched_explore(sums, CX_STRATEGY_PCT, 100).of[CX_OUTCOME_PASS], 100);
    assert_int_equal(*sched_note(0), 1);
}

static int counter;

static void *load_and_store(void *unused)
{
    int seen = __atomic_load_n(&counter, __ATOMIC_ACQUIRE);
    __atomic_store_n(&counter, seen + 1, __ATOMIC_RELEASE);
    return unused;
}

static void *relaxed_load_and_store(void *unused)
{
    int seen = __atomic_load_n(&counter, __ATOMIC_RELAXED);
    __atomic_store_n(&counter, seen + 1, __ATOMIC_RELEASE);
    return unused;
}

static void *read_modify_write(void *unused)
{
    __atomic_fetch_add(&counter, 1, __ATOMIC_RELAXED);
    return unused;
}

static void *compare_exchange(void *unused)
{
    int seen = __atomic_load_n(&counter, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&counter, &seen, seen + 1, 0, __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {
    }
    return unused;
}

static void *(*adder)(void *);

// Lost update: one thread loads 0, the other loads 0 and stores 1, the first stores 1.
static void two_adders(void)
{
    pthread_t first = sched_spawn(adder, NULL);
    pthread_t second = sched_spawn(adder, NULL);
    sched_join(first);
    sched_join(second);
    SCHED_CHECK(counter == 2);
    *sched_note(0) = 1;
}

static void test_lost_update_is_found_and_atomic_twins_pass(void **state)
{
    (void)state;
    static void *(*const wrong[])(void *) = {load_and_store, relaxed_load_and_store};
    static void *(*const right[])(void *) = {read_modify_write, compare_exchange};
    static const uint32_t strategies[] = {CX_STRATEGY_RANDOM, CX_STRATEGY_PCT};
    for (int i = 0; i < 4; i++) {
        adder = wrong[i % 2];
        struct sched_counts counts = sched_explore(two_adders, strategies[i / 2], 150);
        assert_true(counts.of[CX_OUTCOME_INVARIANT] > 0);
        assert_true(counts.of[CX_OUTCOME_PASS] > 0);
        assert_int_equal(counts.of[CX_OUTCOME_INVARIANT] + counts.of[CX_OUTCOME_PASS], 150);
        adder = right[i % 2];
        assert_int_equal(sched_explore(two_adders, strategies[i / 2], 150).of[CX_OUTCOME_PASS], 150);
        assert_int_equal(*sched_note(0), 1);
    }
}

static int wants[2];
static int in_section;

static void *enter_by_flags(void *argument)
{
    int me = argument != NULL;
    __atomic_store_n(&wants[me], 1, __ATOMIC_SEQ_CST);
    if (!__atomic_load_n(&wants[!me], __ATOMIC_SEQ_CST)) {
        SCHED_CHECK(__atomic_fetch_add(&in_section, 1, __ATOMIC_SEQ_CST) == 0);
        __atomic_fetch_sub(&in_section, 1, __ATOMIC_SEQ_CST);
    }
    __atomic_store_n(&wants[me], 0, __ATOMIC_SEQ_CST);
    return NULL;
}

static void *enter_by_flags_checked_first(void *argument)
{
    int me = argument != NULL;
    if (!__atomic_load_n(&wants[!me], __ATOMIC_SEQ_CST)) {
        __atomic_store_n(&wants[me], 1, __ATOMIC_SEQ_CST);
        SCHED_CHECK(__atomic_fetch_add(&in_section, 1, __ATOMIC_SEQ_CST) == 0);
        __atomic_fetch_sub(&in_section, 1, __ATOMIC_SEQ_CST);
        __atomic_store_n(&wants[me], 0, __ATOMIC_SEQ_CST);
    }
    return NULL;
}

static void two_enter(void)
{
    pthread_t first = sched_spawn(adder, NULL);
    pthread_t second = sched_spawn(adder, &counter);
    sched_join(first);
    sched_join(second);
    *sched_note(0) = 1;
}

// Check then act: both look before either has said that it wants in. Said first, one at most comes in.
static void test_check_then_act_is_found_and_corrected_twin_passes(void **state)
{
    (void)state;
    adder = enter_by_flags_checked_first;
    struct sched_counts counts = sched_explore(two_enter, CX_STRATEGY_RANDOM, 200);
    assert_true(counts.of[CX_OUTCOME_INVARIANT] > 0);
    assert_int_equal(counts.of[CX_OUTCOME_INVARIANT] + counts.of[CX_OUTCOME_PASS], 200);
    adder = enter_by_flags;
    assert_int_equal(sched_explore(two_enter, CX_STRATEGY_RANDOM, 200).of[CX_OUTCOME_PASS], 200);
    assert_int_equal(sched_explore(two_enter, CX_STRATEGY_PCT, 200).of[CX_OUTCOME_PASS], 200);
    assert_int_equal(*sched_note(0), 1);
}

#define UNSEEN 1000

static _Atomic(uint64_t) relaxed_word;
static volatile uint64_t plain_word;

static void *store_once(void *unused)
{
    atomic_fetch_add(&relaxed_word, 1);
    return unused;
}

// Relaxed loads and stores, and plain ones, beside a thread that could run.
static void unseen_accesses(void)
{
    pthread_t other = sched_spawn(store_once, NULL);
    for (int i = 0; i < UNSEEN; i++) {
        atomic_store_explicit(&relaxed_word, atomic_load_explicit(&relaxed_word, memory_order_relaxed) + 1,
                              memory_order_relaxed);
        plain_word++;
    }
    sched_join(other);
}

// They are no points: a schedule has nothing to decide there. A seen operation in the same loop is one each time.
static void seen_operations(void)
{
    pthread_t other = sched_spawn(store_once, NULL);
    for (int i = 0; i < UNSEEN; i++) {
        atomic_fetch_add(&relaxed_word, 1);
        plain_word++;
    }
    sched_join(other);
}

static void test_relaxed_and_plain_accesses_are_no_points(void **state)
{
    (void)state;
    assert_in_range(sched_run_default(unseen_accesses)->choices, 1, UNSEEN / 10);
    assert_true(sched_run_default(seen_operations)->choices >= UNSEEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_are_right_at_every_width_and_order),
        cmocka_unit_test(test_values_are_right_without_control),
        cmocka_unit_test(test_sums_over_threads_are_right),
        cmocka_unit_test(test_lost_update_is_found_and_atomic_twins_pass),
        cmocka_unit_test(test_check_then_act_is_found_and_corrected_twin_passes),
        cmocka_unit_test(test_relaxed_and_plain_accesses_are_no_points),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

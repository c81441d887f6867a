// SPDX-License-Identifier: Apache-2.0
//
// The ends of a run that nobody asked for: what the parent still learns about them.
#include "harness/sched/sched.h"
#include "harness/tests/sched_case.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int reached;
static void *volatile nowhere;
static volatile int zero;
static volatile int large = 1000; // read each time: a constant would be divided without dividing
static void *(*end)(void *);

static void *by_segv(void *unused)
{
    *(volatile int *)nowhere = 1;
    return unused;
}

static void *by_division(void *unused)
{
    zero = large / zero;
    return unused;
}

static void *by_trap(void *unused)
{
    raise(SIGTRAP);
    return unused;
}

static void *by_abort(void *unused)
{
    (void)unused;
    abort();
}

static void *by_assert(void *unused)
{
    // What the macro of the same name becomes, NDEBUG or not.
    if (reached != 77) {
        __assert_fail("reached == 77", __FILE__, __LINE__, __func__);
    }
    return unused;
}

__attribute__((noinline)) static int dig(volatile char *above, int depth)
{
    volatile char here[512];
    here[0] = above != NULL ? above[0] : 1;
    // Never reached; the compiler must not know.
    return depth == zero - 1 ? 0 : dig(here, depth + 1) + here[0];
}

static void *by_stack_overflow(void *unused)
{
    reached = dig(NULL, 0);
    return unused;
}

static void *by_jump_to_nowhere(void *unused)
{
    void (*function)(void) = NULL;
    memcpy(&function, (const void *)&nowhere, sizeof(function));
    function();
    return unused;
}

// Without a frame of its own, as much of libc and of ThreadSanitizer's runtime.
int read_frameless(const volatile void *from);
__asm__(".text\n.type read_frameless,@function\nread_frameless:\n.cfi_startproc\nmovl (%rdi), %eax\nret\n"
        ".cfi_endproc\n.size read_frameless,.-read_frameless\n");

static void *by_frameless(void *unused)
{
    reached = read_frameless(nowhere);
    return unused;
}

static void *by_segv_with_a_broken_chain(void *unused)
{
    void **frame = __builtin_frame_address(0);
    frame[0] = (void *)(uintptr_t)0x1000; // the caller's frame: whoever looks there fails, too
    return by_segv(unused);
}

// A thread ends the run while another waits for a lock that main holds, and main waits for it.
static void *wait_for_mutex(void *unused)
{
    __atomic_store_n(&reached, 1, __ATOMIC_RELEASE);
    pthread_mutex_lock(&mutex);
    return unused;
}

static void ends_in_a_thread(void)
{
    pthread_mutex_lock(&mutex);
    sched_spawn(wait_for_mutex, NULL);
    while (!__atomic_load_n(&reached, __ATOMIC_ACQUIRE)) {
        sched_yield();
    }
    sched_yield();
    *sched_note(0) = 1;
    sched_join(sched_spawn(end, NULL));
    *sched_note(1) = 1;
}

static void ends_in_main(void)
{
    *sched_note(0) = 1;
    end(NULL);
    *sched_note(1) = 1;
}

static void ends_in_two_threads(void)
{
    pthread_t both[] = {sched_spawn(end, NULL), sched_spawn(end, NULL)};
    sched_join(both[0]);
    sched_join(both[1]);
}

static const struct cx_result *check_crash(void (*body)(void), int number, const char *message)
{
    const struct cx_result *result = sched_run_default(body);
    assert_int_equal(result->outcome, CX_OUTCOME_CRASH);
    assert_int_equal(result->complete, 1);
    assert_int_equal(result->signal, number);
    assert_string_equal(result->message, message);
    assert_int_equal(*sched_note(0), 1);
    assert_int_equal(*sched_note(1), 0);
    return result;
}

static void check_others_are_described(const struct cx_result *result)
{
    assert_int_equal(result->reports_count, 3);
    assert_int_equal(result->threads[0].op, CX_OP_THREAD_JOIN);
    assert_int_equal(result->threads[1].op, CX_OP_MUTEX_LOCK);
    assert_int_equal(result->threads[1].holder, CX_THREAD_KEY_MAIN);
    assert_int_equal(result->threads[2].current, 1);
    for (int i = 0; i < 3; i++) {
        assert_true(result->threads[i].stack.count > 1);
    }
}

static void test_fatal_signals_are_crashes(void **state)
{
    (void)state;
    static const struct {
        void *(*end)(void *);
        int number;
        const char *message;
    } crashes[] = {
        {by_segv, SIGSEGV, "SEGV"},
        {by_division, SIGFPE, "FPE"},
        {by_trap, SIGTRAP, "TRAP"},
        {by_abort, SIGABRT, "ABRT"},
    };
    for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++) {
        end = crashes[i].end;
        const struct cx_result *result = check_crash(ends_in_main, crashes[i].number, crashes[i].message);
        assert_true(result->stack.count > 1);
        result = check_crash(ends_in_a_thread, crashes[i].number, crashes[i].message);
        check_others_are_described(result);
    }
    nowhere = (void *)(uintptr_t)0x10;
    end = by_segv;
    assert_int_equal(check_crash(ends_in_main, SIGSEGV, "SEGV")->fault_address, 0x10);
    assert_true(sched_channel()->result.stack.pcs[0] - (uint64_t)(uintptr_t)by_segv < 64);
}

// Who called a function without a frame is on the stack.
static void test_caller_of_a_frameless_function(void **state)
{
    (void)state;
    nowhere = (void *)(uintptr_t)0x10;
    end = by_frameless;
    const struct cx_result *result = check_crash(ends_in_a_thread, SIGSEGV, "SEGV");
    assert_true(result->stack.count > 2);
    assert_true(result->stack.pcs[0] == (uint64_t)(uintptr_t)read_frameless);
    assert_true(result->stack.pcs[1] - (uint64_t)(uintptr_t)by_frameless < 64);
    check_others_are_described(result);
}

static void test_overwritten_stack_is_a_crash(void **state)
{
    (void)state;
    nowhere = (void *)(uintptr_t)0x10;
    end = by_segv_with_a_broken_chain;
    const struct cx_result *result = check_crash(ends_in_main, SIGSEGV, "SEGV");
    assert_int_equal(result->fault_address, 0x10);
    assert_in_range(result->stack.count, 2, 3);
}

// Nobody else goes on while a crash is written down: another one that ends the run would wait for the first for ever.
static void test_crash_is_no_point(void **state)
{
    (void)state;
    nowhere = (void *)(uintptr_t)0x10;
    end = by_segv;
    assert_int_equal(sched_explore(ends_in_two_threads, CX_STRATEGY_URW, 32).of[CX_OUTCOME_CRASH], 32);
}

static void test_jump_to_nowhere_has_a_stack(void **state)
{
    (void)state;
    nowhere = NULL;
    end = by_jump_to_nowhere;
    const struct cx_result *result = check_crash(ends_in_a_thread, SIGSEGV, "SEGV");
    assert_int_equal(result->fault_address, 0);
    check_others_are_described(result);
}

static void test_stack_overflow_is_a_crash(void **state)
{
    (void)state;
    end = by_stack_overflow;
    const struct cx_result *result = check_crash(ends_in_main, SIGSEGV, "SEGV");
    assert_int_equal(result->stack.count, CX_FRAMES_MAX);
    assert_int_equal(result->stack.truncated, 1);
    result = check_crash(ends_in_a_thread, SIGSEGV, "SEGV");
    check_others_are_described(result);
    assert_int_equal(result->stack.count, CX_FRAMES_MAX);
}

static void test_failed_assertion_has_text_and_location(void **state)
{
    (void)state;
    static void (*const bodies[])(void) = {ends_in_main, ends_in_a_thread};
    end = by_assert;
    for (int i = 0; i < 2; i++) {
        // The text also goes to standard error, as libc's does; nobody needs to see it here.
        int kept = dup(STDERR_FILENO);
        if (kept < 0) {
            fail_msg("standard error cannot be kept");
            return;
        }
        assert_non_null(freopen("/dev/null", "w", stderr));
        const struct cx_result *result = sched_run_default(bodies[i]);
        fflush(stderr);
        dup2(kept, STDERR_FILENO);
        close(kept);
        assert_int_equal(result->outcome, CX_OUTCOME_ASSERT);
        assert_int_equal(result->complete, 1);
        assert_string_equal(result->message, "reached == 77");
        assert_non_null(strstr(result->location, "test_sched_crash.c:"));
        assert_non_null(strstr(result->location, "by_assert"));
        assert_true(result->stack.count > 1);
        assert_int_equal(*sched_note(0), 1);
        assert_int_equal(*sched_note(1), 0);
    }
    check_others_are_described(&sched_channel()->result);
}

// A loop that passes no point: only the real-time watchdog can end it.
static void *by_uncontrolled_loop(void *unused)
{
    while (nowhere == unused) {
    }
    return unused;
}

static void test_uncontrolled_loop_is_a_hang(void **state)
{
    (void)state;
    static void (*const bodies[])(void) = {ends_in_main, ends_in_a_thread};
    nowhere = NULL;
    end = by_uncontrolled_loop;
    for (int i = 0; i < 2; i++) {
        struct cx_request request = {.strategy = CX_STRATEGY_REPLAY, .wall_ms_max = 1000};
        const struct cx_result *result = sched_run(bodies[i], &request);
        assert_int_equal(result->outcome, CX_OUTCOME_HANG);
        assert_int_equal(result->complete, 1);
        assert_int_equal(*sched_note(0), 1);
        // The stack is that of the thread that runs, not of whichever thread the kernel sent the alarm to.
        uint64_t offset = result->stack.pcs[0] - (uint64_t)(uintptr_t)by_uncontrolled_loop;
        assert_true(offset < 64);
    }
    check_others_are_described(&sched_channel()->result);
}

// The host looks into the program when a run ends (CPython's structures, say). Here it stumbles over what it finds.
static void *(*stumble)(void *);

void cx_host_describe_wait(struct cx_thread *thread, char *out, size_t out_bytes, uint32_t *holder_key)
{
    (void)thread;
    (void)holder_key;
    snprintf(out, out_bytes, "described");
    if (stumble != NULL) {
        stumble(NULL);
    }
}

static const struct cx_result *check_broken(void (*body)(void), enum cx_outcome outcome)
{
    static void *(*const ways[])(void *) = {by_segv, by_abort};
    const struct cx_result *result = NULL;
    for (int i = 0; i < 2; i++) {
        stumble = ways[i];
        result = sched_run_default(body);
        assert_int_equal(result->outcome, outcome);
        assert_int_equal(result->complete, 1);
    }
    stumble = NULL;
    return result;
}

static void pass_beside_a_waiter(void)
{
    pthread_mutex_lock(&mutex);
    sched_spawn(wait_for_mutex, NULL);
    while (!__atomic_load_n(&reached, __ATOMIC_ACQUIRE)) {
        sched_yield();
    }
    sched_yield();
}

static void lock_twice(void)
{
    pthread_mutex_lock(&mutex);
    pthread_mutex_lock(&mutex);
}

// Whoever describes the end is hit by a signal: the run is over at once. What was found stays found, and it is said
// that the description is not whole; a run of which nothing bad is known is the harness's own failure, not a finding.
static void test_end_that_fails_itself_is_an_end(void **state)
{
    (void)state;
    nowhere = NULL;
    end = by_segv;
    const struct cx_result *result = check_broken(ends_in_a_thread, CX_OUTCOME_CRASH);
    assert_int_equal(result->signal, SIGSEGV);
    assert_non_null(strstr(result->uncontrolled, "some of it is missing"));
    assert_true(result->stack.count > 1);
    assert_true(result->reports_count < 3);
    result = check_broken(lock_twice, CX_OUTCOME_DEADLOCK);
    assert_non_null(strstr(result->message, "no thread can ever run again"));
    assert_non_null(strstr(result->uncontrolled, "some of it is missing"));
    result = check_broken(pass_beside_a_waiter, CX_OUTCOME_ERROR);
    assert_non_null(strstr(result->message, "some of it is missing"));
    // And without a stumble, the same ends are whole.
    result = sched_run_default(ends_in_a_thread);
    check_others_are_described(result);
    assert_string_equal(result->threads[1].waits_for, "described");
    assert_string_equal(result->uncontrolled, "");
    assert_int_equal(sched_run_default(pass_beside_a_waiter)->outcome, CX_OUTCOME_PASS);
}

static void *by_exit(void *unused)
{
    (void)unused;
    exit(7);
}

static void *by_exit_at_once(void *unused)
{
    (void)unused;
    _exit(0);
}

static void *by_kill(void *unused)
{
    kill(getpid(), SIGKILL);
    return unused;
}

// The process ends before its run does: no verdict was written, and that is what the parent says.
static void test_exit_in_the_middle_is_not_complete(void **state)
{
    (void)state;
    static void (*const bodies[])(void) = {ends_in_main, ends_in_a_thread};
    for (int i = 0; i < 2; i++) {
        fflush(NULL);
        end = by_exit;
        const struct cx_result *result = sched_run_default(bodies[i]);
        assert_int_equal(result->complete, 0);
        assert_int_equal(result->outcome, CX_OUTCOME_EXIT);
        assert_int_equal(*sched_note(0), 1);
        end = by_exit_at_once;
        result = sched_run_default(bodies[i]);
        assert_int_equal(result->complete, 0);
        assert_int_equal(result->outcome, CX_OUTCOME_EXIT);
        end = by_kill;
        result = sched_run_default(bodies[i]);
        assert_int_equal(result->complete, 0);
        assert_int_equal(result->outcome, CX_OUTCOME_CRASH);
        assert_int_equal(*sched_note(1), 0);
    }
}

static void *add_badly(void *unused)
{
    int seen = __atomic_load_n(&reached, __ATOMIC_ACQUIRE);
    __atomic_store_n(&reached, seen + 1, __ATOMIC_RELEASE);
    return unused;
}

// Both threads load 0; the sum is 1, and main goes through a null pointer.
static void crash_by_schedule(void)
{
    pthread_t first = sched_spawn(add_badly, NULL);
    pthread_t second = sched_spawn(add_badly, NULL);
    sched_join(first);
    sched_join(second);
    if (reached != 2) {
        by_segv(NULL);
    }
}

static void test_crash_keeps_its_schedule(void **state)
{
    (void)state;
    nowhere = NULL;
    uint64_t fingerprint = sched_find(crash_by_schedule, CX_STRATEGY_RANDOM, CX_OUTCOME_CRASH, 500)->fingerprint;
    assert_true(sched_channel()->result.deviations_count > 0);
    for (int i = 0; i < 20; i++) {
        const struct cx_result *result = sched_replay(crash_by_schedule, 0);
        assert_int_equal(result->outcome, CX_OUTCOME_CRASH);
        assert_true(result->fingerprint == fingerprint);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fatal_signals_are_crashes),
        cmocka_unit_test(test_caller_of_a_frameless_function),
        cmocka_unit_test(test_overwritten_stack_is_a_crash),
        cmocka_unit_test(test_crash_is_no_point),
        cmocka_unit_test(test_jump_to_nowhere_has_a_stack),
        cmocka_unit_test(test_stack_overflow_is_a_crash),
        cmocka_unit_test(test_failed_assertion_has_text_and_location),
        cmocka_unit_test(test_uncontrolled_loop_is_a_hang),
        cmocka_unit_test(test_end_that_fails_itself_is_an_end),
        cmocka_unit_test(test_exit_in_the_middle_is_not_complete),
        cmocka_unit_test(test_crash_keeps_its_schedule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

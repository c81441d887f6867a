// SPDX-License-Identifier: Apache-2.0
//
// family: see family.h.
//
// Fork handlers do the work, so that those of the program run under the right name: ours are registered first, hence
// run last before the fork and first after it. Parent and child share one page of memory for each fork. In it the child
// says where it is, and leaves its scheduler's state, for the parent to go on from: the counts of steps go on, so does
// virtual time, and the child's threads stay on record. What else the scheduler keeps each process has for itself, from
// the fork on.
#include "harness/interpose/family.h"

#include "harness/host/run.h"
#include "harness/interpose/clock.h"
#include "harness/interpose/interpose.h"
#include "harness/interpose/shared.h"
#include "harness/interpose/signals.h"
#include "harness/sched/futex.h"
#include "harness/sched/state.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#define ADDRESS 0x561000000000ul // of the first one: far from all else, and no shadow of ThreadSanitizer
#define DISTANCE 0x10000000ul    // to the next
#define DEPTH_MAX 64             // forks within forks; past that a child is left alone
#define LOOK_NS 2000000          // real time between two looks at a child that says nothing

enum state {
    FOLLOWED = 0,
    EXECUTING, // it tries to become another program; `sched` is filled in
    ENDED,     // it is about to end; `sched` is filled in
    ALONE,     // its parent goes on; `sched` is filled in
};

struct family {
    uint32_t state;        // atomic: futex word, enum state
    int32_t pid;           // atomic: the child's, 0: not born yet
    struct cx_sched sched; // scheduler token: the child's, until `state` gives it away; its threads up to `count`
};

static struct family *expected; // owner thread only: between our fork handlers
static struct family *born;     // const after the fork: what this process shares with its parent, NULL: not followed
static int depth;               // const after the fork
static int waits;               // atomic: read by the watchdog
static int parted;              // scheduler token

int cx_family_is_child(void)
{
    return born != NULL;
}

int cx_family_depth(void)
{
    return depth;
}

int cx_family_waits(void)
{
    return __atomic_load_n(&waits, __ATOMIC_RELAXED);
}

int cx_family_parted(void)
{
    return parted;
}

static uint32_t state_of(const struct family *family)
{
    return __atomic_load_n(&family->state, __ATOMIC_ACQUIRE);
}

static int state_moves(struct family *family, uint32_t from, uint32_t to)
{
    return __atomic_compare_exchange_n(&family->state, &from, to, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

// ---- before the fork ----

static void before_fork(void)
{
    expected = NULL;
    if (cx_self == NULL || parted || !cx_sched.channel->subject.follow_forks || depth == DEPTH_MAX) {
        return;
    }
    cx__settle();
    // Raw, and at an address of its own: the program's memory must lie where it lies without us.
    void *wanted = (void *)(ADDRESS + (uintptr_t)depth * DISTANCE);
    long memory = cx_syscall6(SYS_mmap, (long)wanted, sizeof(struct family), PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (memory == (long)wanted) {
        expected = wanted;
    }
}

// ---- in the child ----

// Only the thread that forks is there; the others are where the fork left them, with what they hold.
static struct cx_thread *begin_alone(struct cx_thread *before)
{
    for (uint32_t i = 0; i < cx_sched.count; i++) {
        if (cx_sched.threads[i].status != CX_THREAD_EXITED) {
            cx_sched.threads[i].status = CX_THREAD_EXITED;
            cx_sched.threads[i].op = CX_OP_FORK; // reports tell them by that
        }
        cx_sched.threads[i].handle = 0;
    }
    cx_sched.runnable = 0;
    cx_sched.blocked = 0;
    cx_sched.timed = 0;
    cx_sched.retries = 0;
    cx_sched.wakeable = 0;
    cx_sched.dying_tid = 0;
    cx_sched.next_deadline_ns = CX_NO_DEADLINE;
    return cx_thread_forked(before);
}

static void begin_strategy(const struct cx_thread *self)
{
    if (cx_sched.channel->request.strategy == CX_STRATEGY_REPLAY) {
        return; // the plan goes on
    }
    cx_sched.choices_before = cx_sched.choices;
    cx_sched.prng.state = cx_prng_mix(cx_sched.prng.state ^ self->key);
    cx_sched.strategy->begin();
}

static void leave_alone(void)
{
    cx_playing = 0;
    cx_clock_real = 1;
    cx_sched_abandon();
    cx_crash_uninstall();
}

static void after_fork_in_child(void)
{
    struct cx_thread *before = cx_self;
    if (expected == NULL) {
        if (cx_playing || before != NULL) {
            leave_alone();
        }
        return;
    }
    born = expected;
    expected = NULL;
    depth++;
    __atomic_store_n(&born->pid, (int32_t)cx_syscall3(SYS_getpid, 0, 0, 0), __ATOMIC_RELEASE);
    cx_syscall6(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0, 0);
    struct cx_thread *self = begin_alone(before);
    self->handle = pthread_self();
    self->tid = (int32_t)cx_syscall3(SYS_gettid, 0, 0, 0);
    cx_lock_inherit(before, self);
    cx_await_forked();
    cx_signals_forked();
    cx_itimer_forked();
    cx_sched.current = self;
    cx_self = self;
    begin_strategy(self);
    cx_record_note(self, "begins as a forked process; its parent waits for it");
    cx_sched_thread_added(self);
    cx_crash_rearm();
}

static void give_back(void)
{
    cx__settle();
    memcpy(&born->sched, &cx_sched, offsetof(struct cx_sched, threads) + cx_sched.count * sizeof(struct cx_thread));
}

static void tell(uint32_t state)
{
    __atomic_store_n(&born->state, state, __ATOMIC_RELEASE);
    cx_syscall6(SYS_futex, (long)&born->state, FUTEX_WAKE, 1, 0, 0, 0);
}

void cx_family_leave(int status)
{
    if (!parted) {
        give_back();
        tell(ENDED);
    }
    cx_leave(status);
}

// From here on what this process writes down is for nobody; its threads stay under control.
static void go_private(void)
{
    struct cx_channel *channel = cx_sched.channel;
    parted = 1;
    cx_syscall6(SYS_mmap, (long)channel, sizeof(*channel), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED,
                CX_CHANNEL_FD, 0);
    channel->request.mode = 0;
    cx_sched.log = cx_sched.log_end;
    cx_playing = 0;
    cx_crash_uninstall();
}

void cx_family_part(void)
{
    if (born != NULL && !parted) {
        give_back();
        go_private();
        cx_await_outside();
        tell(ALONE);
    }
}

void cx_family_exec_begins(void)
{
    if (born == NULL && cx_playing) {
        cx_say_uncontrolled("the program that this one became by exec");
        cx_finish_executes();
    } else if (born != NULL && !parted) {
        give_back();
        cx_syscall6(SYS_prctl, PR_SET_PDEATHSIG, 0, 0, 0, 0, 0);
        tell(EXECUTING);
    }
}

void cx_family_exec_failed(void)
{
    if (born == NULL && cx_playing) {
        cx_sched.channel->result.executed = 0;
    }
    if (born == NULL || parted) {
        return;
    }
    if (!state_moves(born, EXECUTING, FOLLOWED)) { // its parent thought that it had become another
        go_private();
    }
    cx_syscall6(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0, 0);
}

// ---- in the parent ----

// 0: the fork failed, there is no child.
static int await_birth(const struct family *child)
{
    while (__atomic_load_n(&child->pid, __ATOMIC_ACQUIRE) == 0) {
        siginfo_t info = {.si_pid = 0};
        if (cx_syscall6(SYS_waitid, P_ALL, 0, (long)&info, WEXITED | WNOHANG | WNOWAIT, 0, 0) == -ECHILD) {
            return 0;
        }
        cx_syscall3(SYS_sched_yield, 0, 0, 0);
    }
    return 1;
}

static int has_died(int32_t pid, int options)
{
    siginfo_t info = {.si_pid = 0};
    long result;
    do {
        result = cx_syscall6(SYS_waitid, P_PID, pid, (long)&info, WEXITED | WNOWAIT | options, 0, 0);
    } while (result == -EINTR);
    return result != 0 || info.si_pid != 0;
}

// Our descriptors close when another program takes over.
static int has_executed(int32_t pid)
{
    char path[64];
    char there[8];
    snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, CX_CHANNEL_FD);
    return cx_syscall3(SYS_readlink, (long)path, (long)there, sizeof(there)) < 0;
}

static uint32_t await_end(struct family *child)
{
    const struct timespec look = {.tv_nsec = LOOK_NS};
    for (;;) {
        uint32_t state = state_of(child);
        if (state >= ENDED) {
            return state;
        }
        if (__atomic_load_n(&cx_sched.channel->result.complete, __ATOMIC_ACQUIRE)) {
            cx_leave(0); // it has ended the run
        }
        if (has_died(child->pid, WNOHANG)) {
            return state_of(child);
        }
        if (state == EXECUTING && has_executed(child->pid) && state_moves(child, EXECUTING, ALONE)) {
            return ALONE;
        }
        cx_syscall6(SYS_futex, (long)&child->state, FUTEX_WAIT, state, (long)&look, 0, 0);
    }
}

static void take_over(const struct family *child)
{
    const struct cx_sched *from = &child->sched;
    uint32_t first = cx_sched.count - 1; // its main thread, which has a record here, too
    cx_sched.steps = from->steps;
    cx_sched.choices = from->choices;
    cx_sched.switches = from->switches;
    cx_sched.preemptions = from->preemptions;
    cx_sched.leap_ns = from->leap_ns;
    cx_sched.fingerprint = from->fingerprint;
    cx_sched.plan_met = from->plan_met;
    cx_sched.log = from->log;
    cx_sched.log_block_left = from->log_block_left;
    memcpy(&cx_sched.threads[first], &from->threads[first], (from->count - first) * sizeof(struct cx_thread));
    for (uint32_t i = first; i < from->count; i++) {
        cx_sched.threads[i].status = CX_THREAD_EXITED;
        cx_sched.threads[i].op = CX_OP_THREAD_EXIT;
        cx_sched.threads[i].handle = 0;
        cx_sched.threads[i].frame = NULL;
    }
    cx_sched.count = from->count;
}

static void after_fork_in_parent(void)
{
    struct family *child = expected;
    struct cx_thread *self = cx_self;
    expected = NULL;
    if (child == NULL) {
        if (self != NULL) {
            cx_say_uncontrolled("a process that the program has forked");
            cx_await_outside();
        }
        return;
    }
    if (await_birth(child)) {
        cx_thread_forked(self)->status = CX_THREAD_EXITED;
        __atomic_store_n(&waits, 1, __ATOMIC_RELAXED);
        uint32_t state = await_end(child);
        __atomic_store_n(&waits, 0, __ATOMIC_RELAXED);
        if (state != FOLLOWED) {
            take_over(child);
        } else {
            cx_say_uncontrolled("how a forked process died");
        }
        if (state == ALONE || state == EXECUTING) {
            cx_say_uncontrolled("a forked process that became another program, or waited for its parent");
        }
        if (state == ALONE) {
            cx_await_outside();
        } else {
            has_died(child->pid, 0);
        }
        cx_shared_wake();
        cx_poll_progress();
        cx__arm(self);
    }
    cx_syscall3(SYS_munmap, (long)child, sizeof(*child), 0);
}

void cx_family_init(void)
{
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

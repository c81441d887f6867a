// SPDX-License-Identifier: Apache-2.0
//
// thread: making and ending controlled threads.
//
// A thread is known by its path (main.2.1: first child of the second child of main), so that it has the same name in
// every schedule. Its end is the end of its last destructor: a key of our own comes round in every round of POSIX's
// thread-specific destructors, and gives the token away in the last one. glibc goes through the keys in ascending order
// in every round; ours is the last of those that it keeps without allocating, so that a destructor that sets its own
// key again is under control in the last round, too. (ThreadSanitizer ends its own thread state with the same trick,
// which is why nothing instrumented may run after that.)
//
// ThreadSanitizer soon forgets where a thread that has ended was, and a race whose one side it cannot name is not
// reported: any other thread that goes on for long takes the memory of its history. Native threads that end race with
// what happens at the same time; ours, one at a time, with what comes long after. So there a thread whose destructors
// are all done gives the token away and *lingers*, before ThreadSanitizer ends it, until it is joined. So it does under
// AddressSanitizer, whose caches of freed memory would else go back to the allocator beside whoever runs then.
#include "harness/interpose/real.h"
#include "harness/sanitizers.h"
#include "harness/sched/again.h"
#include "harness/sched/fiber.h"
#include "harness/sched/futex.h"
#include "harness/sched/sched.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

extern void *__libc_stack_end; // where the main thread's stack begins; the dynamic loader's

#define SANITIZED (CX_ASAN || CX_TSAN)
#define LINGER_MAX 64  // threads; each keeps its stack and its history
#define INLINE_KEYS 32 // glibc's PTHREAD_KEY_2NDLEVEL_SIZE: further keys cost each thread an allocation

static pthread_key_t end_key;                  // const after init
static struct cx_channel *begin_with_a_thread; // owner thread only: main, before control

static uint32_t keys_in_use(void)
{
    uint32_t count = 0;
    for (pthread_key_t key = 0; key < PTHREAD_KEYS_MAX; key++) {
        count += pthread_getspecific(key) != NULL;
    }
    return count;
}

static void let_go(struct cx_thread *thread)
{
    if (thread->lingers) {
        thread->lingers = 0;
        __atomic_store_n(&thread->leave, 1, __ATOMIC_RELEASE);
        cx_futex_wake(&thread->leave);
    }
}

// One more is about to linger. The thread that has to leave for it, or NULL.
static struct cx_thread *one_too_many(void)
{
    struct cx_thread *oldest = NULL;
    uint32_t count = 0;
    for (uint32_t i = cx_sched.count; i-- > 1;) {
        if (cx_sched.threads[i].lingers) {
            oldest = &cx_sched.threads[i];
            count++;
        }
    }
    return count >= LINGER_MAX ? oldest : NULL;
}

static void linger(struct cx_thread *self)
{
    struct cx_thread *leaves = one_too_many();
    if (leaves != NULL) {
        let_go(leaves);
    }
    self->lingers = 1;
    cx_thread_finish(self, leaves != NULL ? leaves->tid : 0);
    // A signal for the process is for those that still run.
    uint64_t all = ~0ULL;
    cx_syscall6(SYS_rt_sigprocmask, SIG_BLOCK, (long)&all, 0, sizeof(all), 0, 0);
    while (__atomic_load_n(&self->leave, __ATOMIC_ACQUIRE) == 0) {
        cx_futex_wait(&self->leave, 0);
    }
}

static void end_round(void *value)
{
    uintptr_t rounds_left = (uintptr_t)value;
    struct cx_thread *self = cx_self;
    int may_linger = SANITIZED && self != NULL && self->index > 0 && self->fiber == NULL;
    int lingers = may_linger && rounds_left > 1 && keys_in_use() == self->keys;
    if (rounds_left > 1 && !lingers) {
        cx_real.pthread_setspecific(end_key, (void *)(rounds_left - 1));
        return;
    }
    if (self == NULL) {
        return;
    }
    if (self->detached) {
        // libc may give the handle to another thread as soon as this one is gone.
        self->handle = 0;
    }
    if (self->fiber != NULL) {
        cx_fiber_retire(self->fiber); // libc is at work on its stack, and will not come back
    }
    if (lingers) {
        linger(self);
    } else {
        // The main thread's kernel thread lives as long as the process: nobody may wait for its end.
        cx_thread_finish(self, self->index == 0 || self->fiber != NULL ? 0 : self->tid);
    }
}

void cx_thread_init_key(void)
{
    pthread_key_t before[INLINE_KEYS];
    uint32_t count = 0;
    cx_real_load();
    while (cx_real.pthread_key_create(&end_key, end_round) == 0 && end_key < INLINE_KEYS - 1) {
        before[count++] = end_key;
    }
    while (count > 0) {
        cx_real.pthread_key_delete(before[--count]);
    }
}

static struct cx_thread *thread_new(struct cx_thread *parent)
{
    if (cx_sched.count == CX_THREADS_MAX) {
        return NULL;
    }
    struct cx_thread *thread = &cx_sched.threads[cx_sched.count];
    memset(thread, 0, sizeof(*thread));
    thread->index = cx_sched.count;
    thread->deadline_ns = CX_NO_DEADLINE;
    thread->spin.both = CX_SPIN_RESET;
    thread->quantum = cx_quantum(CX_QUANTUM_MAX);
    if (parent == NULL) {
        thread->key = CX_THREAD_KEY_MAIN;
        snprintf(thread->path, sizeof(thread->path), "main");
    } else {
        parent->children++;
        thread->parent = parent->index;
        thread->key = cx_thread_key(parent->key, parent->children);
        int chars = snprintf(thread->path, sizeof(thread->path), "%.36s.%u", parent->path, parent->children);
        if (chars >= (int)sizeof(thread->path) || strlen(parent->path) > 36) {
            snprintf(thread->path, sizeof(thread->path), "#%08x", thread->key);
        }
    }
    if (cx_thread_by_key(thread->key) != NULL) {
        cx_finish(CX_OUTCOME_ERROR, "two threads have the same key (a hash collision of 1 in 2^32)", thread->path);
    }
    cx_sched.count++;
    return thread;
}

struct cx_thread *cx_thread_adopt_main(void)
{
    struct cx_thread *thread = thread_new(NULL);
    thread->handle = pthread_self();
    thread->stack_end = (uintptr_t)__libc_stack_end;
    thread->tid = (int32_t)cx_syscall3(SYS_gettid, 0, 0, 0);
    snprintf(thread->name, sizeof(thread->name), "main");
    cx_real.pthread_setspecific(end_key, (void *)(uintptr_t)PTHREAD_DESTRUCTOR_ITERATIONS);
    thread->fiber = cx_fibers_on() ? cx_fiber_main() : NULL;
    cx_sched_thread_added(thread);
    return thread;
}

struct cx_thread *cx_thread_forked(struct cx_thread *parent)
{
    struct cx_thread *thread = thread_new(parent);
    if (thread == NULL) {
        cx_finish(CX_OUTCOME_ERROR, "a fork after the last thread that can be controlled", parent->path);
    }
    thread->stack_end = parent->stack_end;
    thread->detached = parent->detached;
    snprintf(thread->name, sizeof(thread->name), "forked");
    return thread;
}

void cx_sched_begin_later(struct cx_channel *channel)
{
    begin_with_a_thread = channel;
}

struct cx_thread *cx_sched_begin_due(void)
{
    struct cx_channel *channel = begin_with_a_thread;
    if (channel != NULL) {
        begin_with_a_thread = NULL;
        cx_sched_begin(channel);
    }
    return cx_self;
}

void cx_sched_abandon(void)
{
    begin_with_a_thread = NULL;
    cx_self = NULL;
    cx_sched.active = 0;
    cx_sched.current = NULL;
}

struct cx_thread *cx_thread_by_key(uint32_t key)
{
    for (uint32_t i = 0; i < cx_sched.count; i++) {
        if (cx_sched.threads[i].key == key) {
            return &cx_sched.threads[i];
        }
    }
    return NULL;
}

struct cx_thread *cx_thread_find(pthread_t handle)
{
    // Handles are used again after a join, so the youngest match is meant.
    for (uint32_t i = cx_sched.count; i-- > 0;) {
        struct cx_thread *thread = &cx_sched.threads[i];
        if (thread->handle == handle) {
            return thread;
        }
    }
    return NULL;
}

static void *trampoline(void *argument)
{
    struct cx_thread *self = argument;
    struct cx_fiber *fiber = self->fiber;
    self->tid = (int32_t)cx_syscall3(SYS_gettid, 0, 0, 0);
    self->keys = SANITIZED ? keys_in_use() : 0; // the sanitizer's
    cx_real.pthread_setspecific(end_key, (void *)(uintptr_t)PTHREAD_DESTRUCTOR_ITERATIONS);
    if (fiber != NULL) {
        cx_fiber_stay(fiber);
    } else {
        cx_crash_thread_init(self->index);
        cx_handoff_first(self);
    }
    for (;;) {
        self = fiber != NULL ? cx_fiber_thread(fiber) : self;
        self->stack_end = (uintptr_t)__builtin_frame_address(0);
        cx_self = self;
        self->stop_at = self->points + 1;
        cx_step(self, CX_OP_THREAD_START, self, __builtin_return_address(0));
        void *result = self->body(self->argument);
        self->result = result;
        if (fiber == NULL || !cx_fiber_reusable(self)) {
            return result;
        }
        if (self->detached) {
            self->handle = 0;
            cx_fiber_let_go(fiber);
        }
        cx_thread_finish(self, 0);
    }
}

// A fiber can be used again if its thread has libc's own attributes. That it is detached is our business alone.
static int are_usual(const pthread_attr_t *attributes, int detached)
{
    pthread_attr_t usual;
    memset(&usual, 0, sizeof(usual));
    pthread_attr_init(&usual);
    pthread_attr_setdetachstate(&usual, detached ? PTHREAD_CREATE_DETACHED : PTHREAD_CREATE_JOINABLE);
    int same = attributes == NULL || memcmp(usual.__size, attributes->__size, sizeof(usual.__size)) == 0;
    pthread_attr_destroy(&usual);
    return same;
}

static int make_fiber(struct cx_thread *thread, const pthread_attr_t *attributes)
{
    int plain = are_usual(attributes, thread->detached);
    thread->fiber = plain ? cx_fiber_take(thread) : NULL;
    if (thread->fiber != NULL) {
        thread->handle = cx_fiber_handle(thread->fiber);
        return 0;
    }
    thread->fiber = cx_fiber_new(thread, plain);
    int error = EAGAIN;
    if (thread->fiber != NULL) {
        error = cx_real.pthread_create(&thread->handle, attributes, trampoline, thread);
    }
    if (error == 0) {
        cx_fiber_await(thread->fiber, thread->handle);
    } else if (thread->fiber != NULL) {
        cx_fiber_drop(thread->fiber);
    }
    return error;
}

static int make_thread(struct cx_thread *thread, const pthread_attr_t *attributes)
{
    if (cx_fibers_on()) {
        int error = make_fiber(thread, attributes);
        thread->tid = cx_sched.threads[0].tid; // whoever runs, runs there
        return error;
    }
    int error = cx_real.pthread_create(&thread->handle, attributes, trampoline, thread);
    if (error == 0) {
        // Its start-up in libc must not run beside us, or addresses would depend on luck.
        cx_handoff_await_start(thread);
    }
    return error;
}

int cx_thread_create(struct cx_thread *self, pthread_t *handle, const pthread_attr_t *attributes, void *(*body)(void *),
                     void *argument, const char *name)
{
    struct cx_thread *thread = thread_new(self);
    if (thread == NULL) {
        return EAGAIN;
    }
    thread->body = body;
    thread->argument = argument;
    snprintf(thread->name, sizeof(thread->name), "%s", name);
    int detach_state = PTHREAD_CREATE_JOINABLE;
    if (attributes != NULL) {
        pthread_attr_getdetachstate(attributes, &detach_state);
    }
    thread->detached = detach_state == PTHREAD_CREATE_DETACHED;
    int error = make_thread(thread, attributes);
    if (error != 0) {
        // Still the youngest: nobody else has run.
        cx_sched.count--;
        self->children--;
        return error;
    }
    *handle = thread->handle;
    cx_sched_thread_added(thread);
    return 0;
}

int cx_thread_reap(struct cx_thread *thread, void **result)
{
    int error = 0;
    if (thread->fiber == NULL) {
        let_go(thread);
        error = cx_real.pthread_join(thread->handle, result);
    } else {
        cx_fiber_let_go(thread->fiber);
        if (result != NULL) {
            *result = thread->result;
        }
    }
    thread->handle = 0;
    return error;
}

int cx_thread_detach(struct cx_thread *thread)
{
    int error = thread->detached ? EINVAL : 0;
    if (thread->fiber == NULL) {
        error = cx_real.pthread_detach(thread->handle);
    } else if (error == 0 && thread->status == CX_THREAD_EXITED) {
        cx_fiber_let_go(thread->fiber);
    }
    if (error == 0) {
        thread->detached = 1;
        if (thread->status == CX_THREAD_EXITED) {
            thread->handle = 0;
        }
    }
    return error;
}

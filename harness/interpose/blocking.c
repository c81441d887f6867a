// SPDX-License-Identifier: Apache-2.0
//
// blocking: calls that give the processor away or never come back: sched_yield, and poll, select and epoll_wait
// in all their forms. Whether descriptors are ready is asked with raw system calls, also by other threads (await.c);
// the call itself is made by its own thread when it is.
#include "harness/interpose/interpose.h"
#include "harness/sched/futex.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/epoll.h>

#define CENTURY_S 3200000000

// Overridden where there are actors (harness/host/play.c).
__attribute__((weak)) void cx_actor_parks(void)
{
}

int sched_yield(void)
{
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        return cx_the_real()->sched_yield();
    }
    cx_yield(self, CX_OP_YIELD, NULL, CX_CALLER);
    return 0;
}

static uint64_t deadline_after_ms(int timeout_ms)
{
    return timeout_ms < 0 ? CX_NO_DEADLINE : cx_now_ns() + (uint64_t)timeout_ms * 1000000;
}

// 0 with the deadline, or -1 with errno.
static int deadline_after(int64_t seconds, int64_t ns, uint64_t *deadline_ns)
{
    if (seconds < 0 || ns < 0 || ns >= 1000000000) {
        errno = EINVAL;
        return -1;
    }
    *deadline_ns =
        seconds >= CENTURY_S ? CX_NO_DEADLINE : cx_now_ns() + (uint64_t)seconds * 1000000000ULL + (uint64_t)ns;
    return 0;
}

struct poll_question {
    const struct pollfd *descriptors;
    nfds_t count;
};

static int poll_over(void *argument)
{
    const struct poll_question *question = argument;
    struct pollfd copies[64];
    nfds_t done = 0;
    while (done < question->count) {
        nfds_t part = 0;
        for (; part < 64 && done + part < question->count; part++) {
            copies[part] = question->descriptors[done + part];
        }
        if (cx_syscall3(SYS_poll, (long)copies, (long)part, 0) > 0) {
            return 1;
        }
        done += part;
    }
    return 0;
}

static int poll_until(struct cx_thread *self, struct pollfd *descriptors, nfds_t count, uint64_t deadline_ns,
                      const void *caller)
{
    struct poll_question question = {.descriptors = descriptors, .count = count};
    if (cx_await(self, CX_OP_POLL, deadline_ns, poll_over, &question, caller) < 0) {
        return -1;
    }
    return cx_real.poll(descriptors, count, 0);
}

int poll(struct pollfd *descriptors, nfds_t count, int timeout_ms)
{
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        return cx_the_real()->poll(descriptors, count, timeout_ms);
    }
    return poll_until(self, descriptors, count, deadline_after_ms(timeout_ms), CX_CALLER);
}

int ppoll(struct pollfd *descriptors, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
    struct cx_thread *self = cx_self;
    uint64_t deadline_ns = CX_NO_DEADLINE;
    if (self == NULL) {
        return cx_the_real()->ppoll(descriptors, count, timeout, mask);
    }
    if (timeout != NULL && deadline_after(timeout->tv_sec, timeout->tv_nsec, &deadline_ns) != 0) {
        return -1;
    }
    return poll_until(self, descriptors, count, deadline_ns, CX_CALLER);
}

struct select_question {
    int count;
    fd_set *sets[3];  // the caller's
    fd_set wanted[3]; // what it asked for
};

static int select_over(void *argument)
{
    const struct select_question *question = argument;
    fd_set copies[3] = {question->wanted[0], question->wanted[1], question->wanted[2]};
    struct timeval zero = {0, 0};
    return cx_syscall6(SYS_select, question->count, question->sets[0] != NULL ? (long)&copies[0] : 0,
                       question->sets[1] != NULL ? (long)&copies[1] : 0,
                       question->sets[2] != NULL ? (long)&copies[2] : 0, (long)&zero, 0) != 0;
}

static int select_until(struct cx_thread *self, int count, fd_set *sets[3], uint64_t deadline_ns, const void *caller)
{
    struct select_question question = {.count = count, .sets = {sets[0], sets[1], sets[2]}};
    struct timeval zero = {0, 0};
    for (int i = 0; i < 3; i++) {
        if (sets[i] != NULL) {
            question.wanted[i] = *sets[i];
        }
    }
    if (cx_await(self, CX_OP_POLL, deadline_ns, select_over, &question, caller) < 0) {
        return -1;
    }
    return cx_real.select(count, sets[0], sets[1], sets[2], &zero);
}

int select(int count, fd_set *restrict readable, fd_set *restrict writable, fd_set *restrict exceptional,
           struct timeval *restrict timeout)
{
    struct cx_thread *self = cx_self;
    uint64_t deadline_ns = CX_NO_DEADLINE;
    if (self == NULL) {
        return cx_the_real()->select(count, readable, writable, exceptional, timeout);
    }
    if (timeout != NULL && timeout->tv_usec > 999999) { // libc carries it over
        timeout->tv_sec += timeout->tv_usec / 1000000;
        timeout->tv_usec %= 1000000;
    }
    if (timeout != NULL && deadline_after(timeout->tv_sec, timeout->tv_usec * 1000, &deadline_ns) != 0) {
        return -1;
    }
    return select_until(self, count, (fd_set *[3]){readable, writable, exceptional}, deadline_ns, CX_CALLER);
}

int pselect(int count, fd_set *restrict readable, fd_set *restrict writable, fd_set *restrict exceptional,
            const struct timespec *restrict timeout, const sigset_t *restrict mask)
{
    struct cx_thread *self = cx_self;
    uint64_t deadline_ns = CX_NO_DEADLINE;
    if (self == NULL) {
        return cx_the_real()->pselect(count, readable, writable, exceptional, timeout, mask);
    }
    if (timeout != NULL && deadline_after(timeout->tv_sec, timeout->tv_nsec, &deadline_ns) != 0) {
        return -1;
    }
    return select_until(self, count, (fd_set *[3]){readable, writable, exceptional}, deadline_ns, CX_CALLER);
}

// An epoll instance is readable when it has an event; asking so takes none away.
int epoll_wait(int instance, struct epoll_event *events, int count, int timeout_ms)
{
    struct cx_thread *self = cx_self;
    struct pollfd itself = {.fd = instance, .events = POLLIN};
    struct poll_question question = {.descriptors = &itself, .count = 1};
    if (self == NULL) {
        return cx_the_real()->epoll_wait(instance, events, count, timeout_ms);
    }
    if (cx_await(self, CX_OP_POLL, deadline_after_ms(timeout_ms), poll_over, &question, CX_CALLER) < 0) {
        return -1;
    }
    return cx_real.epoll_wait(instance, events, count, 0);
}

int epoll_pwait(int instance, struct epoll_event *events, int count, int timeout_ms, const sigset_t *mask)
{
    if (cx_self == NULL) {
        return cx_the_real()->epoll_pwait(instance, events, count, timeout_ms, mask);
    }
    return epoll_wait(instance, events, count, timeout_ms);
}

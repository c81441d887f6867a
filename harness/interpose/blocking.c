// SPDX-License-Identifier: Apache-2.0
//
// blocking: calls that give the processor away or never come back: sched_yield, pause, and poll and select where they
// only wait for time to pass. A controlled thread that polls real descriptors gives its turn away between looks; what
// other I/O blocks in the kernel is not under control, and the watchdog says so.
#include "harness/interpose/interpose.h"
#include "harness/interpose/native.h"

#include <errno.h>
#include <stddef.h>

#define CENTURY_S 3200000000
#define POLL_SLICE_NS 1000000 // how long a descriptor is left alone between two looks, in virtual time, at least
#define POLL_LOOKS_MAX 1024   // looks in one call that has a timeout

int sched_yield(void)
{
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        return cx_the_real()->sched_yield();
    }
    cx_yield(self, CX_OP_YIELD, NULL, CX_CALLER);
    return 0;
}

int pause(void)
{
    struct cx_thread *self = cx_self;
    cx_actor_parks();
    if (self != NULL) {
        cx_park(self, CX_CALLER);
    }
    return cx_the_real()->pause();
}

// Wait for a look to succeed or for the time to pass. `look` returns what the real call returned with a timeout of 0.
static int look_until(struct cx_thread *self, uint64_t wait_ns, int (*look)(void *), void *argument, const void *caller)
{
    cx_step(self, CX_OP_POLL, argument, caller);
    int endless = wait_ns == CX_NO_DEADLINE;
    uint64_t deadline_ns = endless ? CX_NO_DEADLINE : cx_now_ns() + wait_ns;
    uint64_t slice_ns = endless || wait_ns / POLL_LOOKS_MAX < POLL_SLICE_NS ? POLL_SLICE_NS : wait_ns / POLL_LOOKS_MAX;
    for (;;) {
        int result = look(argument);
        uint64_t now = cx_now_ns();
        if (result != 0 || now >= deadline_ns) {
            return result;
        }
        // Looks of a call that comes back by itself are no polling.
        self->sliced = !endless && now + slice_ns < deadline_ns;
        cx_block(self, CX_OP_POLL, argument, now + slice_ns < deadline_ns ? now + slice_ns : deadline_ns, caller);
        self->sliced = 0;
    }
}

struct poll_look {
    struct pollfd *descriptors;
    nfds_t count;
};

static int poll_now(void *argument)
{
    const struct poll_look *look = argument;
    return cx_real.poll(look->descriptors, look->count, 0);
}

int poll(struct pollfd *descriptors, nfds_t count, int timeout_ms)
{
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        return cx_the_real()->poll(descriptors, count, timeout_ms);
    }
    struct poll_look look = {.descriptors = descriptors, .count = count};
    uint64_t wait_ns = timeout_ms < 0 ? CX_NO_DEADLINE : (uint64_t)timeout_ms * 1000000;
    return look_until(self, wait_ns, poll_now, &look, CX_CALLER);
}

struct select_look {
    int count;
    fd_set *sets[3];  // the caller's
    fd_set wanted[3]; // what it asked for
};

static int select_now(void *argument)
{
    struct select_look *look = argument;
    struct timeval zero = {0, 0};
    for (int i = 0; i < 3; i++) {
        if (look->sets[i] != NULL) {
            *look->sets[i] = look->wanted[i];
        }
    }
    return cx_real.select(look->count, look->sets[0], look->sets[1], look->sets[2], &zero);
}

int select(int count, fd_set *restrict readable, fd_set *restrict writable, fd_set *restrict exceptional,
           struct timeval *restrict timeout)
{
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        return cx_the_real()->select(count, readable, writable, exceptional, timeout);
    }
    struct select_look look = {.count = count, .sets = {readable, writable, exceptional}};
    for (int i = 0; i < 3; i++) {
        if (look.sets[i] != NULL) {
            look.wanted[i] = *look.sets[i];
        }
    }
    uint64_t wait_ns = CX_NO_DEADLINE;
    if (timeout != NULL && (timeout->tv_sec < 0 || timeout->tv_usec < 0)) {
        errno = EINVAL;
        return -1;
    }
    if (timeout != NULL && timeout->tv_sec < CENTURY_S) {
        wait_ns = (uint64_t)timeout->tv_sec * 1000000000ULL + (uint64_t)timeout->tv_usec * 1000;
    }
    return look_until(self, wait_ns, select_now, &look, CX_CALLER);
}

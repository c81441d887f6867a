// SPDX-License-Identifier: Apache-2.0
//
// time: clocks and sleeps. While a run is controlled, time is virtual (harness/sched/sched.h). Before that, in the
// start-up of a runner, clocks are a counter: start-up must leave the same heap every time. Only the child that plays a
// native run sees real time.
#include "harness/interpose/interpose.h"
#include "harness/interpose/clock.h"

#include <errno.h>
#include <stddef.h>

#define NS_PER_S 1000000000ULL
// Where virtual clocks begin: some machine that has been up for a day, on 2026-01-01 00:00:00 UTC.
#define MONOTONIC_BASE_NS (86400 * NS_PER_S)
#define REALTIME_BASE_NS (1767225600 * NS_PER_S)
#define STARTUP_TICK_NS 1000
#define CENTURY_S 3200000000

int cx_clock_real;          // const after init: 1 in the child that plays a native run
int cx_idle;                // const after init
static uint64_t startup_ns; // single-threaded start-up, then const

static int is_realtime(clockid_t clock)
{
    return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_TAI;
}

static uint64_t base_ns(clockid_t clock)
{
    return (is_realtime(clock) ? REALTIME_BASE_NS : MONOTONIC_BASE_NS) + startup_ns;
}

static uint64_t virtual_ns(clockid_t clock, const void *caller)
{
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        startup_ns += cx_sched.active ? 0 : STARTUP_TICK_NS;
        return base_ns(clock) + (cx_sched.active ? cx_now_ns() : 0);
    }
    cx_clock_read(self, caller);
    return base_ns(clock) + cx_now_ns();
}

static struct timespec timespec_of(uint64_t ns)
{
    return (struct timespec){.tv_sec = (time_t)(ns / NS_PER_S), .tv_nsec = (long)(ns % NS_PER_S)};
}

static uint64_t ns_of(const struct timespec *time)
{
    return (uint64_t)time->tv_sec * NS_PER_S + (uint64_t)time->tv_nsec;
}

// As clock_gettime judges ids: the fixed clocks, and those of processes and threads, which are negative. What looks
// like a descriptor (dynamic clocks) is none of ours.
static int clock_valid(clockid_t clock)
{
    return clock >= 0 ? clock <= CLOCK_TAI : (clock & 3) != 3;
}

int cx_timespec_valid(const struct timespec *time)
{
    return time->tv_nsec >= 0 && time->tv_nsec < (long)NS_PER_S;
}

// Virtual nanoseconds of the run at which a wait of this length is over. Longer than a century is for ever.
static uint64_t deadline_after(const struct timespec *wanted)
{
    return wanted->tv_sec > CENTURY_S ? CX_NO_DEADLINE : cx_now_ns() + ns_of(wanted);
}

uint64_t cx_deadline_of(clockid_t clock, const struct timespec *absolute)
{
    if (absolute == NULL) {
        return CX_NO_DEADLINE;
    }
    uint64_t base = base_ns(clock);
    uint64_t at = absolute->tv_sec < 0 ? 0 : ns_of(absolute);
    if (absolute->tv_sec > 0 && (uint64_t)absolute->tv_sec > base / NS_PER_S + CENTURY_S) {
        return CX_NO_DEADLINE;
    }
    return at > base ? at - base : 0;
}

int clock_gettime(clockid_t clock, struct timespec *out)
{
    if (cx_clock_real) {
        return cx_the_real()->clock_gettime(clock, out);
    }
    if (!clock_valid(clock)) {
        errno = EINVAL;
        return -1;
    }
    *out = timespec_of(virtual_ns(clock, CX_CALLER));
    return 0;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    if (cx_clock_real) {
        return cx_the_real()->gettimeofday(out, zone);
    }
    uint64_t ns = virtual_ns(CLOCK_REALTIME, CX_CALLER);
    *out = (struct timeval){.tv_sec = (time_t)(ns / NS_PER_S), .tv_usec = (suseconds_t)(ns % NS_PER_S / 1000)};
    return 0;
}

time_t time(time_t *out)
{
    if (cx_clock_real) {
        return cx_the_real()->time(out);
    }
    time_t seconds = (time_t)(virtual_ns(CLOCK_REALTIME, CX_CALLER) / NS_PER_S);
    if (out != NULL) {
        *out = seconds;
    }
    return seconds;
}

// Start-up under a virtual clock: nobody else could do anything meanwhile.
static int sleep_at_startup(uint64_t ns)
{
    if (cx_clock_real || cx_sched.active) {
        return 0;
    }
    startup_ns += ns;
    return 1;
}

// Returns what is left of it if a signal came, else 0.
static uint64_t sleep_until(struct cx_thread *self, uint64_t deadline_ns, const void *caller)
{
    cx_step(self, CX_OP_SLEEP, NULL, caller);
    // Nobody wakes a sleeper: it waits on its own record, which no one else names while it lives.
    cx_cancellation_point(self);
    enum cx_wake wake = cx_block(self, CX_OP_SLEEP, &self->deadline_ns, deadline_ns, caller);
    cx_cancellation_point(self);
    return wake == CX_WAKE_INTERRUPT && deadline_ns > cx_now_ns() ? deadline_ns - cx_now_ns() : 0;
}

// The end of a sleep as POSIX has it: 0, or EINTR with the time that is left.
static int interrupted(uint64_t left_ns, struct timespec *left)
{
    if (left_ns > 0 && left != NULL) {
        *left = timespec_of(left_ns);
    }
    return left_ns > 0 ? EINTR : 0;
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *wanted, struct timespec *left)
{
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        uint64_t now = (flags & TIMER_ABSTIME) != 0 ? base_ns(clock) : 0;
        uint64_t ns = ns_of(wanted) > now ? ns_of(wanted) - now : 0;
        return sleep_at_startup(ns) ? 0 : cx_the_real()->clock_nanosleep(clock, flags, wanted, left);
    }
    if (!clock_valid(clock) || !cx_timespec_valid(wanted) || wanted->tv_sec < 0) {
        return EINVAL;
    }
    uint64_t deadline_ns = (flags & TIMER_ABSTIME) != 0 ? cx_deadline_of(clock, wanted) : deadline_after(wanted);
    uint64_t left_ns = sleep_until(self, deadline_ns, CX_CALLER);
    return interrupted(left_ns, (flags & TIMER_ABSTIME) != 0 ? NULL : left);
}

int nanosleep(const struct timespec *wanted, struct timespec *left)
{
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        return sleep_at_startup(ns_of(wanted)) ? 0 : cx_the_real()->nanosleep(wanted, left);
    }
    if (!cx_timespec_valid(wanted) || wanted->tv_sec < 0) {
        errno = EINVAL;
        return -1;
    }
    int error = interrupted(sleep_until(self, deadline_after(wanted), CX_CALLER), left);
    errno = error != 0 ? error : errno;
    return error != 0 ? -1 : 0;
}

int usleep(useconds_t microseconds)
{
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        return sleep_at_startup((uint64_t)microseconds * 1000) ? 0 : cx_the_real()->usleep(microseconds);
    }
    int error = interrupted(sleep_until(self, cx_now_ns() + (uint64_t)microseconds * 1000, CX_CALLER), NULL);
    errno = error != 0 ? error : errno;
    return error != 0 ? -1 : 0;
}

unsigned sleep(unsigned seconds)
{
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        return sleep_at_startup(seconds * NS_PER_S) ? 0 : cx_the_real()->sleep(seconds);
    }
    uint64_t left_ns = sleep_until(self, cx_now_ns() + seconds * NS_PER_S, CX_CALLER);
    return (unsigned)((left_ns + NS_PER_S - 1) / NS_PER_S);
}

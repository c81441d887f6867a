// SPDX-License-Identifier: Apache-2.0
//
// interpose: what the interposers share. Each of them has the same shape: a thread that is not controlled goes straight
// to the real function; a controlled one passes a point, tries, and blocks in the scheduler while it cannot.
#ifndef CX_INTERPOSE_H
#define CX_INTERPOSE_H

#include "harness/interpose/real.h"
#include "harness/sched/sched.h"

// The program's code that called the interposer.
#define CX_CALLER __builtin_return_address(0)

// The real functions, also for calls that come before our constructor.
static inline const struct cx_real *cx_the_real(void)
{
    if (__builtin_expect(!cx_real.loaded, 0)) {
        cx_real_load();
    }
    return &cx_real;
}

// Virtual nanoseconds of the run at which this absolute time of `clock` is reached; CX_NO_DEADLINE for NULL.
uint64_t cx_deadline_of(clockid_t clock, const struct timespec *absolute);
// True for a clock that timed waits of threads may name: libc knows these two.
static inline int cx_clock_for_waits(clockid_t clock)
{
    return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC;
}
// True if the fields of `time` are in range.
int cx_timespec_valid(const struct timespec *time);

// A cancellation point: does not return if this thread is cancelled. What a wait has set up is undone before.
static inline void cx_cancellation_point(struct cx_thread *self)
{
    if (__builtin_expect(self->cancelled, 0)) {
        pthread_testcancel();
    }
}

// Remember the first thing of a run that is not under control, for the report. `text` is copied.
void cx_say_uncontrolled(const char *text);

// The program's mutex operations without their point: for condition variables. See mutex.c.
int cx_mutex_take(struct cx_thread *self, pthread_mutex_t *mutex, enum cx_op op, uint64_t deadline_ns,
                  const void *caller);
int cx_mutex_give(struct cx_thread *self, pthread_mutex_t *mutex);

#endif

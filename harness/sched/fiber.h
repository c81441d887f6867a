// SPDX-License-Identifier: Apache-2.0
//
// fiber: controlled threads that share one kernel thread, for runs that are played again and again in one process.
//
// A fiber is a real pthread: libc has made it, with its own stack, thread-local memory and handle. But its kernel
// thread sleeps for ever, and whoever holds the token runs on the one kernel thread that is left: a hand-off swaps the
// stack pointer and the base of thread-local memory, which takes some ten nanoseconds where a futex takes two
// microseconds. A fiber whose thread has ended is used again, for the next thread or the next run.
//
// What belongs to a kernel thread is shared by all of them: signal masks, the kernel's id. A program that uses that is
// not to be played so: whoever notices it calls cx_again_unfit (harness/sched/again.h).
#ifndef CX_FIBER_H
#define CX_FIBER_H

#include "harness/sched/sched.h"

// From now on threads are fibers, the calling one first. Returns 0 if this machine cannot.
int cx_fibers_begin(void);
// 1 after that.
int cx_fibers_on(void);
// A run is over and another begins: every fiber is free, the oldest first. All but main have ended.
void cx_fibers_again(void);

// The fiber of the main thread.
struct cx_fiber *cx_fiber_main(void);
// A fiber for a thread that is being made, without its thread-local memory of last time: the one that was let go last,
// as libc does with stacks; NULL if a new one is to be made.
struct cx_fiber *cx_fiber_take(struct cx_thread *thread);
// A new one, whose pthread is about to be made. `plain`: with libc's default attributes, so that it can be used again.
// NULL if there are too many.
struct cx_fiber *cx_fiber_new(struct cx_thread *thread, int plain);
// Its pthread could not be made.
void cx_fiber_drop(struct cx_fiber *fiber);
// Wait until the new one can be switched to; remember its handle.
void cx_fiber_await(struct cx_fiber *fiber, pthread_t handle);
pthread_t cx_fiber_handle(const struct cx_fiber *fiber);
// Called on the pthread's own kernel thread, which stays behind; returns when the fiber has the token.
void cx_fiber_stay(struct cx_fiber *fiber);
// The thread that it is now.
struct cx_thread *cx_fiber_thread(const struct cx_fiber *fiber);
// The thread's body has returned. 1 if another thread can begin where it did; if not, libc is to end it.
int cx_fiber_reusable(const struct cx_thread *self);
// It cannot be used again.
void cx_fiber_retire(struct cx_fiber *fiber);
// Its thread has ended and is joined, or detached.
void cx_fiber_let_go(struct cx_fiber *fiber);

// Go on as `next`; returns when somebody goes on as `self`.
void cx_fiber_switch(struct cx_fiber *self, struct cx_fiber *next);

#endif

// SPDX-License-Identifier: Apache-2.0
//
// sched: the controlled scheduler, as the interposers, the host and the strategies see it.
//
// Threads are real pthreads. Exactly one of them holds the token and runs; all others sleep on their own futex word
// (handoff.c). Before every visible operation the running thread passes a *point* and may lose the token there. A
// thread that cannot go on (a lock is taken, a condition has not come) *blocks*: it is no candidate until another
// thread wakes it or its deadline ends. All state below is therefore plain memory, read and written by the holder of
// the token alone; the futex hand-off orders it.
//
// What is not supported: threads made by clone(2) or before control began, locks that are inline futex calls, and two
// controlled runs in one process at a time.
//
// Time is virtual: CX_STEP_NS for each point. When nothing can run it leaps to the earliest deadline; a strategy may
// also let a timed wait end early, and then time leaps to that deadline.
#ifndef CX_SCHED_H
#define CX_SCHED_H

#include <pthread.h>
#include <stdint.h>

#include "harness/exec/channel.h"
#include "harness/prng.h"

// A function that is called rarely on a path that is taken billions of times: it saves the registers of its caller,
// which then needs none of its own.
#if defined(__has_attribute) && __has_attribute(preserve_most)
#define CX_RARE __attribute__((preserve_most, cold))
#else
#define CX_RARE __attribute__((cold))
#endif

#define CX_THREADS_MAX 4096
#define CX_NO_DEADLINE UINT64_MAX
#define CX_STEP_NS 100    // a finalization passes 290 000 points in some 30 ms of a native debug build
#define CX_SPIN_MAX 10000 // equal cycles of looks, without a store, that make a spin loop. CPython spins 40 times
#define CX_SPIN_PERIOD 64 // looks elsewhere, after which another address is watched: the longest loop that is seen
#define CX_SPINS_LIVELOCK 20000 // rounds by every thread that can run, with nothing stored: they spin for ever
#define CX_QUANTUM_MAX 1000000  // points in a row by one thread, whatever the strategy says, while another could run;
#define CX_QUANTUM_MIN 10000    // a quarter of that after each time that they were used up, down to this
#define CX_QUANTUM_ACCESSES 32  // both are that much longer where every plain access is a point
#define CX_TURN_OVER 0          // the thread gave up the token by itself, or has never had it
#define CX_SWITCHES_MAX 4000000 // livelock bound on hand-offs: some 15 s of them

enum cx_wake {
    CX_WAKE_NONE = 0,
    CX_WAKE_SIGNAL,    // somebody woke it
    CX_WAKE_INTERRUPT, // a signal was sent to it, and its handler has run
    CX_WAKE_TIMEOUT,   // its deadline ended, in virtual time or by choice
};

// The spin counter is one 64-bit store on the path of every store operation.
union cx_spin {
    struct {
        uint32_t left;   // looks at `anchor` until this counts as one round of spinning
        uint32_t rounds; // rounds since this thread last stored anything
    };
    uint64_t both;
};
#define CX_SPIN_RESET ((uint64_t)CX_SPIN_MAX)

struct cx_thread {
    uint64_t points;          // scheduler token: passed so far
    uint64_t stop_at;         // scheduler token: first point that must take the slow path
    union cx_spin spin;       // scheduler token
    uint64_t spin_epoch;      // scheduler token: cx_sched.store_epoch when its rounds were last looked at,
    uint32_t spin_before;     // scheduler token: and how many of them were before that
    const void *anchor;       // scheduler token: the address whose looks are counted
    uint32_t strays;          // scheduler token: looks elsewhere since the last look at it,
    uint64_t strayed;         // scheduler token: and a digest of where,
    uint64_t cycle;           // scheduler token: and the same digest of the cycle before
    uint64_t turn_ends;       // scheduler token: the point at which its quantum is used up, or CX_TURN_OVER
    uint32_t quantum;         // scheduler token: see CX_QUANTUM_MAX
    uint64_t settled;         // scheduler token: points already counted in cx_sched.steps
    uint32_t go;              // atomic: futex word, 1 = has the token
    uint32_t started;         // atomic: futex word, 1 = parked for the first time
    uint32_t leave;           // atomic: futex word, 1 = no longer to linger
    uint32_t keys;            // owner thread only: thread-specific keys that had a value when it started
    uint32_t key;             // const after init
    uint32_t index;           // const after init: in cx_sched.threads
    uint32_t parent;          // const after init: index of its creator
    uint32_t children;        // scheduler token: created so far
    uint32_t picks;           // scheduler token: number choices made so far
    uint8_t status;           // scheduler token: enum cx_thread_status
    uint8_t retry;            // scheduler token: runnable only to try `wait_object` again
    uint8_t wake;             // scheduler token: enum cx_wake
    uint8_t op;               // scheduler token: pending operation, enum cx_op
    uint8_t reads_clock;      // scheduler token: looked at the time since it last stored anything
    uint8_t expired_in_round; // scheduler token: see poll.c
    uint8_t sliced;           // scheduler token: its deadline is only the next look of a longer wait that has an end
    uint8_t detached;         // scheduler token
    uint8_t lingers;          // scheduler token: it has ended, and its kernel thread waits for `leave`
    uint8_t delivering;       // owner thread only: a signal that comes now comes at a point
    uint8_t cancelled;        // scheduler token
    uint8_t restarts;         // owner thread only: its last handler was set with SA_RESTART
    uint8_t keeps;            // owner thread only: has set what a next thread of its fiber would find
    uint32_t signals;         // scheduler token: sent to it and not delivered; see interpose/signal.c
    uint32_t handled;         // owner thread only: handlers that have run
    uint64_t outside;         // atomic: signals from outside, one bit each
    uint32_t expiries;        // scheduler token: timed waits that ended, in this quiet stretch
    const void *object;       // scheduler token: what `op` is about
    uint64_t bytes;           // scheduler token: of a plain access, from `object` on; 1 elsewhere
    uintptr_t stack_end;      // const after init: its own frames lie below
    const void *caller;       // scheduler token: who performs `op`
    const void *frame;        // scheduler token: frame pointer where it last gave the token away
    const void *wait_object;  // scheduler token: what it is blocked on, NULL when it is not
    uint64_t deadline_ns;     // scheduler token: virtual, CX_NO_DEADLINE for none
    uint64_t wait_seq;        // scheduler token: order of arrival among waiters
    uint64_t priority;        // scheduler token: used by pct, fresh and stops
    uint32_t plan_next;       // scheduler token: used by replay: next entry of the plan about this thread
    uint32_t plan_pick_next;  // scheduler token: the same for number choices
    pthread_t handle;         // const after init
    int32_t tid;              // const after init: kernel's id
    void *(*body)(void *);    // const after init
    void *argument;           // const after init
    struct cx_fiber *fiber;   // const after init: see fiber.h; NULL: a kernel thread of its own
    void *result;             // owner thread only: of a fiber, for who joins it
    char path[48];            // const after init
    char name[48];            // const after init
};

// A strategy decides; core.c records what it decided and does it. All calls are made with the token held.
//
// A strategy may name any thread that can run, and any that is blocked with a deadline: that wait then ends early.
// `fallback` always names a thread that can run. Default order: keep going; else the next thread in order of creation.
struct cx_strategy {
    void (*begin)(void);
    void (*thread_created)(struct cx_thread *thread);
    // How many points from now `self` is to be asked again; UINT64_MAX: not at all. Called whenever the set of threads
    // that can run, or the running thread, has changed.
    uint64_t (*distance)(const struct cx_thread *self);
    // `self` could go on. Who runs now? Return self for no switch. May be called before `distance` has passed.
    struct cx_thread *(*at_point)(struct cx_thread *self);
    // `self` blocks, yields or ends; who runs now? `fallback` is the default order's answer.
    struct cx_thread *(*at_switch)(struct cx_thread *self, struct cx_thread *fallback);
    // One of n; `fallback` is 0.
    uint32_t (*pick)(struct cx_thread *self, uint32_t n);
    // NULL, or: `self` is about to pass a point that the author has named. `distance` is asked again before it does.
    void (*labelled)(struct cx_thread *self);
};
extern const struct cx_strategy cx_strategy_random;
extern const struct cx_strategy cx_strategy_pct;
extern const struct cx_strategy cx_strategy_replay;
extern const struct cx_strategy cx_strategy_pos;
extern const struct cx_strategy cx_strategy_urw;
extern const struct cx_strategy cx_strategy_surw;
extern const struct cx_strategy cx_strategy_delay;
extern const struct cx_strategy cx_strategy_race;
extern const struct cx_strategy cx_strategy_fresh;
extern const struct cx_strategy cx_strategy_hold;

struct cx_sched {
    int active;                               // scheduler token: a controlled run is on
    uint32_t count;                           // scheduler token: threads ever made
    uint32_t runnable;                        // scheduler token: threads that could hold the token
    uint32_t timed;                           // scheduler token: threads blocked with a deadline
    uint32_t blocked;                         // scheduler token: threads blocked, with a deadline or without
    uint32_t retries;                         // scheduler token: runnable threads with `retry`
    uint32_t wakeable;                        // scheduler token: threads that may wake up unasked
    int spurious;                             // const after init: they may
    struct cx_thread *current;                // scheduler token
    uint64_t steps;                           // scheduler token: settled points of all threads
    uint64_t steps_max;                       // const after init
    uint64_t choices_before;                  // scheduler token: of plays before this one
    uint64_t choices;                         // scheduler token: those of them with more than one runnable thread
    uint64_t switches;                        // scheduler token
    uint64_t preemptions;                     // scheduler token
    uint64_t leap_ns;                         // scheduler token: virtual time that no point accounts for
    uint64_t next_deadline_ns;                // scheduler token: earliest of all blocked threads
    uint64_t wait_seq;                        // scheduler token
    uint64_t store_epoch;                     // scheduler token: moves on after a store, before its thread counts
    uint64_t fingerprint;                     // scheduler token
    uint64_t log_block_left;                  // scheduler token: steps until log_hash is kept again, 0: it is not
    uint32_t plan_met;                        // scheduler token: replay: entries followed or passed over
    int32_t dying_tid;                        // scheduler token: a thread whose kernel exit the next holder waits for
    int slow_mode;                            // const after init, or poll.c: every point takes the slow path
    struct cx_prng prng;                      // scheduler token: strategies draw from it
    uint64_t segment_at;                      // scheduler token: the hand-off after which the next segment begins
    uint32_t segments;                        // scheduler token: of the request's, those that have begun
    uint32_t rate;                            // scheduler token: of the last of them
    const struct cx_strategy *strategy;       // scheduler token: the last segment's, or the request's
    struct cx_channel *channel;               // const after init
    struct cx_step *log;                      // scheduler token: next record, NULL when no log is written
    struct cx_step *log_end;                  // const after init
    struct cx_thread threads[CX_THREADS_MAX]; // as their fields say; entries below `count`: scheduler token
};
extern struct cx_sched cx_sched;

// The controlled thread that is running, NULL on a thread that is not controlled. The one thing that the fast path of
// every interposer reads first.
extern __thread struct cx_thread *cx_self;

// ---- core.c and wake.c ----

// Begin control of the calling thread as "main". `channel->request` says how. Nothing else may be running.
void cx_sched_begin(struct cx_channel *channel);

// The same, but when the calling thread makes its first thread: cx_sched_begin_due. Until then nothing is controlled.
void cx_sched_begin_later(struct cx_channel *channel);
// The calling thread, which is about to make another and is not controlled, by now: NULL unless control was due.
struct cx_thread *cx_sched_begin_due(void);
// In a child that the program has forked: control is over, without a trace.
void cx_sched_abandon(void);

// Slow path of a point; returns when the calling thread holds the token again. `bytes`: of a plain access, else 1.
void cx_point_access(struct cx_thread *self, enum cx_op op, const void *object, uint64_t bytes, const void *caller);
CX_RARE void cx_point_slow(struct cx_thread *self, enum cx_op op, const void *object, const void *caller);
// A point with a name: a hint of its author that a switch there matters.
void cx_point_labelled(struct cx_thread *self, const char *label, const void *caller);
// A round of loads without a store has passed.
CX_RARE void cx_spin_slow(struct cx_thread *self, const void *object, const void *caller);

// Pass a point before an operation that may change what others see.
static inline void cx_step(struct cx_thread *self, enum cx_op op, const void *object, const void *caller)
{
    self->spin.both = CX_SPIN_RESET;
    if (__builtin_expect(++self->points >= self->stop_at, 0)) {
        cx_point_slow(self, op, object, caller);
    }
}

// A look that is no point (a relaxed load): only counted, so that a spin loop over it is seen. A loop that waits goes
// through the same addresses again and again; a traversal, which may also pass thousands of loads without an atomic
// store, comes back to some of them (a type's flags) but to others only once.
static inline void cx_look(struct cx_thread *self, const void *object, const void *caller)
{
    if (object != self->anchor) {
        self->strayed = (self->strayed + (uint64_t)(uintptr_t)object) * 0x9e3779b97f4a7c15ULL;
        if (__builtin_expect(++self->strays > CX_SPIN_PERIOD, 0)) {
            self->strays = 0;
            self->anchor = object;
            self->spin.left = CX_SPIN_MAX;
        }
        return;
    }
    if (self->strayed != self->cycle) {
        self->cycle = self->strayed;
        self->spin.left = CX_SPIN_MAX;
    } else if (__builtin_expect(--self->spin.left == 0, 0)) {
        cx_spin_slow(self, object, caller);
    }
    self->strays = 0;
    self->strayed = 0;
}

// Pass a point before an operation that only looks (a load, a trylock that will fail).
static inline void cx_step_look(struct cx_thread *self, enum cx_op op, const void *object, const void *caller)
{
    cx_look(self, object, caller);
    if (__builtin_expect(++self->points >= self->stop_at, 0)) {
        cx_point_slow(self, op, object, caller);
    }
}

// Pass a point after an operation: what the program does next, with plain memory, may come late. A pointer that was
// loaded can be freed before it is followed, and what a lock protected can change once it was let go.
static inline void cx_step_after(struct cx_thread *self, const void *object, const void *caller)
{
    if (__builtin_expect(++self->points >= self->stop_at, 0)) {
        cx_point_slow(self, CX_OP_AFTER, object, caller);
    }
}

// Block the caller on `object` until it is woken or `deadline_ns` (virtual monotonic, or CX_NO_DEADLINE) ends.
// Returns how the wait ended. The caller then tries its operation again.
enum cx_wake cx_block(struct cx_thread *self, enum cx_op op, const void *object, uint64_t deadline_ns,
                      const void *caller);
// As cx_block, but the thread has been made a waiter already by cx_wait_prepare: what lies between the two calls
// (releasing the mutex of a condition variable) is atomic with the wait.
void cx_wait_prepare(struct cx_thread *self, enum cx_op op, const void *object, uint64_t deadline_ns);
enum cx_wake cx_wait_commit(struct cx_thread *self, const void *caller);
// Take cx_wait_prepare back.
void cx_wait_cancel(struct cx_thread *self);

// Wake every waiter on `object`; with `retry`, they only try again, and cx_lost() takes that back for the losers.
// Returns how many there were.
uint32_t cx_wake_all(const void *object, int retry);
// Wake one waiter: the strategy picks, the longest waiting by default. Returns 0 if there was none.
int cx_wake_one(struct cx_thread *self, const void *object);
// `object` has been taken by the caller: whoever was about to try again blocks again without running.
void cx_lost(struct cx_thread *self, const void *object);

// A signal was sent to `thread`: if it is blocked or has left, it can run. Returns 1 if it was so.
int cx_interrupt(struct cx_thread *thread);
// interpose/signal.c: run the handlers of what was sent to `self`, which has the token.
void cx_signals_deliver(struct cx_thread *self);
static inline void cx_signals_due(struct cx_thread *self)
{
    if (__builtin_expect(self->signals != 0 || self->outside != 0, 0)) {
        cx_signals_deliver(self);
    }
}

// Let another thread go first (sched_yield), if one can.
void cx_yield(struct cx_thread *self, enum cx_op op, const void *object, const void *caller);
// Leave (pause), for ever unless a signal comes: no candidate, and no party to a deadlock.
void cx_park(struct cx_thread *self, const void *caller);
// The thread is done, its destructors included; gives the token away and returns to libc, uncontrolled. `dying_tid`:
// the thread whose kernel exit the next holder waits for, 0 for none.
void cx_thread_finish(struct cx_thread *self, int32_t dying_tid);
// A number in [0, n), recorded.
uint32_t cx_pick(struct cx_thread *self, uint32_t n);

// Bring cx_sched.steps and .choices up to date. Callable at any time of a controlled run, and before it.
void cx_sched_settle(void);
// The set of threads that can run has grown by a new thread.
void cx_sched_thread_added(struct cx_thread *thread);

// Virtual time that has passed in this run.
uint64_t cx_now_ns(void);
// A pure clock read has happened.
void cx_clock_read(struct cx_thread *self, const void *caller);

// ---- thread.c ----

// The record of the calling thread as "main".
struct cx_thread *cx_thread_adopt_main(void);
// The record, in both processes, of what `parent` goes on as in the process that it forks.
struct cx_thread *cx_thread_forked(struct cx_thread *parent);
// The record behind a handle, among threads that have not been joined; NULL if it is not ours.
struct cx_thread *cx_thread_find(pthread_t handle);
// The record with this key, or NULL.
struct cx_thread *cx_thread_by_key(uint32_t key);
// pthread_create under control; its result. `name` is copied, "" for none.
int cx_thread_create(struct cx_thread *self, pthread_t *handle, const pthread_attr_t *attributes, void *(*body)(void *),
                     void *argument, const char *name);
// pthread_join without the wait: the thread is EXITED. Forgets the handle.
int cx_thread_reap(struct cx_thread *thread, void **result);
// pthread_detach: 0 or an error number.
int cx_thread_detach(struct cx_thread *thread);
// Before any thread: make the key whose destructor ends controlled threads.
void cx_thread_init_key(void);

// ---- handoff.c ----

// Give the token to `next` and sleep until it comes back.
void cx_handoff(struct cx_thread *self, struct cx_thread *next);
// Give the token to `next` and go on without it (a thread that ends). A fiber comes back as another thread.
void cx_handoff_last(struct cx_thread *self, struct cx_thread *next);
// Sleep until the token comes, for the first time.
void cx_handoff_first(struct cx_thread *self);
// Sleep until `thread` has arrived at cx_handoff_first.
void cx_handoff_await_start(struct cx_thread *thread);
void cx_futex_wait(uint32_t *word, uint32_t value);
void cx_futex_wake(uint32_t *word);

// ---- record.c ----

void cx_record_begin(void);
void cx_record_deviation(struct cx_thread *self, enum cx_deviation_kind kind, uint32_t choice, int preemption);
void cx_record_event(struct cx_thread *from, struct cx_thread *to, enum cx_switch_reason reason, int deviation);
// The step log, where the request asks for one.
void cx_record_step(const struct cx_thread *self);
// `self` is at a point, and `next` (a thread's index, or the number of a pick among `n`) was decided. Only written with
// CX_MODE_TRACE.
void cx_record_choice(const struct cx_thread *self, enum cx_choice_kind kind, uint32_t next, uint32_t n);
// Two operations have met, as told apart by their callers. Remembered as one bit of result.coverage.
void cx_record_handoff(const struct cx_thread *from, const struct cx_thread *to);
void cx_record_conflict(const void *first_caller, const void *second_caller);
void cx_record_note(struct cx_thread *self, const char *text);
void cx_record_lock(const struct cx_thread *holder, const void *lock, int acquired);

// ---- pairs.c ----

void cx_pairs_begin(void);
// A hand-off, where the request asks for pairs.
void cx_pairs_joined(const struct cx_thread *from, const struct cx_thread *to);
// `thread` stands at an operation where another one could go on; it is held there, for the first time in this run.
void cx_sites_pass(const struct cx_thread *thread);
void cx_sites_hold(const struct cx_thread *thread);
// Of its operation; of a pair. Never 0.
uint64_t cx_site_hash(const struct cx_thread *thread);
uint64_t cx_pair_hash(const struct cx_thread *from, const struct cx_thread *to);

// ---- priority.c: strict priorities of threads ----

// Forget all priorities.
void cx_ranks_begin(void);
// A rank at random among those that threads have drawn.
void cx_rank_draw(struct cx_thread *thread);
// Rise above all others, or fall below them.
void cx_rank_rise(struct cx_thread *thread);
void cx_rank_fall(struct cx_thread *thread);
// Fall below all others, or in half of all cases just below one of them; a draw decides about those that did the same.
void cx_rank_stop(struct cx_thread *thread);
// `best`, which may be NULL, or one of those who could go on instead of `self` with a higher priority.
struct cx_thread *cx_rank_highest(const struct cx_thread *self, struct cx_thread *best);
// As a strategy's at_switch: the highest of those that can run goes on, and whoever yields or spins falls.
struct cx_thread *cx_rank_at_switch(struct cx_thread *self, struct cx_thread *fallback);

// ---- poll.c ----

// Nothing can run and a thread is about to be let go because its deadline comes first. Does not return if the state
// is a fixpoint.
void cx_poll_leap(void);
// A store to `address` is about to happen (every store, also relaxed ones, while a quiet stretch is watched).
void cx_poll_store(const void *address);
// A point is about to be passed while a quiet stretch is watched.
void cx_poll_point(enum cx_op op, const void *object);
// Something that no store shows has changed: a thread was woken, made or ended. Being let try for a lock again is no
// change in itself.
void cx_poll_progress(void);
extern int cx_poll_watching;

// ---- interpose/await.c: threads that wait for descriptors and child processes ----

// Block until `over(argument)` is true, or `deadline_ns`. Other threads ask that, too, by raw system calls alone; it
// takes nothing. Returns 1; 0 if it was never true; -1 with errno EINTR if a signal came. A point of its own.
int cx_await(struct cx_thread *self, enum cx_op op, uint64_t deadline_ns, int (*over)(void *), void *argument,
             const void *caller);
// Something has happened that may end such a wait.
void cx_await_changed(void);
// Something has happened that `thread` alone can see, if it waits so: it asks again itself.
void cx_await_ask(const struct cx_thread *thread);
// From now on, answers may come from another process.
void cx_await_outside(void);
// In a child that the program has forked, and that stays under control: nobody here awaits anything yet.
void cx_await_forked(void);
// True if an answer may come from outside.
int cx_await_due(void);
// Nothing can run, and time is about to leap by so much; CX_NO_DEADLINE: there is nothing to leap to. Returns 1 if
// somebody can go on now.
int cx_await_leap(uint64_t leap_ns);
extern uint32_t cx_awaiting;

// ---- interpose/access.c: plain accesses ----

// A controlled run begins: read from its request which operations are points.
void cx_access_begin(void);
// 1 if only some plain accesses are points.
int cx_access_narrowed(void);
// 1 if the instruction before `caller` lies in one of the request's code ranges, or the bytes touch a data range.
int cx_points_within(const void *caller, const void *address, uint64_t bytes);
// 1 if the request's window lets a thread be preempted before the operation of `caller`.
int cx_window_open(const void *caller);
// As many points as `points` where plain accesses are none.
uint32_t cx_quantum(uint32_t points);
// 1: atomic operations are no points, only looks and stores. Const after init.
extern int cx_atomics_quiet;

// ---- locks.c: who holds what, for wait-for graphs ----

void cx_lock_acquired(const void *lock, struct cx_thread *owner);
void cx_lock_released(const void *lock);
struct cx_thread *cx_lock_owner(const void *lock);
// A value that is equal whenever the same locks have the same owners.
uint64_t cx_lock_digest(void);
// What `from` held is held by `to`.
void cx_lock_inherit(const struct cx_thread *from, struct cx_thread *to);

// ---- finish.c ----

// The numbers of the run so far.
void cx_finish_sum(struct cx_result *result);
// End the run: write the result and leave the process. `pcs` NULL: the caller's own stack is taken.
__attribute__((noreturn)) void cx_finish(enum cx_outcome outcome, const char *message, const char *location);
// The same, with a stack, for signal handlers.
__attribute__((noreturn)) void cx_finish_at(enum cx_outcome outcome, const char *message, const char *location,
                                            uint64_t pc, const void *frame);
// What a signal handler, abort() or a failed assertion does first. The calling thread has the last word of this run,
// and must call one of these functions. If it has begun to speak already, then what it was saying is broken:
// the run ends here, with what is known.
void cx_finish_claim(void);
// 1: the calling thread has begun to end the run.
int cx_finish_begun(void);
// 1: another thread has.
int cx_finish_elsewhere(void);
// The same, with a stack that was kept: where something was made.
__attribute__((noreturn)) void cx_finish_with(enum cx_outcome outcome, const char *message, const char *location,
                                              const struct cx_stack *stack);
__attribute__((noreturn)) void cx_finish_deadlock(const char *message);
__attribute__((noreturn)) void cx_finish_livelock(const char *message);
__attribute__((noreturn)) void cx_finish_diverged(struct cx_thread *self, const struct cx_deviation *expected,
                                                  const char *message);
// The process is about to become another program, which is no part of the run. The run passes if that program does.
void cx_finish_executes(void);
// strategy_replay.c: the run is over and its result is written. Accounts for entries of the plan that never came.
void cx_replay_end(struct cx_result *result);
// Leave the process at once, running nothing.
__attribute__((noreturn)) void cx_leave(int status);

// ---- strategy helpers (choose.c) ----

// The strategy of a request (enum cx_strategy_kind); NULL for one that needs no scheduler, or that is not known.
const struct cx_strategy *cx_strategy_of(uint32_t kind);
// The main thread is alone and goes through the same once more: the strategy begins anew, from the same seed. A replay
// goes on.
void cx_sched_again(struct cx_thread *self);
// Threads other than `self` that can run now, in the default order after `self`. Borrowed, valid until the next call.
struct cx_thread **cx_others(const struct cx_thread *self, uint32_t *count);
// The thread whose deadline comes first. Requires: cx_sched.timed > 0.
struct cx_thread *cx_first_to_expire(void);
// True for a timed wait that the schedule may end before its time. A second more or less is the machine's; that a
// thread is kept from running for a minute is none of what a program must expect.
int cx_may_end_early(const struct cx_thread *thread);
// True for a thread that waits for a condition variable, without a deadline, and may wake up unasked, as POSIX allows.
static inline int cx_may_wake(const struct cx_thread *thread)
{
    return cx_sched.spurious && thread->status == CX_THREAD_BLOCKED && thread->op == CX_OP_COND_WAIT &&
           thread->deadline_ns == CX_NO_DEADLINE;
}
// Now and then, a thread whose timed wait is to end early, or that is to wake up unasked; NULL most of the time, and
// where there is none.
struct cx_thread *cx_choose_expiry(const struct cx_thread *self);
// One run in sixteen, drawn once: points that no other thread can tell from the next one matter, too, for the sake of
// plain memory.
int cx_draw_fine(void);
// True if it matters who runs before `op`. Not so, unless `fine`: after an operation (what follows decides), before a
// thread is made or starts, and before a lock is let go (whoever comes between could as well have come before).
int cx_matters(uint8_t op, int fine);
// A thread that has been made and has not run, or NULL: unless `fine`, all come to their first operation at once.
struct cx_thread *cx_not_begun(struct cx_thread **others, uint32_t count, int fine);
// As a strategy's distance: it is asked wherever there is a choice.
uint64_t cx_distance_choice(const struct cx_thread *self);
// As a strategy's pick: each number as often as any other.
uint32_t cx_pick_evenly(struct cx_thread *self, uint32_t n);
// True if two operations are about the same object, or accesses share a byte.
static inline int cx_overlapping(const void *a, uint64_t a_bytes, const void *b, uint64_t b_bytes)
{
    return a != NULL && b != NULL && (uintptr_t)a < (uintptr_t)b + b_bytes && (uintptr_t)b < (uintptr_t)a + a_bytes;
}
// True where the next thread is a matter of choice.
static inline int cx_has_choice(void)
{
    return cx_sched.runnable + cx_sched.timed + cx_sched.wakeable > 1;
}

// Only some points are choices: exec/points.h.
static inline int cx_windowed(void)
{
    return cx_sched.channel->request.window.kind != CX_WINDOW_NONE;
}

// The request asks for a record of every point, or for a look at who performs it.
static inline int cx_wants_every_point(void)
{
    return (cx_sched.channel->request.mode & (CX_MODE_LOG | CX_MODE_TRACE)) != 0 || cx_windowed();
}

#endif

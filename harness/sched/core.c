// SPDX-License-Identifier: Apache-2.0
//
// core: points, blocking, waking and virtual time.
//
// The fast path of a point is one increment and one comparison (cx_step in sched.h): cx__arm computes, whenever
// anything changes, how many points the running thread may pass before somebody must look again, because the strategy
// wants to be asked, a deadline ends, or the step bound is reached.
//
// A point is named (thread, its own count of points). A block counts as a point of its own, so that at most one
// decision is made under each name.
#include "harness/sched/again.h"
#include "harness/sched/sched.h"
#include "harness/sched/state.h"

struct cx_sched cx_sched;
CX_LARGE(cx_sched.threads, NULL);
__thread struct cx_thread *cx_self __attribute__((tls_model("initial-exec")));

// Count the points that the running thread has passed since this was last done. Before every change of the sets that
// decide what a choice is.
void cx__settle(void)
{
    struct cx_thread *thread = cx_sched.current;
    uint64_t passed = thread->points - thread->settled;
    thread->settled = thread->points;
    cx_sched.steps += passed;
    if (cx_has_choice() && !cx_windowed()) {
        cx_sched.choices += passed;
    }
}

void cx_sched_settle(void)
{
    if (cx_sched.current != NULL) {
        cx__settle();
    }
}

uint64_t cx_now_ns(void)
{
    struct cx_thread *thread = cx_sched.current;
    return (cx_sched.steps + thread->points - thread->settled) * CX_STEP_NS + cx_sched.leap_ns;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

void cx__arm(struct cx_thread *self)
{
    if (cx_sched.switches >= cx_sched.segment_at) {
        cx__segments_begin();
    }
    uint64_t left = cx_sched.steps_max > cx_sched.steps ? cx_sched.steps_max - cx_sched.steps : 1;
    if (cx_sched.next_deadline_ns != CX_NO_DEADLINE) {
        uint64_t now = cx_now_ns();
        uint64_t wait_ns = cx_sched.next_deadline_ns > now ? cx_sched.next_deadline_ns - now : 0;
        left = min_u64(left, (wait_ns + CX_STEP_NS - 1) / CX_STEP_NS);
    }
    left = min_u64(left, cx_sched.strategy->distance(self));
    if (cx_sched.runnable > 1) {
        left = min_u64(left, self->turn_ends > self->points ? self->turn_ends - self->points : 1);
    }
    if (cx_sched.slow_mode || left == 0) {
        left = 1;
    }
    self->stop_at = self->points + left;
}

static void find_next_deadline(void)
{
    uint64_t earliest = CX_NO_DEADLINE;
    for (uint32_t i = 0; cx_sched.timed > 0 && i < cx_sched.count; i++) {
        struct cx_thread *thread = &cx_sched.threads[i];
        if (thread->status == CX_THREAD_BLOCKED) {
            earliest = min_u64(earliest, thread->deadline_ns);
        }
    }
    cx_sched.next_deadline_ns = earliest;
}

void cx__make_blocked(struct cx_thread *thread)
{
    thread->status = CX_THREAD_BLOCKED;
    cx_sched.runnable--;
    cx_sched.blocked++;
    cx_sched.wakeable += (uint32_t)cx_may_wake(thread);
    if (thread->deadline_ns != CX_NO_DEADLINE) {
        cx_sched.timed++;
        cx_sched.next_deadline_ns = min_u64(cx_sched.next_deadline_ns, thread->deadline_ns);
    }
}

void cx__make_runnable(struct cx_thread *thread, enum cx_wake wake, int retry)
{
    cx_sched.wakeable -= (uint32_t)cx_may_wake(thread);
    thread->status = CX_THREAD_RUNNABLE;
    thread->wake = (uint8_t)wake;
    thread->retry = (uint8_t)retry;
    if (wake == CX_WAKE_TIMEOUT) {
        thread->expiries++;
        thread->expired_in_round = !thread->sliced;
    }
    cx_sched.runnable++;
    cx_sched.blocked--;
    cx_sched.retries += (uint32_t)retry;
    if (thread->deadline_ns != CX_NO_DEADLINE) {
        cx_sched.timed--;
        if (thread->deadline_ns == cx_sched.next_deadline_ns) {
            find_next_deadline();
        }
    }
}

// Let every wait go whose deadline has come.
static void expire_due(void)
{
    uint64_t now = cx_now_ns();
    for (uint32_t i = 0; cx_sched.next_deadline_ns <= now && i < cx_sched.count; i++) {
        struct cx_thread *thread = &cx_sched.threads[i];
        if (thread->status == CX_THREAD_BLOCKED && thread->deadline_ns <= now) {
            cx__make_runnable(thread, CX_WAKE_TIMEOUT, 0);
        }
    }
}

// End the wait of `thread` now. If it is a timed one, time leaps to its deadline, so that the clock agrees with what it
// sees.
static void expire_early(struct cx_thread *thread)
{
    cx__settle();
    if (thread->deadline_ns == CX_NO_DEADLINE) { // it wakes up unasked
        cx_record_note(thread, "its wait for the condition ends unasked");
        cx__make_runnable(thread, CX_WAKE_SIGNAL, 0);
        cx_poll_progress();
        return;
    }
    uint64_t now = cx_now_ns();
    if (thread->deadline_ns > now) {
        cx_sched.leap_ns += thread->deadline_ns - now;
    }
    expire_due();
}

static void switch_to(struct cx_thread *self, struct cx_thread *next, enum cx_switch_reason reason, int deviation)
{
    if (deviation) {
        cx_record_deviation(self, CX_DEVIATION_SWITCH, next->key, reason == CX_SWITCH_PREEMPT);
    }
    if (next->status == CX_THREAD_BLOCKED) {
        expire_early(next);
    }
    if (next == self) {
        return;
    }
    cx_record_handoff(self, next);
    cx_sched.switches++;
    cx_sched.preemptions += reason == CX_SWITCH_PREEMPT;
    uint64_t mark = ((uint64_t)self->key << 32 | next->key) ^ (self->points << 8);
    cx_sched.fingerprint = cx_prng_mix(cx_sched.fingerprint + mark + 1);
    if (cx_sched.switches >= CX_SWITCHES_MAX) {
        cx_finish_livelock("the bound on thread switches passed");
    }
    if (cx_sched.channel->request.mode & CX_MODE_EXPLAIN) {
        cx_record_event(self, next, reason, deviation);
    }
    if (reason != CX_SWITCH_PREEMPT) {
        self->turn_ends = CX_TURN_OVER;
    }
    // Who was interrupted has no more than what was left.
    if (next->turn_ends == CX_TURN_OVER) {
        next->turn_ends = next->points + next->quantum;
    }
    if (reason == CX_SWITCH_EXIT) {
        cx_self = NULL;
        cx_handoff_last(self, next);
        return;
    }
    cx_handoff(self, next);
}

// Who goes on when `self` cannot or will not. Never NULL; may be `self` when its own wait has just ended.
static struct cx_thread *choose_successor(struct cx_thread *self, int *deviation)
{
    uint32_t count = 0;
    for (;;) {
        struct cx_thread **others = cx_others(self, &count);
        if (count > 0 || self->status == CX_THREAD_RUNNABLE) {
            struct cx_thread *fallback = count > 0 ? others[0] : self;
            struct cx_thread *next = fallback;
            if (count + cx_sched.timed + cx_sched.wakeable + (self->status == CX_THREAD_RUNNABLE) > 1) {
                next = cx_sched.strategy->at_switch(self, fallback);
            }
            cx_record_choice(self, CX_CHOICE_BLOCK, next->index, 0);
            *deviation = next != fallback;
            return next;
        }
        if (cx_sched.blocked == 0 && cx_sched.threads[0].status == CX_THREAD_EXITED) {
            // That is how a program of threads may end; a scenario has a check that was not reached.
            int subject = cx_sched.channel->subject.kind != CX_SUBJECT_NONE;
            cx_finish(subject ? CX_OUTCOME_PASS : CX_OUTCOME_EXIT,
                      "main left by pthread_exit, and every other thread has ended or parked", "");
        }
        uint64_t next_ns = cx_sched.next_deadline_ns;
        if (cx_await_due() &&
            cx_await_leap(next_ns == CX_NO_DEADLINE ? next_ns : next_ns - min_u64(next_ns, cx_now_ns()))) {
            continue;
        }
        if (cx_sched.timed == 0) {
            cx_finish_deadlock("no thread can ever run again");
        }
        struct cx_thread *first = cx_first_to_expire();
        cx_poll_leap();
        expire_early(first);
    }
}

static void note_operation(struct cx_thread *self, enum cx_op op, const void *object, const void *caller)
{
    self->op = (uint8_t)op;
    self->object = object;
    self->bytes = 1;
    self->caller = caller;
}

// A loop that takes and releases a lock for ever looks busy, and under strict priorities nobody else would ever run
// again. No operating system starves a thread like that: after a quantum another one gets its turn.
static void end_turn(struct cx_thread *self, const void *caller)
{
    self->quantum = self->quantum / 4 > cx_quantum(CX_QUANTUM_MIN) ? self->quantum / 4 : cx_quantum(CX_QUANTUM_MIN);
    self->turn_ends = self->points + self->quantum;
    cx_yield(self, CX_OP_SPIN, self->object, caller);
}

// Somebody else could go on here. With a window only such points are choices, so that strategies spread their
// preemptions over them and not over the run.
static int is_choice(const void *caller)
{
    int choice = cx_has_choice() && cx_window_open(caller);
    cx_sched.choices += (uint64_t)(choice && cx_windowed());
    return choice;
}

void cx_point_access(struct cx_thread *self, enum cx_op op, const void *object, uint64_t bytes, const void *caller)
{
    note_operation(self, op, object, caller);
    self->bytes = bytes;
    cx__settle();
    cx_record_step(self);
    if (cx_poll_watching) {
        cx_poll_point(op, object);
    }
    if (cx_sched.steps >= cx_sched.steps_max) {
        cx_finish_livelock("the bound on steps passed");
    }
    expire_due();
    struct cx_thread *next = is_choice(caller) ? cx_sched.strategy->at_point(self) : self;
    cx_record_choice(self, CX_CHOICE_POINT, next->index, 0);
    if (next != self) {
        switch_to(self, next, CX_SWITCH_PREEMPT, 1);
    } else if (self->points >= self->turn_ends && cx_sched.runnable > 1) {
        end_turn(self, caller);
    }
    cx__arm(self);
    cx_signals_due(self);
}

CX_RARE void cx_point_slow(struct cx_thread *self, enum cx_op op, const void *object, const void *caller)
{
    cx_point_access(self, op, object, 1, caller);
}

void cx_point_labelled(struct cx_thread *self, const char *label, const void *caller)
{
    if (cx_sched.strategy->labelled != NULL) {
        cx__settle();
        cx_sched.strategy->labelled(self);
        cx__arm(self);
    }
    cx_step(self, CX_OP_POINT, label, caller);
}

void cx_wait_prepare(struct cx_thread *self, enum cx_op op, const void *object, uint64_t deadline_ns)
{
    cx__settle();
    self->points++;
    note_operation(self, op, object, NULL);
    self->spin.both = CX_SPIN_RESET;
    cx_sched.store_epoch++;
    self->reads_clock = 0;
    self->quantum = cx_quantum(CX_QUANTUM_MAX);
    self->wait_object = object;
    self->deadline_ns = deadline_ns;
    self->wait_seq = ++cx_sched.wait_seq;
    self->wake = CX_WAKE_NONE;
    cx__make_blocked(self);
}

enum cx_wake cx_wait_commit(struct cx_thread *self, const void *caller)
{
    self->caller = caller;
    cx__settle();
    cx_record_step(self);
    expire_due();
    // Woken between prepare and commit (its deadline had passed, or releasing the mutex let it go): go on at once.
    int deviation = 0;
    struct cx_thread *next = choose_successor(self, &deviation);
    switch_to(self, next, CX_SWITCH_BLOCK, deviation);
    cx_sched.retries -= self->retry;
    self->retry = 0;
    self->wait_object = NULL;
    self->deadline_ns = CX_NO_DEADLINE;
    cx__arm(self);
    enum cx_wake wake = (enum cx_wake)self->wake;
    cx_signals_due(self);
    return wake;
}

void cx_wait_cancel(struct cx_thread *self)
{
    cx__settle();
    if (self->status == CX_THREAD_BLOCKED) {
        cx__make_runnable(self, CX_WAKE_NONE, 0);
    }
    self->wait_object = NULL;
    self->deadline_ns = CX_NO_DEADLINE;
    cx__arm(self);
}

enum cx_wake cx_block(struct cx_thread *self, enum cx_op op, const void *object, uint64_t deadline_ns,
                      const void *caller)
{
    cx_wait_prepare(self, op, object, deadline_ns);
    return cx_wait_commit(self, caller);
}

// Rounds of `thread` since anybody stored anything: what it saw before that is old. A thread that stores and does not
// spin itself keeps others from being judged while it can run, so that its stores need to be told when it leaves.
static uint32_t rounds_in_vain(const struct cx_thread *thread)
{
    return thread->spin_epoch == cx_sched.store_epoch ? thread->spin.rounds - thread->spin_before : 0;
}

// True when every thread that can run has been spinning for long with nothing stored, and no timer can change that.
static int all_spin_for_ever(void)
{
    if (cx_sched.timed > 0) {
        return 0;
    }
    for (uint32_t i = 0; i < cx_sched.count; i++) {
        struct cx_thread *thread = &cx_sched.threads[i];
        if (thread->status == CX_THREAD_RUNNABLE &&
            (rounds_in_vain(thread) < CX_SPINS_LIVELOCK || thread->reads_clock)) {
            return 0;
        }
    }
    return 1;
}

void cx_yield(struct cx_thread *self, enum cx_op op, const void *object, const void *caller)
{
    self->points++;
    note_operation(self, op, object, caller);
    cx__settle();
    cx_record_step(self);
    if (cx_sched.steps >= cx_sched.steps_max) {
        cx_finish_livelock("the bound on steps passed");
    }
    // A loop that waits looks at something between two yields; one that only yields is counting.
    if (self->spin.left < CX_SPIN_MAX && self->spin.rounds < UINT32_MAX) {
        if (self->spin.rounds == 0) {
            self->reads_clock = self->anchor == NULL; // what it read before its last store does not count
            cx_sched.store_epoch++;
        }
        if (self->spin_epoch != cx_sched.store_epoch) {
            self->spin_epoch = cx_sched.store_epoch;
            self->spin_before = self->spin.rounds;
        }
        self->spin.rounds++;
        self->spin.left = CX_SPIN_MAX;
    }
    if (self->spin.rounds >= CX_SPINS_LIVELOCK && all_spin_for_ever()) {
        cx_finish_livelock("every thread that can run spins on values that nobody will change");
    }
    expire_due();
    if (cx_sched.runnable == 1 && cx_sched.timed > 0 && self->spin.rounds >= 8) {
        // It waits for what only a sleeper can do: let the first one go.
        cx_sched.leap_ns += cx_sched.next_deadline_ns - min_u64(cx_sched.next_deadline_ns, cx_now_ns());
        expire_due();
    }
    if (cx_has_choice()) {
        int deviation = 0;
        struct cx_thread *next = choose_successor(self, &deviation);
        switch_to(self, next, CX_SWITCH_YIELD, deviation);
    }
    cx__arm(self);
    cx_signals_due(self);
}

CX_RARE void cx_spin_slow(struct cx_thread *self, const void *object, const void *caller)
{
    // Loads without a point have passed no time; and who waits for the clock to move is helped along.
    uint32_t shift = self->reads_clock ? (self->spin.rounds < 16 ? self->spin.rounds : 16) : 0;
    cx_sched.leap_ns += (uint64_t)CX_SPIN_MAX * CX_STEP_NS << shift;
    cx_yield(self, CX_OP_SPIN, object, caller);
}

void cx_clock_read(struct cx_thread *self, const void *caller)
{
    self->reads_clock = 1;
    cx_step_look(self, CX_OP_LOAD, NULL, caller);
}

static void leave_runnable(struct cx_thread *self, enum cx_thread_status status, enum cx_op op, const void *caller)
{
    self->points++;
    note_operation(self, op, NULL, caller);
    cx__settle();
    cx_record_step(self);
    self->status = (uint8_t)status;
    cx_sched.store_epoch++;
    cx_sched.runnable--;
    cx_poll_progress();
    cx_wake_all(self, 0);
    cx_wake_all(&cx_sched, 0);
    expire_due();
}

void cx_park(struct cx_thread *self, const void *caller)
{
    leave_runnable(self, CX_THREAD_PARKED, CX_OP_PAUSE, caller);
    int deviation = 0;
    struct cx_thread *next = choose_successor(self, &deviation);
    switch_to(self, next, CX_SWITCH_PARK, deviation);
    if (self->status != CX_THREAD_RUNNABLE) {
        cx_finish(CX_OUTCOME_ERROR, "a thread that was parked for ever was given the token", "");
    }
    cx__arm(self);
    cx_signals_due(self);
}

void cx_thread_finish(struct cx_thread *self, int32_t dying_tid)
{
    leave_runnable(self, CX_THREAD_EXITED, CX_OP_THREAD_EXIT, NULL);
    int deviation = 0;
    struct cx_thread *next = choose_successor(self, &deviation);
    cx_sched.dying_tid = dying_tid;
    switch_to(self, next, CX_SWITCH_EXIT, deviation);
}

void cx_sched_begin(struct cx_channel *channel)
{
    cx_sched.channel = channel;
    cx_sched.strategy = cx_strategy_of(channel->request.strategy);
    if (cx_sched.strategy == NULL) {
        cx_finish(CX_OUTCOME_ERROR, "the request names a strategy that this runner does not have", "");
    }
    cx__segments_expect();
    cx_sched.steps_max = channel->request.steps_max;
    cx_sched.next_deadline_ns = CX_NO_DEADLINE;
    cx_sched.prng.state = channel->request.seed;
    cx_sched.spurious = channel->request.rules.spurious > 0 || channel->request.strategy == CX_STRATEGY_REPLAY;
    cx_sched.slow_mode = cx_wants_every_point();
    cx_record_begin();
    cx_access_begin();
    cx_sched.strategy->begin();
    struct cx_thread *self = cx_thread_adopt_main();
    cx_sched.current = self;
    cx_sched.active = 1;
    self->turn_ends = cx_quantum(CX_QUANTUM_MAX);
    cx__arm(self);
    cx_self = self;
}

// The set of threads that can run has grown (a thread was made).
void cx_sched_thread_added(struct cx_thread *thread)
{
    cx_sched_settle();
    thread->status = CX_THREAD_RUNNABLE;
    cx_sched.runnable++;
    cx_sched.strategy->thread_created(thread);
    if (cx_sched.current != NULL) {
        cx_poll_progress();
        cx__arm(cx_sched.current);
    }
}

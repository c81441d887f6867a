// SPDX-License-Identifier: Apache-2.0
//
// poll: deadlocks behind waits that poll.
//
// CPython waits in slices (the stop-the-world requester re-arms a 1 ms wait, take_gil a 5 ms one), so under virtual
// time "nothing can run" never comes and a true deadlock looks like work. From the first time that nothing can run,
// a quiet stretch is watched: it consists of rounds; in each round every timed wait ends at least once and is entered
// again. A round is quiet when, at its end, every thread waits for the same object as at its start, the same locks
// have the same holders, nobody was woken, made or ended, and every word that was stored to has its old value again (a
// lock word goes up and down; what counts is the net effect, however many pollers wait for the lock in between). After
// CX_ROUNDS quiet rounds that also span CX_QUIET_NS, the state is taken as a fixpoint: a deadlock.
//
// Watching makes every point slow, so it begins only when nothing could run CX_LEAPS times in a row without a change
// that is noticed anyway, and ends with the first round that is not quiet.
//
// What this cannot see: a loop counter in a register or a plain variable. A program that really does retry a fixed
// number of times gets through if it needs fewer rounds or less time than the two bounds.
#include "harness/detect/stack.h"
#include "harness/sched/again.h"
#include "harness/sched/sched.h"

#include <stddef.h>
#include <string.h>

#define CX_LEAPS 4
#define CX_ROUNDS 1000
#define CX_QUIET_NS 10000000000ULL // 10 s
#define STORES_MAX 1024

int cx_poll_watching;

static struct {
    const uint64_t *word; // scheduler token
    uint64_t before;      // scheduler token
} stores[STORES_MAX];
CX_LARGE(stores, NULL);
static uint32_t stores_count;  // scheduler token
static int disturbed;          // scheduler token
static uint32_t leaps;         // scheduler token: in a row, while nothing is watched
static uint32_t rounds;        // scheduler token
static uint64_t stretch_ns;    // scheduler token: when the first quiet round began
static uint64_t digest_before; // scheduler token
static uint64_t waits_before;  // scheduler token

static const uint64_t *word_of(const void *address)
{
    return (const uint64_t *)((uintptr_t)address & ~(uintptr_t)7);
}

void cx_poll_store(const void *address)
{
    const uint64_t *word = word_of(address);
    for (uint32_t i = 0; i < stores_count; i++) {
        if (stores[i].word == word) {
            return;
        }
    }
    if (stores_count == STORES_MAX) {
        disturbed = 1;
        return;
    }
    stores[stores_count].word = word;
    stores[stores_count].before = *word;
    stores_count++;
}

void cx_poll_point(enum cx_op op, const void *object)
{
    // Semaphores and read-write locks keep their state in their first word; who holds a mutex or a spinlock is known to
    // locks.c.
    if ((op >= CX_OP_STORE && op <= CX_OP_CAS) || (op >= CX_OP_RWLOCK_RDLOCK && op <= CX_OP_RWLOCK_UNLOCK) ||
        (op >= CX_OP_SEM_WAIT && op <= CX_OP_SEM_POST)) {
        cx_poll_store(object);
    }
}

void cx_poll_progress(void)
{
    disturbed = 1;
}

static int stores_undone(void)
{
    for (uint32_t i = 0; i < stores_count; i++) {
        // The memory may have been given back to the kernel since.
        uint64_t now;
        if (!cx_memory_read(stores[i].word, &now, sizeof(now)) || now != stores[i].before) {
            return 0;
        }
    }
    return 1;
}

static uint64_t waits_digest(void)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < cx_sched.count; i++) {
        const struct cx_thread *thread = &cx_sched.threads[i];
        if (thread->status == CX_THREAD_BLOCKED) {
            sum += cx_prng_mix((uint64_t)(uintptr_t)thread->wait_object ^ ((uint64_t)thread->key << 40) ^ thread->op);
        }
    }
    return sum;
}

static void begin_round(void)
{
    stores_count = 0;
    disturbed = 0;
    digest_before = cx_lock_digest();
    waits_before = waits_digest();
    for (uint32_t i = 0; i < cx_sched.count; i++) {
        cx_sched.threads[i].expired_in_round = 0;
    }
}

static void begin_stretch(void)
{
    rounds = 0;
    stretch_ns = cx_now_ns();
    cx_poll_watching = 1;
    cx_sched.slow_mode = 1;
    for (uint32_t i = 0; i < cx_sched.count; i++) {
        cx_sched.threads[i].expiries = 0;
    }
    begin_round();
}

static int round_is_over(void)
{
    for (uint32_t i = 0; i < cx_sched.count; i++) {
        const struct cx_thread *thread = &cx_sched.threads[i];
        if (thread->status == CX_THREAD_BLOCKED && thread->deadline_ns != CX_NO_DEADLINE && !thread->expired_in_round) {
            return 0;
        }
    }
    return 1;
}

static void end_stretch(void)
{
    leaps = 0;
    disturbed = 0;
    rounds = 0;
    cx_poll_watching = 0;
    cx_sched.slow_mode = cx_wants_every_point();
}

void cx_poll_leap(void)
{
    if (!cx_poll_watching) {
        leaps = disturbed ? 0 : leaps + 1;
        disturbed = 0;
        if (leaps >= CX_LEAPS) {
            begin_stretch();
        }
    } else if (disturbed || !stores_undone()) {
        // Not quiet. A wait for one distant deadline (a sleep) is no polling either: start over.
        end_stretch();
    } else if (round_is_over()) {
        if (digest_before != cx_lock_digest() || waits_before != waits_digest()) {
            end_stretch();
        } else {
            rounds++;
            begin_round();
        }
    }
    if (rounds >= CX_ROUNDS && cx_now_ns() - stretch_ns >= CX_QUIET_NS) {
        cx_finish_deadlock("every thread waits for ever, or polls for what nobody will change");
    }
}

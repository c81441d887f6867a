// SPDX-License-Identifier: Apache-2.0
//
// attach: the count of attaches, on top of a backend that gets the thread in and out.
//
// Invariant: count > 0 exactly while a thread state of the main interpreter is attached on behalf of the runtime. The
// count goes up after CPython has let the thread in and comes down after it has let it go; a thread that never comes
// back from either is not taken for attached by what still runs on it, because pyrt__thread_attached asks CPython too.
#include <Python.h>

#include "pyrt/attach.h"

#include "backend.h"
#include "known.h"
#include "pool_drain.h"
#include "pyrt/hook.h"
#include "record.h"
#include "start.h"
#include "thread.h"

static struct pyrt__scope scope_of(struct pyrt_attach *attach)
{
    return (struct pyrt__scope){&attach->thread, &attach->serial, &attach->outer};
}

// What every attach asks first.
static enum pyrt_status permitted(const struct pyrt__thread *self, struct pyrt_attach *attach)
{
    enum pyrt_status status = pyrt__scope_vacant(scope_of(attach));
    if (status != PYRT_OK) {
        return status;
    }
    if (self->forbidden > 0) {
        return PYRT_FORBIDDEN;
    }
    return pyrt__thread_stale(self) ? PYRT_GONE : PYRT_OK;
}

static void abandon(struct pyrt__entry *entry)
{
    pyrt__backend_release(entry);
    if (entry->used != NULL) {
        pyrt__slot_drop(entry->used);
    }
}

static enum pyrt_status enter(struct pyrt__thread *self, struct pyrt_attach *attach, struct pyrt__entry *entry)
{
    if (self->count == 0) {
        enum pyrt_status status = pyrt__thread_enter(self);
        if (status != PYRT_OK) {
            abandon(entry);
            return status;
        }
        if (entry->token != NULL) {
            pyrt__backend_entered(entry, self->pool);
        }
        self->uses += entry->used != NULL;
    }
    attach->token = entry->token;
    attach->used = entry->used;
    attach->counts = 1;
    self->count++;
    pyrt__scope_push(self, scope_of(attach));
    pyrt__pool_drain(self);
    return PYRT_OK;
}

// The usual nested attach: inside another one, nothing in the pool, the interpreter there. It calls nothing, and it is
// not even counted: the attach that it is inside of ends later.
static inline int nest(struct pyrt__thread *self, struct pyrt_attach *attach)
{
    const struct pyrt_pool *pool = self->pool;
    if (pool == NULL || self->forbidden > 0 || attach->serial != 0 || pyrt__queue_state(&pool->queue) != 0) {
        return 0;
    }
    pyrt__scope_push(self, scope_of(attach));
    return 1;
}

// Its end. A scope that is the innermost one finds its thread as it left it, with a pool.
static inline int unnest(struct pyrt__thread *self, struct pyrt_attach *attach)
{
    if ((attach->counts | (uintptr_t)attach->token) != 0 || attach->serial == 0 || attach->serial != self->innermost ||
        attach->thread != self->id || pyrt__record_gone(self->pool)) {
        return 0;
    }
    pyrt__scope_pop_begin(scope_of(attach));
    pyrt__scope_pop_finish(self, scope_of(attach));
    return 1;
}

// What the quick ways seldom need, out of their way: the address of the thread's record would be kept for it.
__attribute__((noinline, cold)) static void drain_here(void)
{
    pyrt__pool_drain(&pyrt__current);
}

__attribute__((noinline, cold)) static void flush_here(void)
{
    pyrt__pool_flush(&pyrt__current);
}

// The usual outermost attach. It is marked by a token without a count. As little as can be is kept over the calls: what
// is saved for them is written to memory, which costs as much as the rest.
static inline int enter_known(struct pyrt__thread *self, struct pyrt_attach *attach)
{
    // Acquire pairs with the release in publish() of start.c.
    struct pyrt_pool *record = atomic_load_explicit(&pyrt__start_quiet, memory_order_acquire);
    if (record == NULL || (self->count | self->forbidden | attach->serial) != 0) {
        return 0;
    }
    PyThreadState *tstate = pyrt__known_enter(record);
    if (tstate == NULL) {
        return 0;
    }
    self->pool = record;
    self->tstate = tstate;
    self->count_and_uses += PYRT__ONE_OF_BOTH;
    attach->token = tstate;
    pyrt__scope_push(self, scope_of(attach));
    if (__builtin_expect(pyrt__queue_state(&record->queue) != 0, 0)) {
        drain_here();
    }
    return 1;
}

// Another thread state was attached than the one that the scope counts on: as if nothing had happened.
__attribute__((noinline, cold)) static int undo_leave(struct pyrt_attach *attach, PyThreadState *left)
{
    pyrt__backend_swap(left);
    attach->serial = pyrt__current.innermost;
    return 0;
}

// Its end. What is wrong, if it is refused, the slow way says.
static inline int leave_known(struct pyrt__thread *self, struct pyrt_attach *attach)
{
    uint64_t serial = attach->serial;
    if (((serial ^ self->innermost) | (attach->thread ^ self->id) | (self->count ^ 1) | attach->counts) != 0 ||
        serial == 0 || attach->token == NULL || pyrt__record_gone(self->pool)) {
        return 0;
    }
    pyrt__scope_pop_begin(scope_of(attach));
    // Still counted: see end_slowly. What was detached says afterwards whether it was the right one.
    PyThreadState *left = PyThreadState_Swap(NULL);
    if (__builtin_expect(left != self->tstate, 0)) {
        return undo_leave(attach, left);
    }
    if (__builtin_expect(self->immediate > 0, 0)) {
        flush_here();
    }
    struct pyrt_pool *record = self->pool;
    attach->token = NULL;
    self->count_and_uses -= PYRT__ONE_OF_BOTH;
    self->pool = NULL;
    pyrt__scope_pop_finish(self, scope_of(attach));
    pyrt__slot_drop(record);
    return 1;
}

// Through the backend, but not into an interpreter whose start is in progress on another thread. A start that begins
// after the wait is seen after the act; then the thread goes out again and waits.
static enum pyrt_status come_in(struct pyrt__entry *entry)
{
    for (;;) {
        pyrt__start_wait();
        if (pyrt__thread_stranded()) {
            return PYRT_FORKED;
        }
        pyrt_hook_point("attach.waited");
        enum pyrt_status status = pyrt__backend_attach(entry);
        if (status != PYRT_OK || entry->token == NULL || !pyrt__start_elsewhere()) {
            return status;
        }
        abandon(entry);
        *entry = (struct pyrt__entry){0};
    }
}

// Whatever the two quick ways refuse. Each of the three is a function of its own, so that the quicker ones need no
// stack for what the slower ones do.
__attribute__((noinline)) static enum pyrt_status begin_slowly(struct pyrt_attach *attach)
{
    struct pyrt__thread *self = pyrt__thread_self();
    enum pyrt_status status = permitted(self, attach);
    if (status != PYRT_OK) {
        return status;
    }
    struct pyrt__entry entry = {0};
    status = self->count == 0 ? come_in(&entry) : PYRT_OK;
    return status == PYRT_OK ? enter(self, attach, &entry) : status;
}

__attribute__((noinline)) static enum pyrt_status begin(struct pyrt_attach *attach)
{
    return enter_known(&pyrt__current, attach) ? PYRT_OK : begin_slowly(attach);
}

enum pyrt_status pyrt_attach_try(struct pyrt_attach *attach)
{
    if (attach == NULL) {
        return PYRT_INVALID;
    }
    return __builtin_expect(nest(&pyrt__current, attach), 1) ? PYRT_OK : begin(attach);
}

enum pyrt_status pyrt_attach_unchecked(struct pyrt_attach *attach)
{
    if (attach == NULL) {
        return PYRT_INVALID;
    }
    struct pyrt__thread *self = pyrt__thread_self();
    enum pyrt_status status = permitted(self, attach);
    if (status != PYRT_OK) {
        return status;
    }
    struct pyrt__entry entry = {0};
    if (self->count == 0) {
        pyrt__backend_attach_unchecked(&entry);
    }
    return enter(self, attach, &entry);
}

void pyrt_attach(struct pyrt_attach *attach, const struct pyrt_init *init)
{
    enum pyrt_status status = pyrt_attach_try(attach);
    // After a finalization the answer is FINALIZING; with `restart` the caller knows that it is over.
    if (init != NULL && (status == PYRT_NOT_INITIALIZED || (status == PYRT_FINALIZING && init->restart))) {
        status = pyrt_initialize(init);
        if (status == PYRT_OK) {
            status = pyrt_attach_try(attach);
        }
    }
    if (status != PYRT_OK) {
        pyrt__die("pyrt_attach", status);
    }
}

enum pyrt_status pyrt_attach_assume(struct pyrt_attach *attach)
{
    if (attach == NULL) {
        return PYRT_INVALID;
    }
    struct pyrt__thread *self = pyrt__thread_self();
    enum pyrt_status status = permitted(self, attach);
    if (status != PYRT_OK) {
        return status;
    }
    PyThreadState *current = PyThreadState_GetUnchecked();
    if (current == NULL) {
        return PYRT_NOT_ATTACHED;
    }
    if (self->count > 0 && self->tstate != current) {
        return PYRT_MISMATCH;
    }
    struct pyrt__entry entry = {0};
    return enter(self, attach, &entry);
}

__attribute__((noinline)) static enum pyrt_status end_slowly(struct pyrt_attach *attach)
{
    struct pyrt__thread *self = pyrt__thread_self();
    enum pyrt_status status = pyrt__scope_endable(self, scope_of(attach));
    if (status != PYRT_OK) {
        return status;
    }
    int stale = pyrt__thread_stale(self);
    if (!stale && attach->token != NULL && PyThreadState_GetUnchecked() != self->tstate) {
        return PYRT_MISMATCH;
    }
    if (attach->token != NULL && attach->counts == 0) {
        // What enter_known does not write down.
        attach->used = self->pool;
        attach->counts = 1;
    }
    pyrt__scope_pop_begin(scope_of(attach));
    struct pyrt__entry entry = {.token = stale ? NULL : attach->token, .used = attach->used};
    attach->token = NULL;
    attach->used = NULL;
    // Still counted: the destructors that run in here may attach, which then nests.
    pyrt__backend_release(&entry);
    self->uses -= entry.used != NULL;
    self->count -= (uint32_t)attach->counts;
    attach->counts = 0;
    if (self->count == 0) {
        pyrt__thread_leave(self);
    }
    pyrt__scope_pop_finish(self, scope_of(attach));
    if (entry.used != NULL) {
        // Last: from here on the interpreter may end.
        pyrt__slot_drop(entry.used);
    }
    return stale ? PYRT_GONE : PYRT_OK;
}

__attribute__((noinline)) static enum pyrt_status end(struct pyrt_attach *attach)
{
    return leave_known(&pyrt__current, attach) ? PYRT_OK : end_slowly(attach);
}

enum pyrt_status pyrt_attach_release(struct pyrt_attach *attach)
{
    if (attach == NULL) {
        return PYRT_INVALID;
    }
    return __builtin_expect(unnest(&pyrt__current, attach), 1) ? PYRT_OK : end(attach);
}

int pyrt_is_attached(void)
{
    return pyrt__thread_attached(pyrt__thread_self());
}

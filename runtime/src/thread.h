// SPDX-License-Identifier: Apache-2.0
//
// thread: what the runtime knows about one thread, and the order of its scopes. Private to runtime/src.
//
// Every attach, detach and forbid is a scope. A thread numbers its scopes from one; the record remembers the innermost
// live one, each scope remembers the one around it. A scope may end only while it is the innermost. Numbers, not
// addresses, are compared: a scope whose memory is gone is never looked at, and can't be mistaken for a new one.
//
// No field is shared. Static thread-local storage of plain integers stays valid while the thread's other destructors
// run, so that attaching from one of them is safe.
#ifndef PYRT_SRC_THREAD_H
#define PYRT_SRC_THREAD_H

#include <stdint.h>

#include "pyrt/status.h"

struct pyrt__slot;
struct pyrt_pool;

struct pyrt__thread {
    uint64_t id;            // unique in the process, from 1, 0 before first use; owner thread only
    uint64_t serials;       // scopes begun so far; owner thread only
    uint64_t innermost;     // number of the innermost live scope, or 0; owner thread only
    void *tstate;           // thread state that the attaches count on, if count is not 0; owner thread only
    struct pyrt_pool *pool; // record of that state's interpreter, NULL if count is 0; owner thread only
    union {
        struct {
            uint32_t count; // attaches that are not suspended, without plainly nested ones; owner thread only
            uint32_t uses;  // uses of that interpreter that this thread holds; owner thread only
        };
        uint64_t count_and_uses; // both at once; owner thread only
    };
    uint64_t immediate;          // references dropped at once and not yet added to the total; owner thread only
    struct pyrt__slot *slot;     // where it counts uses by itself, or pyrt__no_slot; owner thread only
    uint32_t forbidden;          // live forbids; owner thread only
    struct pyrt_pool *draining;  // whose drain is on this thread's stack, innermost; owner thread only
    struct pyrt_pool *beginning; // where it is about to begin an ensure, with a guard for that; owner thread only
};

// One attach and one use more, for count_and_uses.
#define PYRT__ONE_OF_BOTH (((uint64_t)1 << 32) + 1)

// The fields that the three kinds of scope have in common, by reference.
struct pyrt__scope {
    uint64_t *thread; // owner thread only
    uint64_t *serial; // owner thread only
    uint64_t *outer;  // owner thread only
};

// The record is one load away from the thread pointer also in a shared object that is loaded late: it takes its few
// words from what the C library keeps free for that. Where there is no such room, define PYRT_TLS_DYNAMIC.
#ifdef PYRT_TLS_DYNAMIC
#define PYRT__TLS
#else
#define PYRT__TLS __attribute__((tls_model("initial-exec")))
#endif

extern _Thread_local struct pyrt__thread pyrt__current PYRT__TLS __attribute__((visibility("hidden")));

// Give the calling thread's record its id.
void pyrt__thread_number(void);

// The calling thread's record; it has an id.
static inline struct pyrt__thread *pyrt__thread_self(void)
{
    if (__builtin_expect(pyrt__current.id == 0, 0)) {
        pyrt__thread_number();
    }
    return &pyrt__current;
}

// PYRT_OK if a scope may be begun in this memory.
static inline enum pyrt_status pyrt__scope_vacant(struct pyrt__scope scope)
{
    return *scope.serial == 0 ? PYRT_OK : PYRT_ALREADY_LIVE;
}

// Make `scope` the innermost of `self`. Requires: it is vacant.
static inline void pyrt__scope_push(struct pyrt__thread *self, struct pyrt__scope scope)
{
    uint64_t serial = self->serials + 1;
    uint64_t outer = self->innermost;
    self->serials = serial;
    self->innermost = serial;
    *scope.thread = self->id;
    *scope.serial = serial;
    *scope.outer = outer;
}

// PYRT_OK if `self` may end `scope` now, else what is wrong.
static inline enum pyrt_status pyrt__scope_endable(const struct pyrt__thread *self, struct pyrt__scope scope)
{
    if (*scope.serial == 0) {
        return PYRT_NOT_LIVE;
    }
    if (*scope.thread != self->id) {
        return PYRT_WRONG_THREAD;
    }
    return *scope.serial == self->innermost ? PYRT_OK : PYRT_OUT_OF_ORDER;
}

// Mark a scope as ended, so that ending it again is noticed, but keep its place in the order until
// pyrt__scope_pop_finish. In between, destructors may begin and end scopes inside it.
static inline void pyrt__scope_pop_begin(struct pyrt__scope scope)
{
    *scope.serial = 0;
}

static inline void pyrt__scope_pop_finish(struct pyrt__thread *self, struct pyrt__scope scope)
{
    self->innermost = *scope.outer;
}

// True if `self` is attached by the runtime's own account and CPython agrees.
// Requires: `self` is the calling thread.
int pyrt__thread_attached(const struct pyrt__thread *self);

// Note the attached thread state, and its interpreter's record, as what the attaches of `self` count on; and forget it.
// Requires: `self` is the calling thread, its count is 0.
// Thread state: attached, when it begins. Blocks: no. May run Python: yes, at the first entry. PYRT_OK, NO_MEMORY.
enum pyrt_status pyrt__thread_enter(struct pyrt__thread *self);
void pyrt__thread_leave(struct pyrt__thread *self);

// What the attaches of a thread count on, put aside while it is inside another interpreter.
struct pyrt__frame {
    struct pyrt_pool *pool; // owner thread only
    void *tstate;           // owner thread only
    uint32_t uses;          // owner thread only
    uint32_t count;         // owner thread only
};

// Put the account of `self` aside, leaving it empty; and take it back.
// Requires: `self` is the calling thread; for the return, its count is 0.
struct pyrt__frame pyrt__frame_save(struct pyrt__thread *self);
void pyrt__frame_restore(struct pyrt__thread *self, struct pyrt__frame frame);

// True if the interpreter that the attaches of `self` count on has ended under them.
// Requires: `self` is the calling thread.
int pyrt__thread_stale(const struct pyrt__thread *self);

// True in the child of a fork that was called without an attached thread state while there was an interpreter: its
// locks may be held by threads that do not exist here.
int pyrt__thread_stranded(void);

// End the process because `what` was refused with `status`.
__attribute__((noreturn)) void pyrt__die(const char *what, enum pyrt_status status);

#endif

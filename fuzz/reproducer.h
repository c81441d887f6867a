// SPDX-License-Identifier: Apache-2.0
//
// reproducer: what the threads of a program are and share, without anything of ours. See reproducer.c, which it is
// printed with.
#ifndef CX_FUZZ_REPRODUCER_H
#define CX_FUZZ_REPRODUCER_H

#include <Python.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define UNUSED __attribute__((unused))
#define SCOPES_MAX 12
#define THREADS_MAX 4
#define KEPT_MAX 4
#define TRY_SECONDS_MAX 20
#define YIELDS_AT_THE_END 20000
#define OUTSIDE (-1)

enum scope_kind {
    SCOPE_NOTHING,
    SCOPE_ENSURED,
    SCOPE_SAVED,
    SCOPE_INSIDE,
    SCOPE_KEPT,
    SCOPE_SECTION,
    SCOPE_SECTION_TWO,
    SCOPE_FORBID,
};

struct scope {
    enum scope_kind kind;
    int where; // around it
    int slot;  // of the kept state that it is in
    PyGILState_STATE gil;
    PyThreadState *saved, *inside;
    PyCriticalSection2 section; // that of one object has the same beginning
};

struct thread {
    int number;
    int where; // interpreter that is attached: 0 main, 1 shared, 2 own; or OUTSIDE
    int depth, sections, forbids, held;
    struct scope scopes[SCOPES_MAX];
    PyInterpreterState *own;
    PyThreadState *kept[KEPT_MAX];
    int entered[KEPT_MAX];
    PyObject *started;
    unsigned random;
    pthread_t id;
};

struct program {
    int count;
    void (*bodies[THREADS_MAX])(struct thread *);
};

static struct {
    PyObject *anchor, *pair[2], *list, *dict, *type, *work, *keys[4];
} objects;
static atomic_int has_objects, closing, waiting;
static PyInterpreterState *main_interp, *shared;
static pthread_rwlock_t destroying = PTHREAD_RWLOCK_INITIALIZER;
static struct thread threads[THREADS_MAX];

static UNUSED void pause_a_little(struct thread *self)
{
    self->random = self->random * 1103515245u + 12345u;
    for (volatile unsigned i = 0, most = 1u << (self->random >> 16) % 15; i < most; i++) {
    }
}

static int python_may_run(const struct thread *self)
{
    return self->where == 0 && self->forbids == 0 && self->sections == 0 && atomic_load(&has_objects);
}

static struct scope *scope_open(struct thread *self, enum scope_kind kind)
{
    struct scope *scope = &self->scopes[self->depth++];
    memset(scope, 0, sizeof(*scope));
    scope->kind = kind;
    scope->where = self->where;
    return scope;
}

#endif

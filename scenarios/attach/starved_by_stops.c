// SPDX-License-Identifier: Apache-2.0
//
// attach/starved_by_stops: one thread stops the world again and again, another one comes back in between.
// Question: can a thread that wants to attach be passed over by stop after stop?
// Verdict:  with a hand-over it could not. Without the GIL it can, for ever: a stop ends with the thread detached, and
//           the next one may suspend it again before it has taken its own state (gh-151518, open).
// How:      inside each stopped world, a traversal looks at the state of the thread that is on its way in. Schedules
//           that let a thread be slow for long, as PCT's, show that nothing bounds it; fair ones do not.
#include <Python.h>

#include "harness/scenario.h"

#include <semaphore.h>
#include <stdatomic.h>

#define STOPS 40
#define STOPS_PASSED_OVER 16
#define STATE_SUSPENDED 2 // _Py_THREAD_SUSPENDED of CPython's internal headers

struct state {
    PyObject *watch;                // const after init
    PyThreadState *_Atomic waiting; // atomic: on its way in
    atomic_int passed_over;         // atomic: stops in a row that have found it suspended
    atomic_int collecting;          // atomic
    sem_t outside;                  // const after init
};

static struct state *shared; // const after init

static int watch_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    if (atomic_exchange(&shared->collecting, 0)) {
        PyThreadState *tstate = atomic_load(&shared->waiting);
        int suspended = tstate != NULL && __atomic_load_n(&tstate->state, __ATOMIC_SEQ_CST) == STATE_SUSPENDED;
        atomic_store(&shared->passed_over, suspended ? atomic_load(&shared->passed_over) + 1 : 0);
    }
    return 0;
}

static PyType_Slot watch_slots[] = {{Py_tp_traverse, watch_traverse}, {0, NULL}};
static PyType_Spec watch_spec = {
    .name = "constrictor.watch",
    .basicsize = sizeof(PyObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = watch_slots,
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    shared = state;
    PyTypeObject *type = (PyTypeObject *)PyType_FromSpec(&watch_spec);
    state->watch = type != NULL ? type->tp_alloc(type, 0) : NULL;
    return state->watch != NULL ? sem_init(&state->outside, 0, 0) : -1;
}

static void stopper(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    sem_wait(&state->outside);
    PyGILState_STATE gil = PyGILState_Ensure();
    for (int i = 0; i < STOPS; i++) {
        atomic_store(&state->collecting, 1);
        PyGC_Collect();
        CX_CHECK(atomic_load(&state->passed_over) < STOPS_PASSED_OVER);
    }
    PyGILState_Release(gil);
}

static void returner(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    PyGILState_STATE gil = PyGILState_Ensure();
    PyThreadState *tstate = PyEval_SaveThread();
    atomic_store(&state->waiting, tstate);
    sem_post(&state->outside);
    PyEval_RestoreThread(tstate);
    atomic_store(&state->waiting, NULL);
    PyGILState_Release(gil);
}

const struct cx_scenario scenario_attach_starved_by_stops = {
    .summary = "one thread stops the world again and again, another one comes back in between",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .actors = {{"stopper", stopper}, {"returner", returner}},
    .tags = "attach,stop-the-world,fairness",
    .refs = "gh-151518",
};

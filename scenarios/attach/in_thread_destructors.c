// SPDX-License-Identifier: Apache-2.0
//
// attach/in_thread_destructors: threads end by return or by pthread_exit, and attach on their way out; main finalizes.
// Question: is an attach safe in the destructor of a thread-local variable and in a cleanup handler?
// Verdict:  yes: it is let in and waited for, or refused; what was left attached there is still usable.
// How:      one thread returns, one ends itself inside a nested attach. PyO3's test_detach_panics_safely has unwinding
//           where C has this; no upstream test attaches from a thread's end.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"
#include "scenarios/common/steps.h"

#include <pthread.h>
#include <stdatomic.h>

struct state;

// What a thread ends with. It is no local variable: pthread_exit may come back to the function by a jump.
struct ending {
    struct state *state;       // owner thread only
    struct pyrt_attach attach; // owner thread only
    int attached;              // owner thread only: `attach` is live
};

struct state {
    struct ending endings[2]; // owner thread only
    pthread_key_t key;        // const after init
    atomic_int cleanups;      // atomic
    atomic_int destructors;   // atomic
    atomic_int finalized;     // atomic
};

static void attach_here(struct state *state)
{
    struct pyrt_attach attach = {0};
    enum pyrt_status status = pyrt_attach_try(&attach);
    if (status == PYRT_OK) {
        CX_CHECK(!atomic_load(&state->finalized));
        CX_CHECK(pyrt_is_attached());
        CX_CHECK(pyrt_pool_decref(PyList_New(0)) == PYRT_OK);
        CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
    } else {
        CX_CHECK(status == PYRT_FINALIZING || status == PYRT_NOT_INITIALIZED);
    }
}

static void on_thread_end(void *memory)
{
    struct state *state = memory;
    attach_here(state);
    CX_CHECK(PyThreadState_GetUnchecked() == NULL && !pyrt_is_attached());
    atomic_fetch_add(&state->destructors, 1);
}

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    struct pyrt_attach attach = {0};
    return pthread_key_create(&state->key, on_thread_end) == 0 && pyrt_attach_assume(&attach) == PYRT_OK
               ? -(pyrt_attach_release(&attach) != PYRT_OK)
               : -1;
}

static void on_cleanup(void *memory)
{
    struct ending *ending = memory;
    attach_here(ending->state);
    if (ending->attached) {
        CX_CHECK(pyrt_is_attached());
        CX_CHECK(pyrt_attach_release(&ending->attach) == PYRT_OK);
    }
    CX_CHECK(PyThreadState_GetUnchecked() == NULL);
    atomic_fetch_add(&ending->state->cleanups, 1);
}

static void ender(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    struct ending *ending = &state->endings[cx_actor_index(run)];
    ending->state = state;
    CX_CHECK(pthread_setspecific(state->key, state) == 0);
    pthread_cleanup_push(on_cleanup, ending);
    if (cx_actor_index(run) != 0) {
        ending->attached = pyrt_attach_try(&ending->attach) == PYRT_OK;
        pthread_exit(NULL);
    }
    attach_here(state);
    pthread_cleanup_pop(1);
}

static void finalizer(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    steps_finalize(&state->finalized);
}

static void check(struct cx_run *run, void *memory)
{
    const struct state *state = memory;
    CX_CHECK(!cx_any_parked(run));
    CX_CHECK(atomic_load(&state->cleanups) == 2 && atomic_load(&state->destructors) == 2);
}

const struct cx_scenario scenario_attach_in_thread_destructors = {
    .summary = "threads end by return or by pthread_exit, and attach on their way out; main finalizes",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"finalizer", finalizer, .flags = CX_ACTOR_MAIN}, {"ender", ender, .count = 2}},
    .tags = "attach,finalize,runtime",
    .refs = "gh-87135",
};

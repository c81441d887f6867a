// SPDX-License-Identifier: Apache-2.0
//
// attach/nine_threads_main_joins: main joins, attached, ten native threads that attach at once.
// Question: does attaching a ninth thread need main, which waits outside Python without having said so?
// Verdict:  yes, without the GIL: the array of thread states grows under a stopped world, and main never stops. With
//           the GIL already the first thread waits for main. A deadlock either way.
// How:      no preemption is needed. attach/nine_threads is the corrected twin.
// Misuse:   blocking while attached.
#include <Python.h>

#include "harness/scenario.h"

#include <pthread.h>

#define THREADS 10

struct state {
    pthread_barrier_t inside; // const after init
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    return pthread_barrier_init(&state->inside, NULL, THREADS);
}

static void *visitor(void *memory)
{
    struct state *state = memory;
    PyGILState_STATE gil = PyGILState_Ensure();
    Py_BEGIN_ALLOW_THREADS pthread_barrier_wait(&state->inside);
    Py_END_ALLOW_THREADS PyGILState_Release(gil);
    return NULL;
}

static void joiner(struct cx_run *run, void *memory)
{
    (void)run;
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        CX_CHECK(pthread_create(&threads[i], NULL, visitor, memory) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        CX_CHECK(pthread_join(threads[i], NULL) == 0);
    }
}

const struct cx_scenario scenario_attach_nine_threads_main_joins = {
    .summary = "main joins, attached, ten native threads that attach at once",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .actors = {{"joiner", joiner, .flags = CX_ACTOR_MAIN}},
    .tags = "attach,qsbr,deadlock",
    .refs = "gh-148953,gh-157666",
};

// SPDX-License-Identifier: Apache-2.0
//
// test_model: random sequences of all operations on four threads, against a model. Property: what the runtime says
// about a thread (attached or not, to which interpreter, forbidden or not), each answer, and the balance of the pool
// are what a few lines of bookkeeping say.
//
//   test_model PATH [SEQUENCES [SEED]]     1000 sequences by default; a failure names its seed
//
// A sequence is up to 40 operations on one thread, beginning and ending outside; the threads play theirs side by side.
#include <Python.h>

#include "pyrt/pyrt.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "model.h"
#include "testing.h"

#define THREADS 4
#define DEPTH 12
#define LENGTH 40

static struct pyrt_interp interps[2]; // main and sub, borrowed; const after init
static struct pyrt_guard *guard;      // of main; const after init
static struct pyrt_view *view;        // of main; const after init
static int64_t ids[2];                // const after init
static uint64_t seed_first = 1;
static int sequences = 1000;
static atomic_long refused[-PYRT_UNSUPPORTED + 1]; // atomic; how often each status was the right answer

// What a sequence begins: each kind, activations of both interpreters.
static const struct {
    enum scope_kind kind;
    int to;
} scopes[] = {{SCOPE_TRY, 0},      {SCOPE_ASSUME, 0}, {SCOPE_DETACH, 0}, {SCOPE_FORBID, 0}, {SCOPE_ACTIVATE, 0},
              {SCOPE_ACTIVATE, 1}, {SCOPE_ENSURE, 0}, {SCOPE_VIEW, 0},   {SCOPE_KEPT, 0},   {SCOPE_KEPT, 1}};

static void compare(const struct model_level *model, uint64_t seed)
{
    if (!model_agrees(model, ids)) {
        fprintf(stderr, "test_model: seed %llu: not in %d, or attached is %d, model %d\n", (unsigned long long)seed,
                model->where, pyrt_is_attached(), model->counted);
        abort();
    }
}

// Drop a reference to an object of the main interpreter.
static void drop(PyObject *object, uint64_t *dropped)
{
    CHECK_STATUS(pyrt_pool_decref(object), PYRT_OK);
    (*dropped)++;
}

// Close a kept state and open it again; it is as good as before.
static void keep_again(struct pyrt_tstate *kept, int slot, struct model_level *here)
{
    unsigned bit = 1u << slot;
    int attached = here->where >= 0 && here->bound_kept == 1 + slot;
    if ((here->used & bit) != 0 && (here->active & bit) == 0 && !attached) {
        return; // that asks for more than the runtime promises
    }
    enum pyrt_status expected = model_expect_close(here, slot);
    CHECK_STATUS(pyrt_tstate_close(&kept[slot]), expected);
    if (expected == PYRT_OK) {
        model_closed(here);
        CHECK_STATUS(pyrt_tstate_open(&kept[slot], &interps[slot]), PYRT_OK);
        model_opened(here, slot, slot);
    }
    atomic_fetch_add_explicit(&refused[-expected], 1, memory_order_relaxed);
}

static void play(uint64_t seed, PyObject *object, uint64_t *dropped)
{
    struct model_level levels[DEPTH + 1];
    struct pyrt_tstate kept[2] = {{0}, {0}};
    uint64_t random = seed;
    int depth = 0;
    memset(levels, 0, sizeof levels);
    levels[0] = (struct model_level){.where = -1, .bound = -1};
    for (int slot = 0; slot < 2; slot++) {
        CHECK_STATUS(pyrt_tstate_open(&kept[slot], &interps[slot]), PYRT_OK);
        model_opened(&levels[0], slot, slot);
    }
    for (int i = 0; i < LENGTH || depth > 0; i++) {
        uint32_t choice = i < LENGTH ? testing_random(&random, 10) : 0;
        if (depth > 0 && choice < 4) {
            if (depth > 1 && testing_random(&random, 4) == 0) {
                CHECK_STATUS(scope_end(&levels[depth - 1].scope), PYRT_OUT_OF_ORDER);
            }
            CHECK_STATUS(scope_end(&levels[depth].scope), PYRT_OK);
            model_leave(&levels[depth - 1], &levels[depth]);
            depth--;
        } else if (choice == 4) {
            drop(object, dropped);
        } else if (choice == 5) {
            keep_again(kept, (int)testing_random(&random, 2), &levels[depth]);
        } else if (depth < DEPTH) {
            struct model_level *inside = &levels[depth + 1];
            memset(inside, 0, sizeof *inside);
            uint32_t scope = testing_random(&random, sizeof(scopes) / sizeof(scopes[0]));
            inside->scope.kind = scopes[scope].kind;
            inside->to = scopes[scope].to;
            inside->slot = inside->to;
            const struct scope_of of = {
                .interp = &interps[inside->to], .kept = &kept[inside->to], .guard = guard, .view = view};
            enum pyrt_status expected = model_expect(inside, &levels[depth]);
            enum pyrt_status status = scope_begin(&inside->scope, &of);
            if (status != expected) {
                fprintf(stderr, "test_model: seed %llu: begin of kind %d at depth %d is %s, not %s\n",
                        (unsigned long long)seed, (int)inside->scope.kind, depth, pyrt_status_name(status),
                        pyrt_status_name(expected));
                abort();
            }
            atomic_fetch_add_explicit(&refused[-status], 1, memory_order_relaxed);
            depth += status == PYRT_OK;
        }
        compare(&levels[depth], seed);
    }
    for (int slot = 0; slot < 2; slot++) {
        CHECK_STATUS(pyrt_tstate_close(&kept[slot]), PYRT_OK);
    }
}

struct job {
    int number;
    PyObject *object;
    uint64_t dropped;
};

static void *player(void *memory)
{
    struct job *job = memory;
    for (int i = 0; i < sequences / THREADS; i++) {
        play((seed_first + (uint64_t)i) * THREADS + (uint64_t)job->number + 1, job->object, &job->dropped);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    testing_path(argc, argv);
    sequences = argc > 2 ? atoi(argv[2]) : sequences;
    seed_first = argc > 3 ? strtoull(argv[3], NULL, 10) : seed_first;
    testing_initialize();
    CHECK_STATUS(pyrt_interp_current(&interps[0]), PYRT_OK);
    CHECK_STATUS(pyrt_interp_create(&interps[1], NULL), PYRT_OK);
    CHECK_STATUS(pyrt_guard_from_current(&guard), PYRT_OK);
    CHECK_STATUS(pyrt_view_from_main(&view), PYRT_OK);
    ids[0] = pyrt_interp_id(&interps[0]);
    ids[1] = pyrt_interp_id(&interps[1]);
    struct job jobs[THREADS];
    pthread_t threads[THREADS];
    uint64_t most = (uint64_t)(sequences / THREADS) * LENGTH;
    for (int i = 0; i < THREADS; i++) {
        jobs[i] = (struct job){.number = i, .object = PyList_New(0)};
        CHECK(jobs[i].object != NULL);
        for (uint64_t n = 0; n < most; n++) {
            Py_INCREF(jobs[i].object);
        }
    }
    PyThreadState *tstate = PyEval_SaveThread();
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&threads[i], NULL, player, &jobs[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
    PyEval_RestoreThread(tstate);
    struct pyrt_attach attach = {0};
    struct pyrt_pool_stats stats;
    CHECK_STATUS(pyrt_attach_assume(&attach), PYRT_OK);
    // Without the GIL the queue of merges that other threads have asked this one for holds a reference until it looks.
    CHECK(PyRun_SimpleString("for _ in range(3): pass") == 0);
    PyGC_Collect();
    pyrt_pool_stats(&stats);
    uint64_t dropped = 0;
    for (int i = 0; i < THREADS; i++) {
        dropped += jobs[i].dropped;
        CHECK((uint64_t)Py_REFCNT(jobs[i].object) == 1 + most - jobs[i].dropped);
    }
    CHECK(stats.queued == stats.drained && stats.queued + stats.immediate == dropped);
    CHECK_STATUS(pyrt_attach_release(&attach), PYRT_OK);
    pyrt_guard_close(guard);
    pyrt_view_close(view);
    CHECK_STATUS(pyrt_interp_destroy(&interps[1]), PYRT_OK);
    CHECK_STATUS(pyrt_interp_destroy(&interps[0]), PYRT_OK);
    CHECK(Py_FinalizeEx() == 0);
    printf(
        "%d sequences: %ld begun, %ld forbidden, %ld not attached, %ld mismatches; %llu dropped, %llu of them queued\n",
        sequences, atomic_load(&refused[0]), atomic_load(&refused[-PYRT_FORBIDDEN]),
        atomic_load(&refused[-PYRT_NOT_ATTACHED]), atomic_load(&refused[-PYRT_MISMATCH]), (unsigned long long)dropped,
        (unsigned long long)stats.queued);
    return 0;
}

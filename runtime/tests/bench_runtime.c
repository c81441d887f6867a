// SPDX-License-Identifier: Apache-2.0
//
// bench_runtime: what the runtime costs, beside what it stands on or replaces, and beside its bound.
//
//   bench_runtime PATH [BATCHES]
//
// Each measurement is BATCHES (101) batches of ours and of its rival in turn, in one process, and the least CPU time
// for one operation of each: what else the machine does comes in as little as can be.
// The numbers mean something on a release target; docs/benchmarks.md has some.
#include <Python.h>

#include "pyrt/pyrt.h"

#include <pthread.h>
#include <time.h>

#include "testing.h"

#define TIMES 20000       // operations of one batch
#define TIMES_MANY 800000 // of many threads together: several times what a thread gets to run in one go
#define THREADS_MAX 8

// One way to do the thing: `body` is measured, what goes before and after is not.
struct way {
    void (*before)(void);
    void (*body)(void);
    void (*after)(void);
};

static PyObject *object;
static PyObject *other;
static struct pyrt_detach detach;

static double now_ns(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

// ---- attach

static void attach_and_release(void)
{
    struct pyrt_attach attach = {0};
    for (int i = 0; i < TIMES; i++) {
        pyrt_attach_try(&attach);
        pyrt_attach_release(&attach);
    }
}

static void ensure_and_release(void)
{
    for (int i = 0; i < TIMES; i++) {
        PyGILState_Release(PyGILState_Ensure());
    }
}

// What there is to call at the least.
static void restore_and_swap(void)
{
    for (int i = 0; i < TIMES; i++) {
        PyEval_RestoreThread(PyGILState_GetThisThreadState());
        PyThreadState_Swap(NULL);
    }
}

static void leave(void)
{
    CHECK_STATUS(pyrt_detach_begin(&detach), PYRT_OK);
}

static void come_back(void)
{
    CHECK_STATUS(pyrt_detach_end(&detach), PYRT_OK);
}

#if PY_VERSION_HEX >= 0x030F0000

static void ensure_from_view(void)
{
    PyInterpreterView *view = PyInterpreterView_FromMain();
    for (int i = 0; i < TIMES; i++) {
        PyThreadState_Release(PyThreadState_EnsureFromView(view));
    }
    PyInterpreterView_Close(view);
}

#endif

// ---- pool

static void take_times(int times)
{
    for (int i = 0; i < times; i++) {
        Py_INCREF(object);
    }
}

static void take_references(void)
{
    take_times(TIMES);
}

static void decref_plain(void)
{
    for (int i = 0; i < TIMES; i++) {
        Py_DECREF(object);
    }
}

static void decref_times(int times)
{
    for (int i = 0; i < times; i++) {
        pyrt_pool_decref(object);
    }
}

static void decref(void)
{
    decref_times(TIMES);
}

static void take_references_and_leave(void)
{
    take_references();
    leave();
}

// An array under a mutex, as others do it: it grows by doubling, and whoever drains takes it away.
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static PyObject **array; // under mutex
static size_t room;      // under mutex
static size_t filled;    // under mutex

static void append_times(int times)
{
    for (int i = 0; i < times; i++) {
        pthread_mutex_lock(&mutex);
        if (filled == room) {
            room = room > 0 ? 2 * room : 4;
            array = realloc(array, room * sizeof *array);
            CHECK(array != NULL);
        }
        array[filled++] = object;
        pthread_mutex_unlock(&mutex);
    }
}

static void append_under_mutex(void)
{
    append_times(TIMES);
}

static void empty_array(void)
{
    free(array);
    array = NULL;
    room = 0;
    filled = 0;
}

// ---- critical sections

static void section(void)
{
    for (int i = 0; i < TIMES; i++) {
        PYRT_CRITICAL_BEGIN(object);
        PYRT_CRITICAL_END();
    }
}

static void section_of_two(void)
{
    for (int i = 0; i < TIMES; i++) {
        PYRT_CRITICAL_BEGIN_TWO(object, other);
        PYRT_CRITICAL_END();
    }
}

static void section_by_functions(void)
{
    struct pyrt_critical critical = {0};
    for (int i = 0; i < TIMES; i++) {
        CHECK_STATUS(pyrt_critical_begin(&critical, object), PYRT_OK);
        CHECK_STATUS(pyrt_critical_end(&critical), PYRT_OK);
    }
}

static void section_raw(void)
{
    for (int i = 0; i < TIMES; i++) {
        Py_BEGIN_CRITICAL_SECTION(object);
        Py_END_CRITICAL_SECTION();
    }
}

// The same code once more, elsewhere in the program: how much two measurements of one thing differ.
static void section_raw_again(void)
{
    for (int i = 0; i < TIMES; i++) {
        Py_BEGIN_CRITICAL_SECTION(other);
        Py_END_CRITICAL_SECTION();
    }
}

static void section_of_two_raw(void)
{
    for (int i = 0; i < TIMES; i++) {
        Py_BEGIN_CRITICAL_SECTION2(object, other);
        Py_END_CRITICAL_SECTION2();
    }
}

// ---- the table

struct row {
    const char *name;
    struct way ours;
    const char *rival; // NULL: none
    struct way theirs;
    double most_ns;    // bound on ours, 0: none
    double most_times; // bound on ours as a multiple of the rival's, 0: none
};

// With the GIL a raw section is no code at all, so that there is nothing to be a multiple of: two cycles.
#ifdef Py_GIL_DISABLED
#define SECTION_BOUNDS 0, 1.10
#else
#define SECTION_BOUNDS 0.5, 0
#endif

static const struct row rows[] = {
    {"nested attach and release", {NULL, attach_and_release, NULL}, NULL, {0}, 3, 0},
    {"attach and release, known thread",
     {leave, attach_and_release, come_back},
     "PyGILState_Ensure, _Release",
     {leave, ensure_and_release, come_back},
     0,
     1.10},
    {"attach and release, known thread",
     {leave, attach_and_release, come_back},
     "PyEval_RestoreThread, PyThreadState_Swap",
     {leave, restore_and_swap, come_back},
     0,
     0},
#if PY_VERSION_HEX >= 0x030F0000
    {"attach and release, known thread",
     {leave, attach_and_release, come_back},
     "PyThreadState_EnsureFromView, _Release",
     {leave, ensure_from_view, come_back},
     0,
     1.10},
#endif
    {"pool: decref, attached",
     {take_references, decref, NULL},
     "Py_DECREF",
     {take_references, decref_plain, NULL},
     0,
     0},
    {"pool: decref, detached",
     {take_references_and_leave, decref, come_back},
     "array under a mutex",
     {NULL, append_under_mutex, empty_array},
     25,
     0},
    {"critical section, one object", {NULL, section, NULL}, "raw", {NULL, section_raw, NULL}, SECTION_BOUNDS},
    {"the same, by functions", {NULL, section_by_functions, NULL}, "raw", {NULL, section_raw, NULL}, 0, 0},
    {"raw, elsewhere", {NULL, section_raw_again, NULL}, "raw", {NULL, section_raw, NULL}, 0, 0},
    {"critical section, two objects",
     {NULL, section_of_two, NULL},
     "raw",
     {NULL, section_of_two_raw, NULL},
     SECTION_BOUNDS},
};

static double batch(const struct way *way)
{
    if (way->before != NULL) {
        way->before();
    }
    double begin = now_ns(CLOCK_THREAD_CPUTIME_ID);
    way->body();
    double taken = now_ns(CLOCK_THREAD_CPUTIME_ID) - begin;
    if (way->after != NULL) {
        way->after();
    }
    return taken / TIMES;
}

static double least(double a, double b)
{
    return a < b ? a : b;
}

static void run(const struct row *row, int batches)
{
    double ours = 1e18;
    double theirs = 1e18;
    for (int i = 0; i < batches; i++) {
        ours = least(ours, batch(&row->ours));
        if (row->rival != NULL) {
            theirs = least(theirs, batch(&row->theirs));
        }
    }
    printf("%-34s %7.2f ns", row->name, ours);
    if (row->rival != NULL) {
        printf(" | %7.2f ns %5.2f x %s", theirs, ours / theirs, row->rival);
    }
    if (row->most_ns > 0) {
        printf(" | at most %g ns: %s", row->most_ns, ours <= row->most_ns ? "met" : "NOT MET");
    }
    if (row->most_times > 0) {
        printf(" | at most %.2f x: %s", row->most_times, ours <= theirs * row->most_times ? "met" : "NOT MET");
    }
    printf("\n");
}

// ---- many threads

#define BATCHES_MAX 1001

static pthread_barrier_t barrier;
static void (*many_body)(int times); // const after init
static int many_times;               // const after init

struct pusher {
    pthread_t thread;
    double cpu_ns;
    double begin_ns;
    double end_ns;
};

static void *pusher_main(void *memory)
{
    struct pusher *pusher = memory;
    pthread_barrier_wait(&barrier);
    double begin = now_ns(CLOCK_THREAD_CPUTIME_ID);
    pusher->begin_ns = now_ns(CLOCK_MONOTONIC);
    many_body(many_times);
    pusher->end_ns = now_ns(CLOCK_MONOTONIC);
    pusher->cpu_ns = now_ns(CLOCK_THREAD_CPUTIME_ID) - begin;
    return NULL;
}

// Time per operation of `threads` threads that do TIMES_MANY of them together: of all processors, and on the wall.
static void batch_of_many(void (*body)(int times), int threads, double *cpu_ns, double *wall_ns)
{
    struct pusher pushers[THREADS_MAX];
    double first = 1e18;
    double last = 0;
    double operations = TIMES_MANY;
    *cpu_ns = 0;
    many_body = body;
    many_times = TIMES_MANY / threads;
    CHECK(pthread_barrier_init(&barrier, NULL, (unsigned)threads) == 0);
    for (int i = 0; i < threads; i++) {
        CHECK(pthread_create(&pushers[i].thread, NULL, pusher_main, &pushers[i]) == 0);
    }
    for (int i = 0; i < threads; i++) {
        CHECK(pthread_join(pushers[i].thread, NULL) == 0);
        *cpu_ns += pushers[i].cpu_ns / operations;
        first = least(first, pushers[i].begin_ns);
        last = pushers[i].end_ns > last ? pushers[i].end_ns : last;
    }
    pthread_barrier_destroy(&barrier);
    *wall_ns = (last - first) / operations;
}

static int ascending(const void *a, const void *b)
{
    double difference = *(const double *)a - *(const double *)b;
    return difference < 0 ? -1 : difference > 0;
}

static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, ascending);
    return values[count / 2];
}

// The median here: the least time would be that of the batch whose threads happened to run one after the other.
static void run_many(int batches)
{
    static double cpu[2][BATCHES_MAX];
    static double wall[2][BATCHES_MAX];
    printf("\n%-30s %31s   %s\n", "threads that push at once", "pyrt_pool_decref", "array under a mutex");
    for (int threads = 1; threads <= THREADS_MAX; threads *= 2) {
        for (int i = 0; i < batches; i++) {
            take_times(TIMES_MANY);
            leave();
            batch_of_many(decref_times, threads, &cpu[0][i], &wall[0][i]);
            come_back();
            batch_of_many(append_times, threads, &cpu[1][i], &wall[1][i]);
            empty_array();
        }
        printf("%30d %8.2f ns CPU %7.2f ns wall | %7.2f ns CPU %7.2f ns wall\n", threads, median(cpu[0], batches),
               median(wall[0], batches), median(cpu[1], batches), median(wall[1], batches));
    }
}

int main(int argc, char **argv)
{
    struct pyrt_attach attach = {0};
    int batches = argc > 2 ? atoi(argv[2]) : 101;
    CHECK(batches > 0 && batches <= BATCHES_MAX);
    testing_path(argc, argv);
    testing_initialize();
    object = PyList_New(0);
    other = PyList_New(0);
    CHECK(object != NULL && other != NULL);
    CHECK_STATUS(pyrt_attach_assume(&attach), PYRT_OK);
    printf("Python %s\n", Py_GetVersion());
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        run(&rows[i], batches);
    }
    run_many(batches / 5 + 1);
    CHECK_STATUS(pyrt_attach_release(&attach), PYRT_OK);
    Py_DECREF(object);
    Py_DECREF(other);
    return Py_FinalizeEx();
}

// SPDX-License-Identifier: Apache-2.0
//
// embedder: a program with threads of its own that call Python until Python goes away, and no moment is a bad one.
//
// With CMake as in CMakeLists.txt, or, with PKG_CONFIG_PATH set to where pyrt.pc is:
//
//     cc embedder.c $(pkg-config --cflags --libs pyrt-embed) -o embedder
//
// Four sensors deliver readings to a function in Python, without a pause. They know nothing of Python's threads, and
// nobody stops them: main finalizes while they are at it. Those that are inside are waited for, and nobody new gets in.
// Each sensor finds out by a code that Python has gone, drops what it still holds, and ends. The output is the same in
// every run; the exit status is 0 only if every promise was kept.
#include <Python.h>

#include <pyrt/pyrt.h>

#include <pthread.h>
#include <stdio.h>

#define SENSORS 4
#define READINGS_MIN 1000

struct sensor {
    pthread_t thread;
    int number;
    PyObject *handler;        // a reference of its own
    int readings;             // under `lock`
    enum pyrt_status refusal; // why it has ended; its thread's until that is joined
};

// Locking: nobody attaches, or waits for Python in another way, while holding `lock`. So it may be taken by an attached
// thread; one that waits for a condition detaches before.
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t progress = PTHREAD_COND_INITIALIZER;

// One reading: into Python, out again. The answer is dropped where there is no Python, after the release.
static enum pyrt_status deliver(const struct sensor *sensor, int reading)
{
    struct pyrt_attach attach = {0};
    enum pyrt_status status = pyrt_attach_try(&attach);
    if (status != PYRT_OK) {
        return status;
    }
    PyObject *answer = PyObject_CallFunction(sensor->handler, "ii", sensor->number, reading);
    if (answer == NULL) {
        PyErr_WriteUnraisable(sensor->handler);
    }
    pyrt_attach_release(&attach);
    pyrt_pool_decref(answer); // queued: the next thread that attaches drops it
    return PYRT_OK;
}

static void *sensor_run(void *memory)
{
    struct sensor *sensor = memory;
    for (int reading = 0; (sensor->refusal = deliver(sensor, reading)) == PYRT_OK; reading++) {
        pthread_mutex_lock(&lock);
        sensor->readings++;
        pthread_cond_signal(&progress);
        pthread_mutex_unlock(&lock);
    }
    pyrt_pool_decref(sensor->handler); // its interpreter is gone: counted as dropped, and never touched
    return NULL;
}

static int all_have_delivered(const struct sensor *sensors)
{
    for (int i = 0; i < SENSORS; i++) {
        if (sensors[i].readings < READINGS_MIN) {
            return 0;
        }
    }
    return 1;
}

// Start the sensors and let them work. Thread state: attached, in an assumed attach.
static int work(struct sensor *sensors)
{
    PyObject *main_module = PyImport_AddModule("__main__"); // borrowed
    if (main_module == NULL || PyRun_SimpleString("def handler(sensor, reading): return [sensor, reading]") != 0) {
        return 0;
    }
    for (int i = 0; i < SENSORS; i++) {
        sensors[i].number = i;
        sensors[i].handler = PyObject_GetAttrString(main_module, "handler");
        if (sensors[i].handler == NULL || pthread_create(&sensors[i].thread, NULL, sensor_run, &sensors[i]) != 0) {
            perror("embedder: sensor");
            exit(1);
        }
    }
    // To wait is to detach: with the GIL no sensor could deliver anything otherwise.
    struct pyrt_detach detach = {0};
    if (pyrt_detach_begin(&detach) != PYRT_OK) {
        return 0;
    }
    pthread_mutex_lock(&lock);
    while (!all_have_delivered(sensors)) {
        pthread_cond_wait(&progress, &lock);
    }
    pthread_mutex_unlock(&lock);
    return pyrt_detach_end(&detach) == PYRT_OK;
}

// The threads have all ended: what has become of them, and of the references that they gave away.
static int report(struct sensor *sensors)
{
    int kept = 1;
    for (int i = 0; i < SENSORS; i++) {
        pthread_join(sensors[i].thread, NULL);
        printf("embedder: sensor %d has ended: %s\n", i, pyrt_status_text(sensors[i].refusal));
        kept = kept && sensors[i].refusal == PYRT_FINALIZING;
    }
    struct pyrt_pool_stats stats = {0};
    pyrt_pool_stats(&stats);
    kept = kept && stats.queued >= (uint64_t)SENSORS * READINGS_MIN && stats.leaked == 0 &&
           stats.queued == stats.drained + stats.dropped;
    printf("embedder: every reference was dropped, or died with its interpreter: %s\n", kept ? "yes" : "no");
    return kept;
}

int main(void)
{
    if (!pyrt_version_matches(PYRT_VERSION, PYRT_PYTHON)) {
        fprintf(stderr, "embedder: this was compiled with the headers of another pyrt, or of another CPython\n");
        return 1;
    }
    Py_Initialize();
    printf("embedder: pyrt %s, CPython %d.%d\n", PYRT_VERSION_TEXT, PY_MAJOR_VERSION, PY_MINOR_VERSION);

    // The thread is attached already, by CPython; the assumed attach makes that known to pyrt. It is released before
    // the end, because finalization waits for attaches.
    static struct sensor sensors[SENSORS];
    struct pyrt_attach attach = {0};
    if (pyrt_attach_assume(&attach) != PYRT_OK || !work(sensors) || pyrt_attach_release(&attach) != PYRT_OK) {
        fprintf(stderr, "embedder: it did not work\n");
        return 1;
    }
    printf("embedder: each of %d sensors has called Python at least %d times\n", SENSORS, READINGS_MIN);
    int status = Py_FinalizeEx();
    printf("embedder: Python was finalized under their feet: %s\n", status == 0 ? "well" : "badly");
    return report(sensors) && status == 0 ? 0 : 1;
}

// SPDX-License-Identifier: Apache-2.0
//
// relay: an extension module whose native threads call Python back, in whichever interpreter has imported it.
//
// With CMake as in CMakeLists.txt, or, with PKG_CONFIG_PATH set to where pyrt.pc is:
//
//     cc -shared -fPIC relay.c $(pkg-config --cflags --libs pyrt) -o relay.so
//
// Relay().run(callback, count, threads) starts threads that call callback(0), ... callback(count - 1) each, and add up
// what it returns; Relay.join() waits for them and returns the sum. Nobody has to join: each thread has a guard, and
// the interpreter is not finalized before the last one is through. try_relay.py uses all of it.
#include <Python.h>

#include <pyrt/pyrt.h>

#include <pthread.h>
#include <stdlib.h>

// Locking: who waits for `lock` is detached, or nobody holds it for longer than it takes to count. What changes while
// its thread is attached is guarded by a critical section on the relay: that gives way where a lock would not.
struct relay {
    PyObject ob_base;
    pthread_mutex_t lock;
    pthread_cond_t idle;
    int running;   // threads that have not finished; guarded by `lock`
    long long sum; // guarded by a critical section
};

// What a thread owns. It is the thread's alone once that runs.
struct job {
    struct pyrt_guard *guard; // the interpreter stays as long as this is open
    struct pyrt_pool *pool;   // where references go that are dropped outside of it
    struct relay *relay;      // a reference
    PyObject *callback;       // a reference
    long count;
};

static PyObject *refused(enum pyrt_status status)
{
    return PyErr_Format(PyExc_RuntimeError, "relay: %s", pyrt_status_text(status));
}

// Give everything back. Thread state: either. The guard goes last: after it nothing of Python may be used.
static void job_free(struct job *job)
{
    pyrt_pool_decref_in(job->pool, job->callback);
    pyrt_pool_decref_in(job->pool, (PyObject *)job->relay);
    pyrt_pool_close(job->pool);
    pyrt_guard_close(job->guard);
    free(job);
}

// NULL, with an exception, if there is no such job to be had. Thread state: attached through pyrt.
static struct job *job_new(struct relay *relay, PyObject *callback, long count)
{
    struct job *job = calloc(1, sizeof *job);
    struct pyrt_pool *pool = pyrt_pool_open();
    if (job == NULL || pool == NULL) {
        free(job);
        pyrt_pool_close(pool);
        PyErr_NoMemory();
        return NULL;
    }
    job->pool = pool;
    job->relay = (struct relay *)Py_NewRef((PyObject *)relay);
    job->callback = Py_NewRef(callback);
    job->count = count;
    enum pyrt_status status = pyrt_guard_from_current(&job->guard);
    if (status != PYRT_OK) {
        refused(status);
        job_free(job);
        return NULL;
    }
    return job;
}

// One call, and its result added up. Thread state: attached.
static void call_back(const struct job *job, long number)
{
    PyObject *result = PyObject_CallFunction(job->callback, "l", number);
    long long value = result != NULL ? PyLong_AsLongLong(result) : -1;
    if (PyErr_Occurred()) {
        PyErr_WriteUnraisable(job->callback);
    } else {
        PYRT_CRITICAL_BEGIN(job->relay);
        job->relay->sum += value;
        PYRT_CRITICAL_END();
    }
    Py_XDECREF(result);
}

// An ensure for each call, as a thread that gets its work from elsewhere does it. With the guard open it cannot be
// refused, but for want of memory.
static void *job_run(void *memory)
{
    struct job *job = memory;
    for (long number = 0; number < job->count; number++) {
        struct pyrt_ensure ensure = {0};
        enum pyrt_status status = pyrt_ensure_begin(&ensure, job->guard);
        if (status != PYRT_OK) {
            fprintf(stderr, "relay: call %ld is lost: %s\n", number, pyrt_status_text(status));
            continue;
        }
        call_back(job, number);
        pyrt_ensure_end(&ensure);
    }
    // Who joins shall find the callback in the pool already; the relay itself is needed up to the unlock.
    pyrt_pool_decref_in(job->pool, job->callback);
    job->callback = NULL;
    pthread_mutex_lock(&job->relay->lock);
    job->relay->running--;
    pthread_cond_broadcast(&job->relay->idle);
    pthread_mutex_unlock(&job->relay->lock);
    job_free(job);
    return NULL;
}

// Start one thread. 0, or -1 with an exception. Thread state: attached through pyrt.
static int start(struct relay *relay, PyObject *callback, long count)
{
    struct job *job = job_new(relay, callback, count);
    if (job == NULL) {
        return -1;
    }
    pthread_mutex_lock(&relay->lock);
    pthread_t thread;
    int error = pthread_create(&thread, NULL, job_run, job);
    relay->running += error == 0;
    pthread_mutex_unlock(&relay->lock);
    if (error != 0) {
        job_free(job);
        PyErr_SetString(PyExc_RuntimeError, "relay: no thread to be had");
        return -1;
    }
    pthread_detach(thread);
    return 0;
}

// Relay.run(callback, count, threads)
static PyObject *relay_run(PyObject *self, PyObject *arguments)
{
    PyObject *callback = NULL; // borrowed
    long count = 0;
    int threads = 0;
    if (!PyArg_ParseTuple(arguments, "Oli:run", &callback, &count, &threads)) {
        return NULL;
    }
    struct pyrt_attach attach = {0};
    enum pyrt_status status = pyrt_attach_assume(&attach); // CPython has attached this thread: make it known
    if (status != PYRT_OK) {
        return refused(status);
    }
    int failed = 0;
    for (int i = 0; i < threads && !failed; i++) {
        failed = start((struct relay *)self, callback, count);
    }
    pyrt_attach_release(&attach);
    return failed ? NULL : Py_NewRef(Py_None);
}

// Relay.join(): the sum, once no thread runs. Coming back from the detach drops what the threads have left.
static PyObject *relay_join(PyObject *self, PyObject *unused)
{
    (void)unused;
    struct relay *relay = (struct relay *)self;
    struct pyrt_attach attach = {0};
    struct pyrt_detach detach = {0};
    enum pyrt_status status = pyrt_attach_assume(&attach);
    if (status != PYRT_OK) {
        return refused(status);
    }
    // Neither end of the detach is refused: the attach is fresh, and no interpreter ends while its code runs.
    pyrt_detach_begin(&detach);
    pthread_mutex_lock(&relay->lock);
    while (relay->running > 0) {
        pthread_cond_wait(&relay->idle, &relay->lock);
    }
    pthread_mutex_unlock(&relay->lock);
    pyrt_detach_end(&detach);
    long long sum = 0;
    PYRT_CRITICAL_BEGIN(relay);
    sum = relay->sum;
    PYRT_CRITICAL_END();
    pyrt_attach_release(&attach);
    return PyLong_FromLongLong(sum);
}

static PyObject *relay_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    static char *names[] = {NULL};
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, ":Relay", names)) {
        return NULL;
    }
    struct relay *relay = (struct relay *)type->tp_alloc(type, 0);
    if (relay != NULL) {
        pthread_mutex_init(&relay->lock, NULL); // with default attributes neither can fail here
        pthread_cond_init(&relay->idle, NULL);
    }
    return (PyObject *)relay;
}

// No thread runs any more: each has a reference.
static void relay_dealloc(PyObject *self)
{
    struct relay *relay = (struct relay *)self;
    PyTypeObject *type = Py_TYPE(self);
    pthread_cond_destroy(&relay->idle);
    pthread_mutex_destroy(&relay->lock);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef relay_methods[] = {
    {"run", relay_run, METH_VARARGS, "run(callback, count, threads): start threads that call back"},
    {"join", relay_join, METH_NOARGS, "join(): wait for them; the sum of what the callback has returned"},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot relay_slots[] = {
    {Py_tp_new, relay_new},
    {Py_tp_dealloc, relay_dealloc},
    {Py_tp_methods, relay_methods},
    {0, NULL},
};

static PyType_Spec relay_spec = {
    .name = "relay.Relay",
    .basicsize = sizeof(struct relay),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = relay_slots,
};

static int module_exec(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &relay_spec, NULL);
    int failed = type == NULL || PyModule_AddType(module, (PyTypeObject *)type) != 0;
    Py_XDECREF(type);
    return failed ? -1 : 0;
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
    {0, NULL},
};

static struct PyModuleDef module_definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "relay",
    .m_doc = "Native threads that call Python back.",
    .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit_relay(void)
{
    if (!pyrt_version_matches(PYRT_VERSION, PYRT_PYTHON)) {
        PyErr_SetString(PyExc_ImportError, "relay: compiled with the headers of another pyrt, or of another CPython");
        return NULL;
    }
    return PyModuleDef_Init(&module_definition);
}

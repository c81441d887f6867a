// SPDX-License-Identifier: Apache-2.0
//
// reproducer: what `lifecycle_print --c` puts before the threads of a program, with reproducer.h in front: their
// operations with nothing but the C API of CPython and POSIX threads. Nothing controls the threads here; a little
// random time passes between operations.
//
// An operation that makes no sense where its thread stands is passed over, as lifecycle_play.c does. The runtime's are
// what they are made of: an attach is PyGILState_Ensure, an activation a thread state of its own; a reference that is
// dropped detached is dropped by the next pending call of the main thread. Guards exist from CPython 3.15 on, and are
// left out.
#include "fuzz/reproducer.h"

static void op_close(struct thread *self)
{
    if (self->depth == 0) {
        return;
    }
    struct scope *scope = &self->scopes[--self->depth];
    switch (scope->kind) {
    case SCOPE_ENSURED:
        PyGILState_Release(scope->gil);
        break;
    case SCOPE_SAVED:
        PyEval_RestoreThread(scope->saved);
        break;
    case SCOPE_INSIDE:
        PyThreadState_Clear(scope->inside);
        PyThreadState_DeleteCurrent();
        if (scope->saved != NULL) {
            PyEval_RestoreThread(scope->saved);
        }
        break;
    case SCOPE_KEPT:
        (void)PyEval_SaveThread();
        self->entered[scope->slot]--;
        if (scope->saved != NULL) {
            PyEval_RestoreThread(scope->saved);
        }
        break;
    case SCOPE_SECTION:
        PyCriticalSection_End((PyCriticalSection *)&scope->section);
        self->sections--;
        break;
    case SCOPE_SECTION_TWO:
        PyCriticalSection2_End(&scope->section);
        self->sections--;
        break;
    case SCOPE_FORBID:
        self->forbids--;
        break;
    default:
        break;
    }
    self->where = scope->where;
}

// PyGILState_Ensure takes the state that the thread used last, of whatever interpreter.
static int ensures_main(const struct thread *self)
{
    PyThreadState *bound = self->where == OUTSIDE ? PyGILState_GetThisThreadState() : NULL;
    return self->where == 0 || (self->where == OUTSIDE && (bound == NULL || atomic_load(&closing) ||
                                                           PyThreadState_GetInterpreter(bound) == main_interp));
}

static UNUSED void op_gilstate(struct thread *self)
{
    if (self->forbids == 0 && self->depth < SCOPES_MAX && ensures_main(self)) {
        scope_open(self, SCOPE_ENSURED)->gil = PyGILState_Ensure();
        self->where = 0;
    }
}

static UNUSED void op_save(struct thread *self)
{
    if (self->forbids == 0 && self->where != OUTSIDE && self->depth < SCOPES_MAX) {
        scope_open(self, SCOPE_SAVED)->saved = PyEval_SaveThread();
        self->where = OUTSIDE;
    }
}

static void enter(struct thread *self, PyInterpreterState *interp, int where)
{
    if (interp == NULL || self->forbids > 0 || self->sections > 0 || self->depth == SCOPES_MAX) {
        return;
    }
    struct scope *scope = scope_open(self, self->where == where ? SCOPE_NOTHING : SCOPE_INSIDE);
    if (scope->kind == SCOPE_INSIDE) {
        scope->saved = self->where != OUTSIDE ? PyEval_SaveThread() : NULL;
        scope->inside = PyThreadState_New(interp);
        PyEval_RestoreThread(scope->inside);
        self->where = where;
    }
}

static UNUSED void op_enter_main(struct thread *self)
{
    enter(self, main_interp, 0);
}

static UNUSED void op_enter_shared(struct thread *self)
{
    enter(self, shared, 1);
}

static UNUSED void op_enter_own(struct thread *self)
{
    enter(self, self->own, 2);
}

static const int kept_in[KEPT_MAX] = {0, 1, 2, 0};

static UNUSED void op_keep(struct thread *self, int slot)
{
    PyInterpreterState *const interps[] = {main_interp, shared, self->own};
    PyInterpreterState *interp = interps[kept_in[slot]];
    if (self->kept[slot] == NULL && interp != NULL && !atomic_load(&closing)) {
        self->kept[slot] = PyThreadState_New(interp);
    }
}

static int may_switch(const struct thread *self, int slot)
{
    return self->kept[slot] != NULL && self->entered[slot] == 0 && self->forbids == 0 && self->sections == 0 &&
           !atomic_load(&closing);
}

static UNUSED void op_enter_kept(struct thread *self, int slot)
{
    if (may_switch(self, slot) && self->depth < SCOPES_MAX) {
        struct scope *scope = scope_open(self, self->where == kept_in[slot] ? SCOPE_NOTHING : SCOPE_KEPT);
        if (scope->kind == SCOPE_KEPT) {
            scope->slot = slot;
            scope->saved = self->where != OUTSIDE ? PyEval_SaveThread() : NULL;
            PyEval_RestoreThread(self->kept[slot]);
            self->entered[slot]++;
            self->where = kept_in[slot];
        }
    }
}

// PyGILState_Ensure counts how often it has taken a state.
static void op_close_kept(struct thread *self, int slot)
{
    if (may_switch(self, slot) && self->kept[slot]->gilstate_counter == 1) {
        PyThreadState *saved = self->where != OUTSIDE ? PyEval_SaveThread() : NULL;
        PyEval_RestoreThread(self->kept[slot]);
        PyThreadState_Clear(self->kept[slot]);
        PyThreadState_DeleteCurrent();
        self->kept[slot] = NULL;
        if (saved != NULL) {
            PyEval_RestoreThread(saved);
        }
    }
}

static UNUSED void op_forbid(struct thread *self)
{
    if (self->depth < SCOPES_MAX) {
        scope_open(self, SCOPE_FORBID);
        self->forbids++;
    }
}

static UNUSED void op_section(struct thread *self, int which)
{
    if (self->where == 0 && self->forbids == 0 && self->depth < SCOPES_MAX && atomic_load(&has_objects)) {
        PyCriticalSection_Begin((PyCriticalSection *)&scope_open(self, SCOPE_SECTION)->section,
                                objects.pair[which & 1]);
        self->sections++;
    }
}

static UNUSED void op_section_two(struct thread *self, int which)
{
    if (self->where == 0 && self->forbids == 0 && self->depth < SCOPES_MAX && atomic_load(&has_objects)) {
        PyCriticalSection2_Begin(&scope_open(self, SCOPE_SECTION_TWO)->section, objects.pair[which & 1],
                                 objects.pair[!(which & 1)]);
        self->sections++;
    }
}

static UNUSED void op_make(struct thread *self)
{
    if (self->where == 0 && self->forbids == 0 && atomic_load(&has_objects)) {
        Py_INCREF(objects.anchor);
        self->held++;
    }
}

static int on_drop(void *object)
{
    Py_DECREF((PyObject *)object);
    return 0;
}

static void op_drop(struct thread *self)
{
    if (self->held > 0 && atomic_load(&has_objects)) {
        self->held--;
        if (self->where == 0) {
            Py_DECREF(objects.anchor);
        } else {
            (void)Py_AddPendingCall(on_drop, objects.anchor);
        }
    }
}

static UNUSED void op_python(struct thread *self, const char *code)
{
    if (python_may_run(self) && PyRun_SimpleString(code) != 0) {
        PyErr_Clear();
    }
}

static UNUSED void op_collect(struct thread *self)
{
    if (python_may_run(self)) {
        PyGC_Collect();
    }
}

static int on_event(PyObject *object, PyFrameObject *frame, int what, PyObject *argument)
{
    (void)object;
    (void)frame;
    (void)what;
    (void)argument;
    return 0;
}

static UNUSED void op_profile(struct thread *self, int on)
{
    if (python_may_run(self)) {
        PyEval_SetProfileAllThreads(on & 1 ? on_event : NULL, NULL);
    }
}

static UNUSED void op_trace(struct thread *self, int on)
{
    if (python_may_run(self)) {
        PyEval_SetTraceAllThreads(on & 1 ? on_event : NULL, NULL);
    }
}

static int on_pending(void *unused)
{
    (void)unused;
    return 0;
}

static UNUSED void op_pending(struct thread *self)
{
    if (self->where == 0 && self->forbids == 0) {
        (void)Py_AddPendingCall(on_pending, NULL);
    }
}

static PyObject *function_of(const char *module_name, const char *name)
{
    PyObject *module = PyImport_ImportModule(module_name);
    PyObject *function = module != NULL ? PyObject_GetAttrString(module, name) : NULL;
    Py_XDECREF(module);
    return function;
}

static UNUSED void op_thread(struct thread *self)
{
    if (python_may_run(self) && self->started == NULL) {
        PyObject *start = function_of("_thread", "start_joinable_thread");
        self->started = start != NULL ? PyObject_CallOneArg(start, objects.work) : NULL;
        Py_XDECREF(start);
        PyErr_Clear();
    }
}

static UNUSED void op_join(struct thread *self)
{
    if (python_may_run(self) && self->started != NULL) {
        Py_XDECREF(PyObject_CallMethod(self->started, "join", NULL));
        PyErr_Clear();
        Py_CLEAR(self->started);
    }
}

static UNUSED void op_fork(struct thread *self, int what)
{
    int status = 0;
    if (!python_may_run(self) || self->number != 0) {
        return;
    }
    PyOS_BeforeFork();
    pid_t child = fork();
    if (child == 0) {
        alarm(TRY_SECONDS_MAX);
        PyOS_AfterFork_Child();
        self->started = NULL;
        op_python(self, "work()\nshared_list.append(1000)\nshared_dict['0'] = Shared()\n");
        if (what == 1) {
            PyGC_Collect();
        } else if (what == 2) {
            PyEval_RestoreThread(PyEval_SaveThread());
        } else if (what == 3) {
            op_thread(self);
            op_join(self);
        }
        _exit(0);
    }
    PyOS_AfterFork_Parent();
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
        abort();
    }
}

// A new interpreter with a GIL of its own; the thread is left as it was.
static PyInterpreterState *interp_make(void)
{
    const PyInterpreterConfig config = {
        .allow_threads = 1, .check_multi_interp_extensions = 1, .gil = PyInterpreterConfig_OWN_GIL};
    PyThreadState *tstate = NULL;
    PyThreadState *before = PyThreadState_Get();
    if (PyStatus_Exception(Py_NewInterpreterFromConfig(&tstate, &config))) {
        return NULL;
    }
    PyInterpreterState *interp = PyThreadState_GetInterpreter(tstate);
    PyThreadState_Clear(tstate);
    PyThreadState_DeleteCurrent();
    PyEval_RestoreThread(before);
    return interp;
}

static UNUSED void op_create(struct thread *self)
{
    if (python_may_run(self) && self->own == NULL) {
        self->own = interp_make();
    }
}

static void op_destroy(struct thread *self)
{
    if (self->own == NULL || self->kept[2] != NULL || self->where == 2 || self->forbids > 0 || self->sections > 0) {
        return;
    }
    pthread_rwlock_rdlock(&destroying);
    if (!atomic_load(&closing)) {
        PyThreadState *saved = self->where != OUTSIDE ? PyEval_SaveThread() : NULL;
        PyThreadState *tstate = PyThreadState_New(self->own);
        PyEval_RestoreThread(tstate);
        Py_EndInterpreter(tstate);
        if (saved != NULL) {
            PyEval_RestoreThread(saved);
        }
        self->own = NULL;
    }
    pthread_rwlock_unlock(&destroying);
}

static UNUSED void op_wait(struct thread *self)
{
    if (self->number == 0 && self->depth == 0) {
        PyThreadState *tstate = self->where != OUTSIDE ? PyEval_SaveThread() : NULL;
        while (atomic_load(&waiting) > 0) {
            sched_yield();
        }
        if (tstate != NULL) {
            PyEval_RestoreThread(tstate);
        }
    }
}

static void op_initialize(struct thread *self)
{
    if (self->number == 0 && self->depth == 0 && !Py_IsInitialized()) {
        Py_InitializeEx(0);
        PyObject *module = PyImport_AddModule("__main__");
        PyRun_SimpleString("import atexit, gc, tracemalloc, weakref\n"
                           "class Shared:\n    a = 0\n"
                           "def work():\n    return len([Shared.a])\n"
                           "shared_list, shared_dict = [], {}\n");
        objects.anchor = PyList_New(0);
        objects.pair[0] = PyList_New(0);
        objects.pair[1] = PyList_New(0);
        objects.work = PyObject_GetAttrString(module, "work");
        main_interp = PyInterpreterState_Get();
        self->where = 0;
        atomic_store(&has_objects, 1);
    }
}

static UNUSED void op_finalize(struct thread *self)
{
    if (self->number != 0 || self->depth > 0 || !Py_IsInitialized()) {
        return;
    }
    while (self->held > 0) {
        op_drop(self);
    }
    PyThreadState *tstate = PyEval_SaveThread();
    pthread_rwlock_wrlock(&destroying);
    atomic_store(&closing, 1);
    pthread_rwlock_unlock(&destroying);
    PyEval_RestoreThread(tstate);
    atomic_store(&has_objects, 0);
    if (Py_FinalizeEx() != 0) {
        abort();
    }
    self->own = NULL;
    memset(self->kept, 0, sizeof(self->kept));
    self->where = OUTSIDE;
}

// What a thread does when its operations are done.
static void ends(struct thread *self)
{
    while (self->depth > 0) {
        op_close(self);
    }
    for (int slot = 0; slot < KEPT_MAX; slot++) {
        op_close_kept(self, slot);
    }
    while (self->held > 0 && atomic_load(&has_objects)) {
        op_drop(self);
    }
    if (self->number != 0) {
        op_destroy(self);
    }
}

static const struct program *played; // const after the threads have begun

static void *thread_play(void *argument)
{
    struct thread *self = argument;
    played->bodies[self->number](self);
    ends(self);
    atomic_fetch_sub(&waiting, 1);
    return NULL;
}

// One try. A thread that CPython has parked for ever is as it should be, so that the others get some time and no more.
static void play(const struct program *program, unsigned seed, int with_shared)
{
    played = program;
    threads[0].where = OUTSIDE;
    threads[0].random = seed;
    op_initialize(&threads[0]);
    shared = with_shared ? interp_make() : NULL;
    for (int i = 1; i < program->count; i++) {
        threads[i] = (struct thread){.number = i, .where = OUTSIDE, .random = seed * 7919u + (unsigned)i};
        atomic_fetch_add(&waiting, 1);
        pthread_create(&threads[i].id, NULL, thread_play, &threads[i]);
    }
    program->bodies[0](&threads[0]);
    ends(&threads[0]);
    if (threads[0].where != OUTSIDE) {
        (void)PyEval_SaveThread();
    }
    for (int i = 0; i < YIELDS_AT_THE_END && atomic_load(&waiting) > 0; i++) {
        sched_yield();
    }
}

static int tries_play(const struct program *program, unsigned tries, int with_shared)
{
    unsigned failed = 0, slow = 0, last = 0;
    for (unsigned i = 0; i < tries; i++) {
        int status = 0;
        pid_t child = fork();
        if (child == 0) {
            alarm(TRY_SECONDS_MAX);
            play(program, i + 1, with_shared);
            _exit(0);
        }
        if (child < 0 || waitpid(child, &status, 0) != child) {
            perror("a try is lost");
            return 2;
        }
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
            slow++;
        } else if (status != 0) {
            failed++;
            last = (unsigned)(WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        }
    }
    printf("%u of %u tries failed, the last one with %u; %u came to no end\n", failed, tries, last, slow);
    return failed + slow > 0;
}

static int reproduce(int argc, char **argv, const struct program *program, int with_shared)
{
    if (argc > 1) {
        return tries_play(program, (unsigned)strtoul(argv[1], NULL, 10), with_shared);
    }
    play(program, 1, with_shared);
    _exit(0);
}

// SPDX-License-Identifier: Apache-2.0
//
// gc/noise: two threads do all that CPython's accounts are known to be disturbed by, and leave nothing behind.
// Question: is what CPython keeps for later, or counts elsewhere, ever taken for something that was left behind?
// Verdict:  never: after a flush every count is what it was (drift/gc/noise; docs/drift.md has the list).
// How:      each thread goes through the list from another end; an object that one makes, the other drops.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"

#include <stdatomic.h>

#define MANY 40 // more than a free list hands out at once

struct state {
    PyObject *_Atomic passed[2]; // atomic: an object on its way to the other thread
    PyObject *globals;           // const after init
};

static void drop(PyObject *object)
{
    CX_CHECK(object != NULL);
    Py_DECREF(object);
}

// Immortal objects: their counts do not move, but the total might.
static void immortals(void)
{
    PyObject *list = PyList_New(0);
    for (int i = 0; list != NULL && i < MANY; i++) {
        CX_CHECK(PyList_Append(list, i % 2 ? Py_None : Py_True) == 0);
    }
    drop(list);
}

// A string that is interned once and for ever where there is no GIL, and dies with its last use where there is.
static void interned(void)
{
    PyObject *text = PyUnicode_InternFromString("interned by gc/noise");
    drop(text);
}

// Free lists: what was given back to them is no live object.
static void free_lists(void)
{
    PyObject *kept[MANY];
    for (int i = 0; i < MANY; i++) {
        kept[i] = i % 3 == 0 ? PyFloat_FromDouble(i) : i % 3 == 1 ? PyTuple_Pack(1, Py_None) : PyList_New(1);
    }
    for (int i = 0; i < MANY; i++) {
        drop(kept[i]);
    }
}

// Memory that is freed late: what others may still read when a shared dictionary grows.
static void late_frees(const struct state *state)
{
    for (long i = 0; i < MANY; i++) {
        PyObject *key = PyLong_FromLong(100000 + i);
        CX_CHECK(key != NULL && PyDict_SetItem(state->globals, key, Py_None) == 0);
        Py_DECREF(key);
    }
}

// Python code: a type, its version tag and the caches of its methods; specialised instructions, and bytecode for each
// thread; garbage in a cycle.
static void python(const struct state *state)
{
    static const char code[] = "class Node:\n"
                               "    def get(self): return self.value\n"
                               "node = Node()\n"
                               "node.value = node\n"
                               "for i in range(30): node.get().get()\n"
                               "del Node, node, i\n";
    PyObject *globals = PyDict_Copy(state->globals);
    drop(PyRun_String(code, Py_file_input, globals, globals));
    drop(globals);
}

// Counts that belong to another thread: its own objects, dropped elsewhere.
static void pass_on(struct state *state, uint32_t self)
{
    PyObject *object = PyList_New(0);
    CX_CHECK(object != NULL);
    Py_XDECREF(atomic_exchange(&state->passed[1 - self], object));
    Py_XDECREF(atomic_exchange(&state->passed[self], NULL));
}

static int setup(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    state->globals = PyDict_New();
    if (state->globals == NULL || PyDict_SetItemString(state->globals, "__name__", Py_None) != 0 ||
        PyDict_SetItemString(state->globals, "__builtins__", PyEval_GetBuiltins()) != 0) {
        return -1;
    }
    cx_watch(run, state->globals);
    return 0;
}

static void user(struct cx_run *run, void *memory)
{
    static void (*const alone[])(void) = {immortals, interned, free_lists};
    struct state *state = memory;
    uint32_t self = cx_actor_index(run);
    for (uint32_t i = 0; i < 6; i++) {
        uint32_t at = self == 0 ? i : 5 - i;
        struct pyrt_attach attach = {0};
        CX_CHECK(pyrt_attach_try(&attach) == PYRT_OK);
        if (i == 0) {
            Py_INCREF(state->globals); // main's object: its count is split between threads
        }
        if (at < 3) {
            alone[at]();
        } else if (at == 3) {
            late_frees(state);
        } else if (at == 4) {
            python(state);
        } else {
            pass_on(state, self);
        }
        if (i == 5) {
            Py_DECREF(state->globals);
        }
        CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
    }
}

static void check(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    Py_XDECREF(atomic_load(&state->passed[0]));
    Py_XDECREF(atomic_load(&state->passed[1]));
    Py_DECREF(state->globals);
}

const struct cx_scenario scenario_gc_noise = {
    .summary = "two threads do what CPython's accounts are disturbed by, and leave nothing behind",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"user", user, .count = 2}},
    .cycle = CX_CYCLE,
    .tags = "gc,drift",
    .refs = "gh-74959,gh-122420",
};

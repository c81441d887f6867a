// SPDX-License-Identifier: Apache-2.0
//
// gc/attach_in_traverse: a tp_traverse tries to attach and drops a reference while other threads collect and attach.
// Question: can the runtime be led to attach, detach or change a reference count inside a traversal?
// Verdict:  never: attaching and detaching are refused, the reference is deferred and dropped once, later.
// How:      two threads collect, a third attaches and leaves; each node drops its payload in its first traversal.
// Misuse:   a tp_traverse that wants to attach, on purpose: the runtime promises to refuse it.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"

#include <stdatomic.h>

#define NODES 2

struct state {
    PyTypeObject *type;     // const after init
    PyObject *nodes[NODES]; // const after init
    atomic_int traversed;   // atomic
    atomic_int destroyed;   // atomic
};

struct node {
    PyObject ob_base;
    struct state *state; // const after init
    PyObject *payload;   // owner thread only: the first traversal
    atomic_int dropped;  // atomic
};

static void on_destroy_payload(PyObject *capsule)
{
    struct state *state = PyCapsule_GetPointer(capsule, NULL);
    CX_CHECK(!pyrt_in_traverse());
    atomic_fetch_add(&state->destroyed, 1);
}

static int node_traverse(PyObject *self, visitproc visit, void *arg)
{
    struct node *node = (struct node *)self;
    Py_VISIT(Py_TYPE(self));
    if (node->state == NULL) { // between its allocation and setup
        return 0;
    }
    struct pyrt_forbid forbid = {0};
    struct pyrt_attach attach = {0};
    struct pyrt_detach detach = {0};
    CX_CHECK(pyrt_forbid_begin(&forbid) == PYRT_OK);
    CX_CHECK(pyrt_in_traverse() && !pyrt_is_attached());
    CX_CHECK(pyrt_attach_try(&attach) == PYRT_FORBIDDEN);
    CX_CHECK(pyrt_attach_assume(&attach) == PYRT_FORBIDDEN);
    CX_CHECK(pyrt_detach_begin(&detach) == PYRT_FORBIDDEN);
    CX_CHECK(pyrt_pool_drain() == PYRT_FORBIDDEN);
    if (atomic_exchange(&node->dropped, 1) == 0) {
        CX_CHECK(pyrt_pool_decref(node->payload) == PYRT_OK);
        atomic_fetch_add(&node->state->traversed, 1);
    }
    CX_CHECK(pyrt_forbid_end(&forbid) == PYRT_OK);
    return 0;
}

static void node_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyType_Slot node_slots[] = {
    {Py_tp_traverse, node_traverse},
    {Py_tp_dealloc, node_dealloc},
    {0, NULL},
};

static PyType_Spec node_spec = {
    .name = "constrictor.node",
    .basicsize = sizeof(struct node),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = node_slots,
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    state->type = (PyTypeObject *)PyType_FromSpec(&node_spec);
    for (int i = 0; state->type != NULL && i < NODES; i++) {
        struct node *node = (struct node *)state->type->tp_alloc(state->type, 0);
        PyObject *payload = PyCapsule_New(state, NULL, on_destroy_payload);
        if (node == NULL || payload == NULL) {
            return -1;
        }
        state->nodes[i] = (PyObject *)node;
        node->payload = payload;
        node->state = state;
    }
    return state->type != NULL ? 0 : -1;
}

static void collector(struct cx_run *run, void *memory)
{
    (void)run;
    (void)memory;
    struct pyrt_attach attach = {0};
    CX_CHECK(pyrt_attach_try(&attach) == PYRT_OK);
    PyGC_Collect();
    CX_CHECK(pyrt_is_attached() && !pyrt_in_traverse());
    CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
}

static void visitor(struct cx_run *run, void *memory)
{
    (void)run;
    (void)memory;
    for (int i = 0; i < 2; i++) {
        struct pyrt_attach attach = {0};
        CX_CHECK(pyrt_attach_try(&attach) == PYRT_OK);
        CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
    }
}

static void check(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    struct pyrt_attach attach = {0};
    CX_CHECK(pyrt_attach_assume(&attach) == PYRT_OK);
    // Without the GIL an object is destroyed by the thread that made it, which is this one, when it next looks.
    PyGC_Collect();
    CX_CHECK(atomic_load(&state->traversed) == NODES);
    CX_CHECK(atomic_load(&state->destroyed) == NODES);
    for (int i = 0; i < NODES; i++) {
        Py_DECREF(state->nodes[i]);
    }
    Py_DECREF(state->type);
    CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
}

const struct cx_scenario scenario_gc_attach_in_traverse = {
    .summary = "a tp_traverse tries to attach and drops a reference while others collect and attach",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"collector", collector, .count = 2}, {"visitor", visitor}},
    .cycle = CX_CYCLE,
    .tags = "gc,forbid,pool,runtime",
    .refs = "PyO3#3165,PyO3#4479",
};

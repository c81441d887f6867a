// SPDX-License-Identifier: Apache-2.0
//
// model: what the runtime must say about a thread and its scopes, in a few lines of bookkeeping. test_model plays
// random sequences against it, the fuzz target fuzz_lifecycle (fuzz/) programs of several threads.
//
// A scope is a level of a stack; the lowest is the thread as it was. model_expect() computes what beginning a level
// must answer and what then holds inside; model_agrees() compares.
#ifndef PYRT_TESTS_MODEL_H
#define PYRT_TESTS_MODEL_H

#include <Python.h>

#include <stdint.h>

#include "pyrt/pyrt.h"
#include "runtime/tests/scopes.h"

// One level of scopes, as begun, and what holds inside it. Interpreters are numbers, the main one's is 0.
struct model_level {
    struct scope scope; // its kind is one of those that model_expect() knows: not SCOPE_UNCHECKED, not SCOPE_KEPT
    int to;             // of an activation: the interpreter
    int where;          // model: interpreter that is attached, or -1
    int counted;        // model: the runtime counts this thread as attached
    int forbidden;      // model: forbids around
    int bound;          // model: interpreter of the thread state used last, or -1; what PyGILState_Ensure takes
    int own;            // model: the thread state was made for this level, and goes with it
};

// What beginning `inside`, whose kind and place are set, must answer, and its model. `around` is the level around.
enum pyrt_status model_expect(struct model_level *inside, const struct model_level *around);

// What an ended level leaves behind in the one around it.
void model_leave(struct model_level *around, const struct model_level *left);

// 1 if the runtime and CPython say of this thread what the model says. `ids` are those of the interpreters.
int model_agrees(const struct model_level *model, const int64_t *ids);

#endif

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
    struct scope scope; // its kind is one of those that model_expect() knows: not SCOPE_UNCHECKED
    int to;             // of an activation: the interpreter
    int slot;           // of one with a state that the thread keeps (SCOPE_KEPT): which, below 32
    int where;          // model: interpreter that is attached, or -1
    int counted;        // model: the runtime counts this thread as attached
    int forbidden;      // model: forbids around
    int bound;          // model: interpreter of the thread state used last, or -1; what PyGILState_Ensure takes
    int own;            // model: the thread state was made for this level, and goes with it
    int bound_kept;     // model: 1 + slot of the state used last, where that is a kept one, else 0
    unsigned active;    // model: kept states that activations are in, a bit each
    unsigned used;      // model: kept states that other scopes have taken, because they were used last, a bit each
};

// What beginning `inside`, whose kind and place are set, must answer, and its model. `around` is the level around.
enum pyrt_status model_expect(struct model_level *inside, const struct model_level *around);

// What holds inside a scope that changes nothing.
void model_inherit(struct model_level *inside, const struct model_level *around);

// Attach a level in which nothing is attached by the state that its thread used last, or by a new one.
void model_take_bound(struct model_level *inside);

// A kept state of interpreter `to` has been opened here: it is bound at once if none is.
void model_opened(struct model_level *here, int slot, int to);

// What pyrt_tstate_close must answer for the kept state `slot`. Requires: no scope around is in it that is suspended.
enum pyrt_status model_expect_close(const struct model_level *here, int slot);

// A kept state has been closed here: none is bound, or again the one that is attached.
void model_closed(struct model_level *here);

// What an ended level leaves behind in the one around it.
void model_leave(struct model_level *around, const struct model_level *left);

// 1 if the runtime and CPython say of this thread what the model says. `ids` are those of the interpreters.
int model_agrees(const struct model_level *model, const int64_t *ids);

#endif

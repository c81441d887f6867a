// SPDX-License-Identifier: Apache-2.0
//
// interning: threads that intern new strings, some of them inside a native lock, as in the guard of a C++ static; and
// one that collects garbage. For scenarios that ask whether interning lets go of the interpreter.
#ifndef CX_SCENARIOS_COMMON_INTERNING_H
#define CX_SCENARIOS_COMMON_INTERNING_H

#include <pthread.h>

#include "harness/scenario.h"

#define INTERNING_HOLDERS 2

struct interning {
    pthread_mutex_t once; // const after init
    int made;             // under once
};

// 0, or -1. Thread state: attached. Blocks: no.
int interning_setup(struct cx_run *run, void *memory);

// Actors: intern inside the lock, which is taken attached; intern without it; collect. Thread state: none. Blocks: yes.
void interning_hold(struct cx_run *run, void *memory);
void interning_intern(struct cx_run *run, void *memory);
void interning_collect(struct cx_run *run, void *memory);

// All holders have come through. Thread state: attached. Blocks: no.
void interning_check(struct cx_run *run, void *memory);

#endif

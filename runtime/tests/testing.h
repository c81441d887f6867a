// SPDX-License-Identifier: Apache-2.0
//
// testing: what the runtime's native tests share. Each is a program: native threads, a real interpreter, no scheduler.
// argv[1] is the module search path. Exit status 0, or the check that failed on standard error.
#ifndef PYRT_TESTS_TESTING_H
#define PYRT_TESTS_TESTING_H

#include <Python.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(expression)                                                                                              \
    do {                                                                                                               \
        if (!(expression)) {                                                                                           \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #expression);                                           \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

// A status, by name when it differs.
#define CHECK_STATUS(expression, expected)                                                                             \
    do {                                                                                                               \
        enum pyrt_status status_ = (expression);                                                                       \
        if (status_ != (expected)) {                                                                                   \
            fprintf(stderr, "%s:%d: %s is %s, not %s\n", __FILE__, __LINE__, #expression, pyrt_status_name(status_),   \
                    pyrt_status_name(expected));                                                                       \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

// argv[1], for initialize.
void testing_path(int argc, char **argv);

// Start the interpreter, isolated, with or without `site`; the thread is attached afterwards.
void testing_initialize(void);
void testing_initialize_site(void);

// Run `body` on a thread of its own and wait for it. Thread state: the caller is detached, or `body` needs no Python.
void testing_in_thread(void *(*body)(void *), void *argument);

// The same, and detach meanwhile.
void testing_in_thread_detached(void *(*body)(void *), void *argument);

// Run `body` in a child process. The exit status, or minus the signal that ended it; after 60 s that is SIGALRM.
int testing_in_child(void (*body)(void));

// A number below `below`, from a generator that the caller seeds; never 0 as state.
uint32_t testing_random(uint64_t *state, uint32_t below);

#endif

// SPDX-License-Identifier: Apache-2.0
//
// again: what one process must forget between two runs that it plays.
//
// Nearly everything that the scheduler, the interposers and the program remember lies in the writable data of the
// program's file, and is put back to what it was before the first run (harness/host/again.c). Large tables are left out
// of that, for their own files know better what of them a run has touched.
#ifndef CX_AGAIN_H
#define CX_AGAIN_H

#include <stddef.h>
#include <stdint.h>

struct cx_large {
    void *start;
    size_t bytes;
    void (*forget)(void); // puts back what a run has changed; NULL: nothing that the next run would notice
};

// An array that is not copied between runs.
#define CX_LARGE_NAME(line) cx_large_##line
#define CX_LARGE_AT(line, array, forget_function)                                                                      \
    static const struct cx_large CX_LARGE_NAME(line)                                                                   \
        __attribute__((section("cx_large"), used)) = {&(array), sizeof(array), forget_function}
#define CX_LARGE(array, forget_function) CX_LARGE_AT(__LINE__, array, forget_function)

// This run cannot be one of many in its process, for `what` would be left behind: the process ends, and the command
// plays the run in a process of its own. Returns where a process has one run, or where this is its last one from now on
// (harness/host/resident.c).
void cx_again_unfit(const char *what);

extern int cx_again_last; // scheduler token

// The program gives libc a function to run at exit, or at the end of the calling thread.
void cx_again_at_exit(void);
// How many so far.
extern uint32_t cx_again_exits; // scheduler token

#endif

// SPDX-License-Identifier: Apache-2.0
//
// bisect: one CPython source tree, judged for `git bisect run`.
//
// The tree is built as a target, its canaries are played, and then the scenarios. A confirmed finding makes it bad.
#ifndef CX_GATE_BISECT_H
#define CX_GATE_BISECT_H

#include "harness/gate/gate.h"

// What git makes of an exit code. Anything from 128 on ends the bisection, as CX_EXIT_INTERRUPTED does; so a command
// line that is wrong must not leave with CX_EXIT_USAGE, which git would take for "bad".
enum cx_bisect_exit {
    CX_BISECT_GOOD = 0,
    CX_BISECT_BAD = 1,
    CX_BISECT_SKIP = 125, // this tree cannot be judged
    CX_BISECT_STOP = 128, // no tree could be
};

struct cx_bisect_options {
    struct cx_gate_options *gate; // scenarios, bounds, folder, stop_at; its sides are not used
    const char *source;           // the tree
    const char *build;
    const char *schedule; // or NULL: a schedule file; its scenario and its signature are what is looked for
};

// Build, play and say the verdict. An enum cx_bisect_exit, or CX_EXIT_INTERRUPTED. Blocks: yes.
int cx_gate_bisect(const struct cx_bisect_options *options);

#endif

// SPDX-License-Identifier: Apache-2.0
//
// unwind: C stacks by the tables that the compiler makes for exceptions. They know the frames that the chain of frame
// pointers (stack.h) leaves out: those of code without frame pointers, as libc's and the sanitizers', and the one below
// a function without a frame of its own.
#ifndef CX_UNWIND_H
#define CX_UNWIND_H

#include <ucontext.h>

#include "harness/exec/channel.h"

// The stack of the caller, who is at its top.
// Thread state: either. Blocks: no. A stack that is overwritten can end in a fault.
void cx_unwind(struct cx_stack *stack);

// In a signal handler on any stack: that of the interrupted code. Empty where the tables do not lead there.
void cx_unwind_interrupted(struct cx_stack *stack, const ucontext_t *where);

#endif

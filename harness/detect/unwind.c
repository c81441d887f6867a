// SPDX-License-Identifier: Apache-2.0
//
// unwind: see unwind.h.
#include "harness/detect/unwind.h"

#include "harness/sched/sched.h"

#include <unwind.h>

struct walk {
    struct cx_stack *stack;
    uint64_t pc; // the frames above the one that stands here are our own, or a handler's
};

static _Unwind_Reason_Code walk_frame(struct _Unwind_Context *frame, void *argument)
{
    struct walk *walk = argument;
    uint64_t pc = (uint64_t)_Unwind_GetIP(frame);
    if (walk->stack->count == CX_FRAMES_MAX) {
        walk->stack->truncated = 1;
        return _URC_END_OF_STACK;
    }
    if (pc != 0 && (walk->stack->count > 0 || pc == walk->pc)) {
        walk->stack->pcs[walk->stack->count++] = pc;
    }
    return _URC_NO_REASON;
}

static void fill(struct cx_stack *stack, uint64_t pc)
{
    struct walk walk = {stack, pc};
    struct cx_thread *self = cx_self;
    stack->count = 0;
    stack->truncated = 0;
    cx_self = NULL; // libgcc's own operations are no points: nobody else is to go on meanwhile
    _Unwind_Backtrace(walk_frame, &walk);
    cx_self = self;
}

void cx_unwind(struct cx_stack *stack)
{
    fill(stack, (uint64_t)(uintptr_t)__builtin_return_address(0));
}

void cx_unwind_interrupted(struct cx_stack *stack, const ucontext_t *where)
{
    fill(stack, (uint64_t)where->uc_mcontext.gregs[REG_RIP]);
}

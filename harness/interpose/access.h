// SPDX-License-Identifier: Apache-2.0
//
// access: the point before a plain load or store. access_own.c and access_tsan.c define the entry points that the
// compiler calls before each of them.
//
// Most runs ask for no such points: then all that an access costs is a call and one comparison. Where they are asked
// for, a program passes millions of them, nearly all without a decision: two more comparisons and an increment.
//
// What a thread does to its own stack is no point. There is no point after an access: the next one is before the next.
#ifndef CX_ACCESS_H
#define CX_ACCESS_H

#include "harness/sched/sched.h"

enum cx_access_mode {
    CX_ACCESS_NONE = 0, // no point
    CX_ACCESS_ALL,      // every access is one
    CX_ACCESS_SOME,     // cx_access_counts() tells
};
extern int cx_access_mode; // const after init, but for the first access of a run

// 1 if this access is a point. Remembers that the run has had one.
int cx_access_counts(uintptr_t address, uint64_t bytes, const void *caller);

static inline void cx_access(const volatile void *address, uint64_t bytes, enum cx_op op, const void *caller)
{
    if (__builtin_expect(cx_access_mode == CX_ACCESS_NONE, 1)) {
        return;
    }
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        return;
    }
    if (op == CX_OP_WRITE) {
        self->spin.both = CX_SPIN_RESET;
    }
    uintptr_t top = (uintptr_t)__builtin_frame_address(0);
    if ((uintptr_t)address - top < self->stack_end - top) {
        return;
    }
    if (__builtin_expect(cx_access_mode == CX_ACCESS_SOME, 0) && !cx_access_counts((uintptr_t)address, bytes, caller)) {
        return;
    }
    if (__builtin_expect(++self->points >= self->stop_at, 0)) {
        cx_point_access(self, op, (const void *)address, bytes, caller);
    }
}

// X(name, operation, bytes): the entry points __tsan_NAME(address), which clang calls before a plain access.
#define CX_ACCESS_MAP(X)                                                                                               \
    X(read1, CX_OP_READ, 1)                                                                                            \
    X(write1, CX_OP_WRITE, 1)                                                                                          \
    X(read2, CX_OP_READ, 2)                                                                                            \
    X(write2, CX_OP_WRITE, 2)                                                                                          \
    X(read4, CX_OP_READ, 4)                                                                                            \
    X(write4, CX_OP_WRITE, 4)                                                                                          \
    X(read8, CX_OP_READ, 8)                                                                                            \
    X(write8, CX_OP_WRITE, 8)                                                                                          \
    X(read16, CX_OP_READ, 16)                                                                                          \
    X(write16, CX_OP_WRITE, 16)                                                                                        \
    X(unaligned_read2, CX_OP_READ, 2)                                                                                  \
    X(unaligned_write2, CX_OP_WRITE, 2)                                                                                \
    X(unaligned_read4, CX_OP_READ, 4)                                                                                  \
    X(unaligned_write4, CX_OP_WRITE, 4)                                                                                \
    X(unaligned_read8, CX_OP_READ, 8)                                                                                  \
    X(unaligned_write8, CX_OP_WRITE, 8)                                                                                \
    X(unaligned_read16, CX_OP_READ, 16)                                                                                \
    X(unaligned_write16, CX_OP_WRITE, 16)                                                                              \
    X(vptr_read, CX_OP_READ, sizeof(void *))

#endif

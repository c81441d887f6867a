// SPDX-License-Identifier: Apache-2.0
//
// stack: see stack.h. A frame is two words, the caller's frame pointer and the return address; a chain that does not go
// upwards, or leaves the size of a stack, is broken.
#include "harness/detect/stack.h"

#include "harness/sched/futex.h"

#include <sys/uio.h>

#define STACK_BYTES_MAX (64u << 20)

int cx_memory_read(const void *address, void *buffer, size_t bytes)
{
    struct iovec local = {.iov_base = buffer, .iov_len = bytes};
    struct iovec remote = {.iov_base = (void *)(uintptr_t)address, .iov_len = bytes};
    long pid = cx_syscall3(SYS_getpid, 0, 0, 0);
    return cx_syscall6(SYS_process_vm_readv, pid, (long)&local, 1, (long)&remote, 1, 0) == (long)bytes;
}

void cx_stack_walk(struct cx_stack *stack, uint64_t pc, const void *frame)
{
    uint64_t at = (uint64_t)(uintptr_t)frame;
    uint64_t base = at;
    uint64_t pair[2] = {0, 0};
    stack->count = 0;
    stack->truncated = 0;
    if (pc != 0) {
        stack->pcs[stack->count++] = pc;
    }
    while (at != 0 && (at & 7) == 0 && at - base < STACK_BYTES_MAX &&
           cx_memory_read((const void *)(uintptr_t)at, pair, sizeof(pair))) {
        if (pair[1] < 4096) {
            break;
        }
        if (stack->count == CX_FRAMES_MAX) {
            stack->truncated = 1;
            break;
        }
        stack->pcs[stack->count++] = pair[1];
        if (pair[0] <= at) {
            break;
        }
        at = pair[0];
    }
}

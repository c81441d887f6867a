// SPDX-License-Identifier: Apache-2.0
//
// stack: C stacks by frame pointers. Works on any thread of the process that is not running, from any thread, and in a
// signal handler: memory is read through the kernel, so that a broken chain ends the walk instead of the process.
#ifndef CX_STACK_H
#define CX_STACK_H

#include <stddef.h>
#include <stdint.h>

#include "harness/exec/channel.h"

// Copy `bytes` from `address`, which may be anything; 1 if all of them could be read. Thread state: either. Blocks: no.
int cx_memory_read(const void *address, void *buffer, size_t bytes);

// Fill `stack` with `pc` (if not 0) and the return addresses of the chain that starts at `frame`.
// Thread state: either. Blocks: no. `frame` may be anything.
void cx_stack_walk(struct cx_stack *stack, uint64_t pc, const void *frame);

#endif

// SPDX-License-Identifier: Apache-2.0
//
// blocks_python: what CPython has allocated since hooks were put around its allocators, by domain.
#ifndef CX_BLOCKS_PYTHON_H
#define CX_BLOCKS_PYTHON_H

#include <stddef.h>
#include <stdint.h>

#include "harness/exec/channel.h"

#define CX_BLOCK_FRAMES 24

// Allocated minus freed, by PyMemAllocatorDomain; below zero when older blocks were freed.
struct cx_blocks {
    int64_t count[3];
    int64_t bytes[3];
};

// Install the hooks. `freed` is told of each block of an object that is older than they are, while its content is
// still there. 0, or -1 if CPython's allocators are not those of the debug build.
int cx_blocks_begin(void (*freed)(const void *block));

// Borrowed.
const struct cx_blocks *cx_blocks_counted(void);

// From now on, blocks keep where they are made.
void cx_blocks_ask_where(void);

// Visit every block of a domain (PyMemAllocatorDomain) that was allocated since and is not freed, in order of address.
// `made` is empty for one that nobody has asked.
void cx_blocks_visit(int domain, void (*visitor)(void *context, const void *block, const struct cx_stack *made),
                     void *context);

// The size that was asked for.
size_t cx_block_bytes(const void *block);

#endif

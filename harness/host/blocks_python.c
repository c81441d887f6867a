// SPDX-License-Identifier: Apache-2.0
//
// blocks_python: CPython's three allocation domains under our hooks, on top of those of the debug build. Counts blocks
// and bytes, and keeps a list of all blocks, so that objects can be counted by type, and what was left behind can be
// asked where it was made.
//
// The debug allocator puts the size of a block, big-endian, sixteen bytes before it and the letter of its domain eight
// bytes before it (Objects/obmalloc.c). That is how the size of a block is known that is older than the hooks.
//
// Locking: none. Only the thread that has the token allocates, and there is no point in here.
#include <Python.h>

#include "harness/host/blocks_python.h"

#include "harness/detect/stack.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

static PyMemAllocatorEx below[3];             // const after begin: what our hooks stand on
static struct cx_blocks blocks;               // owner thread only: who has the token
static void *live;                            // owner thread only: who has the token; a tree of struct live_block
static int asks_where;                        // owner thread only: who has the token: blocks keep where they were made
static void (*old_block_freed)(const void *); // const after begin

// As large with a stack as without: libc's heap is the same whoever asks.
struct live_block {
    const void *address;
    PyMemAllocatorDomain domain;
    uint32_t pcs_count; // 0: nobody asked
    uint64_t pcs[CX_BLOCK_FRAMES];
};

const struct cx_blocks *cx_blocks_counted(void)
{
    return &blocks;
}

size_t cx_block_bytes(const void *block)
{
    const unsigned char *header = (const unsigned char *)block - 2 * sizeof(size_t);
    size_t bytes = 0;
    for (size_t i = 0; i < sizeof(size_t); i++) {
        bytes = bytes << 8 | header[i];
    }
    return bytes;
}

static int address_compare(const void *left, const void *right)
{
    const char *a = ((const struct live_block *)left)->address;
    const char *b = ((const struct live_block *)right)->address;
    return (a > b) - (a < b);
}

// Where the calling thread is.
static void keep_place(struct live_block *block)
{
    struct cx_stack stack;
    cx_stack_walk(&stack, 0, __builtin_frame_address(0));
    block->pcs_count = stack.count < CX_BLOCK_FRAMES ? stack.count : CX_BLOCK_FRAMES;
    memcpy(block->pcs, stack.pcs, block->pcs_count * sizeof(block->pcs[0]));
}

static void block_added(PyMemAllocatorDomain domain, const void *address)
{
    if (address == NULL) {
        return;
    }
    blocks.count[domain]++;
    blocks.bytes[domain] += (int64_t)cx_block_bytes(address);
    struct live_block *block = malloc(sizeof(*block));
    if (block == NULL) {
        abort(); // a count that misses something is worse than none
    }
    block->address = address;
    block->domain = domain;
    block->pcs_count = 0;
    if (asks_where) {
        keep_place(block);
    }
    if (tsearch(block, &live, address_compare) == NULL) {
        abort();
    }
}

static void block_removed(PyMemAllocatorDomain domain, const void *address)
{
    if (address == NULL) {
        return;
    }
    blocks.count[domain]--;
    blocks.bytes[domain] -= (int64_t)cx_block_bytes(address);
    const struct live_block wanted = {.address = address};
    struct live_block **found = tfind(&wanted, &live, address_compare);
    if (found != NULL) {
        struct live_block *block = *found;
        tdelete(block, &live, address_compare);
        free(block);
    } else if (domain == PYMEM_DOMAIN_OBJ) {
        old_block_freed(address);
    }
}

static PyMemAllocatorDomain domain_of(const void *context)
{
    return (PyMemAllocatorDomain)((const PyMemAllocatorEx *)context - below);
}

static void *hook_malloc(void *context, size_t bytes)
{
    PyMemAllocatorEx *real = context;
    void *address = real->malloc(real->ctx, bytes);
    block_added(domain_of(context), address);
    return address;
}

static void *hook_calloc(void *context, size_t count, size_t bytes)
{
    PyMemAllocatorEx *real = context;
    void *address = real->calloc(real->ctx, count, bytes);
    block_added(domain_of(context), address);
    return address;
}

static void *hook_realloc(void *context, void *old, size_t bytes)
{
    PyMemAllocatorEx *real = context;
    block_removed(domain_of(context), old);
    void *address = real->realloc(real->ctx, old, bytes);
    block_added(domain_of(context), address != NULL ? address : old);
    return address;
}

static void hook_free(void *context, void *address)
{
    PyMemAllocatorEx *real = context;
    block_removed(domain_of(context), address);
    real->free(real->ctx, address);
}

static int has_header(PyMemAllocatorDomain domain, const void *block, size_t bytes)
{
    static const unsigned char letters[] = {'r', 'm', 'o'};
    return block != NULL && ((const unsigned char *)block)[-(long)sizeof(size_t)] == letters[domain] &&
           cx_block_bytes(block) == bytes;
}

int cx_blocks_begin(void (*freed)(const void *block))
{
    enum { PROBE_BYTES = 24 };
    void *raw = PyMem_RawMalloc(PROBE_BYTES);
    void *memory = PyMem_Malloc(PROBE_BYTES);
    void *object = PyObject_Malloc(PROBE_BYTES);
    int known = has_header(PYMEM_DOMAIN_RAW, raw, PROBE_BYTES) && has_header(PYMEM_DOMAIN_MEM, memory, PROBE_BYTES) &&
                has_header(PYMEM_DOMAIN_OBJ, object, PROBE_BYTES);
    PyMem_RawFree(raw);
    PyMem_Free(memory);
    PyObject_Free(object);
    if (!known) {
        return -1; // another allocator than that of the debug build
    }
    old_block_freed = freed;
    for (PyMemAllocatorDomain domain = PYMEM_DOMAIN_RAW; domain <= PYMEM_DOMAIN_OBJ; domain++) {
        PyMemAllocatorEx hooks = {.ctx = &below[domain],
                                  .malloc = hook_malloc,
                                  .calloc = hook_calloc,
                                  .realloc = hook_realloc,
                                  .free = hook_free};
        PyMem_GetAllocator(domain, &below[domain]);
        PyMem_SetAllocator(domain, &hooks);
    }
    return 0;
}

void cx_blocks_ask_where(void)
{
    asks_where = 1;
}

struct visit {
    PyMemAllocatorDomain domain;
    void (*visitor)(void *context, const void *block, const struct cx_stack *made);
    void *context;
};

static void visit_node(const void *node, VISIT which, void *closure)
{
    const struct visit *visit = closure;
    const struct live_block *block = *(struct live_block *const *)node;
    if ((which == postorder || which == leaf) && block->domain == visit->domain) { // once for each node
        struct cx_stack made = {.count = block->pcs_count};
        memcpy(made.pcs, block->pcs, block->pcs_count * sizeof(block->pcs[0]));
        visit->visitor(visit->context, block->address, &made);
    }
}

void cx_blocks_visit(int domain, void (*visitor)(void *context, const void *block, const struct cx_stack *made),
                     void *context)
{
    struct visit visit = {.domain = (PyMemAllocatorDomain)domain, .visitor = visitor, .context = context};
    twalk_r(live, visit_node, &visit);
}

// SPDX-License-Identifier: Apache-2.0
//
// blocks_python: CPython's three allocation domains under our hooks, on top of those of the debug build. Counts blocks
// and bytes, and keeps a list of the blocks of PYMEM_DOMAIN_OBJ, so that objects can be counted by type.
//
// The debug allocator puts the size of a block, big-endian, sixteen bytes before it and the letter of its domain eight
// bytes before it (Objects/obmalloc.c). That is how the size of a block is known that is older than the hooks.
//
// Locking: none. Only the thread that has the token allocates, and there is no point in here.
#include <Python.h>

#include "harness/host/blocks_python.h"

#include <search.h>
#include <stdlib.h>

static PyMemAllocatorEx below[3];             // const after begin: what our hooks stand on
static struct cx_blocks blocks;               // owner thread only: who has the token
static void *object_blocks;                   // owner thread only: who has the token; a tree of struct object_block
static void (*old_block_freed)(const void *); // const after begin

struct object_block {
    const void *address;
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
    const char *a = ((const struct object_block *)left)->address;
    const char *b = ((const struct object_block *)right)->address;
    return (a > b) - (a < b);
}

static void block_added(PyMemAllocatorDomain domain, const void *address)
{
    if (address == NULL) {
        return;
    }
    blocks.count[domain]++;
    blocks.bytes[domain] += (int64_t)cx_block_bytes(address);
    if (domain == PYMEM_DOMAIN_OBJ) {
        struct object_block *block = malloc(sizeof(*block));
        if (block == NULL || tsearch((block->address = address, block), &object_blocks, address_compare) == NULL) {
            abort(); // a count that misses something is worse than none
        }
    }
}

static void block_removed(PyMemAllocatorDomain domain, const void *address)
{
    if (address == NULL) {
        return;
    }
    blocks.count[domain]--;
    blocks.bytes[domain] -= (int64_t)cx_block_bytes(address);
    if (domain == PYMEM_DOMAIN_OBJ) {
        const struct object_block wanted = {.address = address};
        struct object_block **found = tfind(&wanted, &object_blocks, address_compare);
        if (found == NULL) {
            old_block_freed(address);
            return;
        }
        struct object_block *block = *found;
        tdelete(block, &object_blocks, address_compare);
        free(block);
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

struct visit {
    void (*visitor)(void *context, const void *block);
    void *context;
};

static void visit_node(const void *node, VISIT which, void *closure)
{
    const struct visit *visit = closure;
    if (which == postorder || which == leaf) { // once for each node
        visit->visitor(visit->context, (*(struct object_block *const *)node)->address);
    }
}

void cx_blocks_visit(void (*visitor)(void *context, const void *block), void *context)
{
    struct visit visit = {.visitor = visitor, .context = context};
    twalk_r(object_blocks, visit_node, &visit);
}

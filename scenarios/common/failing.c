// SPDX-License-Identifier: Apache-2.0
//
// failing: see failing.h.
#include <Python.h>

#include "scenarios/common/failing.h"

static PyMemAllocatorEx before;            // const after init
static _Thread_local uint32_t fails_after; // owner thread only: 0 for never

static int fails(void)
{
    return fails_after != 0 && --fails_after == 0;
}

static void *failing_malloc(void *context, size_t bytes)
{
    (void)context;
    return fails() ? NULL : before.malloc(before.ctx, bytes);
}

static void *failing_calloc(void *context, size_t count, size_t bytes)
{
    (void)context;
    return fails() ? NULL : before.calloc(before.ctx, count, bytes);
}

static void *failing_realloc(void *context, void *old, size_t bytes)
{
    (void)context;
    return fails() ? NULL : before.realloc(before.ctx, old, bytes);
}

static void plain_free(void *context, void *block)
{
    (void)context;
    before.free(before.ctx, block);
}

void failing_install(void)
{
    PyMemAllocatorEx failing = {NULL, failing_malloc, failing_calloc, failing_realloc, plain_free};
    PyMem_GetAllocator(PYMEM_DOMAIN_RAW, &before);
    PyMem_SetAllocator(PYMEM_DOMAIN_RAW, &failing);
}

void failing_next(uint32_t count)
{
    fails_after = count;
}

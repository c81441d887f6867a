// SPDX-License-Identifier: Apache-2.0
//
// census_python: what lives in a quiet CPython of a debug build, see census.h.
//
// Objects are found as blocks: a block of the object domain holds an object if, where an object's type would stand, it
// has the address of a type. Types are those below `object`, asked for before each census. An object that is older than
// the first census is known when it dies: its block is looked at before it is freed. So untracked objects and those
// without a cycle (int, str) are counted as well.
//
// Sources: Objects/obmalloc.c; Include/internal/pycore_object.h (_PyType_PreHeaderSize); for what has to be flushed,
// Lib/test/libregrtest/refleak.py.
#include <Python.h>

#include "harness/host/blocks_python.h"
#include "harness/host/census.h"
#include "pyrt/pyrt.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#ifdef Py_REF_DEBUG
#define COUNTS_REFERENCES 1
#else
#define COUNTS_REFERENCES 0 // nothing to judge by
#endif
#define TYPES_MAX (CX_CENSUS_MAX - CX_TOTAL_COUNT)
#define DEPTH_MAX 100
#define WATCHED_MAX 64

struct known_type {
    const PyTypeObject *type; // borrowed; only compared
    uint32_t index;
    size_t header_bytes; // before an object of this type
};

static void *types;                       // owner thread only: main; a tree of struct known_type
static const char *type_names[TYPES_MAX]; // owner thread only: main
static int64_t dead_by_type[TYPES_MAX];   // owner thread only: who has the token; older than the first census
static uint32_t types_count;              // owner thread only: main

static struct {
    PyObject *object;  // owner thread only: main; a reference of ours
    Py_ssize_t before; // owner thread only: main; with that
} watched[WATCHED_MAX];
static uint32_t watched_count; // owner thread only: main

static int type_compare(const void *left, const void *right)
{
    const char *a = (const char *)((const struct known_type *)left)->type;
    const char *b = (const char *)((const struct known_type *)right)->type;
    return (a > b) - (a < b);
}

static const struct known_type *type_find(const void *type)
{
    const struct known_type wanted = {.type = type};
    struct known_type **found = tfind(&wanted, &types, type_compare);
    return found != NULL ? *found : NULL;
}

static size_t header_bytes(const PyTypeObject *type)
{
    size_t bytes = 0;
#ifndef Py_GIL_DISABLED
    bytes += type->tp_flags & Py_TPFLAGS_HAVE_GC ? 2 * sizeof(uintptr_t) : 0; // PyGC_Head
#endif
    bytes += type->tp_flags & (Py_TPFLAGS_MANAGED_DICT | Py_TPFLAGS_MANAGED_WEAKREF) ? 2 * sizeof(PyObject *) : 0;
    return bytes;
}

static void type_add(const PyTypeObject *type)
{
    if (types_count == TYPES_MAX || type_find(type) != NULL) {
        return;
    }
    struct known_type *known = malloc(sizeof(*known));
    char *name = strdup(type->tp_name);
    if (known == NULL || name == NULL) {
        abort(); // a count that misses something is worse than none
    }
    *known = (struct known_type){.type = type, .index = types_count, .header_bytes = header_bytes(type)};
    type_names[types_count++] = name;
    if (tsearch(known, &types, type_compare) == NULL) {
        abort();
    }
}

// Add `type` and all below it.
static void types_add(PyTypeObject *type, int depth)
{
    type_add(type);
    PyObject *list =
        depth < DEPTH_MAX ? PyObject_CallMethod((PyObject *)&PyType_Type, "__subclasses__", "O", type) : NULL;
    for (Py_ssize_t i = 0; list != NULL && i < PyList_GET_SIZE(list); i++) {
        types_add((PyTypeObject *)PyList_GET_ITEM(list, i), depth + 1);
    }
    Py_XDECREF(list);
    PyErr_Clear();
}

// The type of the object in a block, or NULL.
static const struct known_type *type_of_block(const void *block)
{
    static const size_t headers[] = {0, 2 * sizeof(void *), 4 * sizeof(void *)};
    size_t bytes = cx_block_bytes(block);
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        if (headers[i] + sizeof(PyObject) > bytes) {
            break;
        }
        const PyObject *object = (const PyObject *)((const char *)block + headers[i]);
        const struct known_type *known = type_find(object->ob_type);
        if (known != NULL && known->header_bytes == headers[i]) {
            return known;
        }
    }
    return NULL;
}

static void old_block_freed(const void *block)
{
    const struct known_type *known = type_of_block(block);
    if (known != NULL) {
        dead_by_type[known->index]++;
    }
}

static void block_count(void *context, const void *block, const struct cx_stack *made)
{
    (void)made;
    struct cx_census *census = context;
    const struct known_type *known = type_of_block(block);
    if (known != NULL) {
        census->values[CX_TOTAL_COUNT + known->index]++;
    }
}

// Everything that CPython, and the runtime, put off until later. Thread state: attached.
static void flush(void)
{
    struct pyrt_attach attach = {0};
    if (pyrt_attach_assume(&attach) == PYRT_OK) {
        pyrt_attach_release(&attach); // drains the pool
    }
    // Passes a quiescent state, and takes what other threads have queued for this one.
    Py_BEGIN_ALLOW_THREADS;
    Py_END_ALLOW_THREADS;
    Py_MakePendingCalls();
    PyObject *clear = PySys_GetObject("_clear_internal_caches");
    PyObject *none = clear != NULL ? PyObject_CallNoArgs(clear) : NULL;
    Py_XDECREF(none);
    PyType_ClearCache();
    PyErr_Clear();
    // The first may run finalizers that leave garbage. A full collection also clears the free lists.
    PyGC_Collect();
    PyGC_Collect();
}

int cx_host_census_begin(void)
{
    if (!COUNTS_REFERENCES) {
        return -1;
    }
    types_add(&PyBaseObject_Type, 0);
    flush();
    return cx_blocks_begin(old_block_freed);
}

static int64_t references(void)
{
#ifdef Py_REF_DEBUG
    return _Py_GetGlobalRefTotal();
#else
    return 0;
#endif
}

int cx_host_census(struct cx_census *census)
{
    if (!Py_IsInitialized()) {
        return -1;
    }
    types_add(&PyBaseObject_Type, 0);
    flush();
    struct pyrt_pool_stats pool;
    pyrt_pool_stats(&pool);
    const struct cx_blocks *blocks = cx_blocks_counted();
    memset(census, 0, sizeof(*census));
    census->count = CX_TOTAL_COUNT + types_count;
    census->values[CX_TOTAL_REFERENCES] = references();
    census->values[CX_TOTAL_POOLED] = (int64_t)(pool.queued - pool.drained - pool.dropped);
    census->values[CX_TOTAL_OBJECTS] = blocks->count[PYMEM_DOMAIN_OBJ];
    census->values[CX_TOTAL_MEMORY] = blocks->count[PYMEM_DOMAIN_MEM];
    census->values[CX_TOTAL_RAW] = blocks->count[PYMEM_DOMAIN_RAW];
    census->values[CX_TOTAL_RAW_BYTES] = blocks->bytes[PYMEM_DOMAIN_RAW];
    cx_blocks_visit(PYMEM_DOMAIN_OBJ, block_count, census);
    for (uint32_t i = 0; i < types_count; i++) {
        census->values[CX_TOTAL_COUNT + i] -= dead_by_type[i];
    }
    return 0;
}

void cx_host_census_ask_where(void)
{
    cx_blocks_ask_where();
}

struct search {
    uint32_t entry; // of a census
    struct cx_stack *made;
};

static void block_search(void *context, const void *block, const struct cx_stack *made)
{
    const struct search *search = context;
    const struct known_type *known = search->entry >= CX_TOTAL_COUNT ? type_of_block(block) : NULL;
    int wanted = search->entry < CX_TOTAL_COUNT || (known != NULL && CX_TOTAL_COUNT + known->index == search->entry);
    if (wanted && made->count > 0 && search->made->count == 0) {
        *search->made = *made;
    }
}

void cx_host_census_where(uint32_t entry, struct cx_stack *made)
{
    PyMemAllocatorDomain domain = entry == CX_TOTAL_MEMORY ? PYMEM_DOMAIN_MEM
                                  : entry == CX_TOTAL_RAW  ? PYMEM_DOMAIN_RAW
                                                           : PYMEM_DOMAIN_OBJ;
    struct search search = {.entry = entry, .made = made};
    made->count = 0;
    made->truncated = 0;
    if (entry == CX_TOTAL_OBJECTS || entry == CX_TOTAL_MEMORY || entry == CX_TOTAL_RAW || entry >= CX_TOTAL_COUNT) {
        cx_blocks_visit((int)domain, block_search, &search);
    }
}

const char *const *cx_host_census_types(void)
{
    return type_names;
}

void cx_host_watch(void *object)
{
    if (watched_count == WATCHED_MAX) {
        Py_FatalError("cx_watch: too many objects");
    }
    watched[watched_count].object = Py_NewRef((PyObject *)object);
    watched[watched_count].before = Py_REFCNT((PyObject *)object);
    watched_count++;
}

void cx_host_watch_end(char *text, size_t text_bytes)
{
    size_t used = 0;
    text[0] = '\0';
    if (watched_count == 0 || !Py_IsInitialized()) {
        return;
    }
    flush();
    for (uint32_t i = 0; i < watched_count; i++) {
        Py_ssize_t change = Py_REFCNT(watched[i].object) - watched[i].before;
        if (change != 0 && used < text_bytes) {
            used += (size_t)snprintf(text + used, text_bytes - used, "%s%+zd %s of a watched %s", used > 0 ? ", " : "",
                                     change, change == 1 || change == -1 ? "reference" : "references",
                                     Py_TYPE(watched[i].object)->tp_name);
        }
    }
    while (used == 0 && watched_count > 0) {
        Py_DECREF(watched[--watched_count].object);
    }
}

// SPDX-License-Identifier: Apache-2.0
//
// frames: see frames.h. The table is searched in order; a name that ends in '*' is a prefix.
#include "harness/detect/frames.h"

#include <string.h>

static const struct {
    const char *name;
    enum cx_frame_class frame_class;
} frame_table[] = {
    {"cx_*", CX_FRAME_HARNESS},
    {"__tsan*", CX_FRAME_HARNESS},
    {"__wrap_*", CX_FRAME_HARNESS},
    {"__real_*", CX_FRAME_HARNESS},
    {"__interceptor_*", CX_FRAME_HARNESS},
    {"___interceptor_*", CX_FRAME_HARNESS},
    {"__sanitizer*", CX_FRAME_HARNESS},
    {"__asan*", CX_FRAME_HARNESS},
    {"asan_thread_start*", CX_FRAME_HARNESS},
    {"__ubsan*", CX_FRAME_HARNESS},
    {"handleTypeMismatch*", CX_FRAME_HARNESS}, // of UndefinedBehaviorSanitizer
    {"handleAlignmentAssumption*", CX_FRAME_HARNESS},
    {"handleIntegerOverflow*", CX_FRAME_HARNESS},
    {"handleNegateOverflow*", CX_FRAME_HARNESS},
    {"handleDivremOverflow*", CX_FRAME_HARNESS},
    {"handleShiftOutOfBounds*", CX_FRAME_HARNESS},
    {"handleOutOfBounds*", CX_FRAME_HARNESS},
    {"handleVLABoundNotPositive*", CX_FRAME_HARNESS},
    {"handleFloatCastOverflow*", CX_FRAME_HARNESS},
    {"handleLoadInvalidValue*", CX_FRAME_HARNESS},
    {"handleImplicitConversion*", CX_FRAME_HARNESS},
    {"handleInvalidBuiltin*", CX_FRAME_HARNESS},
    {"handleNonNullReturn*", CX_FRAME_HARNESS},
    {"handleNonNullArg*", CX_FRAME_HARNESS},
    {"handlePointerOverflow*", CX_FRAME_HARNESS},
    {"pthread_*", CX_FRAME_HARNESS},
    {"__pthread_*", CX_FRAME_HARNESS},
    {"sem_*", CX_FRAME_HARNESS},
    {"__libc_*", CX_FRAME_HARNESS},
    {"__assert_*", CX_FRAME_HARNESS},
    {"__GI_*", CX_FRAME_HARNESS},
    {"_start", CX_FRAME_HARNESS},
    {"start_thread", CX_FRAME_HARNESS},
    {"clone*", CX_FRAME_HARNESS},
    {"__clone*", CX_FRAME_HARNESS},
    {"abort", CX_FRAME_HARNESS},
    {"raise", CX_FRAME_HARNESS},
    {"gsignal", CX_FRAME_HARNESS},
    {"pause", CX_FRAME_HARNESS},
    {"sched_yield", CX_FRAME_HARNESS},
    {"usleep", CX_FRAME_HARNESS},
    {"nanosleep", CX_FRAME_HARNESS},
    {"clock_nanosleep", CX_FRAME_HARNESS},
    {"clock_gettime", CX_FRAME_HARNESS},
    {"poll", CX_FRAME_HARNESS},
    {"select", CX_FRAME_HARNESS},
    {"exit", CX_FRAME_HARNESS},
    {"_exit", CX_FRAME_HARNESS},
    {"memcpy", CX_FRAME_HARNESS},
    {"memset", CX_FRAME_HARNESS},
    {"memmove", CX_FRAME_HARNESS},
    {"malloc", CX_FRAME_HARNESS},
    {"calloc", CX_FRAME_HARNESS},
    {"realloc", CX_FRAME_HARNESS},
    {"free", CX_FRAME_HARNESS},
    {"fatal_error", CX_FRAME_FAILURE},
    {"fatal_error_exit", CX_FRAME_FAILURE},
    {"_Py_FatalError*", CX_FRAME_FAILURE},
    {"Py_FatalError", CX_FRAME_FAILURE},
    {"_PyObject_AssertFailed", CX_FRAME_FAILURE},
    {"_Py_NegativeRefcount", CX_FRAME_FAILURE},
    {"PyMutex_*", CX_FRAME_WAITING},
    {"_PyMutex_*", CX_FRAME_WAITING},
    {"_PyRawMutex_*", CX_FRAME_WAITING},
    {"_PyRecursiveMutex_*", CX_FRAME_WAITING},
    {"_PyRWMutex_*", CX_FRAME_WAITING},
    {"_PyOnceFlag_*", CX_FRAME_WAITING},
    {"PyEvent_*", CX_FRAME_WAITING},
    {"_PyEvent_*", CX_FRAME_WAITING},
    {"_PyParkingLot_*", CX_FRAME_WAITING},
    {"_PySemaphore_*", CX_FRAME_WAITING},
    {"_PySeqLock_*", CX_FRAME_WAITING},
    {"PyThread_acquire_lock*", CX_FRAME_WAITING},
    {"PyThread_release_lock", CX_FRAME_WAITING},
    {"PyThread_join_thread", CX_FRAME_WAITING},
    {"PyCOND_*", CX_FRAME_WAITING},
    {"PyMUTEX_*", CX_FRAME_WAITING},
    {"rwmutex_*", CX_FRAME_WAITING},
    {"_Py_yield", CX_FRAME_WAITING},
    {"_Py_atomic_*", CX_FRAME_ATOMIC},
    {"atomic_*", CX_FRAME_ATOMIC},
    {"Py_INCREF*", CX_FRAME_ATOMIC},
    {"Py_DECREF*", CX_FRAME_ATOMIC},
    {"Py_XINCREF", CX_FRAME_ATOMIC},
    {"Py_XDECREF", CX_FRAME_ATOMIC},
    {"_Py_DecRef*", CX_FRAME_ATOMIC},
    {"_Py_IncRef*", CX_FRAME_ATOMIC},
    {"_Py_NewRef", CX_FRAME_ATOMIC},
    {"_Py_XNewRef", CX_FRAME_ATOMIC},
    {"Py_REFCNT", CX_FRAME_ATOMIC},
    {"_Py_REFCNT", CX_FRAME_ATOMIC},
    {"fill_mem_debug", CX_FRAME_ATOMIC},
    {"PyMem_*", CX_FRAME_ATOMIC},
    {"_PyMem_*", CX_FRAME_ATOMIC},
    {"PyObject_Malloc", CX_FRAME_ATOMIC},
    {"PyObject_Calloc", CX_FRAME_ATOMIC},
    {"PyObject_Realloc", CX_FRAME_ATOMIC},
    {"PyObject_Free", CX_FRAME_ATOMIC},
    {"_PyObject_Malloc", CX_FRAME_ATOMIC},
    {"_PyObject_Calloc", CX_FRAME_ATOMIC},
    {"_PyObject_Realloc", CX_FRAME_ATOMIC},
    {"_PyObject_Free", CX_FRAME_ATOMIC},
    {"mi_*", CX_FRAME_ATOMIC},
    {"_mi_*", CX_FRAME_ATOMIC},
    // What C++ programs wait in: the library's classes around a pthread call.
    {"std::*", CX_FRAME_WAITING},
    {"void std::*", CX_FRAME_WAITING},
    {"__gthread_*", CX_FRAME_WAITING},
    {"__gthrw_*", CX_FRAME_WAITING},
    {"__gnu_cxx::*", CX_FRAME_WAITING},
    {"?", CX_FRAME_UNKNOWN},
};

// Files whose functions are never the program: the C library and its relatives.
static const char *const library_prefixes[] = {"libc.", "libc-",     "ld-linux",   "libpthread", "libm.",    "libgcc_s",
                                               "libdl", "libstdc++", "linux-vdso", "[vdso]",     "libresolv"};

static int name_matches(const char *pattern, const char *name)
{
    size_t chars = strlen(pattern);
    if (pattern[chars - 1] == '*') {
        return strncmp(pattern, name, chars - 1) == 0;
    }
    return strcmp(pattern, name) == 0;
}

enum cx_frame_class cx_frame_classify(const char *function, const char *file, const char *module_path)
{
    static const char ours[] = "harness/"; // scheduler, interposers and host; runtime/ and scenarios/ are the program
    if (strncmp(file, ours, sizeof(ours) - 1) == 0) {
        return CX_FRAME_HARNESS;
    }
    const char *slash = strrchr(module_path, '/');
    const char *module = slash != NULL ? slash + 1 : module_path;
    for (size_t i = 0; i < sizeof(library_prefixes) / sizeof(library_prefixes[0]); i++) {
        if (strncmp(module, library_prefixes[i], strlen(library_prefixes[i])) == 0) {
            return CX_FRAME_HARNESS;
        }
    }
    for (size_t i = 0; i < sizeof(frame_table) / sizeof(frame_table[0]); i++) {
        if (name_matches(frame_table[i].name, function)) {
            return frame_table[i].frame_class;
        }
    }
    return CX_FRAME_PROGRAM;
}

int cx_frame_first(const struct cx_symbol_stack *stack, uint32_t classes, uint32_t from)
{
    for (uint32_t i = from; i < stack->count; i++) {
        if (classes & (1u << stack->frames[i].frame_class)) {
            return (int)i;
        }
    }
    return -1;
}

int cx_frame_telling_index(const struct cx_symbol_stack *stack)
{
    static const uint32_t choices[] = {1u << CX_FRAME_PROGRAM, 1u << CX_FRAME_WAITING | 1u << CX_FRAME_ATOMIC,
                                       1u << CX_FRAME_FAILURE};
    for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
        int index = cx_frame_first(stack, choices[i], 0);
        if (index >= 0) {
            return index;
        }
    }
    return -1;
}

const char *cx_frame_telling(const struct cx_symbol_stack *stack)
{
    int index = cx_frame_telling_index(stack);
    return index < 0 ? NULL : stack->frames[index].function;
}

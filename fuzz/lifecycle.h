// SPDX-License-Identifier: Apache-2.0
//
// lifecycle: a program of one to four threads, each a list of operations of the runtime and of the C API around it.
//
// A program is plain data of a fixed shape, so that one field can change and all others keep their meaning. Thread 0 is
// the one that initialised CPython, attached; the others are native threads that CPython has never seen. An operation
// that makes no sense where its thread is (closing nothing, touching an object while detached) is passed over, unless
// the program is one of misuse: so what is played respects what the documentation asks for, whatever the bytes are.
//
// The scenario fuzz/lifecycle draws the fields with cx_choose(), so that a program is a part of its schedule: numbers
// that the thread `main` asks for, in the order of fuzz_program_walk(). That is how `constrictor run`, `replay`,
// `shrink` and `explain` know it; no other file has to go along.
#ifndef CX_FUZZ_LIFECYCLE_H
#define CX_FUZZ_LIFECYCLE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define FUZZ_THREADS_MAX 4
#define FUZZ_OPS_MAX 8
#define FUZZ_ARGUMENTS 4
#define FUZZ_KEPT_SHARED 1 // the argument of "keep" that stands for the subinterpreter that all share

// Where an operation makes sense.
enum fuzz_place {
    FUZZ_ANYWHERE = 0,
    FUZZ_FREE,   // no forbid around
    FUZZ_INSIDE, // no forbid around, and attached to the main interpreter
    FUZZ_PYTHON, // FUZZ_INSIDE, and not between the ends of a critical section
    FUZZ_FIRST,  // no scope around, on thread 0
};

// X(enumerator, name, place, what it is in C; %u is its argument)
#define FUZZ_OP_MAP(X)                                                                                                 \
    X(NOTHING, "nothing", FUZZ_ANYWHERE, "")                                                                           \
    X(CLOSE, "close", FUZZ_ANYWHERE, "end_innermost_scope()")                                                          \
    X(ATTACH, "attach", FUZZ_ANYWHERE, "pyrt_attach_try(&attach)")                                                     \
    X(ASSUME, "assume", FUZZ_ANYWHERE, "pyrt_attach_assume(&attach)")                                                  \
    X(DETACH, "detach", FUZZ_ANYWHERE, "pyrt_detach_begin(&detach)")                                                   \
    X(FORBID, "forbid", FUZZ_ANYWHERE, "pyrt_forbid_begin(&forbid)")                                                   \
    X(ENTER_MAIN, "enter-main", FUZZ_ANYWHERE, "pyrt_activate_begin(&activate, &main_interp)")                         \
    X(ENTER_SHARED, "enter-shared", FUZZ_ANYWHERE, "pyrt_activate_begin(&activate, &shared_interp)")                   \
    X(ENTER_OWN, "enter-own", FUZZ_ANYWHERE, "pyrt_activate_begin(&activate, &own_interp)")                            \
    X(ENSURE, "ensure", FUZZ_ANYWHERE, "pyrt_ensure_begin(&ensure, guard)")                                            \
    X(ENSURE_VIEW, "ensure-view", FUZZ_ANYWHERE, "pyrt_ensure_begin_view(&ensure, view)")                              \
    X(GILSTATE, "gilstate", FUZZ_FREE, "PyGILState_Ensure()")                                                          \
    X(SAVE, "save", FUZZ_FREE, "PyEval_SaveThread()")                                                                  \
    X(SECTION, "section", FUZZ_INSIDE, "PyCriticalSection_Begin(&section, pair[%u & 1])")                              \
    X(SECTION_TWO, "section-two", FUZZ_INSIDE, "PyCriticalSection2_Begin(&section, pair[%u & 1], pair[!(%u & 1)])")    \
    X(POINT, "point", FUZZ_ANYWHERE, "sched_yield()")                                                                  \
    X(MAKE, "make", FUZZ_INSIDE, "held = Py_NewRef(anchor)")                                                           \
    X(DROP, "drop", FUZZ_ANYWHERE, "pyrt_pool_decref_in(pool, held)")                                                  \
    X(APPEND, "append", FUZZ_PYTHON, "PyList_Append(list, PyLong_FromLong(%u))")                                       \
    X(CLEAR, "clear", FUZZ_PYTHON, "PyList_SetSlice(list, 0, PY_SSIZE_T_MAX, NULL)")                                   \
    X(SET_ITEM, "set-item", FUZZ_PYTHON, "PyDict_SetItem(dict, key[%u], PyList_New(0))")                               \
    X(DEL_ITEM, "del-item", FUZZ_PYTHON, "PyDict_DelItem(dict, key[%u])")                                              \
    X(SET_TYPE, "set-type", FUZZ_PYTHON, "PyObject_SetAttr(type, key[%u], PyLong_FromLong(%u))")                       \
    X(GET_TYPE, "get-type", FUZZ_PYTHON, "PyObject_GetAttr(type, key[%u])")                                            \
    X(INSTANCE, "instance", FUZZ_PYTHON, "dict[key[%u]] = type()")                                                     \
    X(WEAKREF, "weakref", FUZZ_PYTHON, "PyWeakref_NewRef(dict[key[%u]], NULL)")                                        \
    X(CALL, "call", FUZZ_PYTHON, "PyObject_CallNoArgs(work)")                                                          \
    X(COLLECT, "collect", FUZZ_PYTHON, "PyGC_Collect()")                                                               \
    X(FREEZE, "freeze", FUZZ_PYTHON, "gc.freeze() if %u & 1 else gc.unfreeze()")                                       \
    X(PROFILE, "profile", FUZZ_PYTHON, "PyEval_SetProfileAllThreads(%u & 1 ? on_event : NULL, NULL)")                  \
    X(TRACE, "trace", FUZZ_PYTHON, "PyEval_SetTraceAllThreads(%u & 1 ? on_event : NULL, NULL)")                        \
    X(TRACEMALLOC, "tracemalloc", FUZZ_PYTHON, "tracemalloc.start() if %u & 1 else tracemalloc.stop()")                \
    X(AT_EXIT, "at-exit", FUZZ_PYTHON, "atexit.register(work)")                                                        \
    X(PENDING, "pending", FUZZ_INSIDE, "Py_AddPendingCall(on_pending, NULL)")                                          \
    X(THREAD, "thread", FUZZ_PYTHON, "thread = _thread.start_joinable_thread(work)")                                   \
    X(JOIN, "join", FUZZ_PYTHON, "thread.join()")                                                                      \
    X(CREATE, "create", FUZZ_PYTHON, "pyrt_interp_create(&own_interp, NULL)")                                          \
    X(DESTROY, "destroy", FUZZ_ANYWHERE, "pyrt_interp_destroy(&own_interp)")                                           \
    X(GUARD, "guard", FUZZ_PYTHON, "pyrt_guard_from_current(&guard)")                                                  \
    X(UNGUARD, "unguard", FUZZ_ANYWHERE, "pyrt_guard_close(guard)")                                                    \
    X(WAIT, "wait", FUZZ_FIRST, "wait_for_other_threads()")                                                            \
    X(FINALIZE, "finalize", FUZZ_FIRST, "Py_FinalizeEx()")                                                             \
    X(INITIALIZE, "initialize", FUZZ_FIRST, "Py_InitializeFromConfig(&config)")                                        \
    X(KEEP, "keep", FUZZ_ANYWHERE, "pyrt_tstate_open(&kept[%u], interp_of_kept[%u])")                                  \
    X(ENTER_KEPT, "enter-kept", FUZZ_ANYWHERE, "pyrt_activate_begin_with(&activate, &kept[%u])")                       \
    X(CLOSE_KEPT, "close-kept", FUZZ_ANYWHERE, "pyrt_tstate_close(&kept[%u])")                                         \
    X(FORK, "fork", FUZZ_PYTHON, "PyOS_BeforeFork(), fork() and child(%u), PyOS_AfterFork_Parent()")

#define FUZZ_OP_ENUM(enumerator, name, place, text) FUZZ_OP_##enumerator,
enum fuzz_op_kind { FUZZ_OP_MAP(FUZZ_OP_ENUM) FUZZ_OP_COUNT };
#undef FUZZ_OP_ENUM

// How thread 0 ends, after its operations.
enum fuzz_end {
    FUZZ_END_RETURN = 0,
    FUZZ_END_FINALIZE,
    FUZZ_END_RESTART, // finalize, and initialise again
    FUZZ_END_COUNT,
};

struct fuzz_op {
    uint8_t kind; // enum fuzz_op_kind; from FUZZ_OP_COUNT on: nothing
    uint8_t argument;
};

struct fuzz_program {
    uint8_t threads_more; // than one
    uint8_t end;          // enum fuzz_end
    struct fuzz_op ops[FUZZ_THREADS_MAX][FUZZ_OPS_MAX];
};

#define FUZZ_PROGRAM_FIELDS (2 + 2 * FUZZ_THREADS_MAX * FUZZ_OPS_MAX)
// Half of what is drawn is nothing, so that random programs have half as many operations as there is room for.
#define FUZZ_OP_CHOICES (2 * FUZZ_OP_COUNT)

// Call `field` for every field of a program in their order, with the number of values that it can have, which is at
// most 255. It may change the field.
void fuzz_program_walk(struct fuzz_program *program, void (*field)(void *context, uint8_t *value, uint32_t values),
                       void *context);

// 1 if the operation is one, of a thread that there is.
int fuzz_program_plays(const struct fuzz_program *program, uint32_t thread, uint32_t i);
// 1 if some thread of the program has this operation.
int fuzz_program_has(const struct fuzz_program *program, enum fuzz_op_kind kind);
// 1 if some thread of it uses the subinterpreter that all share.
int fuzz_program_shares(const struct fuzz_program *program);
// 1 if its operation "fork" is played: where no subinterpreter can be, for that no child survives (interp/fork_beside),
// which would hide whatever else a fork does.
int fuzz_program_forks(const struct fuzz_program *program);
// 1 if the program finalizes nothing, and forks no process.
int fuzz_program_stays(const struct fuzz_program *program);
// Operations that are something.
uint32_t fuzz_program_length(const struct fuzz_program *program);

const char *fuzz_op_name(uint8_t kind);
// The operation of this name, or FUZZ_OP_COUNT.
uint8_t fuzz_op_find(const char *name);
enum fuzz_place fuzz_op_place(uint8_t kind);

// A text of FUZZ_OP_MAP: each %u in it is the argument.
void fuzz_text_print(const char *text, unsigned argument, FILE *out);
// The program as text that reads like C; and as functions for reproducer.c, which has to stand before them.
void fuzz_program_print(const struct fuzz_program *program, FILE *out);
void fuzz_program_print_c(const struct fuzz_program *program, FILE *out);

#endif

// SPDX-License-Identifier: Apache-2.0
//
// race_tsan: every report of ThreadSanitizer, taken as data in the process that it happened in. Linked into
// ThreadSanitizer runners only. Symbols are looked up later, by the command: a symbolizer started in every child would
// cost more than the run.
#include "harness/interpose/wrappers.h"
#include "harness/sched/sched.h"

#include <stdio.h>
#include <string.h>
#include <sys/types.h>

extern int __tsan_get_report_data(void *report, const char **description, int *count, int *stack_count, int *mop_count,
                                  int *loc_count, int *mutex_count, int *thread_count, int *unique_tid_count,
                                  void **sleep_trace, unsigned long trace_size);
extern int __tsan_get_report_mop(void *report, unsigned long index, int *tid, void **address, int *size, int *write,
                                 int *atomic, void **trace, unsigned long trace_size);
extern int __tsan_get_report_loc(void *report, unsigned long index, const char **type, void **address,
                                 unsigned long *start, unsigned long *size, int *tid, int *fd, int *suppressable,
                                 void **trace, unsigned long trace_size);
extern int __tsan_get_report_thread(void *report, unsigned long index, int *tid, pid_t *os_id, int *running,
                                    const char **name, int *parent_tid, void **trace, unsigned long trace_size);

const char *__tsan_default_options(void);
void __tsan_on_report(void *report);

const char *__tsan_default_options(void)
{
    // handle_segv and handle_abort: the crash is ours to report. symbolize: see above. Every race of a run counts, so
    // nothing halts.
    return "halt_on_error=0:report_thread_leaks=0:report_signal_unsafe=0:detect_deadlocks=0:handle_segv=0:"
           "handle_abort=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:handle_sigtrap=0:atexit_sleep_ms=0:"
           "die_after_fork=0:symbolize=0:exitcode=0:history_size=4:use_sigaltstack=0";
}

// Our wrapper of an atomic operation is a function that the program called, for ThreadSanitizer. For readers it is not.
static int is_wrapper(const void *pc)
{
    return (uintptr_t)pc >= (uintptr_t)__start_cx_wrappers && (uintptr_t)pc < (uintptr_t)__stop_cx_wrappers;
}

static void copy_trace(struct cx_stack *stack, void *const *trace)
{
    stack->count = 0;
    stack->truncated = 0;
    for (int i = 0; i < CX_FRAMES_MAX && trace[i] != NULL; i++) {
        if (!is_wrapper(trace[i])) {
            stack->pcs[stack->count++] = (uint64_t)(uintptr_t)trace[i];
        }
    }
}

// Our key of ThreadSanitizer's thread `tid`.
static uint32_t key_of(void *report, int threads, int tid)
{
    if (tid == 0) {
        return CX_THREAD_KEY_MAIN;
    }
    for (int i = 0; i < threads; i++) {
        int found = 0;
        int running = 0;
        int parent = 0;
        pid_t os_id = 0;
        const char *name = NULL;
        void *trace[1];
        __tsan_get_report_thread(report, (unsigned long)i, &found, &os_id, &running, &name, &parent, trace, 1);
        if (found != tid) {
            continue;
        }
        for (uint32_t t = 0; t < cx_sched.count; t++) {
            if (cx_sched.threads[t].tid == os_id) {
                return cx_sched.threads[t].key;
            }
        }
    }
    return 0;
}

static void fill_accesses(struct cx_race *race, void *report, int mops, int threads)
{
    race->accesses_count = 0;
    for (int i = 0; i < mops && race->accesses_count < 2; i++) {
        struct cx_race_access *access = &race->accesses[race->accesses_count++];
        int tid = 0;
        int size = 0;
        int write = 0;
        int atomic = 0;
        void *address = NULL;
        void *trace[CX_FRAMES_MAX] = {NULL};
        __tsan_get_report_mop(report, (unsigned long)i, &tid, &address, &size, &write, &atomic, trace, CX_FRAMES_MAX);
        access->address = (uint64_t)(uintptr_t)address;
        access->bytes = (uint32_t)size;
        access->write = (uint8_t)write;
        access->atomic = (uint8_t)atomic;
        access->thread = key_of(report, threads, tid);
        copy_trace(&access->stack, trace);
    }
}

void __tsan_on_report(void *report)
{
    if (cx_sched.channel == NULL) {
        return;
    }
    struct cx_result *result = &cx_sched.channel->result;
    if (result->races_count == CX_RACES_MAX) {
        result->races_dropped = 1;
        return;
    }
    struct cx_race *race = &result->races[result->races_count];
    const char *type = "";
    int count = 0;
    int stacks = 0;
    int mops = 0;
    int locs = 0;
    int mutexes = 0;
    int threads = 0;
    int unique = 0;
    void *sleep_trace[1];
    __tsan_get_report_data(report, &type, &count, &stacks, &mops, &locs, &mutexes, &threads, &unique, sleep_trace, 1);
    memset(race, 0, sizeof(*race));
    snprintf(race->type, sizeof(race->type), "%s", type);
    fill_accesses(race, report, mops, threads);
    if (locs > 0) {
        int tid = 0;
        int fd = 0;
        int suppressable = 0;
        unsigned long start = 0;
        unsigned long size = 0;
        void *address = NULL;
        const char *kind = NULL;
        void *trace[CX_FRAMES_MAX] = {NULL};
        __tsan_get_report_loc(report, 0, &kind, &address, &start, &size, &tid, &fd, &suppressable, trace,
                              CX_FRAMES_MAX);
        race->location = start != 0 ? start : (uint64_t)(uintptr_t)address;
        copy_trace(&race->allocated, trace);
    }
    result->races_count++;
}

// SPDX-License-Identifier: Apache-2.0
//
// report_asan: a report of AddressSanitizer or UndefinedBehaviorSanitizer ends the run that it happened in, as a crash
// whose kind is the sanitizer's word for it ("heap-use-after-free"). Linked into AddressSanitizer runners only. These
// runtimes are told not to look up names of functions: a symbolizer started in every child would cost more than the
// run, and the command does it for the stack that it gets.
#include "harness/detect/unwind.h"
#include "harness/host/run.h"
#include "harness/sched/sched.h"

#include <stdint.h>
#include <stdio.h>

extern void __asan_set_error_report_callback(void (*callback)(const char *));
extern void *__asan_get_report_pc(void);
extern void *__asan_get_report_bp(void);
extern void *__asan_get_report_address(void);
extern const char *__asan_get_report_description(void);
extern size_t __asan_get_alloc_stack(void *address, void **trace, size_t count, int *thread);
extern size_t __asan_get_free_stack(void *address, void **trace, size_t count, int *thread);
extern void __ubsan_get_current_report_data(const char **kind, const char **message, const char **file, unsigned *line,
                                            unsigned *column, char **address);

const char *__asan_default_options(void);
const char *__ubsan_default_options(void);
void __ubsan_on_report(void);

const char *__asan_default_options(void)
{
    // handle_*: the crash is ours to report. detect_leaks: docs/drift.md has another way to look at what a run leaves.
    // detect_stack_use_after_return: CPython measures its stack by the addresses of local variables. A run is short: it
    // needs no large quarantine.
    return "detect_leaks=0:handle_segv=0:handle_abort=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:"
           "handle_sigtrap=0:use_sigaltstack=0:symbolize=0:allocator_may_return_null=1:"
           "detect_stack_use_after_return=0:quarantine_size_mb=64:malloc_context_size=12";
}

const char *__ubsan_default_options(void)
{
    return "symbolize=0:print_stacktrace=0";
}

// What one of these functions has of the heap block around the address: return addresses, or nothing.
static void block_stack(size_t (*get)(void *, void **, size_t, int *), void *address, struct cx_stack *stack)
{
    void *trace[CX_FRAMES_MAX];
    int thread = 0; // by the sanitizer's count, which is not ours
    size_t count = get(address, trace, CX_FRAMES_MAX, &thread);
    for (stack->count = 0; stack->count < count && stack->count < CX_FRAMES_MAX; stack->count++) {
        stack->pcs[stack->count] = (uint64_t)(uintptr_t)trace[stack->count];
    }
}

static void on_report(const char *text)
{
    (void)text;
    if (!cx_playing) {
        return;
    }
    cx_finish_claim();
    uintptr_t pc = (uintptr_t)__asan_get_report_pc();
    const uintptr_t *frame = __asan_get_report_bp();
    if (frame != NULL && frame[1] == pc) {
        // It is the frame of the function that the program has called to report.
        frame = (const uintptr_t *)frame[0]; // NOLINT(performance-no-int-to-ptr): a frame holds the address of another
    }
    void *address = __asan_get_report_address();
    struct cx_result *result = &cx_sched.channel->result;
    result->fault_address = (uint64_t)(uintptr_t)address;
    block_stack(__asan_get_alloc_stack, address, &result->allocated);
    block_stack(__asan_get_free_stack, address, &result->freed);
    // It is a return address; the fault is the instruction before it.
    cx_finish_at(CX_OUTCOME_CRASH, __asan_get_report_description(), "", pc - 1, frame);
}

void __ubsan_on_report(void)
{
    struct cx_stack stack;
    const char *kind = "", *message = "", *file = "";
    char *address = NULL;
    unsigned line = 0, column = 0;
    char location[200];
    if (!cx_playing) {
        return;
    }
    cx_finish_claim();
    __ubsan_get_current_report_data(&kind, &message, &file, &line, &column, &address);
    snprintf(location, sizeof(location), "%s:%u: %s", file, line, message);
    // The sanitizer keeps no frame pointers where it reports undefined behaviour.
    cx_unwind(&stack);
    cx_finish_with(CX_OUTCOME_CRASH, kind, location, &stack);
}

__attribute__((constructor)) static void begin(void)
{
    __asan_set_error_report_callback(on_report);
}

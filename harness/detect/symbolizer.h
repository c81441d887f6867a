// SPDX-License-Identifier: Apache-2.0
//
// symbolizer: addresses of a runner as functions, files and lines.
//
// One llvm-symbolizer runs for the whole life of the command and is asked over pipes, address by address; every answer
// is kept. Signatures are made from this, so a missing symbolizer is an error before anything runs, not a finding
// with question marks.
#ifndef CX_DETECT_SYMBOLIZER_H
#define CX_DETECT_SYMBOLIZER_H

#include "harness/detect/frames.h"
#include "harness/exec/channel.h"
#include "harness/status.h"

struct cx_symbolizer;

enum cx_stack_kind {
    CX_STACK_RETURNS = 0, // every address is a return address
    CX_STACK_FAULT,       // the first one is the faulting instruction itself
    CX_STACK_REPORT,      // ThreadSanitizer's: return addresses, inlined frames repeat theirs
};

// A thread that was not under control was interrupted anywhere; every other one is in a call of ours.
static inline enum cx_stack_kind cx_report_stack_kind(const struct cx_thread_report *report)
{
    return report->status == CX_THREAD_UNCONTROLLED ? CX_STACK_FAULT : CX_STACK_RETURNS;
}

// Start it. Paths below `source_dir` (may be NULL) and below the folder that this command was built from are shortened.
// The caller frees with cx_symbolizer_free(); NULL is allowed there.
enum cx_status cx_symbolizer_new(struct cx_symbolizer **symbolizer, const char *source_dir, struct cx_error *error);
void cx_symbolizer_free(struct cx_symbolizer *symbolizer);

// Forget all answers if there are more than some thousands: for who runs for weeks. No struct cx_symbol_stack that
// was filled before may be used after.
void cx_symbolizer_bound(struct cx_symbolizer *symbolizer);

// Fill `out` with the frames of `stack`, inlined functions expanded. What is not known stays "?"; never fails.
void cx_symbolizer_stack(struct cx_symbolizer *symbolizer, const struct cx_identity *identity,
                         const struct cx_stack *stack, enum cx_stack_kind kind, struct cx_symbol_stack *out);

// A symbolizer and the runner whose addresses it is asked about: the context of a struct cx_resolver (signature.h).
struct cx_symbolizer_view {
    struct cx_symbolizer *symbolizer;
    const struct cx_identity *identity;
};
void cx_symbolizer_view_stack(void *view, const struct cx_stack *stack, enum cx_stack_kind kind,
                              struct cx_symbol_stack *out);
void cx_symbolizer_view_address(void *view, uint64_t address, struct cx_symbol_stack *out);

#endif

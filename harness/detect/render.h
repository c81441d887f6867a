// SPDX-License-Identifier: Apache-2.0
//
// render: stacks, wait-for graphs and races as text for people. Used by `run` for a finding and by `explain`.
#ifndef CX_DETECT_RENDER_H
#define CX_DETECT_RENDER_H

#include <stdio.h>

#include "harness/detect/signature.h"
#include "harness/exec/channel.h"

struct cx_render {
    FILE *stream;
    const struct cx_resolver *resolver;
    uint32_t frames_max; // of one stack; UINT32_MAX: all
    int full;            // 1: frames of the harness and the C library too
};

// One stack, a frame per line, each line after `indent`. Leading and trailing frames that are not the program's are
// left out unless `full`.
void cx_render_stack(const struct cx_render *render, const struct cx_stack *stack, enum cx_stack_kind kind,
                     const char *indent);

// "left (main.1)": role and path of a thread, into `text`.
void cx_render_thread_name(const struct cx_result *result, uint32_t key, char *text, size_t text_bytes);

// "function file:line" of the frame of a stack that tells most, into `text`.
void cx_render_place(const struct cx_render *render, const struct cx_stack *stack, char *text, size_t text_bytes);
// The same where the first address is the instruction itself.
void cx_render_place_fault(const struct cx_render *render, const struct cx_stack *stack, char *text, size_t text_bytes);

// 1: the thread belongs to the process that this one was forked from (harness/interpose/family.h).
int cx_report_left_behind(const struct cx_thread_report *report);

// Every thread that has not ended: what it waits for, who holds that, and its stack. A deadlock's wait-for graph.
void cx_render_threads(const struct cx_render *render, const struct cx_result *result, const char *indent);

// One race: both accesses with their stacks, and where the memory came from.
void cx_render_race(const struct cx_render *render, const struct cx_result *result, const struct cx_race *race,
                    const char *indent);

// How the run ended: message, place and the stacks that belong to this symptom.
void cx_render_symptom(const struct cx_render *render, const struct cx_result *result, enum cx_outcome kind,
                       uint32_t race, const char *indent);

#endif

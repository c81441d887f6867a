// SPDX-License-Identifier: Apache-2.0
//
// story: a run with CX_MODE_EXPLAIN in plain words, one paragraph per switch.
//
// It only reads: the result with its events, the step log, and a way to make names of addresses.
#ifndef CX_DETECT_STORY_H
#define CX_DETECT_STORY_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

#include "harness/detect/render.h"
#include "harness/exec/channel.h"
#include "harness/trace/order.h"
#include "harness/trace/schedule.h"

struct cx_story {
    struct cx_render render; // where to print, and how much of a stack
    const struct cx_result *result;
    const struct cx_schedule_window *window; // of the schedule
    const struct cx_step *steps;             // the log; may be empty
    size_t steps_count;
};

// Print the switches and notes in their order. Switches that repeat are told once and counted.
void cx_story_switches(const struct cx_story *story);

// Print what happened in the end: the failing thread with its stack, and where all the others were; for a deadlock the
// wait-for graph.
void cx_story_end(const struct cx_story *story, enum cx_outcome kind, uint32_t race);

// Print the necessary order between operations, as it was tried, and the window that shrinking found.
void cx_story_orders(const struct cx_story *story, const struct cx_orders *orders);

// "is stopped before its load of 0x10, although it could go on": why a thread gave the token away.
void cx_story_stop_text(const struct cx_event *event, char *text, size_t text_bytes);

// The whole story for drawings: an object that detect/story_json.c describes. A new reference, or NULL without memory.
json_t *cx_story_json(const struct cx_story *story, enum cx_outcome kind);

#endif

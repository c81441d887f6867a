// SPDX-License-Identifier: Apache-2.0
//
// sanitize: see sanitize.h.
#include "harness/exec/sanitize.h"

#include <stddef.h>
#include <string.h>

static void text_end(char *text, size_t text_bytes)
{
    text[text_bytes - 1] = '\0';
    for (char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f) {
            *at = ' '; // one line each, in tables, JSON lines and schedule files
        }
    }
}

// "file:line" as the compiler saw the file; relative to our sources it is the same in every checkout.
static void location_shorten(char *location)
{
    static const char root[] = CONSTRICTOR_SOURCE_DIR "/";
    if (strncmp(location, root, sizeof(root) - 1) == 0) {
        memmove(location, location + sizeof(root) - 1, strlen(location) - (sizeof(root) - 1) + 1);
    }
}

#define TEXT_END(array) text_end(array, sizeof(array))

static void count_bound(uint32_t *count, uint32_t max)
{
    if (*count > max) {
        *count = max;
    }
}

static void reverse(char *items, size_t item_bytes, size_t from, size_t to)
{
    for (; from + 1 < to; from++, to--) {
        char *left = items + from * item_bytes;
        char *right = items + (to - 1) * item_bytes;
        for (size_t i = 0; i < item_bytes; i++) {
            char byte = left[i];
            left[i] = right[i];
            right[i] = byte;
        }
    }
}

// Put the ring that begins at `first` into the order of time.
static void ring_turn(void *items, size_t item_bytes, uint32_t count, uint32_t first, uint32_t max, uint32_t *turn)
{
    if (count == max) {
        size_t oldest = first + *turn % (max - first);
        reverse(items, item_bytes, first, oldest);
        reverse(items, item_bytes, oldest, max);
        reverse(items, item_bytes, first, max);
    }
    *turn = 0;
}

void cx_sanitize_clear(struct cx_result *result)
{
    memset(result, 0, offsetof(struct cx_result, threads));
}

static void races_bound(struct cx_result *result)
{
    count_bound(&result->races_count, CX_RACES_MAX);
    for (uint32_t i = 0; i < result->races_count; i++) {
        struct cx_race *race = &result->races[i];
        TEXT_END(race->type);
        count_bound(&race->accesses_count, 2);
        count_bound(&race->allocated.count, CX_FRAMES_MAX);
        for (int k = 0; k < 2; k++) {
            count_bound(&race->accesses[k].stack.count, CX_FRAMES_MAX);
        }
    }
}

void cx_sanitize_result(struct cx_result *result)
{
    if (result->outcome >= CX_OUTCOME_COUNT) {
        result->outcome = CX_OUTCOME_ERROR;
    }
    count_bound(&result->reports_count, CX_THREADS_REPORT_MAX);
    count_bound(&result->deviations_count, CX_DEVIATIONS_MAX);
    count_bound(&result->events_count, CX_EVENTS_MAX);
    count_bound(&result->locks_count, CX_LOCKS_MAX);
    ring_turn(result->events, sizeof(result->events[0]), result->events_count, CX_EVENTS_FIRST, CX_EVENTS_MAX,
              &result->events_turn);
    ring_turn(result->locks, sizeof(result->locks[0]), result->locks_count, CX_LOCKS_FIRST, CX_LOCKS_MAX,
              &result->locks_turn);
    count_bound(&result->cycle_count, sizeof(result->cycle) / sizeof(result->cycle[0]));
    count_bound(&result->stack.count, CX_FRAMES_MAX);
    count_bound(&result->step_stack.count, CX_FRAMES_MAX);
    count_bound(&result->allocated.count, CX_FRAMES_MAX);
    count_bound(&result->freed.count, CX_FRAMES_MAX);
    count_bound(&result->log_blocks_count, CX_LOG_BLOCKS_MAX);
    count_bound(&result->trace_count, CX_TRACE_MAX);
    TEXT_END(result->message);
    TEXT_END(result->location);
    location_shorten(result->location);
    TEXT_END(result->uncontrolled);
    for (uint32_t i = 0; i < result->reports_count; i++) {
        struct cx_thread_report *report = &result->threads[i];
        TEXT_END(report->path);
        TEXT_END(report->name);
        TEXT_END(report->waits_for);
        count_bound(&report->stack.count, CX_FRAMES_MAX);
    }
    races_bound(result);
    for (uint32_t i = 0; i < result->events_count; i++) {
        struct cx_event *event = &result->events[i];
        TEXT_END(event->note);
        count_bound(&event->from_stack.count, CX_FRAMES_MAX);
        count_bound(&event->to_stack.count, CX_FRAMES_MAX);
    }
}

void cx_sanitize_batch(struct cx_batch *batch)
{
    TEXT_END(batch->unfit);
    count_bound(&batch->done, CX_BATCH_MAX - 1);
}

void cx_sanitize_identity(struct cx_identity *identity)
{
    TEXT_END(identity->build_id);
    TEXT_END(identity->target);
    TEXT_END(identity->python);
    count_bound(&identity->modules_count, CX_MODULES_MAX);
    for (uint32_t i = 0; i < identity->modules_count; i++) {
        TEXT_END(identity->modules[i].path);
    }
}

void cx_sanitize_scenario(struct cx_scenario_info *scenario)
{
    TEXT_END(scenario->name);
    TEXT_END(scenario->summary);
    TEXT_END(scenario->tags);
    TEXT_END(scenario->refs);
}

// SPDX-License-Identifier: Apache-2.0
//
// story_order: what harness/trace/order.h found out, as a short list of sentences.
#include "harness/detect/story.h"

#include <inttypes.h>
#include <stdlib.h>

#include "harness/trace/window.h"

#define CX_PLACE_CHARS 400

static void step_text(const struct cx_story *story, const struct cx_step *step, char *text, size_t text_bytes)
{
    const struct cx_resolver *resolver = story->render.resolver;
    struct cx_symbol_stack *caller = calloc(1, sizeof(*caller));
    char thread[120];
    cx_render_thread_name(story->result, step->thread, thread, sizeof(thread));
    const char *op = cx_op_name((enum cx_op)step->op);
    int used = snprintf(text, text_bytes, "%s: %s of 0x%" PRIx64, thread, op, step->object);
    if (caller != NULL && step->caller != 0) {
        resolver->address(resolver->context, step->caller, caller);
        int index = cx_frame_telling_index(caller);
        if (index >= 0) {
            const struct cx_symbol_frame *frame = &caller->frames[index];
            snprintf(text + used, text_bytes - (size_t)used, " in %s (%s:%u)", frame->function, frame->file,
                     frame->line);
        }
    }
    free(caller);
}

static void verdict_text(const struct cx_order *order, char *text, size_t text_bytes)
{
    if (order->reversed == 0) {
        snprintf(text, text_bytes, "cannot be reversed by moving this switch");
    } else if (order->passed == order->reversed) {
        snprintf(text, text_bytes, "must come before: reversed, the run passes (%u of %u)", order->passed,
                 order->reversed);
    } else if (order->same == 0) {
        snprintf(text, text_bytes,
                 "must come before: reversed, the finding does not come (%u of %u pass, the others end in another way)",
                 order->passed, order->reversed);
    } else {
        snprintf(text, text_bytes, "need not come before: reversed, the finding comes all the same (%u of %u)",
                 order->same, order->reversed);
    }
}

void cx_story_orders(const struct cx_story *story, const struct cx_orders *orders)
{
    FILE *stream = story->render.stream;
    if (orders->count > 0) {
        fprintf(stream, "\nWhat has to happen, in this order:\n");
    } else {
        fprintf(stream, "\nNo order between two operations could be named: ");
        fprintf(stream, orders->silent > 0 ? "the stops matter for plain memory between the points\n"
                                           : "the schedule stops nobody\n");
    }
    for (size_t i = 0; i < orders->count; i++) {
        char first[CX_PLACE_CHARS], second[CX_PLACE_CHARS], verdict[200];
        step_text(story, &orders->list[i].first, first, sizeof(first));
        step_text(story, &orders->list[i].second, second, sizeof(second));
        verdict_text(&orders->list[i], verdict, sizeof(verdict));
        fprintf(stream, "  %zu. %s\n     before %s\n     %s\n", i + 1, first, second, verdict);
    }
    cx_window_print(story->window, "  ", stream);
}

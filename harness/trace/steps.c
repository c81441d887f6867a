// SPDX-License-Identifier: Apache-2.0
//
// steps: see steps.h.
#include "harness/trace/steps.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "harness/trace/schedule.h"

static void step_write(FILE *stream, size_t number, const struct cx_step *step, const struct cx_schedule *paths,
                       const struct cx_resolver *resolver, struct cx_symbol_stack *caller)
{
    char fallback[16];
    fprintf(stream, "%zu %s %" PRIu64 " %s 0x%" PRIx64, number, cx_schedule_path(paths, step->thread, fallback),
            step->point, cx_op_name((enum cx_op)step->op), step->object);
    caller->count = 0;
    if (step->caller != 0) {
        resolver->address(resolver->context, step->caller, caller);
    }
    int index = cx_frame_telling_index(caller);
    if (index < 0 && caller->count > 0) {
        index = 0;
    }
    if (index >= 0) {
        fprintf(stream, " %s %s:%u", caller->frames[index].function, caller->frames[index].file,
                caller->frames[index].line);
    }
    fputc('\n', stream);
}

enum cx_status cx_steps_write(const struct cx_worker *worker, const struct cx_resolver *resolver, const char *path,
                              struct cx_error *error)
{
    struct cx_step *steps = NULL;
    size_t steps_count = 0;
    struct cx_schedule paths = {0};
    struct cx_symbol_stack *caller = calloc(1, sizeof(*caller));
    FILE *stream = NULL;
    enum cx_status status = cx_worker_log(worker, &steps, &steps_count, error);
    if (status != CX_OK || caller == NULL) {
        goto done;
    }
    const struct cx_result *result = cx_worker_result(worker);
    for (uint32_t i = 0; i < result->reports_count && status == CX_OK; i++) {
        status = cx_schedule_path_add(&paths, result->threads[i].path, error);
    }
    stream = fopen(path, "we");
    if (stream == NULL) {
        status = cx_error_system(error, "cannot write %s", path);
        goto done;
    }
    for (size_t i = 0; i < steps_count; i++) {
        step_write(stream, i + 1, &steps[i], &paths, resolver, caller);
    }
    int failed = ferror(stream);
    failed |= fclose(stream);
    stream = NULL;
    if (failed) {
        status = cx_error_set(error, CX_ERR_SYSTEM, "%s is incomplete: not all of it could be written", path);
    }
done:
    free(caller);
    free(steps);
    cx_schedule_fini(&paths);
    return status;
}

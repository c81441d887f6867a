// SPDX-License-Identifier: Apache-2.0
//
// needed: see needed.h.
#include "harness/exec/needed.h"

#include <stdlib.h>
#include <string.h>

#define THREADS_MAX 64 // that are tried

// Play the schedule with all of `needed` put off; `*same` if the finding comes.
static enum cx_status late_play(struct cx_session *session, struct cx_needed *needed, int *same, struct cx_error *error)
{
    const struct cx_schedule *schedule = &session->schedule;
    struct cx_request request = {.strategy = CX_STRATEGY_REPLAY,
                                 .mode = CX_MODE_LOG,
                                 .seed = schedule->seed,
                                 .plan_count = (uint32_t)schedule->deviations_count,
                                 .late_count = needed->count};
    memcpy(request.late, needed->late, sizeof(request.late));
    struct cx_step *steps = NULL;
    size_t steps_count = 0;
    enum cx_status status = cx_session_request(session, &request, schedule->deviations, error);
    if (status == CX_OK) {
        status = cx_worker_log(session->worker, &steps, &steps_count, error);
    }
    *same = status == CX_OK && cx_session_same(session);
    for (uint32_t k = 0; *same && k < needed->count; k++) {
        needed->ran[k] = 0;
        for (size_t i = 0; i < steps_count && !needed->ran[k]; i++) {
            needed->ran[k] = steps[i].thread == needed->late[k];
        }
    }
    free(steps);
    return status;
}

enum cx_status cx_needed_find(struct cx_session *session, struct cx_needed *needed, struct cx_error *error)
{
    uint32_t threads[THREADS_MAX];
    uint32_t count = 0;
    memset(needed, 0, sizeof(*needed));
    const struct cx_result *result = cx_worker_result(session->worker);
    for (uint32_t i = 0; i < result->reports_count && count < THREADS_MAX; i++) {
        if (result->threads[i].key != CX_THREAD_KEY_MAIN) {
            threads[count++] = result->threads[i].key;
        }
    }
    enum cx_status status = CX_OK;
    for (uint32_t i = 0; i < count && status == CX_OK && needed->count < CX_LATE_MAX; i++) {
        struct cx_needed trial = *needed;
        int same = 0;
        trial.late[trial.count++] = threads[i];
        status = late_play(session, &trial, &same, error);
        if (same) {
            *needed = trial;
        }
        needed->tried++;
    }
    return status;
}

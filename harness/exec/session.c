// SPDX-License-Identifier: Apache-2.0
//
// session: see session.h.
#include "harness/exec/session.h"

#include <stdio.h>
#include <string.h>

#include "harness/exec/confirm.h"
#include "harness/exec/seed.h"
#include "harness/exec/within.h"

#define CX_SESSION_RESTARTS_MAX 3u

static enum cx_status build_check(const struct cx_session *session, const char *path, int force, struct cx_error *error)
{
    const struct cx_schedule *schedule = &session->schedule;
    const struct cx_identity *identity = cx_worker_identity(session->worker);
    if (force || strcmp(schedule->build_id, identity->build_id) == 0) {
        return CX_OK;
    }
    return cx_error_set(error, CX_ERR_MISMATCH,
                        "%s was made on build %.16s of %s; the runner here is build %.16s (--force tries all the same)",
                        path, schedule->build_id, schedule->target, identity->build_id);
}

static enum cx_status scenario_find(struct cx_session *session, const char *path, struct cx_error *error)
{
    int32_t index = cx_worker_scenario_find(session->worker, session->schedule.scenario);
    if (index < 0) {
        return cx_error_set(error, CX_ERR_USAGE, "%s is of scenario %s, which the runner of %s does not have", path,
                            session->schedule.scenario, session->schedule.target);
    }
    uint32_t count = 0;
    session->scenario = (uint32_t)index;
    session->info = cx_worker_scenarios(session->worker, &count)[index];
    return CX_OK;
}

enum cx_status cx_session_open(struct cx_session *session, const char *path, int force, struct cx_error *error)
{
    memset(session, 0, sizeof(*session));
    enum cx_status status = cx_schedule_read(&session->schedule, path, error);
    if (status == CX_OK) {
        status = cx_within_restore(&session->schedule, &session->points, error);
    }
    if (status == CX_OK) {
        status = cx_subject_restore(&session->subject, &session->schedule, path, force, error);
    }
    if (status == CX_OK) {
        status = cx_symbolizer_new(&session->symbolizer, NULL, error);
    }
    if (status == CX_OK) {
        const struct cx_subject *subject = session->subject.kind != CX_SUBJECT_NONE ? &session->subject : NULL;
        status = cx_crew_start(&session->crew, session->schedule.target, subject, 1, 1, error);
    }
    if (status != CX_OK) {
        return status;
    }
    cx_signature_id(session->schedule.signature, session->signature_id);
    session->schedule.digest = session->subject.digest;
    session->worker = session->crew.workers[0];
    session->view = (struct cx_symbolizer_view){session->symbolizer, cx_worker_identity(session->worker)};
    session->resolver = (struct cx_resolver){&session->view, cx_symbolizer_view_stack, cx_symbolizer_view_address};
    status = build_check(session, path, force, error);
    return status == CX_OK ? scenario_find(session, path, error) : status;
}

void cx_session_close(struct cx_session *session)
{
    cx_crew_fini(&session->crew);
    cx_symbolizer_free(session->symbolizer);
    cx_subject_fini(&session->subject);
    cx_schedule_fini(&session->schedule);
    memset(session, 0, sizeof(*session));
}

// Play until an answer comes: a runner that was lost is replaced, a few times.
static enum cx_status answer_wait(struct cx_session *session, enum cx_answer *answer, struct cx_error *error)
{
    struct cx_worker *const self[] = {session->worker};
    enum cx_status status = cx_worker_begin(session->worker, error);
    *answer = CX_ANSWER_NONE;
    while (status == CX_OK) {
        *answer = cx_worker_answer(session->worker, error);
        if (*answer != CX_ANSWER_NONE) {
            break;
        }
        status = cx_worker_wait(self, 1, UINT64_MAX, error);
    }
    return status;
}

// The plan is copied into the channel each time.
enum cx_status cx_session_request(struct cx_session *session, const struct cx_request *wanted,
                                  const struct cx_deviation *plan, struct cx_error *error)
{
    for (;;) {
        struct cx_request *request = cx_worker_request(session->worker);
        int32_t cpu = request->cpu;
        *request = *wanted;
        request->cpu = cpu;
        request->points = session->points;
        request->steps_max = session->schedule.steps_max;
        request->scenario = session->scenario;
        if (wanted->plan_count > 0) {
            memcpy(cx_worker_plan(session->worker), plan, wanted->plan_count * sizeof(*plan));
        }
        enum cx_answer answer = CX_ANSWER_NONE;
        enum cx_status status = answer_wait(session, &answer, error);
        if (status != CX_OK) {
            return status;
        }
        if (answer == CX_ANSWER_DONE) {
            cx_symptoms_find(cx_worker_result(session->worker), &session->resolver, &session->symptoms);
            return CX_OK;
        }
        if (session->restarts++ >= CX_SESSION_RESTARTS_MAX) {
            return CX_ERR_RUNNER;
        }
        fprintf(stderr, "constrictor: %s; playing again on a new one\n", error->text);
        status = cx_worker_restart(session->worker, error);
        if (status != CX_OK) {
            return status;
        }
    }
}

enum cx_status cx_session_play(struct cx_session *session, const struct cx_deviation *plan, size_t plan_count,
                               uint32_t mode, struct cx_error *error)
{
    const struct cx_request wanted = {.strategy = CX_STRATEGY_REPLAY,
                                      .mode = mode,
                                      .seed = session->schedule.seed,
                                      .plan_count = (uint32_t)plan_count};
    return cx_session_request(session, &wanted, plan, error);
}

enum cx_status cx_session_sample(struct cx_session *session, const struct cx_sample *sample, struct cx_error *error)
{
    struct cx_request wanted = {.strategy = sample->strategy,
                                .pct_depth = sample->depth,
                                .seed = cx_mix(session->schedule.seed ^ cx_mix(sample->number)),
                                .choices_expected = sample->choices_expected,
                                .rules = sample->rules,
                                .given = UINT64_MAX,
                                .plan_count = sample->numbers_count};
    if (sample->window != NULL) {
        wanted.window = *sample->window;
    }
    return cx_session_request(session, &wanted, sample->numbers, error);
}

int cx_session_same(const struct cx_session *session)
{
    return session->signature_id[0] != '\0' && cx_symptoms_have(&session->symptoms, session->signature_id);
}

void cx_session_outcome_text(const struct cx_session *session, char *text, size_t text_bytes)
{
    const struct cx_result *result = cx_worker_result(session->worker);
    char divergence[500];
    cx_confirm_divergence(result, divergence, sizeof(divergence));
    if (cx_session_same(session)) {
        snprintf(text, text_bytes, "%s", session->schedule.signature);
    } else if (divergence[0] != '\0') {
        snprintf(text, text_bytes, "diverged %s", divergence);
    } else if (session->symptoms.count > 0) {
        snprintf(text, text_bytes, "%s", session->symptoms.list[0].signature.text);
    } else {
        snprintf(text, text_bytes, "%s%s%s", cx_outcome_name((enum cx_outcome)result->outcome),
                 result->message[0] != '\0' ? ": " : "", result->message);
    }
}

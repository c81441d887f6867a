// SPDX-License-Identifier: Apache-2.0
//
// diverge: see diverge.h. The search; what it found is put into words in diverge_text.c.
#include "harness/exec/diverge.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_STEPS_MIN 256u
#define WINDOW_STEPS 1000000u // of the first pair: most runs are shorter
#define PAIRS_MAX 16
#define SAME_PAIRS_MAX 3 // equal pairs in a row, one of them across processes

// What the next pair is to write down.
struct wanted {
    uint64_t block;
    uint64_t from;
    uint64_t count;
    uint64_t stack_step;
    uint32_t mode;
};

static void track_fini(struct cx_track *track)
{
    free(track->result);
    free(track->steps);
    free(track->blocks);
    free(track->inputs);
    memset(track, 0, sizeof(*track));
}

void cx_divergence_fini(struct cx_divergence *divergence)
{
    track_fini(&divergence->tracks[0]);
    track_fini(&divergence->tracks[1]);
}

static enum cx_status inputs_copy(struct cx_track *track, const struct cx_channel *channel, struct cx_error *error)
{
    uint64_t all = channel->result.inputs_count;
    size_t count = all < CX_INPUTS_MAX ? (size_t)all : CX_INPUTS_MAX;
    track->inputs = calloc(count + 1, sizeof(*track->inputs));
    if (track->inputs == NULL) {
        return cx_error_set(error, CX_ERR_MEMORY, "out of memory");
    }
    for (size_t i = 0; i < count; i++) {
        struct cx_input *input = &track->inputs[i];
        *input = channel->inputs[(all - count + i) % CX_INPUTS_MAX];
        input->text[sizeof(input->text) - 1] = '\0';
        if (input->stack.count > CX_FRAMES_MAX) {
            input->stack.count = CX_FRAMES_MAX;
        }
    }
    track->inputs_count = count;
    return CX_OK;
}

static enum cx_status track_play(struct cx_session *session, const struct wanted *wanted, struct cx_track *track,
                                 struct cx_error *error)
{
    track_fini(track);
    const struct cx_schedule *schedule = &session->schedule;
    const struct cx_request request = {.strategy = CX_STRATEGY_REPLAY,
                                       .mode = wanted->mode,
                                       .seed = schedule->seed,
                                       .plan_count = (uint32_t)schedule->deviations_count,
                                       .log_from = wanted->from,
                                       .log_count = wanted->count,
                                       .log_block = wanted->block,
                                       .stack_step = wanted->stack_step};
    enum cx_status status = cx_session_request(session, &request, schedule->deviations, error);
    if (status != CX_OK) {
        return status;
    }
    const struct cx_channel *channel = cx_worker_channel(session->worker);
    size_t blocks_bytes = channel->result.log_blocks_count * sizeof(*track->blocks);
    track->result = calloc(1, sizeof(*track->result));
    track->blocks = calloc(1, blocks_bytes + 1);
    if (track->result == NULL || track->blocks == NULL) {
        return cx_error_set(error, CX_ERR_MEMORY, "out of memory");
    }
    *track->result = channel->result;
    memcpy(track->blocks, channel->log_blocks, blocks_bytes);
    status = cx_worker_log(session->worker, &track->steps, &track->steps_count, error);
    return status == CX_OK ? inputs_copy(track, channel, error) : status;
}

static int steps_equal(const struct cx_step *a, const struct cx_step *b)
{
    return a->point == b->point && a->object == b->object && a->thread == b->thread && a->op == b->op &&
           a->caller == b->caller;
}

// The first step of the window that differs, from 1; 0: none there.
static uint64_t window_compare(const struct cx_track tracks[2], uint64_t from)
{
    size_t count = tracks[0].steps_count < tracks[1].steps_count ? tracks[0].steps_count : tracks[1].steps_count;
    for (size_t i = 0; i < count; i++) {
        if (!steps_equal(&tracks[0].steps[i], &tracks[1].steps[i])) {
            return from + i + 1;
        }
    }
    int both_whole = from + tracks[0].steps_count == tracks[0].result->log_steps ||
                     from + tracks[1].steps_count == tracks[1].result->log_steps;
    return both_whole && tracks[0].result->log_steps != tracks[1].result->log_steps ? from + count + 1 : 0;
}

// Blocks at the beginning whose hashes are equal.
static uint32_t blocks_equal(const struct cx_track tracks[2])
{
    uint32_t a = tracks[0].result->log_blocks_count;
    uint32_t b = tracks[1].result->log_blocks_count;
    uint32_t i = 0;
    while (i < a && i < b && tracks[0].blocks[i] == tracks[1].blocks[i]) {
        i++;
    }
    return i;
}

// A program that blocks the signal of the watch dies by it, and one that executes another cannot be followed.
static int watch_harms(const struct cx_track *track)
{
    enum { SYSTEM_CALL_REFUSED = 31, CALL_EXECVE = 59, CALL_EXECVEAT = 322 };
    int harmed = track->result->signal == SYSTEM_CALL_REFUSED;
    for (size_t i = 0; i < track->inputs_count; i++) {
        harmed |= track->inputs[i].call == CALL_EXECVE || track->inputs[i].call == CALL_EXECVEAT;
    }
    return harmed;
}

static int logs_equal(const struct cx_track tracks[2])
{
    return tracks[0].result->log_hash == tracks[1].result->log_hash &&
           tracks[0].result->log_steps == tracks[1].result->log_steps;
}

static enum cx_status pair_play(struct cx_session *session, const struct wanted *wanted, int fresh,
                                struct cx_divergence *divergence, struct cx_error *error)
{
    enum cx_status status = track_play(session, wanted, &divergence->tracks[0], error);
    if (status == CX_OK && fresh) {
        status = cx_worker_restart(session->worker, error);
    }
    if (status == CX_OK) {
        status = track_play(session, wanted, &divergence->tracks[1], error);
    }
    divergence->plays += 2;
    divergence->fresh = fresh;
    divergence->log_from = wanted->from;
    return status;
}

// What to write down next, now that a pair has parted. 1: this pair tells all.
static int narrow(struct wanted *wanted, struct cx_divergence *divergence)
{
    uint64_t step = window_compare(divergence->tracks, wanted->from);
    uint64_t equal = blocks_equal(divergence->tracks) * wanted->block;
    if (step != 0 && (wanted->from == 0 || equal >= wanted->from)) {
        divergence->step = step;
        divergence->found = 1;
        divergence->stacks = step == wanted->stack_step;
        if (divergence->stacks) {
            return 1;
        }
        wanted->stack_step = step;
        equal = (step - 1) / wanted->block * wanted->block; // the same block again
    }
    wanted->from = equal > wanted->block ? equal - wanted->block : 0; // with what came before
    wanted->count = equal < CX_LOG_BLOCKS_MAX * wanted->block - wanted->block ? 3 * wanted->block : 0;
    return 0;
}

enum cx_status cx_divergence_find(struct cx_session *session, struct cx_divergence *divergence, struct cx_error *error)
{
    uint64_t block = session->schedule.steps / (CX_LOG_BLOCKS_MAX / 2) + 1;
    struct wanted wanted = {.block = block > BLOCK_STEPS_MIN ? block : BLOCK_STEPS_MIN,
                            .count = WINDOW_STEPS,
                            .mode = CX_MODE_LOG | CX_MODE_WATCH};
    int same = 0;
    int fresh = 0;
    for (int pairs = 0; pairs < PAIRS_MAX && same < SAME_PAIRS_MAX; pairs++) {
        divergence->found = divergence->stacks = 0;
        enum cx_status status = pair_play(session, &wanted, fresh, divergence, error);
        if (status != CX_OK) {
            return status;
        }
        if ((wanted.mode & CX_MODE_WATCH) != 0 &&
            (watch_harms(&divergence->tracks[0]) || watch_harms(&divergence->tracks[1]))) {
            wanted.mode &= ~(uint32_t)CX_MODE_WATCH;
            continue;
        }
        divergence->watched = divergence->tracks[0].result->watched && divergence->tracks[1].result->watched;
        if (logs_equal(divergence->tracks)) {
            same++;
            fresh = 1; // what is drawn once per process shows only there
            continue;
        }
        same = 0;
        if (narrow(&wanted, divergence)) {
            return CX_OK;
        }
    }
    return CX_OK;
}

const struct cx_step *cx_divergence_step(const struct cx_divergence *divergence, int run)
{
    const struct cx_track *track = &divergence->tracks[run];
    if (!divergence->found || divergence->step > divergence->log_from + track->steps_count) {
        return NULL;
    }
    return &track->steps[divergence->step - divergence->log_from - 1];
}

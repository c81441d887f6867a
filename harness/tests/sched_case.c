// SPDX-License-Identifier: Apache-2.0
//
// sched_case: see sched_case.h. Also what the scheduler expects of a runner, in its smallest form.
#include "harness/tests/sched_case.h"

#include "harness/host/run.h"
#include "harness/interpose/clock.h"
#include "harness/interpose/real.h"
#include "harness/sched/futex.h"
#include "harness/sched/sched.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NOTES_MAX 64

int cx_playing;
static struct cx_channel *channel;
static uint64_t *notes;

uint64_t cx_clock_wall_ns(void)
{
    struct timespec now;
    cx_syscall3(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&now, 0);
    return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

// As a runner does: hand-offs stay on one CPU, whichever the child is on.
static void pin(void)
{
    cpu_set_t set;
    int cpu = sched_getcpu();
    CPU_ZERO(&set);
    CPU_SET(cpu < 0 ? 0 : (unsigned)cpu, &set);
    sched_setaffinity(0, sizeof(set), &set);
}

static void *shared_memory(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

struct cx_channel *sched_channel(void)
{
    if (channel == NULL) {
        channel = shared_memory(sizeof(*channel));
        notes = shared_memory(NOTES_MAX * sizeof(*notes));
        // CX_MODE_LOG writes there.
        dup2(memfd_create("log", 0), CX_LOG_FD);
    }
    return channel;
}

uint64_t *sched_note(uint32_t index)
{
    return &notes[index];
}

void sched_check(int condition, const char *text)
{
    if (!condition) {
        cx_finish(CX_OUTCOME_INVARIANT, text, "");
    }
}

const struct cx_result *sched_run(void (*body)(void), const struct cx_request *request)
{
    int status = 0;
    sched_channel();
    channel->request = *request;
    channel->request.steps_max = request->steps_max != 0 ? request->steps_max : 2000000;
    channel->request.wall_ms_max = request->wall_ms_max != 0 ? request->wall_ms_max : 120000;
    if (request->rules.early_ns_max == 0) {
        channel->request.rules.early_ns_max = CX_EARLY_NS_DEFAULT;
    }
    memset(&channel->result, 0, offsetof(struct cx_result, cycle));
    memset(notes, 0, NOTES_MAX * sizeof(*notes));
    pid_t child = fork();
    if (child == 0) {
        pin();
        cx_playing = 1;
        cx_sched.channel = channel;
        cx_crash_install(channel->request.wall_ms_max);
        cx_crash_thread_init(0);
        cx_sched_begin(channel);
        body();
        cx_finish(CX_OUTCOME_PASS, "", "");
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (!channel->result.complete) {
        channel->result.outcome = WIFSIGNALED(status) ? CX_OUTCOME_CRASH : CX_OUTCOME_EXIT;
    }
    return &channel->result;
}

const struct cx_result *sched_run_default(void (*body)(void))
{
    struct cx_request request = {.strategy = CX_STRATEGY_REPLAY};
    return sched_run(body, &request);
}

const struct cx_result *sched_replay(void (*body)(void), uint32_t mode)
{
    struct cx_request request = {
        .strategy = CX_STRATEGY_REPLAY,
        .mode = CX_MODE_STRICT | mode,
        .plan_count = channel->result.deviations_count,
        .steps_max = channel->request.steps_max,
    };
    memcpy(channel->plan, channel->deviations, request.plan_count * sizeof(channel->plan[0]));
    return sched_run(body, &request);
}

struct sched_counts sched_explore(void (*body)(void), uint32_t strategy, uint32_t runs)
{
    struct sched_counts counts = {{0}};
    uint64_t choices = sched_run_default(body)->choices;
    for (uint32_t seed = 1; seed <= runs; seed++) {
        struct cx_request request = {.strategy = strategy, .seed = seed, .pct_depth = 3, .choices_expected = choices};
        counts.of[sched_run(body, &request)->outcome]++;
    }
    return counts;
}

const struct cx_result *sched_find(void (*body)(void), uint32_t strategy, enum cx_outcome outcome, uint32_t runs)
{
    uint64_t choices = sched_run_default(body)->choices;
    for (uint32_t seed = 1; seed <= runs; seed++) {
        struct cx_request request = {.strategy = strategy, .seed = seed, .pct_depth = 3, .choices_expected = choices};
        if (sched_run(body, &request)->outcome == outcome) {
            return &channel->result;
        }
    }
    fail_msg("no run of %u ended in %s", runs, cx_outcome_name(outcome));
    return NULL;
}

pthread_t sched_spawn(void *(*body)(void *), void *argument)
{
    pthread_t thread = 0;
    sched_check(pthread_create(&thread, NULL, body, argument) == 0, "sched_spawn: pthread_create failed");
    return thread;
}

void *sched_join(pthread_t thread)
{
    void *result = NULL;
    sched_check(pthread_join(thread, &result) == 0, "sched_join: pthread_join failed");
    return result;
}

void sched_handle(int number, void (*handler)(int), int flags)
{
    struct sigaction wanted = {.sa_handler = handler, .sa_flags = flags};
    SCHED_CHECK(sigaction(number, &wanted, NULL) == 0);
}

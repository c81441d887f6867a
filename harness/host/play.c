// SPDX-License-Identifier: Apache-2.0
//
// play: one run of one scenario, from setup to check, and the calls that scenarios make (harness/scenario.h).
#include "harness/host/run.h"

#include "harness/detect/drift.h"
#include "harness/host/again.h"
#include "harness/host/census.h"
#include "harness/host/host.h"
#include "harness/host/identity.h"
#include "harness/host/subject.h"
#include "harness/interpose/interpose.h"
#include "harness/interpose/native.h"
#include "harness/sched/again.h"
#include "harness/sched/sched.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACTOR_THREADS_MAX 512
#define STATE_BYTES_MAX 65536

struct actor_thread {
    struct cx_run *run;           // const after init
    const struct cx_actor *actor; // const after init
    struct cx_thread *thread;     // const after init: NULL in a native run
    uint32_t index;               // const after init
};

struct cx_run {
    const struct cx_scenario *scenario;             // const after init
    uint32_t count;                                 // const after init: entries of threads[]
    struct actor_thread threads[ACTOR_THREADS_MAX]; // const after init
    uint32_t native_over;                           // atomic: futex word, native actors that returned or parked
    uint32_t native_parked;                         // atomic
    struct cx_prng native_prng;                     // atomic: its state is advanced with a fetch-add
};

static struct cx_run the_run;
static _Alignas(64) char state[STATE_BYTES_MAX];

static void forget_state(void)
{
    memset(state, 0, the_run.scenario->state_bytes);
}
CX_LARGE(state, forget_state);

static __thread struct actor_thread *this_actor;

static void native_over(void)
{
    __atomic_fetch_add(&the_run.native_over, 1, __ATOMIC_RELEASE);
    cx_futex_wake(&the_run.native_over);
}

void cx_actor_parks(void)
{
    struct actor_thread *slot = this_actor;
    if (slot == NULL) {
        return;
    }
    this_actor = NULL;
    cx_real.release(slot->run);
    if (slot->thread == NULL) {
        __atomic_fetch_add(&the_run.native_parked, 1, __ATOMIC_RELAXED);
        native_over();
    }
}

static void actor_cleanup(void *argument)
{
    struct actor_thread *slot = argument;
    // Pairs with the acquire of cx_wait_actors: nobody joins an actor, which might be parked for ever.
    cx_real.release(slot->run);
    if (slot->thread == NULL) {
        native_over();
    }
}

static void *actor_main(void *argument)
{
    struct actor_thread *slot = argument;
    this_actor = slot;
    pthread_cleanup_push(actor_cleanup, slot);
    slot->actor->body(slot->run, state);
    pthread_cleanup_pop(1);
    return NULL;
}

static void name_of(const struct actor_thread *slot, char *out, size_t out_bytes)
{
    if (slot->actor->count > 1) {
        snprintf(out, out_bytes, "%.36s-%u", slot->actor->name, slot->index);
    } else {
        snprintf(out, out_bytes, "%s", slot->actor->name);
    }
}

static int start_actor(struct actor_thread *slot)
{
    pthread_t handle;
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        return cx_the_real()->pthread_create(&handle, NULL, actor_main, slot);
    }
    char name[48];
    name_of(slot, name, sizeof(name));
    cx_step(self, CX_OP_THREAD_CREATE, NULL, CX_CALLER);
    // The record is the next one; a thread that is created takes no turn before its creator passes a point.
    slot->thread = &cx_sched.threads[cx_sched.count];
    return cx_thread_create(self, &handle, NULL, actor_main, slot, name);
}

static const struct cx_actor *prepare_actors(struct cx_run *run)
{
    const struct cx_actor *main_actor = NULL;
    for (int i = 0; i < CX_ACTORS_MAX && run->scenario->actors[i].body != NULL; i++) {
        const struct cx_actor *actor = &run->scenario->actors[i];
        if (actor->flags & CX_ACTOR_MAIN) {
            main_actor = actor;
            continue;
        }
        uint32_t copies = actor->count > 0 ? actor->count : 1;
        for (uint32_t index = 0; index < copies && run->count < ACTOR_THREADS_MAX; index++) {
            run->threads[run->count++] = (struct actor_thread){.run = run, .actor = actor, .index = index};
        }
    }
    return main_actor;
}

static int actor_is_over(const struct actor_thread *slot)
{
    return slot->thread->status == CX_THREAD_EXITED || slot->thread->status == CX_THREAD_PARKED;
}

void cx_wait_actors(struct cx_run *run)
{
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        for (;;) {
            uint32_t over = __atomic_load_n(&run->native_over, __ATOMIC_ACQUIRE);
            if (over >= run->count) {
                cx_the_real()->acquire(run);
                return;
            }
            cx_futex_wait(&run->native_over, over);
        }
    }
    for (uint32_t i = 0; i < run->count; i++) {
        while (!actor_is_over(&run->threads[i])) {
            cx_block(self, CX_OP_ACTORS, &cx_sched, CX_NO_DEADLINE, CX_CALLER);
        }
    }
    // What the actors did happened before what their waiter does next.
    cx_real.acquire(run);
}

int cx_python_start(void)
{
    const struct cx_subject_info scenario = {.kind = CX_SUBJECT_NONE};
    return cx_host_start(&scenario);
}

void cx_watch(struct cx_run *run, void *object)
{
    (void)run;
    cx_host_watch(object);
}

int cx_any_parked(const struct cx_run *run)
{
    if (cx_self == NULL) {
        return __atomic_load_n(&run->native_parked, __ATOMIC_RELAXED) > 0;
    }
    for (uint32_t i = 0; i < run->count; i++) {
        if (run->threads[i].thread->status == CX_THREAD_PARKED) {
            return 1;
        }
    }
    return 0;
}

static void play_scenario(struct cx_run *run)
{
    const struct cx_scenario *scenario = run->scenario;
    if (scenario->state_bytes > STATE_BYTES_MAX) {
        cx_finish(CX_OUTCOME_ERROR, "the scenario's state is larger than the runner provides", "");
    }
    if (scenario->setup != NULL && scenario->setup(run, state) != 0) {
        cx_finish(CX_OUTCOME_ERROR, "the scenario's setup failed", "");
    }
    const struct cx_actor *main_actor = prepare_actors(run);
    for (uint32_t i = 0; i < run->count; i++) {
        if (start_actor(&run->threads[i]) != 0) {
            cx_finish(CX_OUTCOME_ERROR, "an actor's thread cannot be created", "");
        }
    }
    if (main_actor != NULL) {
        main_actor->body(run, state);
    }
    int detached = cx_host_detach();
    cx_wait_actors(run);
    cx_host_attach(detached);
    char drift[200];
    cx_host_watch_end(drift, sizeof(drift));
    if (drift[0] != '\0') {
        struct cx_stack nowhere = {0};
        cx_finish_with(CX_OUTCOME_DRIFT, drift, "", &nowhere);
    }
    if (scenario->check != NULL) {
        scenario->check(run, state);
    }
}

// Play it again and again, and compare what lives after each play. Without control nothing repeats: one play.
static void play_cycles(struct cx_run *run)
{
    static struct cx_census censuses[CX_DRIFT_PLAYS];
    if (cx_self == NULL) {
        play_scenario(run);
        return;
    }
    if (cx_host_census_begin() != 0) {
        cx_finish(CX_OUTCOME_ERROR, "this build cannot count what lives", "");
    }
    for (uint32_t plays = 1; plays <= CX_DRIFT_PLAYS; plays++) {
        play_scenario(run);
        if (cx_host_census(&censuses[plays - 1]) != 0) {
            cx_finish(CX_OUTCOME_ERROR, "a scenario that finalizes is no cycle", "");
        }
        if (plays > 1 && !cx_drift_suspected(censuses, plays)) {
            return;
        }
        if (plays + 1 == CX_DRIFT_PLAYS) {
            cx_host_census_ask_where();
        }
        run->count = 0;
        memset(state, 0, run->scenario->state_bytes);
        cx_sched_again(cx_self);
    }
    char text[400];
    uint32_t entry = 0;
    struct cx_stack made;
    enum cx_outcome outcome = cx_drift_judge(censuses, cx_host_census_types(), text, sizeof(text), &entry);
    if (outcome != CX_OUTCOME_PASS) {
        cx_host_census_where(entry, &made);
        cx_finish_with(outcome, text, "", &made);
    }
}

static int play_in_cycles(void)
{
    play_cycles(&the_run);
    return 0;
}

static int play_once(void)
{
    play_scenario(&the_run);
    return 0;
}

static void leave(int status)
{
    (void)status;
    cx_finish(CX_OUTCOME_PASS, "", "");
}

void cx_play(struct cx_channel *channel)
{
    const struct cx_subject_info *subject = &channel->subject;
    if (subject->kind != CX_SUBJECT_NONE) {
        cx_play_begin(channel);
        cx_subject_begin();
        cx_again_play(channel, subject->from_start != 0, cx_host_run_subject, exit);
    }
    int in_cycles = 0;
    channel->subject.follow_forks = 1; // scenarios know what they fork
    the_run.scenario = cx_scenario_requested(channel, &in_cycles);
    the_run.native_prng.state = channel->request.seed;
    if (in_cycles) {
        channel->request.resident = 0;
        channel->request.choices_expected = (channel->request.choices_expected + 1) / 2; // of one play; two are usual
    }
    cx_play_begin(channel);
    if (the_run.scenario->prepare != NULL && the_run.scenario->prepare(state) != 0) {
        cx_finish(CX_OUTCOME_ERROR, "the scenario cannot be prepared", "");
    }
    cx_again_play(channel, 1, in_cycles ? play_in_cycles : play_once, leave);
}

void cx_actor_name(char *out, size_t out_bytes)
{
    const struct actor_thread *slot = this_actor;
    if (slot == NULL) {
        out[0] = '\0';
    } else {
        name_of(slot, out, out_bytes);
    }
}

uint32_t cx_actor_index(const struct cx_run *run)
{
    (void)run;
    return this_actor != NULL ? this_actor->index : 0;
}

void cx_point(const char *label)
{
    struct cx_thread *self = cx_self;
    if (self != NULL) {
        cx_point_labelled(self, label, CX_CALLER);
    }
}

void cx_note(const char *text)
{
    struct cx_thread *self = cx_self;
    if (self != NULL) {
        cx_record_note(self, text);
    }
}

uint32_t cx_choose(uint32_t n)
{
    struct cx_thread *self = cx_self;
    if (self != NULL) {
        return cx_pick(self, n);
    }
    uint64_t drawn = __atomic_add_fetch(&the_run.native_prng.state, 0x9e3779b97f4a7c15ULL, __ATOMIC_RELAXED);
    return (uint32_t)(cx_prng_mix(drawn) % n);
}

void cx_fail(const char *expression, const char *file, int line)
{
    char location[200];
    if (!cx_playing) { // a process that was forked and is left alone: its parent sees how it ended
        cx_leave(1);
    }
    snprintf(location, sizeof(location), "%s:%d", file, line);
    cx_finish(CX_OUTCOME_INVARIANT, expression, location);
}

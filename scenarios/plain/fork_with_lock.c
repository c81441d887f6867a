// SPDX-License-Identifier: Apache-2.0
//
// plain/fork_with_lock: a process forks while another of its threads may hold a mutex, which the child takes, too.
// Question: what becomes of the lock in the child?
// Verdict:  it is held there for ever by a thread that the child has not got; reported as a deadlock of the child.
// How:      one preemption, inside the section of the other thread.
#include "harness/scenario.h"

#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct state {
    pthread_mutex_t lock; // const after init
    int sum;              // under lock
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    return pthread_mutex_init(&state->lock, NULL);
}

static void add(struct state *state)
{
    pthread_mutex_lock(&state->lock);
    state->sum++;
    pthread_mutex_unlock(&state->lock);
}

static void adder(struct cx_run *run, void *memory)
{
    (void)run;
    add(memory);
}

static void forker(struct cx_run *run, void *memory)
{
    (void)run;
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        add(memory);
        _exit(0);
    }
    CX_CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    add(memory);
}

static void check(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    CX_CHECK(state->sum == 2); // what the child adds is its own
}

const struct cx_scenario scenario_plain_fork_with_lock = {
    .summary = "a process forks while another thread may hold a mutex that the child takes",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"forker", forker, .flags = CX_ACTOR_MAIN}, {"adder", adder}},
    .expect = CX_EXPECT_DEADLOCK,
    .tags = "plain,deadlock,fork",
};

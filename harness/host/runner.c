// SPDX-License-Identifier: Apache-2.0
//
// runner: main of a runner. Brings its host up once, then forks for every request (harness/exec/channel.h).
//
// What a request asks for must leave no trace in this process: its heap and stack are what every run starts from, and
// a schedule replays only if they are the same each time. So nothing is allocated between two forks.
#include "harness/host/host.h"
#include "harness/host/identity.h"
#include "harness/host/run.h"
#include "harness/interpose/clock.h"
#include "harness/interpose/real.h"
#include "harness/sched/futex.h"
#include "harness/sched/sched.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define GRACE_MS 5000 // between the child's own watchdog and ours

uint64_t cx_clock_wall_ns(void)
{
    struct timespec now = {0, 0};
    cx_syscall3(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&now, 0);
    return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

// Address-space randomisation is decided at exec: turn it off and start over, once.
static void without_aslr(char **argv)
{
    int persona = personality(0xffffffff);
    if (persona != -1 && (persona & ADDR_NO_RANDOMIZE) == 0 && getenv("CX_REEXEC") == NULL) {
        personality((unsigned long)persona | ADDR_NO_RANDOMIZE);
        setenv("CX_REEXEC", "1", 1);
        execv("/proc/self/exe", argv);
    }
}

static struct cx_channel *map_channel(void)
{
    void *memory = mmap(NULL, sizeof(struct cx_channel), PROT_READ | PROT_WRITE, MAP_SHARED, CX_CHANNEL_FD, 0);
    if (memory == MAP_FAILED) {
        fprintf(stderr, "constrictor runner: start it through the constrictor command, which gives it its channel\n");
        exit(3);
    }
    struct cx_channel *channel = memory;
    if (channel->magic != CX_CHANNEL_MAGIC || channel->bytes != sizeof(struct cx_channel)) {
        fprintf(stderr, "constrictor runner: the command and this runner were built from different sources: "
                        "build both again\n");
        exit(3);
    }
    return channel;
}

// In the child: forget this process's terminal and take the places that the command watches.
static void child_begin(const struct cx_request *request)
{
    struct rlimit no_core = {0, 0};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setrlimit(RLIMIT_CORE, &no_core);
    dup2(CX_OUTPUT_FD, STDOUT_FILENO);
    dup2(CX_OUTPUT_FD, STDERR_FILENO);
    (void)request;
}

static void pin(const struct cx_request *request, const cpu_set_t *all)
{
    cpu_set_t one;
    if (request->cpu < 0) {
        sched_setaffinity(0, sizeof(*all), all);
        return;
    }
    CPU_ZERO(&one);
    CPU_SET((unsigned)request->cpu, &one);
    sched_setaffinity(0, sizeof(one), &one);
}

// Wait for the child, but not for ever. 1 if it had to be killed.
static int wait_child(pid_t child, uint32_t wall_ms, int *status, struct rusage *usage)
{
    int killed = 0;
    int pidfd = (int)cx_syscall3(SYS_pidfd_open, child, 0, 0);
    if (pidfd >= 0) {
        struct pollfd ready = {.fd = pidfd, .events = POLLIN};
        int got = 0;
        do {
            got = cx_real.poll(&ready, 1, (int)wall_ms + GRACE_MS);
        } while (got < 0 && errno == EINTR);
        if (got == 0) {
            kill(child, SIGKILL);
            killed = 1;
        }
        close(pidfd);
    }
    while (wait4(child, status, 0, usage) < 0 && errno == EINTR) {
    }
    return killed;
}

static void conclude(struct cx_result *result, int status, int killed)
{
    result->wait_status = status;
    if (result->complete) {
        return;
    }
    if (killed) {
        result->outcome = CX_OUTCOME_HANG;
        snprintf(result->message, sizeof(result->message), "the run did not answer its own watchdog and was killed");
    } else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
        result->outcome = CX_OUTCOME_ERROR;
        snprintf(result->message, sizeof(result->message), "the run was killed from outside (SIGKILL)");
    } else if (WIFSIGNALED(status)) {
        result->outcome = CX_OUTCOME_CRASH;
        result->signal = WTERMSIG(status);
        snprintf(result->message, sizeof(result->message), "%s", sigabbrev_np(result->signal));
    } else {
        result->outcome = CX_OUTCOME_EXIT;
        snprintf(result->message, sizeof(result->message), "the process exited with status %d", WEXITSTATUS(status));
    }
}

static void serve(struct cx_channel *channel, const cpu_set_t *all)
{
    struct cx_result *result = &channel->result;
    struct rusage usage;
    int status = 0;
    memset(result, 0, offsetof(struct cx_result, cycle));
    if (channel->request.scenario >= cx_scenario_count) {
        result->outcome = CX_OUTCOME_ERROR;
        snprintf(result->message, sizeof(result->message), "the request names a scenario that this runner lacks");
        return;
    }
    cx_identity_defaults(channel);
    pin(&channel->request, all);
    (void)!ftruncate(CX_OUTPUT_FD, 0);
    lseek(CX_OUTPUT_FD, 0, SEEK_SET);
    uint64_t start_ns = cx_clock_wall_ns();
    cx_host_before_fork();
    pid_t child = fork();
    if (child == 0) {
        cx_host_after_fork_child();
        child_begin(&channel->request);
        cx_play(channel);
    }
    cx_host_after_fork_parent();
    if (child < 0) {
        result->outcome = CX_OUTCOME_ERROR;
        snprintf(result->message, sizeof(result->message), "fork failed: %s", strerror(errno));
        return;
    }
    int killed = wait_child(child, channel->request.wall_ms_max, &status, &usage);
    result->wall_ns = cx_clock_wall_ns() - start_ns;
    result->cpu_ns = ((uint64_t)usage.ru_utime.tv_sec + (uint64_t)usage.ru_stime.tv_sec) * 1000000000ULL +
                     ((uint64_t)usage.ru_utime.tv_usec + (uint64_t)usage.ru_stime.tv_usec) * 1000;
    result->fork_ns = result->wall_ns;
    if (result->end_ns > result->begin_ns && result->end_ns - result->begin_ns < result->wall_ns) {
        result->fork_ns -= result->end_ns - result->begin_ns;
    }
    conclude(result, status, killed);
}

int main(int argc, char **argv)
{
    (void)argc;
    without_aslr(argv);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGINT, SIG_IGN);
    cpu_set_t all;
    sched_getaffinity(0, sizeof(all), &all);
    struct cx_channel *channel = map_channel();
    if (cx_host_start() != 0) {
        return 3;
    }
    cx_identity_fill(channel);
    char byte = CX_BYTE_HELLO;
    while (write(CX_SOCKET_FD, &byte, 1) == 1 && read(CX_SOCKET_FD, &byte, 1) == 1 && byte == CX_BYTE_RUN) {
        serve(channel, &all);
        byte = CX_BYTE_DONE;
    }
    cx_leave(0);
}

// SPDX-License-Identifier: Apache-2.0
//
// serve: see serve.h.
//
// What a request asks for must leave no trace in this process: its heap, its stack and its sanitizer's state are what
// every run starts from, and a schedule replays only if they are the same each time.
#include "harness/host/serve.h"

#include "harness/host/host.h"
#include "harness/host/identity.h"
#include "harness/host/run.h"
#include "harness/interpose/clock.h"
#include "harness/interpose/real.h"
#include "harness/sched/futex.h"
#include "harness/sched/sched.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define DESCRIPTOR_BYTES 1536       // of libc's thread descriptor that are searched; glibc 2.36 has 2304
#define FILE_BYTES_MAX (512u << 20) // what a program under control may write into one file; the step log needs 320 MB

uint64_t cx_clock_wall_ns(void)
{
    struct timespec now = {0, 0};
    cx_syscall3(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&now, 0);
    return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

struct cx_channel *cx_serve_map(void)
{
    struct cx_channel *channel = mmap(NULL, sizeof(*channel), PROT_READ | PROT_WRITE, MAP_SHARED, CX_CHANNEL_FD, 0);
    if (channel == MAP_FAILED) {
        return NULL;
    }
    if (channel->magic != CX_CHANNEL_MAGIC || channel->bytes != sizeof(struct cx_channel)) {
        fprintf(stderr, "constrictor runner: the command and this runner were built from different sources: "
                        "build both again\n");
        exit(3);
    }
    return channel;
}

// The child's standard output and error become the command's file; it dies with its runner, and leaves no core.
static void child_begin(void)
{
    struct rlimit no_core = {0, 0};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setrlimit(RLIMIT_CORE, &no_core);
    dup2(CX_OUTPUT_FD, STDOUT_FILENO);
    dup2(CX_OUTPUT_FD, STDERR_FILENO);
}

// What a program may notice: SIGINT is as it would be, its children do not get our files, and one that prints for ever
// fills no memory.
static void child_begin_subject(void)
{
    struct rlimit bound = {FILE_BYTES_MAX, FILE_BYTES_MAX};
    signal(SIGINT, SIG_DFL);
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &bound);
    for (int fd = CX_CHANNEL_FD; fd <= CX_LOG_FD; fd++) {
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
}

// memset is an interceptor, too. `bytes` is a multiple of eight.
static void clear(void *memory, size_t bytes)
{
    volatile uint64_t *word = memory;
    for (size_t i = 0; i < bytes / sizeof(*word); i++) {
        word[i] = 0;
    }
}

static void say(struct cx_result *result, enum cx_outcome outcome, const char *text)
{
    size_t at = 0;
    result->outcome = outcome;
    for (; text[at] != '\0' && at < sizeof(result->message) - 1; at++) {
        result->message[at] = text[at];
    }
    result->message[at] = '\0';
}

// `cpu` below 0: anywhere.
static void pin(int32_t cpu, const cpu_set_t *all)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    if (cpu >= 0) {
        CPU_SET((unsigned)cpu, &one);
    }
    cx_syscall3(SYS_sched_setaffinity, 0, sizeof(one), (long)(cpu >= 0 ? &one : all));
}

void cx_serve_clear(struct cx_channel *channel)
{
    clear(&channel->result, offsetof(struct cx_result, cycle));
    cx_identity_defaults(channel);
    // The offset too: a new interpreter asks its standard streams where they are.
    cx_syscall3(SYS_ftruncate, CX_OUTPUT_FD, 0, 0);
    cx_syscall3(SYS_lseek, CX_OUTPUT_FD, 0, SEEK_SET);
}

long cx_serve_lowest_descriptor(void)
{
    long fd = cx_syscall3(SYS_fcntl, CX_CHANNEL_FD, F_DUPFD_CLOEXEC, 0);
    cx_syscall3(SYS_close, fd, 0, 0);
    return fd;
}

// A process that plays run after run has its time for each, and none while it is asked for nothing.
static int moves_on(const struct cx_channel *channel, uint64_t *runs_seen)
{
    uint64_t runs = __atomic_load_n(&channel->resident_runs, __ATOMIC_ACQUIRE);
    int moves = runs != *runs_seen || __atomic_load_n(&channel->resident, __ATOMIC_ACQUIRE) == CX_RESIDENT_ANSWERED;
    *runs_seen = runs;
    return moves;
}

// Wait for the child, but not for ever. 1 if it had to be killed.
static int wait_child(const struct cx_channel *channel, pid_t child, uint32_t wall_ms, int *status,
                      struct rusage *usage)
{
    uint64_t runs_seen = channel->resident_runs;
    int killed = 0;
    int pidfd = (int)cx_syscall3(SYS_pidfd_open, child, 0, 0);
    if (pidfd >= 0) {
        struct pollfd ready = {.fd = pidfd, .events = POLLIN};
        long got = 0;
        for (int slices = 0; slices < CX_WALL_SLICES && got <= 0; slices += got == 0) {
            slices = moves_on(channel, &runs_seen) ? 0 : slices;
            got = cx_syscall3(SYS_poll, (long)&ready, 1, (long)(CX_WALL_MS_OF_RUNNER(wall_ms) / CX_WALL_SLICES));
            if (got < 0 && got != -EINTR) {
                break;
            }
        }
        if (got == 0) {
            cx_syscall3(SYS_kill, child, SIGKILL, 0);
            killed = 1;
        }
        cx_syscall3(SYS_close, pidfd, 0, 0);
    }
    while (cx_syscall6(SYS_wait4, child, (long)status, 0, (long)usage, 0, 0) == -EINTR) {
    }
    return killed;
}

// The program that took the run's process over has ended.
static void conclude_executed(struct cx_result *result, int status)
{
    char text[] = "000 of the program that it became by exec";
    size_t from = status > 99 ? 0 : (status > 9 ? 1 : 2);
    text[0] = (char)('0' + status / 100);
    text[1] = (char)('0' + status / 10 % 10);
    text[2] = (char)('0' + status % 10);
    if (status != 0 && result->outcome == CX_OUTCOME_PASS) {
        say(result, CX_OUTCOME_EXIT, text + from);
    }
}

static void conclude(struct cx_result *result, int status, int killed, int subject)
{
    result->wait_status = status;
    if (result->complete) {
        return;
    }
    if (result->executed && WIFEXITED(status)) {
        conclude_executed(result, WEXITSTATUS(status));
    } else if (killed) {
        say(result, CX_OUTCOME_HANG, "the run did not answer its own watchdog and was killed");
    } else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
        say(result, CX_OUTCOME_ERROR, "the run was killed from outside (SIGKILL)");
    } else if (WIFSIGNALED(status)) {
        result->signal = WTERMSIG(status);
        say(result, CX_OUTCOME_CRASH, "a signal that the run could not handle");
    } else if (subject) {
        say(result, CX_OUTCOME_ERROR, "the program left by a system call of its own, past _exit: nothing is known");
    } else {
        say(result, CX_OUTCOME_EXIT, "the process exited before the scenario had ended");
    }
}

static void account(struct cx_result *result, uint64_t start_ns, const struct rusage *usage)
{
    result->wall_ns = cx_clock_wall_ns() - start_ns;
    result->cpu_ns = ((uint64_t)usage->ru_utime.tv_sec + (uint64_t)usage->ru_stime.tv_sec) * 1000000000ULL +
                     ((uint64_t)usage->ru_utime.tv_usec + (uint64_t)usage->ru_stime.tv_usec) * 1000;
    result->fork_ns = result->wall_ns;
    if (result->end_ns > result->begin_ns && result->end_ns - result->begin_ns < result->wall_ns) {
        result->fork_ns -= result->end_ns - result->begin_ns;
    }
}

// Where libc keeps the kernel's id of the calling thread; NULL if that cannot be told for sure.
static pid_t *find_tid_word(void)
{
    pid_t *words = (pid_t *)pthread_self();
    pid_t tid = (pid_t)cx_syscall3(SYS_gettid, 0, 0, 0);
    pid_t *found = NULL;
    for (size_t i = 0; i < DESCRIPTOR_BYTES / sizeof(*words); i++) {
        if (words[i] == tid) {
            if (found != NULL) {
                return NULL;
            }
            found = &words[i];
        }
    }
    return found;
}

// fork(2) without the handlers that libc and ThreadSanitizer have for it. This process has one thread and holds no
// lock, so the child needs none of them; but in the parent they would move ThreadSanitizer's clocks, and the same
// schedule would show a race in one run and not in the next. What a child does need is its own id in libc's thread
// descriptor, which the kernel writes (sources: glibc's arch_fork; ThreadSanitizer's ForkBefore detaches the thread
// from its slot).
static pid_t fork_quietly(pid_t *tid_word)
{
    if (tid_word == NULL) {
        return fork();
    }
    long flags = CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD;
    long result = cx_syscall6(SYS_clone, flags, 0, 0, (long)tid_word, 0, 0);
    return result < 0 ? -1 : (pid_t)result;
}

// One request. Raw system calls throughout, for the same reason: under ThreadSanitizer each intercepted call is an
// event.
static void serve(struct cx_channel *channel, uint32_t scenarios_count, const cpu_set_t *all, pid_t *tid_word)
{
    struct cx_result *result = &channel->result;
    struct rusage usage;
    int status = 0;
    channel->resident = CX_RESIDENT_PLAYS;
    clear(&usage, sizeof(usage));
    if (channel->request.scenario >= scenarios_count) {
        clear(result, offsetof(struct cx_result, cycle));
        say(result, CX_OUTCOME_ERROR, "the request names a scenario that this runner lacks");
        return;
    }
    cx_serve_clear(channel);
    pin(channel->request.cpu, all);
    uint64_t start_ns = cx_clock_wall_ns();
    pid_t child = fork_quietly(tid_word);
    if (child == 0) {
        cx_host_after_fork_child();
        child_begin();
        if (channel->subject.kind != CX_SUBJECT_NONE) {
            child_begin_subject();
        }
        cx_play(channel);
    }
    if (child < 0) {
        say(result, CX_OUTCOME_ERROR, "fork failed: too many processes, or too little memory");
        return;
    }
    uint32_t runs = channel->batch.count > 1 ? channel->batch.count : 1;
    int killed = wait_child(channel, child, runs * channel->request.wall_ms_max, &status, &usage);
    if (channel->resident != CX_RESIDENT_PLAYS) {
        return;
    }
    account(result, start_ns, &usage);
    conclude(result, status, killed, channel->subject.kind != CX_SUBJECT_NONE);
}

int cx_serve_send(char byte)
{
    return cx_syscall3(SYS_write, CX_SOCKET_FD, (long)&byte, 1) == 1;
}

int cx_serve_receive(char *byte)
{
    return cx_syscall3(SYS_read, CX_SOCKET_FD, (long)byte, 1) == 1;
}

void cx_serve(struct cx_channel *channel)
{
    cpu_set_t all;
    sched_getaffinity(0, sizeof(all), &all);
    uint32_t scenarios_count = channel->scenarios_count;
    // For good: this process never goes on to use its host, it only forks.
    cx_host_before_fork();
    pid_t *tid_word = find_tid_word();
    char byte = CX_BYTE_HELLO;
    int answered = 0;
    while ((answered || cx_serve_send(byte)) && cx_serve_receive(&byte) && byte == CX_BYTE_RUN) {
        do {
            serve(channel, scenarios_count, &all, tid_word);
        } while (channel->resident == CX_RESIDENT_DECLINES);
        answered = channel->resident == CX_RESIDENT_ANSWERED;
        byte = CX_BYTE_DONE;
    }
    cx_leave(0);
}

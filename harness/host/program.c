// SPDX-License-Identifier: Apache-2.0
//
// program: a program with a main of its own as a runner. Linked into it by `constrictor cc`, or loaded before it.
//
// libc starts a program through __libc_start_main, and we stand in front of that: constructors have run, main has not.
// If the command has left its channel, the process becomes a runner, and every run is a fork that goes on into main.
// If not, everything is libc's, as if we were not there.
#include "harness/host/again.h"
#include "harness/host/identity.h"
#include "harness/host/run.h"
#include "harness/host/serve.h"
#include "harness/host/subject.h"
#include "harness/interpose/clock.h"
#include "harness/interpose/real.h"
#include "harness/sched/futex.h"

#include <dirent.h>
#include <execinfo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

typedef int main_function(int argc, char **argv, char **envp);
int __libc_start_main(main_function *main, int argc, char **argv, void (*init)(void), void (*fini)(void),
                      void (*rtld_fini)(void), void *stack_end);

// The command looks for this in a program's file.
__attribute__((used)) static const char mark[] = CX_SUBJECT_MARK CX_TARGET "\n";

static main_function *program_main; // const after init
static int program_argc;            // const after init
static char **program_argv;         // const after init
static char **program_envp;         // const after init

// Is the descriptor that a channel would have one?
static int asked_for(void)
{
    uint32_t head[2] = {0, 0};
    long got = cx_syscall6(SYS_pread64, CX_CHANNEL_FD, (long)head, sizeof(head), 0, 0, 0);
    // Its lower half says that it is one; cx_serve_map looks at the rest.
    return got == (long)sizeof(head) && (head[0] & 0xffff) == (CX_CHANNEL_MAGIC & 0xffff) &&
           head[1] > CX_DEVIATIONS_MAX;
}

__attribute__((constructor(102))) static void stand_by(void)
{
    cx_idle = !asked_for();
    cx_clock_real = cx_idle;
}

static int threads_count(void)
{
    int count = 0;
    DIR *tasks = opendir("/proc/self/task");
    while (tasks != NULL && readdir(tasks) != NULL) {
        count++;
    }
    if (tasks != NULL) {
        closedir(tasks);
    }
    return count - 2; // "." and ".."
}

static int run_or_serve(int argc, char **argv, char **envp)
{
    program_argc = argc;
    program_argv = argv;
    program_envp = envp;
    struct cx_channel *channel = cx_idle ? NULL : cx_serve_map();
    if (channel == NULL) {
        return program_main(argc, argv, envp);
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGINT, SIG_IGN);
    if (!CX_TSAN && threads_count() > 1) {
        fprintf(stderr, "constrictor: the program starts threads before main; they cannot be controlled\n");
        return 3;
    }
    // A run may end at any moment; what it printed before should be there, line by line, as on a terminal.
    setvbuf(stdout, NULL, _IOLBF, 0);
    // pthread_exit and exceptions load the unwinder the first time, and it sets itself up: once, not in each run.
    void *frame;
    backtrace(&frame, 1);
    cx_identity_fill(&channel->identity);
    cx_subject_describe(channel);
    cx_serve(channel);
}

static int play_main(void)
{
    return program_main(program_argc, program_argv, program_envp);
}

void cx_play(struct cx_channel *channel)
{
    cx_play_begin(channel);
    cx_subject_begin();
    cx_again_play(channel, 1, play_main, exit);
}

int __libc_start_main(main_function *main, int argc, char **argv, void (*init)(void), void (*fini)(void),
                      void (*rtld_fini)(void), void *stack_end)
{
    int (*start)(main_function *, int, char **, void (*)(void), void (*)(void), void (*)(void), void *) =
        cx_real_libc("__libc_start_main");
    program_main = main;
    return start(run_or_serve, argc, argv, init, fini, rtld_fini, stack_end);
}

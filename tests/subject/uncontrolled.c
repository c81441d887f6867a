// SPDX-License-Identifier: Apache-2.0
//
// uncontrolled: two threads, and what a run cannot control, by the argument: `clone` makes a third one past pthreads,
// `lock` waits, by a system call of its own, for a lock on a file that the same program holds.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char stack[65536];

static int body(void *unused)
{
    (void)unused;
    return 0;
}

static void *idle(void *unused)
{
    return unused;
}

static int lock_twice(void)
{
    int first = open("/proc/self/exe", O_RDONLY);
    int second = open("/proc/self/exe", O_RDONLY);
    syscall(SYS_flock, first, LOCK_EX);
    syscall(SYS_flock, second, LOCK_EX);
    return 0;
}

static int clone_once(void)
{
    int child = clone(body, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL);
    waitpid(child, NULL, 0);
    return 9;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    pthread_create(&thread, NULL, idle, NULL);
    pthread_join(thread, NULL);
    return argc > 1 && strcmp(argv[1], "lock") == 0 ? lock_twice() : clone_once();
}

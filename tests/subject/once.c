// SPDX-License-Identifier: Apache-2.0
//
// once: the first process that runs it is held up for good, every later one is not: a file that it leaves behind tells
// them. "spin": by a loop that passes no point, which looks as a machine that is too slow does. "call": in a futex
// call that goes past libc. Two threads, so that there is something to explore.
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>

static atomic_int sum; // atomic
static volatile int always = 1;

static void *add(void *unused)
{
    atomic_fetch_add(&sum, 1);
    return unused;
}

static void wait_for_nobody(void)
{
    static int word;
    register long forever __asm__("r10") = 0;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(SYS_futex), "D"(&word), "S"(FUTEX_WAIT), "d"(0), "r"(forever)
                     : "rcx", "r11", "memory");
}

int main(int argc, char **argv)
{
    int first = open("once.done", O_CREAT | O_EXCL | O_WRONLY, 0600) >= 0;
    while (first && argc > 1 && strcmp(argv[1], "spin") == 0 && always) {
    }
    if (first && argc > 1 && strcmp(argv[1], "call") == 0) {
        wait_for_nobody();
    }
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        pthread_create(&threads[i], NULL, add, NULL);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    return atomic_load(&sum) == 2 ? 0 : 1;
}

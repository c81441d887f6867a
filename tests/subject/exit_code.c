// SPDX-License-Identifier: Apache-2.0
//
// exit_code: a thread that finds the flag not yet set leaves the whole program with status 3, past main. With an
// argument the flag is set before the thread is made.
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static atomic_int flag;

static void say_goodbye(void)
{
    puts("atexit handler");
}

static void *checker(void *unused)
{
    (void)unused;
    if (!atomic_load(&flag)) {
        puts("the flag is not set");
        exit(3);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    (void)argv;
    atexit(say_goodbye);
    atomic_store(&flag, argc > 1);
    pthread_create(&thread, NULL, checker, NULL);
    atomic_store(&flag, 1);
    pthread_join(thread, NULL);
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
//
// plain_race: a plain variable that one thread writes and another reads, for the real detector (`constrictor cc
// --tsan`).
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>

static int shared;
static int seen;

static void *writer(void *value)
{
    shared = *(int *)value;
    return NULL;
}

static void *reader(void *unused)
{
    (void)unused;
    seen = shared;
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[2];
    (void)argv;
    pthread_create(&threads[0], NULL, writer, &argc);
    pthread_create(&threads[1], NULL, reader, NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    printf("seen %d\n", seen);
    return 0;
}

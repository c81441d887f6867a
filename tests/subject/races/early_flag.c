// SPDX-License-Identifier: Apache-2.0
//
// early_flag: harmful. A plain flag is set before what it promises is there.
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

static volatile int ready;
static volatile int value;

static void *publish(void *argument)
{
    ready = 1;
    value = 42;
    return argument;
}

static void *use(void *argument)
{
    if (ready && value != 42) {
        fprintf(stderr, "ready without a value\n");
        exit(3);
    }
    return argument;
}

int main(void)
{
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, publish, NULL);
    pthread_create(&threads[1], NULL, use, NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    return 0;
}

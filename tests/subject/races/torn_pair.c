// SPDX-License-Identifier: Apache-2.0
//
// torn_pair: harmful. A reader sees a pair whose halves are written by two stores, and asserts that they are equal.
#include <assert.h>
#include <pthread.h>
#include <stddef.h>

static volatile int low;
static volatile int high;

static void *write_pair(void *argument)
{
    low = 1;
    high = 1;
    return argument;
}

static void *read_pair(void *argument)
{
    int seen_low = low;
    int seen_high = high;
    assert(seen_low == seen_high);
    return argument;
}

int main(void)
{
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, write_pair, NULL);
    pthread_create(&threads[1], NULL, read_pair, NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    return 0;
}

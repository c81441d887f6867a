// SPDX-License-Identifier: Apache-2.0
//
// lost_update: harmful. Two threads add to a counter without a lock, and the sum is checked at the end.
#include <assert.h>
#include <pthread.h>
#include <stddef.h>

#define ROUNDS 3

static int counter;

static void *add(void *argument)
{
    for (int i = 0; i < ROUNDS; i++) {
        counter++;
        __asm__ volatile("" ::: "memory"); // one addition in each round
    }
    return argument;
}

int main(void)
{
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, add, NULL);
    pthread_create(&threads[1], NULL, add, NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    assert(counter == 2 * ROUNDS);
    return 0;
}

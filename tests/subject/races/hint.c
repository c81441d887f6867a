// SPDX-License-Identifier: Apache-2.0
//
// hint: benign. Threads remember where the last free slot was, without a lock; the hint may be old, and the slot itself
// is taken under the lock, or another one is looked for.
#include <assert.h>
#include <pthread.h>
#include <stddef.h>

#define SLOTS 4

static volatile unsigned hint;
static int owner[SLOTS];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void *take_slot(void *argument)
{
    unsigned at = hint;
    pthread_mutex_lock(&mutex);
    while (owner[at % SLOTS] != 0) {
        at++;
    }
    owner[at % SLOTS] = 1;
    pthread_mutex_unlock(&mutex);
    hint = at % SLOTS + 1;
    return argument;
}

int main(void)
{
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, take_slot, NULL);
    pthread_create(&threads[1], NULL, take_slot, NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    int taken = 0;
    for (int i = 0; i < SLOTS; i++) {
        taken += owner[i];
    }
    assert(taken == 2);
    return 0;
}

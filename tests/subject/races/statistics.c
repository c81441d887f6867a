// SPDX-License-Identifier: Apache-2.0
//
// statistics: benign. A counter that may lose additions; what is promised of it is only that it never exceeds the
// truth. (The sum that matters is kept under a lock.)
#include <assert.h>
#include <pthread.h>
#include <stddef.h>

#define ROUNDS 3

static volatile int looks;
static int sum;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void *work(void *argument)
{
    for (int i = 0; i < ROUNDS; i++) {
        looks = looks + 1;
        pthread_mutex_lock(&mutex);
        sum++;
        pthread_mutex_unlock(&mutex);
    }
    return argument;
}

int main(void)
{
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, work, NULL);
    pthread_create(&threads[1], NULL, work, NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    assert(sum == 2 * ROUNDS && looks <= sum && looks > 0);
    return 0;
}

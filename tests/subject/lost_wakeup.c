// SPDX-License-Identifier: Apache-2.0
//
// lost_wakeup: the consumer looks at the flag before it takes the mutex, so the producer's signal can come before the
// wait: a wake-up that is lost, and a wait that never ends. With an argument it looks under the mutex.
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static atomic_int ready;
static int corrected;

static void *consumer(void *unused)
{
    (void)unused;
    if (!corrected && atomic_load(&ready)) {
        return NULL;
    }
    pthread_mutex_lock(&mutex);
    if (!corrected) {
        pthread_cond_wait(&changed, &mutex);
    }
    while (corrected && !atomic_load(&ready)) {
        pthread_cond_wait(&changed, &mutex);
    }
    pthread_mutex_unlock(&mutex);
    return NULL;
}

static void *producer(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&mutex);
    atomic_store(&ready, 1);
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&mutex);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[2];
    (void)argv;
    corrected = argc > 1;
    pthread_create(&threads[0], NULL, consumer, NULL);
    pthread_create(&threads[1], NULL, producer, NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    return 0;
}

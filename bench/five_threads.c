// SPDX-License-Identifier: Apache-2.0
//
// five_threads: main and four threads, ten atomic and ten locked increments each: the program of bench_sched as a
// subject, for `run --in-process`.
#include <pthread.h>
#include <stdatomic.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int shared;
static atomic_int word;

static void *worker(void *unused)
{
    for (int i = 0; i < 10; i++) {
        atomic_fetch_add(&word, 1);
        pthread_mutex_lock(&mutex);
        shared++;
        pthread_mutex_unlock(&mutex);
    }
    return unused;
}

int main(void)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, worker, NULL);
    }
    worker(NULL);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    return shared == 50 ? 0 : 1;
}

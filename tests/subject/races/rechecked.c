// SPDX-License-Identifier: Apache-2.0
//
// rechecked: benign. A read without the lock only decides whether it is worth to take it; under the lock it is read
// again, and everything is made once.
#include <assert.h>
#include <pthread.h>
#include <stddef.h>

static volatile int done;
static int made;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void *make_once(void *argument)
{
    if (!done) {
        pthread_mutex_lock(&mutex);
        if (!done) {
            made++;
            done = 1;
        }
        pthread_mutex_unlock(&mutex);
    }
    return argument;
}

int main(void)
{
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, make_once, NULL);
    pthread_create(&threads[1], NULL, make_once, NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    assert(made == 1);
    return 0;
}

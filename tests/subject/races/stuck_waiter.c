// SPDX-License-Identifier: Apache-2.0
//
// stuck_waiter: harmful. A thread sees that there is no work and goes to sleep; the flag is set without the lock, and
// the wake-up comes in between. Nothing crashes: the program never ends.
#include <pthread.h>
#include <stddef.h>

static volatile int work;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t come = PTHREAD_COND_INITIALIZER;

static void *wait_for_work(void *argument)
{
    pthread_mutex_lock(&mutex);
    if (!work) {
        pthread_cond_wait(&come, &mutex);
    }
    pthread_mutex_unlock(&mutex);
    return argument;
}

static void *bring_work(void *argument)
{
    work = 1;
    pthread_cond_signal(&come);
    return argument;
}

int main(void)
{
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, wait_for_work, NULL);
    pthread_create(&threads[1], NULL, bring_work, NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    return 0;
}

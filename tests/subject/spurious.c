// SPDX-License-Identifier: Apache-2.0
//
// spurious: the guest waits with `if` where POSIX wants `while`. Nobody else signals, so this goes wrong only when a
// wait ends unasked. With an argument it asks again.
#include <assert.h>
#include <pthread.h>
#include <stddef.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int table_is_laid;

static void *host(void *unused)
{
    pthread_mutex_lock(&mutex);
    table_is_laid = 1;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&mutex);
    return unused;
}

static void guest(int corrected)
{
    pthread_mutex_lock(&mutex);
    if (!table_is_laid) {
        pthread_cond_wait(&changed, &mutex);
    }
    while (corrected && !table_is_laid) {
        pthread_cond_wait(&changed, &mutex);
    }
    assert(table_is_laid);
    pthread_mutex_unlock(&mutex);
}

int main(int argc, char **argv)
{
    pthread_t thread;
    (void)argv;
    pthread_create(&thread, NULL, host, NULL);
    guest(argc > 1);
    pthread_join(thread, NULL);
    return 0;
}

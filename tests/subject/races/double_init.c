// SPDX-License-Identifier: Apache-2.0
//
// double_init: harmful. Two threads find a table missing, both make one, and the one that is counted is not the one
// that is left: what the first of them put into its own is gone.
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

struct table {
    int users;
};

static struct table *volatile shared;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void *join_table(void *argument)
{
    if (shared == NULL) {
        shared = calloc(1, sizeof(struct table));
    }
    pthread_mutex_lock(&mutex);
    shared->users++;
    pthread_mutex_unlock(&mutex);
    return argument;
}

int main(void)
{
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, join_table, NULL);
    pthread_create(&threads[1], NULL, join_table, NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    assert(shared->users == 2);
    return 0;
}

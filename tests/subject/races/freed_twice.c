// SPDX-License-Identifier: Apache-2.0
//
// freed_twice: harmful. Two threads that leave both find themselves the last one, and both give the buffer back.
#include <pthread.h>
#include <stdlib.h>

static char *volatile buffer;

static void *leave(void *argument)
{
    char *mine = buffer;
    if (mine != NULL) {
        buffer = NULL;
        mine[0]++;
        free(mine);
    }
    return argument;
}

int main(void)
{
    pthread_t threads[2];
    buffer = calloc(1, 64);
    pthread_create(&threads[0], NULL, leave, NULL);
    pthread_create(&threads[1], NULL, leave, NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
//
// check_then_use: harmful. A pointer is checked, read again and followed, while another thread takes it away.
#include <pthread.h>
#include <stddef.h>

static int value = 7;
static int *volatile current = &value;
static int seen;

static void *use(void *argument)
{
    if (current != NULL) {
        seen = *current;
    }
    return argument;
}

static void *take_away(void *argument)
{
    current = NULL;
    return argument;
}

int main(void)
{
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, use, NULL);
    pthread_create(&threads[1], NULL, take_away, NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    return seen == 7 || seen == 0 ? 0 : 1;
}

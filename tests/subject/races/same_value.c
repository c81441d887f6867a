// SPDX-License-Identifier: Apache-2.0
//
// same_value: benign. Two threads write the same value, and it is read when both have ended.
#include <assert.h>
#include <pthread.h>
#include <stddef.h>

static volatile int touched;

static void *touch(void *argument)
{
    touched = 1;
    return argument;
}

int main(void)
{
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, touch, NULL);
    pthread_create(&threads[1], NULL, touch, NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    assert(touched == 1);
    return 0;
}

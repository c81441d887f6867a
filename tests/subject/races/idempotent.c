// SPDX-License-Identifier: Apache-2.0
//
// idempotent: benign. A value that is computed on first use, by whoever finds it missing, and always is the same; one
// word, read once.
#include <assert.h>
#include <pthread.h>
#include <stddef.h>

static volatile int cached;

static int compute(void)
{
    int sum = 0;
    for (int i = 1; i <= 8; i++) {
        sum += i;
    }
    return sum;
}

static void *use(void *argument)
{
    int value = cached;
    if (value == 0) {
        value = compute();
        cached = value;
    }
    assert(value == 36);
    return argument;
}

int main(void)
{
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, use, NULL);
    pthread_create(&threads[1], NULL, use, NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    return 0;
}

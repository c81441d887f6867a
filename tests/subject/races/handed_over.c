// SPDX-License-Identifier: Apache-2.0
//
// handed_over: a race that no order of its accesses can show. The reader waits for a flag that is set after the write;
// the flag is relaxed, so that nothing makes the write visible, which is what ThreadSanitizer reports. But the two
// accesses never stand side by side.
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

static volatile int value;
static atomic_int ready;

static void *write_value(void *argument)
{
    value = 42;
    atomic_store_explicit(&ready, 1, memory_order_relaxed);
    return argument;
}

static void *read_value(void *argument)
{
    while (!atomic_load_explicit(&ready, memory_order_relaxed)) {
    }
    return value == 42 ? argument : NULL;
}

int main(void)
{
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, write_value, NULL);
    pthread_create(&threads[1], NULL, read_value, NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    return 0;
}

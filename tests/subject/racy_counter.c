// SPDX-License-Identifier: Apache-2.0
//
// racy_counter: two threads add to an atomic counter in two steps instead of one; main asserts that nothing was lost.
// With an argument it is corrected: one step.
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#define ROUNDS 3

static atomic_int counter;
static int corrected;

static void *adder(void *unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        if (corrected) {
            atomic_fetch_add(&counter, 1);
        } else {
            int seen = atomic_load(&counter);
            atomic_store(&counter, seen + 1);
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[2];
    corrected = argc > 1;
    printf("racy_counter %s\n", corrected ? argv[1] : "as it is");
    for (int i = 0; i < 2; i++) {
        pthread_create(&threads[i], NULL, adder, NULL);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    assert(atomic_load(&counter) == 2 * ROUNDS);
    return 0;
}

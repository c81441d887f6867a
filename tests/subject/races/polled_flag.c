// SPDX-License-Identifier: Apache-2.0
//
// polled_flag: benign. A worker looks at a plain flag that asks it to stop; it stops a little earlier or later, or when
// it has done all of its work.
#include <assert.h>
#include <pthread.h>
#include <stddef.h>

#define WORK 4

static volatile int stop;
static int done;

static void *work(void *argument)
{
    while (done < WORK && !stop) {
        done++;
    }
    return argument;
}

static void *ask(void *argument)
{
    stop = 1;
    return argument;
}

int main(void)
{
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, work, NULL);
    pthread_create(&threads[1], NULL, ask, NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    assert(done >= 0 && done <= WORK);
    return 0;
}

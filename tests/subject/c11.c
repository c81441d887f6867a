// SPDX-License-Identifier: Apache-2.0
//
// c11: threads, a mutex and a condition variable of the C standard. The waiter does not look whether the condition
// holds already, and can wait for a signal that has been. With an argument it looks.
#include <stdlib.h>
#include <threads.h>

static mtx_t mutex;
static cnd_t changed;
static once_flag once = ONCE_FLAG_INIT;
static int ready;
static int corrected;

static void prepare(void)
{
    mtx_init(&mutex, mtx_plain);
    cnd_init(&changed);
}

static int waiter(void *unused)
{
    (void)unused;
    call_once(&once, prepare);
    mtx_lock(&mutex);
    while (!corrected || !ready) {
        cnd_wait(&changed, &mutex);
        if (ready) {
            break;
        }
    }
    mtx_unlock(&mutex);
    return 5;
}

static int setter(void *unused)
{
    (void)unused;
    call_once(&once, prepare);
    mtx_lock(&mutex);
    ready = 1;
    cnd_signal(&changed);
    mtx_unlock(&mutex);
    thrd_exit(6);
}

int main(int argc, char **argv)
{
    thrd_t threads[2];
    int results[2];
    (void)argv;
    corrected = argc > 1;
    if (thrd_create(&threads[0], waiter, NULL) != thrd_success ||
        thrd_create(&threads[1], setter, NULL) != thrd_success) {
        return 1;
    }
    thrd_join(threads[0], &results[0]);
    thrd_join(threads[1], &results[1]);
    return results[0] == 5 && results[1] == 6 ? 0 : 2;
}

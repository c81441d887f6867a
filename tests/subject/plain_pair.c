// SPDX-License-Identifier: Apache-2.0
//
// plain_pair: two assertions over plain data that threads share without a lock. `torn`: a reader sees a pair whose
// halves were written by two stores. `lazy`: a flag is set before what it promises. With a second argument the
// accesses are locked, and nothing is wrong. No atomic operation and, without the lock, no pthread operation comes
// between two accesses: only points at the accesses themselves show the bugs.
#include <assert.h>
#include <pthread.h>
#include <string.h>

static struct {
    int low;
    int high;
} pair;
static int ready;
static int value;
static int locked;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void enter(void)
{
    if (locked) {
        pthread_mutex_lock(&mutex);
    }
}

static void leave(void)
{
    if (locked) {
        pthread_mutex_unlock(&mutex);
    }
}

static void *write_pair(void *argument)
{
    enter();
    pair.low = 1;
    pair.high = 1;
    leave();
    return argument;
}

static void *read_pair(void *argument)
{
    enter();
    int low = pair.low;
    int high = pair.high;
    leave();
    assert(low == high);
    return argument;
}

static void *publish(void *argument)
{
    enter();
    ready = 1;
    __asm__ volatile("" ::: "memory"); // the compiler keeps the two stores as they are written
    value = 42;
    leave();
    return argument;
}

static void *use(void *argument)
{
    enter();
    int is_ready = ready;
    __asm__ volatile("" ::: "memory");
    int seen = value;
    leave();
    assert(!is_ready || seen == 42);
    return argument;
}

int main(int argc, char **argv)
{
    pthread_t threads[2];
    int torn = argc < 2 || strcmp(argv[1], "torn") == 0;
    locked = argc > 2;
    pthread_create(&threads[0], NULL, torn ? write_pair : publish, NULL);
    pthread_create(&threads[1], NULL, torn ? read_pair : use, NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
//
// long_trace: two threads take turns, more than 100,000 steps long, and then one of them crashes: always. They wait now
// here, now there, so that nothing repeats that could be told in one line. What a reader wants to see is the end.
#include <pthread.h>
#include <stddef.h>

#define TURNS 8500

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int turn;
static volatile int waited_here, waited_there;

static __attribute__((noinline)) void wait_here(void)
{
    waited_here++;
    pthread_cond_wait(&changed, &mutex);
}

static __attribute__((noinline)) void wait_there(void)
{
    waited_there++;
    pthread_cond_wait(&changed, &mutex);
}

static void take_turns(int mine)
{
    unsigned int bits = 1;
    for (int i = 0; i < TURNS; i++) {
        pthread_mutex_lock(&mutex);
        bits = bits * 1103515245 + 12345;
        while (turn != mine) {
            if (bits & 0x10000) {
                wait_here();
            } else {
                wait_there();
            }
        }
        turn = !mine;
        pthread_cond_signal(&changed);
        pthread_mutex_unlock(&mutex);
    }
}

static void *other(void *unused)
{
    take_turns(1);
    return unused;
}

static void use(volatile int *place)
{
    *place = 1;
}

int main(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, other, NULL) != 0) {
        return 1;
    }
    take_turns(0);
    pthread_mutex_lock(&mutex);
    use(NULL);
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
//
// again: a program whose main is called many times in one process, by `run --in-process`. What it does is its argument:
// "clean" uses all that a run may use and leaves nothing; each other word leaves one thing to the next run, or has the
// bug that its name says.
#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 3
#define RUNS_REMEMBERED 30

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static atomic_int word;
static atomic_int destroyed;
static int shared = 7;
static int onces;
static char *kept;
static _Thread_local int own = 5;

static void count_once(void)
{
    onces++;
}

static void destroy(void *value)
{
    atomic_fetch_add(&destroyed, *(int *)value);
}

static void *worker(void *argument)
{
    assert(own++ == 5);
    pthread_once(&once, count_once);
    atomic_fetch_add(&word, 1);
    pthread_mutex_lock(&mutex);
    shared++;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&mutex);
    return argument;
}

static void *leaver(void *argument)
{
    own++;
    pthread_exit(argument);
}

static void *keeper(void *argument)
{
    pthread_setspecific(key, argument);
    return NULL;
}

static void *racer(void *argument)
{
    int seen = atomic_load(&word);
    atomic_store(&word, seen + 1);
    return argument;
}

static void *for_ever(void *argument)
{
    for (;;) {
        sleep(3600);
    }
    return argument;
}

static void *locker(void *argument)
{
    pthread_mutex_lock(&mutex);
    return argument;
}

static void at_exit(void)
{
    atomic_fetch_add(&word, 1);
}

static void join(pthread_t thread, const void *wanted)
{
    void *result = NULL;
    assert(pthread_join(thread, &result) == 0 && result == wanted);
}

static pthread_t start(void *(*body)(void *), void *argument)
{
    pthread_t thread;
    assert(pthread_create(&thread, NULL, body, argument) == 0);
    return thread;
}

static void be_clean(void)
{
    int one = 1;
    pthread_t threads[THREADS];
    pthread_attr_t small;
    pthread_t thread;
    assert(shared == 7 && onces == 0 && kept == NULL && own++ == 5);
    kept = malloc(100);
    pthread_key_create(&key, destroy);
    for (int i = 0; i < THREADS; i++) {
        threads[i] = start(worker, &threads[i]);
    }
    pthread_mutex_lock(&mutex);
    while (shared < 7 + THREADS) {
        pthread_cond_wait(&changed, &mutex);
    }
    pthread_mutex_unlock(&mutex);
    for (int i = 0; i < THREADS; i++) {
        join(threads[i], &threads[i]);
    }
    join(start(leaver, &one), &one);
    join(start(keeper, &one), NULL);
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 65536);
    assert(pthread_create(&thread, &small, worker, &one) == 0);
    pthread_attr_destroy(&small);
    join(thread, &one);
    thread = start(worker, NULL);
    pthread_detach(thread);
    while (atomic_load(&word) < THREADS + 2) {
        sched_yield();
    }
    assert(onces == 1 && atomic_load(&destroyed) == 1);
    pthread_key_delete(key);
    free(kept);
    pthread_mutex_lock(&mutex);
    while (shared < 7 + THREADS + 2) {
        pthread_cond_wait(&changed, &mutex);
    }
    pthread_mutex_unlock(&mutex);
    sleep(10); // it is over when nothing else can run: the detached thread has ended then
}

static void leave(const char *what)
{
    if (strcmp(what, "thread") == 0) {
        start(for_ever, NULL);
    } else if (strcmp(what, "lock") == 0) {
        join(start(locker, NULL), NULL);
    } else if (strcmp(what, "file") == 0) {
        assert(open("/dev/null", O_RDONLY) >= 0);
    } else if (strcmp(what, "atexit") == 0) {
        atexit(at_exit);
    } else if (strcmp(what, "key") == 0) {
        pthread_key_create(&key, NULL);
    } else if (strcmp(what, "handler") == 0) {
        signal(SIGUSR1, SIG_IGN);
    } else if (strcmp(what, "child") == 0) {
        pid_t child = fork();
        if (child == 0) {
            _exit(0);
        }
        assert(waitpid(child, NULL, 0) == child);
    } else if (strcmp(what, "memory") == 0) {
        mode_t before = umask(0);
        umask(before + 1);
        assert(before < 022 + RUNS_REMEMBERED);
    }
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "clean";
    if (strcmp(what, "clean") == 0) {
        be_clean();
        exit(0);
    }
    pthread_t threads[2] = {start(racer, NULL), start(racer, NULL)};
    join(threads[0], NULL);
    join(threads[1], NULL);
    assert(strcmp(what, "racy") != 0 || atomic_load(&word) == 2);
    leave(what);
    return 0;
}

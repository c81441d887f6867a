// SPDX-License-Identifier: Apache-2.0
//
// forks: a program that forks while its threads are at work. By the first argument:
//   lock       a thread holds a lock when its process is forked; the child, which does not have that thread, takes it.
//              "lock wrong" does so without the fork handlers that take the lock across the fork
//   threads    the child has threads of its own; "threads wrong": they count without a lock
//   pipe       the child answers through a pipe, to a parent that waits for it, and ends with status 3
//   asks       the child waits for an answer of its parent, in which a thread counts
//   shared     the child waits for a semaphore in shared memory, and posts another one
//   exec       the child becomes another program, after a try that fails
//   becomes    the program itself does; "becomes wrong": one that fails
//   nested     a child's child ends first
#include <assert.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_int counter;
static int wrong;

static void take_lock(void)
{
    pthread_mutex_lock(&lock);
}

static void give_lock(void)
{
    pthread_mutex_unlock(&lock);
}

static void *holder(void *unused)
{
    take_lock();
    atomic_fetch_add(&counter, 1);
    give_lock();
    return unused;
}

static void *adder(void *unused)
{
    if (!wrong) {
        take_lock();
    }
    int seen = atomic_load(&counter);
    atomic_store(&counter, seen + 1);
    if (!wrong) {
        give_lock();
    }
    return unused;
}

static int status_of(pid_t child)
{
    int status = 0;
    assert(child > 0 && waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void two_adders(void)
{
    pthread_t threads[2];
    atomic_store(&counter, 0);
    for (int i = 0; i < 2; i++) {
        pthread_create(&threads[i], NULL, adder, NULL);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    assert(atomic_load(&counter) == 2);
}

static void child_takes_lock(void)
{
    pid_t child = fork();
    if (child == 0) {
        holder(NULL);
        _exit(0);
    }
    assert(status_of(child) == 0);
}

static void child_has_threads(void)
{
    pid_t child = fork();
    if (child == 0) {
        two_adders();
        exit(0);
    }
    assert(status_of(child) == 0);
}

static void child_answers(int asks)
{
    int ends[2];
    int questions[2];
    char byte = 0;
    assert(pipe(ends) == 0 && pipe(questions) == 0);
    pid_t child = fork();
    if (child == 0) {
        assert(!asks || read(questions[0], &byte, 1) == 1);
        assert(write(ends[1], "y", 1) == 1);
        _exit(3);
    }
    assert(!asks || write(questions[1], "?", 1) == 1);
    assert(read(ends[0], &byte, 1) == 1 && byte == 'y');
    assert(status_of(child) == 3);
}

static void child_waits_for_semaphore(void)
{
    sem_t *both = mmap(NULL, 2 * sizeof(sem_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert(both != MAP_FAILED && sem_init(&both[0], 1, 0) == 0 && sem_init(&both[1], 1, 0) == 0);
    pid_t child = fork();
    if (child == 0) {
        sem_wait(&both[0]);
        sem_post(&both[1]);
        _exit(6);
    }
    sem_post(&both[0]);
    sem_wait(&both[1]);
    assert(status_of(child) == 6);
}

static void child_executes(void)
{
    pid_t child = fork();
    if (child == 0) {
        char *arguments[] = {"sh", "-c", "exit 5", NULL};
        assert(execv("/nowhere/sh", arguments) == -1);
        execlp("sh", "sh", "-c", "exit 5", (char *)NULL);
        _exit(9);
    }
    assert(status_of(child) == 5);
}

static void child_forks(void)
{
    pid_t child = fork();
    if (child == 0) {
        pid_t grandchild = fork();
        if (grandchild == 0) {
            two_adders();
            _exit(2);
        }
        exit(status_of(grandchild) + 1);
    }
    assert(status_of(child) == 3);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "lock";
    pthread_t thread;
    wrong = argc > 2;
    if (!wrong || strcmp(what, "lock") != 0) {
        pthread_atfork(take_lock, give_lock, give_lock);
    }
    pthread_create(&thread, NULL, holder, NULL);
    if (strcmp(what, "lock") == 0) {
        child_takes_lock();
    } else if (strcmp(what, "threads") == 0) {
        child_has_threads();
    } else if (strcmp(what, "exec") == 0) {
        child_executes();
    } else if (strcmp(what, "shared") == 0) {
        child_waits_for_semaphore();
    } else if (strcmp(what, "nested") == 0) {
        child_forks();
    } else if (strcmp(what, "becomes") != 0) {
        child_answers(strcmp(what, "asks") == 0);
    }
    pthread_join(thread, NULL);
    if (strcmp(what, "becomes") == 0) {
        execl("/bin/sh", "sh", "-c", wrong ? "exit 12" : "exit 0", (char *)NULL);
    }
    puts("done");
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
//
// pipes: threads that wait for each other's bytes. By the first argument:
//   swap     two threads that send over a socket pair before they receive; "swap wrong" receives first, in both
//   message  two writers of one pipe, a header and a body each; "message wrong" writes them with two calls
//   loop     an epoll loop that a thread wakes through an eventfd; "loop wrong" tells it before the work is there
//   child    a child process answers through a pipe
//   big      more bytes than a pipe holds, with a reader beside
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define BIG 300000

static int ends[2];
static int wrong;
static atomic_int work;

static void *swapper(void *argument)
{
    int fd = ends[(intptr_t)argument];
    char byte = 0;
    if (wrong) {
        assert(read(fd, &byte, 1) == 1);
        assert(write(fd, "x", 1) == 1);
    } else {
        assert(write(fd, "x", 1) == 1);
        assert(read(fd, &byte, 1) == 1);
    }
    return NULL;
}

static void *message_writer(void *argument)
{
    char message[2] = {'h', (char)('a' + (intptr_t)argument)};
    if (wrong) {
        assert(write(ends[1], message, 1) == 1);
        assert(write(ends[1], message + 1, 1) == 1);
    } else {
        assert(write(ends[1], message, 2) == 2);
    }
    return NULL;
}

static void *teller(void *unused)
{
    uint64_t one = 1;
    if (!wrong) {
        atomic_store(&work, 7);
    }
    assert(write(ends[0], &one, sizeof(one)) == sizeof(one));
    if (wrong) {
        atomic_store(&work, 7);
    }
    return unused;
}

static void *big_writer(void *unused)
{
    char *bytes = calloc(BIG, 1);
    assert(write(ends[1], bytes, BIG) == BIG);
    free(bytes);
    close(ends[1]);
    return unused;
}

static void *idle(void *unused)
{
    return unused;
}

static void two_threads(void *(*body)(void *))
{
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, body, (void *)0);
    pthread_create(&threads[1], NULL, body, (void *)1);
    if (body == message_writer) {
        char message[5] = "";
        for (int got = 0; got < 4;) {
            got += (int)read(ends[0], message + got, (size_t)(4 - got));
        }
        assert(message[0] == 'h' && message[2] == 'h');
    }
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
}

static void run_loop(void)
{
    pthread_t thread;
    uint64_t count = 0;
    ends[0] = eventfd(0, 0);
    int loop = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = ends[0]};
    epoll_ctl(loop, EPOLL_CTL_ADD, ends[0], &event);
    pthread_create(&thread, NULL, teller, NULL);
    assert(epoll_wait(loop, &event, 1, -1) == 1 && event.data.fd == ends[0]);
    assert(read(ends[0], &count, sizeof(count)) == sizeof(count) && count == 1);
    assert(atomic_load(&work) == 7);
    pthread_join(thread, NULL);
}

static void ask_child(void)
{
    char byte = 0;
    int status = 0;
    assert(pipe(ends) == 0);
    pid_t child = fork();
    if (child == 0) {
        usleep(50000);
        _exit(write(ends[1], "y", 1) == 1 ? 3 : 4);
    }
    assert(read(ends[0], &byte, 1) == 1 && byte == 'y');
    assert(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 3);
}

static void send_much(void)
{
    pthread_t thread;
    char bytes[5000];
    long all = 0;
    assert(pipe(ends) == 0);
    pthread_create(&thread, NULL, big_writer, NULL);
    for (ssize_t got = 1; got > 0; all += got) {
        got = read(ends[0], bytes, sizeof(bytes));
    }
    assert(all == BIG);
    pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "swap";
    wrong = argc > 2;
    if (strcmp(what, "swap") == 0) {
        assert(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
        two_threads(swapper);
    } else if (strcmp(what, "message") == 0) {
        assert(pipe(ends) == 0);
        two_threads(message_writer);
    } else if (strcmp(what, "loop") == 0) {
        run_loop();
    } else if (strcmp(what, "child") == 0) {
        pthread_t thread;
        pthread_create(&thread, NULL, idle, NULL);
        ask_child();
        pthread_join(thread, NULL);
    } else {
        send_much();
    }
    puts("done");
    return 0;
}

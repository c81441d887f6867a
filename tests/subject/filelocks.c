// SPDX-License-Identifier: Apache-2.0
//
// filelocks: threads that wait for locks of streams and files, and for the other end of a named pipe. By the first
// argument:
//   stream   each thread writes two words of a line under flockfile; "stream wrong" locks one word at a time
//   crossed  two streams locked in one order, with printf inside; "crossed wrong" locks them in two orders
//   flock    two descriptors of a file take turns; "flock wrong" takes shared locks for that
//   record   fcntl's lock of an open file; "record wrong" has no lock
//   child    lockf waits for a child process that has the lock
//   fifo     a named pipe is opened at both ends; "fifo wrong" opens two in two orders
// Its files stay in the current folder.
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int wrong;
static FILE *streams[2];
static char *text;
static size_t text_bytes;
static const char file[] = "locks.file";
static const char *const pipes[2] = {"locks.one", "locks.two"};
static atomic_int inside;
static atomic_int others;

static void *line_writer(void *argument)
{
    const char *word = argument;
    flockfile(streams[0]);
    fprintf(streams[0], "%s", word);
    if (wrong) {
        funlockfile(streams[0]);
        flockfile(streams[0]);
    }
    fputs(word, streams[0]);
    funlockfile(streams[0]);
    return NULL;
}

static void *crosser(void *argument)
{
    int first = wrong && argument != NULL;
    flockfile(streams[first]);
    fputs("a", streams[first]);
    flockfile(streams[!first]);
    fputs("b", streams[!first]);
    funlockfile(streams[!first]);
    funlockfile(streams[first]);
    return NULL;
}

// Nobody else is between these two.
static void enter_and_leave(void)
{
    assert(atomic_fetch_add(&inside, 1) == 0);
    atomic_fetch_sub(&inside, 1);
}

static void *flocker(void *unused)
{
    int fd = open(file, O_RDWR);
    assert(flock(fd, wrong ? LOCK_SH : LOCK_EX) == 0);
    enter_and_leave();
    assert(flock(fd, LOCK_UN) == 0);
    close(fd);
    return unused;
}

static void *recorder(void *unused)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = open(file, O_RDWR);
    assert(wrong || fcntl(fd, F_OFD_SETLKW, &lock) == 0);
    enter_and_leave();
    lock.l_type = F_UNLCK;
    assert(wrong || fcntl(fd, F_OFD_SETLKW, &lock) == 0);
    close(fd);
    return unused;
}

static void *counter(void *unused)
{
    atomic_fetch_add(&others, 1);
    return unused;
}

static void play_child(void)
{
    int ready[2];
    pthread_t other;
    char byte = 0;
    assert(pipe(ready) == 0);
    pid_t child = fork();
    int fd = open(file, O_RDWR);
    if (child == 0) {
        int failed = lockf(fd, F_LOCK, 0) != 0 || write(ready[1], "x", 1) != 1;
        usleep(20000);
        _exit(failed);
    }
    assert(read(ready[0], &byte, 1) == 1);
    pthread_create(&other, NULL, counter, NULL);
    assert(lockf(fd, F_LOCK, 0) == 0);
    pthread_join(other, NULL);
    int status = 1;
    assert(waitpid(child, &status, 0) == child && status == 0 && atomic_load(&others) == 1);
}

static void *opener(void *argument)
{
    int first = wrong && argument != NULL;
    int flags = argument != NULL ? O_WRONLY : O_RDONLY;
    int one = open(pipes[first], flags);
    int two = open(pipes[!first], flags);
    int fd = first ? two : one;
    char byte = 0;
    assert(one >= 0 && two >= 0 && (fcntl(one, F_GETFL) & O_NONBLOCK) == 0);
    assert(argument != NULL ? write(fd, "x", 1) == 1 : read(fd, &byte, 1) == 1 && byte == 'x');
    close(one);
    close(two);
    return NULL;
}

static void run_two(void *(*body)(void *), void *first, void *second)
{
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, body, first);
    pthread_create(&threads[1], NULL, body, second);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
}

int main(int argc, char **argv)
{
    const char *way = argc > 1 ? argv[1] : "stream";
    wrong = argc > 2;
    streams[0] = open_memstream(&text, &text_bytes);
    streams[1] = fopen("/dev/null", "w");
    assert(close(creat(file, 0600)) == 0);
    for (int i = 0; i < 2; i++) {
        assert(mkfifo(pipes[i], 0600) == 0 || errno == EEXIST);
    }
    if (strcmp(way, "stream") == 0) {
        run_two(line_writer, "ab", "cd");
        fflush(streams[0]);
        assert(strcmp(text, "ababcdcd") == 0 || strcmp(text, "cdcdabab") == 0);
    } else if (strcmp(way, "crossed") == 0) {
        run_two(crosser, NULL, &wrong);
    } else if (strcmp(way, "flock") == 0) {
        run_two(flocker, NULL, NULL);
    } else if (strcmp(way, "record") == 0) {
        run_two(recorder, NULL, NULL);
    } else if (strcmp(way, "fifo") == 0) {
        run_two(opener, NULL, &wrong);
    } else {
        play_child();
    }
    return 0;
}

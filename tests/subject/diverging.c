// SPDX-License-Identifier: Apache-2.0
//
// diverging: two threads, one of which decides by something that no schedule says. The argument names it: pid, proc,
// file, counter, random. With pid-bug it decides whether there is a bug at all. Without one, it decides by nothing, and
// every replay is the same. A number after it is how many turns the thread takes before.
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <x86intrin.h>

#define SLOTS 64

static atomic_int slots[SLOTS];
static atomic_int turns;
static const char *way = "";
static long turns_before = 1;

static unsigned spread(uint64_t value)
{
    return (unsigned)((value * 0x9E3779B97F4A7C15u) >> 40) % SLOTS;
}

static uint64_t bytes_of(const char *path)
{
    unsigned char bytes[512];
    FILE *file = fopen(path, "r");
    assert(file != NULL);
    setvbuf(file, NULL, _IONBF, 0);
    size_t got = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    uint64_t sum = got;
    for (size_t i = 0; i < got; i++) {
        sum = sum * 31 + bytes[i];
    }
    return sum;
}

// What the run before left; and something else for the next one.
static uint64_t kept_file(void)
{
    uint64_t sum = bytes_of("kept.txt");
    FILE *file = fopen("kept.txt", "w");
    fprintf(file, "%llu\n", (unsigned long long)sum + 1);
    fclose(file);
    return sum;
}

static uint64_t decision(void)
{
    if (strncmp(way, "pid", 3) == 0) {
        return (uint64_t)getpid();
    }
    if (strcmp(way, "proc") == 0) {
        return bytes_of("/proc/self/stat");
    }
    if (strcmp(way, "file") == 0) {
        return kept_file();
    }
    if (strcmp(way, "counter") == 0) {
        return __rdtsc();
    }
    if (strcmp(way, "random") == 0) {
        return bytes_of("/dev/urandom");
    }
    return 1;
}

static void turn(void)
{
    atomic_fetch_add(&turns, 1);
}

static void *chooser(void *unused)
{
    (void)unused;
    for (long i = 0; i < turns_before; i++) {
        turn();
    }
    unsigned slot = spread(decision());
    slot = strcmp(way, "pid-bug") == 0 ? slot % 4 : slot;
    atomic_fetch_add(&slots[slot], 1);
    turn();
    return NULL;
}

static void *bystander(void *unused)
{
    (void)unused;
    for (int i = 0; i < 3; i++) {
        turn();
    }
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[2];
    way = argc > 1 ? argv[1] : "";
    turns_before = argc > 2 ? atol(argv[2]) : 1;
    pthread_create(&threads[0], NULL, chooser, NULL);
    pthread_create(&threads[1], NULL, bystander, NULL);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    if (strcmp(way, "pid-bug") == 0) {
        return atomic_load(&slots[0]) != 0 ? 9 : 0;
    }
    return atomic_load(&turns) > 0 ? 9 : 0; // a finding in every run, so that there is a schedule file
}

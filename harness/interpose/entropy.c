// SPDX-License-Identifier: Apache-2.0
//
// entropy: random bytes are the same in every process. CPython seeds hashes and mimalloc its heaps with them; a
// schedule replays only if they repeat. The memory that a process has is chance, too: it depends on which pages our own
// logs have touched, and on what the kernel has in its cache. CPython 3.14 without the GIL asks for it before a
// collection, those of start-up included.
#include "harness/interpose/interpose.h"
#include "harness/interpose/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct cx_prng entropy = {.state = 0x636f6e7374726963ULL}; // single-threaded start-up, then scheduler token

ssize_t getrandom(void *out, size_t bytes, unsigned flags)
{
    if (cx_idle) {
        return cx_the_real()->getrandom(out, bytes, flags);
    }
    unsigned char *at = out;
    for (size_t done = 0; done < bytes; done += 8) {
        uint64_t word = cx_prng_next(&entropy);
        size_t part = bytes - done < 8 ? bytes - done : 8;
        memcpy(at + done, &word, part);
    }
    return (ssize_t)bytes;
}

int getentropy(void *out, size_t bytes)
{
    if (bytes > 256) {
        errno = EIO;
        return -1;
    }
    return getrandom(out, bytes, 0) == (ssize_t)bytes ? 0 : -1;
}

// How busy the machine is, is as much chance as random bytes are.
int getloadavg(double *averages, int count)
{
    if (cx_idle || cx_clock_real) {
        return cx_the_real()->getloadavg(averages, count);
    }
    for (int i = 0; i < count && i < 3; i++) {
        averages[i] = 0;
    }
    return count < 3 ? count : 3;
}

FILE *fopen64(const char *path, const char *mode)
{
    if (!cx_idle && !cx_clock_real && strcmp(path, "/proc/self/status") == 0) {
        errno = ENOENT;
        return NULL;
    }
    return cx_the_real()->fopen64(path, mode);
}

// SPDX-License-Identifier: Apache-2.0
//
// again: see again.h.
//
// Between two runs the writable data of the program's file is put back, ours and the program's: static variables begin
// as they did in the first run. The heap, the variables of shared objects, files and all else that the kernel keeps
// stay as the last run has left them; where that can be seen, this run is the last one of its process.
#include "harness/host/again.h"

#include "harness/host/identity.h"
#include "harness/host/resident.h"
#include "harness/host/run.h"
#include "harness/host/serve.h"
#include "harness/interpose/interpose.h"
#include "harness/sched/again.h"
#include "harness/sched/fiber.h"
#include "harness/sched/futex.h"

#include <fcntl.h>
#include <link.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PARTS_MAX 128
#define COPY_BYTES_MAX (4u << 20) // more of it would take as long as a fork does

static struct {
    struct {
        char *start; // const after init
        size_t bytes;
        char *copy;
    } parts[PARTS_MAX];   // const after init: what is put back
    uint32_t parts_count; // const after init
    size_t bytes;         // const after init: of all of them
    int too_much;         // const after init
    long descriptor;      // const after init: the lowest one that is free
    pthread_key_t key;    // const after init: likewise
    uint32_t exits;       // const after init: functions for exit
    int armed;            // scheduler token: exit() may be a return
    jmp_buf returns;      // scheduler token
} again;
CX_LARGE(again, NULL);

extern const struct cx_large __start_cx_large[];
extern const struct cx_large __stop_cx_large[];

static void part_add(char *start, char *end)
{
    if (start >= end) {
        return;
    }
    if (again.parts_count == PARTS_MAX) {
        again.too_much = 1;
        return;
    }
    again.parts[again.parts_count].start = start;
    again.parts[again.parts_count++].bytes = (size_t)(end - start);
    again.bytes += (size_t)(end - start);
}

// The range without the large arrays in it.
static void parts_add(char *start, char *end)
{
    while (start < end) {
        const struct cx_large *first = NULL;
        for (const struct cx_large *large = __start_cx_large; large < __stop_cx_large; large++) {
            char *at = large->start;
            if (at >= start && at < end && (first == NULL || at < (char *)first->start)) {
                first = large;
            }
        }
        part_add(start, first != NULL ? (char *)first->start : end);
        start = first != NULL ? (char *)first->start + first->bytes : end;
    }
}

// The program's own file comes first.
static int find_data(struct dl_phdr_info *info, size_t info_bytes, void *argument)
{
    (void)info_bytes;
    (void)argument;
    uintptr_t fixed_end = 0; // what the loader has made read-only
    for (int i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type == PT_GNU_RELRO) {
            fixed_end = (info->dlpi_addr + info->dlpi_phdr[i].p_vaddr + info->dlpi_phdr[i].p_memsz + 4095) & ~4095ul;
        }
    }
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + header->p_vaddr;
        uintptr_t end = start + header->p_memsz;
        if (header->p_type == PT_LOAD && (header->p_flags & PF_W) != 0) {
            start = fixed_end > start && fixed_end <= ((end + 4095) & ~4095ul) ? fixed_end : start;
            parts_add((char *)start, (char *)end);
        } else if (header->p_type == PT_TLS && info->dlpi_tls_data != NULL) {
            part_add(info->dlpi_tls_data, (char *)info->dlpi_tls_data + header->p_memsz);
        }
    }
    return 1;
}

static pthread_key_t lowest_key(void)
{
    pthread_key_t key = 0;
    cx_real.pthread_key_create(&key, NULL);
    cx_real.pthread_key_delete(key);
    return key;
}

// Remember what every run begins with. NULL, or why runs cannot follow each other.
static const char *remember(void)
{
    dl_iterate_phdr(find_data, NULL);
    if (again.too_much || again.bytes > COPY_BYTES_MAX) {
        return "more static data than can be put back in little time";
    }
    char *copy = mmap(NULL, again.bytes + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (copy == MAP_FAILED) {
        return "no memory to keep static data in";
    }
    again.descriptor = cx_serve_lowest_descriptor();
    again.key = lowest_key();
    again.exits = cx_again_exits;
    if (!cx_fibers_begin()) {
        return "a processor that cannot switch threads by itself (FSGSBASE)";
    }
    for (uint32_t i = 0; i < again.parts_count; i++) {
        again.parts[i].copy = copy;
        memcpy(copy, again.parts[i].start, again.parts[i].bytes);
        copy += again.parts[i].bytes;
    }
    return NULL;
}

static void put_back(void)
{
    for (const struct cx_large *large = __start_cx_large; large < __stop_cx_large; large++) {
        if (large->forget != NULL) {
            large->forget();
        }
    }
    for (uint32_t i = 0; i < again.parts_count; i++) {
        memcpy(again.parts[i].start, again.parts[i].copy, again.parts[i].bytes);
    }
    cx_fibers_again();
}

// What the run that has just ended well leaves behind; NULL: nothing that can be seen.
static const char *left_behind(void)
{
    for (uint32_t i = 1; i < cx_sched.count; i++) {
        if (cx_sched.threads[i].status != CX_THREAD_EXITED) {
            return "threads that have not ended";
        }
    }
    if (cx_lock_digest() != 0) {
        return "locks that are held";
    }
    if (cx_again_exits != again.exits) {
        return "functions that are to run at exit";
    }
    if (cx_sched.threads[0].keeps) {
        return "thread-local objects of its first thread";
    }
    if (cx_serve_lowest_descriptor() != again.descriptor) {
        return "open files";
    }
    return lowest_key() != again.key ? "keys of thread-specific data" : NULL;
}

static void take_down(const struct cx_result *result, struct cx_batch_run *run)
{
    *run = (struct cx_batch_run){
        .steps = result->steps,
        .choices = result->choices,
        .points_max = result->points_max,
        .switches = result->switches,
        .preemptions = result->preemptions,
        .fingerprint = result->fingerprint,
        .log_hash = result->log_hash,
        .threads_count = result->threads_count,
        .accesses_seen = result->accesses_seen,
    };
    memcpy(run->coverage, result->coverage, sizeof(run->coverage));
}

// A function of its own, so that a run has the same stack whether others follow it or not.
__attribute__((noinline)) static int play_one(int (*body)(void), int armed)
{
    again.armed = armed;
    int status = setjmp(again.returns) == 0 ? body() : 0;
    again.armed = 0;
    return status;
}

void cx_again_exit(int status)
{
    if (again.armed && status == 0 && cx_self == &cx_sched.threads[0]) {
        longjmp(again.returns, 1);
    }
}

void cx_again_play(struct cx_channel *channel, int from_start, int (*body)(void), void (*leave)(int status))
{
    struct cx_batch *batch = &channel->batch;
    uint32_t count = batch->count;
    const char *unfit = NULL;
    if (count > 1) {
        unfit = remember();
    }
    int resident = cx_resident_begin(channel);
    for (;;) {
        int goes_on = unfit == NULL && batch->done + 1 < count;
        cx_play_control(channel, from_start);
        int status = play_one(body, goes_on);
        if (resident && status == 0) {
            cx_resident_again();
        }
        unfit = goes_on && status == 0 ? left_behind() : unfit;
        if (!goes_on || status != 0 || unfit != NULL) {
            snprintf(batch->unfit, sizeof(batch->unfit), "%s", unfit != NULL ? unfit : "");
            leave(status);
        }
        cx_finish_sum(&channel->result);
        take_down(&channel->result, &batch->runs[batch->done]);
        put_back();
        batch->done++;
        cx_request_copy(&channel->request, &batch->requests[batch->done]);
        cx_identity_defaults(channel);
        memset(&channel->result, 0, offsetof(struct cx_result, message));
    }
}

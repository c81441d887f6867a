// SPDX-License-Identifier: Apache-2.0
//
// shared: see shared.h.
#include "harness/interpose/shared.h"

#include "harness/interpose/interpose.h"
#include "harness/sched/futex.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

// "55d0-55e0 rw-s ...": 1 if the line is about `address`, and that is shared.
static int line_says_shared(const char *line, uint64_t address)
{
    char *end = NULL;
    uint64_t from = strtoull(line, &end, 16);
    uint64_t to = *end == '-' ? strtoull(end + 1, &end, 16) : 0;
    return from <= address && address < to && strlen(end) > 4 && end[4] == 's';
}

// Raw system calls and no allocation: the run's heap must not know of it.
static int is_shared(const void *address)
{
    char text[4096];
    size_t kept = 0;
    long got;
    int found = 0;
    long fd = cx_syscall3(SYS_open, (long)"/proc/self/maps", O_RDONLY | O_CLOEXEC, 0);
    while (fd >= 0 && !found &&
           (got = cx_syscall3(SYS_read, fd, (long)text + (long)kept, (long)(sizeof(text) - 1 - kept))) > 0) {
        char *line = text;
        char *end;
        text[kept + (size_t)got] = '\0';
        while (!found && (end = strchr(line, '\n')) != NULL) {
            *end = '\0';
            found = line_says_shared(line, (uint64_t)(uintptr_t)address);
            line = end + 1;
        }
        kept = strlen(line);
        memmove(text, line, kept);
    }
    if (fd >= 0) {
        cx_syscall3(SYS_close, fd, 0, 0);
    }
    return found;
}

static int waits_for_shared(const struct cx_thread *thread)
{
    return thread->status == CX_THREAD_BLOCKED && (thread->op == CX_OP_SEM_WAIT || thread->op == CX_OP_MUTEX_LOCK) &&
           is_shared(thread->wait_object);
}

static int is_free(const struct cx_thread *thread)
{
    int value = 0;
    if (thread->op == CX_OP_MUTEX_LOCK) {
        const pthread_mutex_t *mutex = thread->wait_object;
        return __atomic_load_n(&mutex->__data.__lock, __ATOMIC_ACQUIRE) == 0;
    }
    return sem_getvalue((sem_t *)(uintptr_t)thread->wait_object, &value) == 0 && value > 0;
}

uint32_t cx_shared_waiters(void)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < cx_sched.count; i++) {
        count += (uint32_t)waits_for_shared(&cx_sched.threads[i]);
    }
    return count;
}

uint32_t cx_shared_wake(void)
{
    uint32_t woken = 0;
    for (uint32_t i = 0; i < cx_sched.count; i++) {
        const struct cx_thread *thread = &cx_sched.threads[i];
        if (waits_for_shared(thread) && is_free(thread)) {
            woken += cx_wake_all(thread->wait_object, 1);
        }
    }
    return woken;
}

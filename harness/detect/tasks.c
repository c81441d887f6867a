// SPDX-License-Identifier: Apache-2.0
//
// tasks: see tasks.h.
#include "harness/detect/tasks.h"

#include "harness/sched/futex.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

// The kernel's record of a directory entry (getdents64(2)); libc has no name for it.
struct task_entry {
    uint64_t inode;
    int64_t next;
    uint16_t bytes;
    uint8_t type;
    char name[];
};

void cx_tasks_each(void (*visit)(long tid, void *argument), void *argument)
{
    _Alignas(8) char entries[4096] = {0}; // the kernel fills it, which an analyser cannot know
    long folder = cx_syscall3(SYS_open, (long)"/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    long bytes = 0;
    while (folder >= 0 && (bytes = cx_syscall3(SYS_getdents64, folder, (long)entries, sizeof(entries))) > 0) {
        for (long at = 0; at < bytes;) {
            const struct task_entry *entry = (const struct task_entry *)(entries + at);
            if (entry->name[0] != '.') {
                visit(strtol(entry->name, NULL, 10), argument);
            }
            at += entry->bytes;
        }
    }
    if (folder >= 0) {
        cx_syscall3(SYS_close, folder, 0, 0);
    }
}

// The second of the three numbers in schedstat.
static void add_delay(long tid, void *sum)
{
    char path[64], text[96];
    snprintf(path, sizeof(path), "/proc/self/task/%ld/schedstat", tid);
    long file = cx_syscall3(SYS_open, (long)path, O_RDONLY | O_CLOEXEC, 0);
    if (file < 0) {
        return;
    }
    long bytes = cx_syscall3(SYS_read, file, (long)text, sizeof(text) - 1);
    cx_syscall3(SYS_close, file, 0, 0);
    text[bytes > 0 ? bytes : 0] = '\0';
    char *end = text;
    strtoull(text, &end, 10);
    *(uint64_t *)sum += strtoull(end, NULL, 10);
}

uint64_t cx_tasks_delay_ns(void)
{
    uint64_t sum = 0;
    cx_tasks_each(add_delay, &sum);
    return sum;
}

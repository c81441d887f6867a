// SPDX-License-Identifier: Apache-2.0
//
// tasks: see tasks.h.
//
// This runs in signal handlers, also of ThreadSanitizer's builds. There even snprintf and strtol are intercepted, and
// wait for a lock that the interrupted code may hold; so numbers are read and written here.
#include "harness/detect/tasks.h"

#include "harness/sched/futex.h"

#include <fcntl.h>
#include <stddef.h>

// The kernel's record of a directory entry (getdents64(2)); libc has no name for it.
struct task_entry {
    uint64_t inode;
    int64_t next;
    uint16_t bytes;
    uint8_t type;
    char name[];
};

// The digits at `*at`, which moves past them and past the blank or the end that follows.
static uint64_t decimal_read(const char **at)
{
    uint64_t value = 0;
    for (; **at >= '0' && **at <= '9'; ++*at) {
        value = value * 10 + (uint64_t)(**at - '0');
    }
    *at += **at != '\0';
    return value;
}

static char *text_append(char *at, const char *text)
{
    while (*text != '\0') {
        *at++ = *text++;
    }
    return at;
}

static char *decimal_append(char *at, uint64_t value)
{
    char digits[20];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    while (count > 0) {
        *at++ = digits[--count];
    }
    return at;
}

void cx_tasks_each(void (*visit)(long tid, void *argument), void *argument)
{
    _Alignas(8) char entries[4096];
    // The kernel fills it, which an analyser cannot know; zeroes would be memset's, which is intercepted, too.
    __asm__ volatile("" : "=m"(entries));
    long folder = cx_syscall3(SYS_open, (long)"/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    long bytes = 0;
    while (folder >= 0 && (bytes = cx_syscall3(SYS_getdents64, folder, (long)entries, sizeof(entries))) > 0) {
        for (long at = 0; at < bytes;) {
            const struct task_entry *entry = (const struct task_entry *)(entries + at);
            if (entry->name[0] != '.') {
                const char *name = entry->name;
                visit((long)decimal_read(&name), argument);
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
    *text_append(decimal_append(text_append(path, "/proc/self/task/"), (uint64_t)tid), "/schedstat") = '\0';
    long file = cx_syscall3(SYS_open, (long)path, O_RDONLY | O_CLOEXEC, 0);
    if (file < 0) {
        return;
    }
    long bytes = cx_syscall3(SYS_read, file, (long)text, sizeof(text) - 1);
    cx_syscall3(SYS_close, file, 0, 0);
    text[bytes > 0 ? bytes : 0] = '\0';
    const char *at = text;
    decimal_read(&at);
    *(uint64_t *)sum += decimal_read(&at);
}

uint64_t cx_tasks_delay_ns(void)
{
    uint64_t sum = 0;
    cx_tasks_each(add_delay, &sum);
    return sum;
}

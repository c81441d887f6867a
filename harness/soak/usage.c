// SPDX-License-Identifier: Apache-2.0
//
// usage: see usage.h.
#include "harness/soak/usage.h"

#include <dirent.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILES_AT_ONCE 16 // that nftw may have open

struct process {
    long pid;
    long parent;
    uint64_t pages;
    int ours;
};

// Parent and resident pages of a process. 0, or -1 if it is gone.
static int process_read(struct process *process)
{
    char path[64], text[1024];
    snprintf(path, sizeof(path), "/proc/%ld/stat", process->pid);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return -1;
    }
    size_t bytes = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[bytes] = '\0';
    char *at = strrchr(text, ')'); // the name before it may hold anything
    // Field 3 is the state, 4 the parent, 24 the resident pages.
    for (int field = 2; at != NULL && field < 24; field++) {
        at = strchr(at + 1, ' ');
        if (at != NULL && field == 3) {
            process->parent = strtol(at, NULL, 10);
        }
    }
    if (at == NULL) {
        return -1;
    }
    process->pages = strtoull(at, NULL, 10);
    return 0;
}

static struct process *processes_list(size_t *count)
{
    struct process *list = NULL;
    DIR *folder = opendir("/proc");
    *count = 0;
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        char *end = NULL;
        struct process process = {.pid = strtol(entry->d_name, &end, 10)};
        if (process.pid <= 0 || *end != '\0' || process_read(&process) != 0) {
            continue;
        }
        struct process *grown = realloc(list, (*count + 1) * sizeof(*list));
        if (grown == NULL) {
            break;
        }
        list = grown;
        list[(*count)++] = process;
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return list;
}

static uint64_t files_open(void)
{
    uint64_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    for (const struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        count += entry->d_name[0] != '.';
    }
    if (folder != NULL) {
        closedir(folder);
        count--; // the folder itself
    }
    return count;
}

static int process_is_ours(const struct process *list, size_t count, long pid)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i].pid == pid) {
            return list[i].ours;
        }
    }
    return 0;
}

void cx_usage_processes(struct cx_usage *usage)
{
    size_t count = 0;
    struct process *list = processes_list(&count);
    uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
    long self = getpid();
    usage->own_bytes = usage->memory_bytes = usage->processes = 0;
    // A parent's place in the list may be behind its child's: go on until nobody new is ours.
    for (int found = 1; found;) {
        found = 0;
        for (size_t i = 0; i < count; i++) {
            if (list[i].ours || !(list[i].pid == self || process_is_ours(list, count, list[i].parent))) {
                continue;
            }
            found = list[i].ours = 1;
            usage->memory_bytes += list[i].pages * page_bytes;
            usage->processes += list[i].pid != self;
            usage->own_bytes = list[i].pid == self ? list[i].pages * page_bytes : usage->own_bytes;
        }
    }
    free(list);
    usage->files = files_open();
}

static uint64_t disk_sum; // of the walk that is under way

static int disk_add(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)path, (void)where;
    disk_sum += kind == FTW_F ? (uint64_t)about->st_blocks * 512 : 0;
    return 0;
}

void cx_usage_disk(struct cx_usage *usage, const char *folder)
{
    disk_sum = 0;
    nftw(folder, disk_add, FILES_AT_ONCE, FTW_PHYS);
    usage->disk_bytes = disk_sum;
}

static int cap_passed(uint64_t value, uint64_t max, uint64_t unit, const char *what, const char *option, char *line,
                      size_t line_bytes)
{
    if (max == 0 || value <= max) {
        return 0;
    }
    snprintf(line, line_bytes, "%s: %" PRIu64 ", and the cap is %" PRIu64 " (%s): stopped", what, value / unit,
             max / unit, option);
    return 1;
}

int cx_caps_passed(const struct cx_caps *caps, const struct cx_usage *usage, char *line, size_t line_bytes)
{
    return cap_passed(usage->memory_bytes, caps->memory_bytes_max, 1 << 20, "MiB of memory in use", "--memory-max",
                      line, line_bytes) ||
           cap_passed(usage->processes, caps->processes_max, 1, "processes at once", "--processes-max", line,
                      line_bytes) ||
           cap_passed(usage->disk_bytes, caps->disk_bytes_max, 1 << 20, "MiB in the folder", "--disk-max", line,
                      line_bytes);
}

uint64_t cx_caps_memory_default(void)
{
    return (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) / 4 * 3;
}

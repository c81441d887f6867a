// SPDX-License-Identifier: Apache-2.0
//
// usage: what this process, all that it has started and its folder take of the machine, and the caps on that.
#ifndef CX_SOAK_USAGE_H
#define CX_SOAK_USAGE_H

#include <stddef.h>
#include <stdint.h>

struct cx_usage {
    uint64_t own_bytes;    // resident memory of this process
    uint64_t memory_bytes; // of it and of all processes below it; what they share is counted in each
    uint64_t processes;    // below it
    uint64_t files;        // that this process has open
    uint64_t disk_bytes;   // of the folder
};

// 0: no cap.
struct cx_caps {
    uint64_t memory_bytes_max;
    uint64_t processes_max;
    uint64_t disk_bytes_max;
};

// Processes and memory, from /proc; what cannot be read counts nothing.
void cx_usage_processes(struct cx_usage *usage);
// Files below a folder.
void cx_usage_disk(struct cx_usage *usage, const char *folder);

// Say in one line which cap is passed and how to raise it. Returns 1 if one is.
int cx_caps_passed(const struct cx_caps *caps, const struct cx_usage *usage, char *line, size_t line_bytes);

// Three quarters of the machine's memory.
uint64_t cx_caps_memory_default(void);

#endif

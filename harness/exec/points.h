// SPDX-License-Identifier: Apache-2.0
//
// points: which operations of a program are points in a run. A part of the request (channel.h).
//
// With CX_POINTS_ACCESS plain loads and stores are points, too, where the program is instrumented for them; ranges
// narrow that to some of them: an access counts if the instruction that makes it lies in one of the code ranges, or if
// its bytes touch one of the data ranges. Without ranges every access counts. exec/within.h makes ranges out of the
// names of functions, files and objects.
#ifndef CX_EXEC_POINTS_H
#define CX_EXEC_POINTS_H

#include <stdint.h>

#define CX_RANGES_MAX 1024

enum cx_points_level {
    CX_POINTS_ATOMIC = 0, // pthread operations, explicit points and atomic operations
    CX_POINTS_SYNC,       // pthread operations and explicit points
    CX_POINTS_ACCESS,     // all of these, and plain accesses
    CX_POINTS_COUNT,
};

// Addresses of the runner's process, `end` excluded.
struct cx_range {
    uint64_t start;
    uint64_t end;
};

struct cx_points {
    uint32_t level;      // enum cx_points_level
    uint32_t code_count; // entries in ranges[], sorted and apart from each other
    uint32_t data_count; // entries that follow them
    uint32_t unused;
    struct cx_range ranges[CX_RANGES_MAX];
};

// Where a run may preempt. Elsewhere the running thread goes on until it blocks, yields, ends or has used up its
// quantum; who goes on then is decided everywhere.
enum cx_window_kind {
    CX_WINDOW_NONE = 0, // anywhere
    CX_WINDOW_INSIDE,   // at operations that code in the ranges performs
    CX_WINDOW_OUTSIDE,  // at all others
};

struct cx_window {
    uint32_t kind;  // enum cx_window_kind
    uint32_t count; // entries in ranges[], sorted and apart from each other
    struct cx_range ranges[CX_RANGES_MAX];
};

#endif

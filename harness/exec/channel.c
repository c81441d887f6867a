// SPDX-License-Identifier: Apache-2.0
//
// channel: what both sides of the channel compute.
#include "harness/exec/channel.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

void cx_request_copy(struct cx_request *to, const struct cx_request *from)
{
    const size_t ranges = from->points.code_count + from->points.data_count;
    const size_t points_at = offsetof(struct cx_request, points.ranges);
    const size_t race_at = offsetof(struct cx_request, race);
    const size_t window = from->window.count < CX_RANGES_MAX ? from->window.count : CX_RANGES_MAX;
    memcpy(to, from, points_at);
    memcpy(to->points.ranges, from->points.ranges,
           (ranges < CX_RANGES_MAX ? ranges : CX_RANGES_MAX) * sizeof(from->points.ranges[0]));
    memcpy(&to->window, &from->window, offsetof(struct cx_window, ranges[window]));
    memcpy((char *)to + race_at, (const char *)from + race_at, offsetof(struct cx_request, profile) - race_at);
    memcpy(to->profile, from->profile,
           (from->profile_count < CX_PROFILE_MAX ? from->profile_count : CX_PROFILE_MAX) * sizeof(from->profile[0]));
}

uint32_t cx_thread_key(uint32_t parent_key, uint32_t ordinal)
{
    // Finaliser of MurmurHash3 over the pair: two paths of one run collide with probability 2^-32 per pair, and the
    // scheduler checks for that when it makes a thread.
    uint64_t x = ((uint64_t)parent_key << 32) | ordinal;
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdULL;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53ULL;
    x ^= x >> 33;
    uint32_t key = (uint32_t)(x ^ (x >> 32));
    return key <= CX_THREAD_KEY_MAIN ? key + 2 : key;
}

uint32_t cx_thread_key_from_path(const char *path)
{
    static const char root[] = "main";
    size_t root_chars = sizeof(root) - 1;
    if (strncmp(path, root, root_chars) != 0) {
        return 0;
    }
    uint32_t key = CX_THREAD_KEY_MAIN;
    const char *rest = path + root_chars;
    while (*rest == '.') {
        char *end = NULL;
        unsigned long ordinal = strtoul(rest + 1, &end, 10);
        if (end == rest + 1 || ordinal == 0 || ordinal > UINT32_MAX || rest[1] == '-' || rest[1] == '+') {
            return 0;
        }
        key = cx_thread_key(key, (uint32_t)ordinal);
        rest = end;
    }
    return *rest == '\0' ? key : 0;
}

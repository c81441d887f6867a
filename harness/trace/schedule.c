// SPDX-License-Identifier: Apache-2.0
//
// schedule: the memory of a schedule; reader.c and writer.c do the file.
#include "harness/trace/schedule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void cx_schedule_fini(struct cx_schedule *schedule)
{
    free(schedule->deviations);
    free(schedule->paths);
    memset(schedule, 0, sizeof(*schedule));
}

enum cx_status cx_schedule_deviations_set(struct cx_schedule *schedule, const struct cx_deviation *deviations,
                                          size_t count, struct cx_error *error)
{
    struct cx_deviation *copy = malloc((count + 1) * sizeof(*copy));
    if (copy == NULL) {
        return cx_error_set(error, CX_ERR_MEMORY, "out of memory for %zu deviations", count);
    }
    if (count > 0) {
        memcpy(copy, deviations, count * sizeof(*copy));
    }
    free(schedule->deviations);
    schedule->deviations = copy;
    schedule->deviations_count = count;
    return CX_OK;
}

static const struct cx_thread_path *path_find(const struct cx_schedule *schedule, uint32_t key)
{
    for (size_t i = 0; i < schedule->paths_count; i++) {
        if (schedule->paths[i].key == key) {
            return &schedule->paths[i];
        }
    }
    return NULL;
}

enum cx_status cx_schedule_path_add(struct cx_schedule *schedule, const char *path, struct cx_error *error)
{
    uint32_t key = cx_thread_key_from_path(path);
    if (key == 0 || strlen(path) >= sizeof(schedule->paths[0].path) || path_find(schedule, key) != NULL) {
        return CX_OK;
    }
    struct cx_thread_path *paths = realloc(schedule->paths, (schedule->paths_count + 1) * sizeof(*paths));
    if (paths == NULL) {
        return cx_error_set(error, CX_ERR_MEMORY, "out of memory for thread paths");
    }
    schedule->paths = paths;
    struct cx_thread_path *added = &paths[schedule->paths_count++];
    added->key = key;
    snprintf(added->path, sizeof(added->path), "%s", path);
    return CX_OK;
}

const char *cx_schedule_path(const struct cx_schedule *schedule, uint32_t key, char fallback[16])
{
    const struct cx_thread_path *found = path_find(schedule, key);
    if (found != NULL) {
        return found->path;
    }
    if (key == CX_THREAD_KEY_MAIN) {
        return "main";
    }
    snprintf(fallback, 16, "#%08x", key);
    return fallback;
}

size_t cx_schedule_preemptions(const struct cx_deviation *deviations, size_t count)
{
    size_t preemptions = 0;
    for (size_t i = 0; i < count; i++) {
        preemptions += deviations[i].kind == CX_DEVIATION_SWITCH && deviations[i].preemption;
    }
    return preemptions;
}

// SPDX-License-Identifier: Apache-2.0
//
// shard: see shard.h.
#include "harness/exec/shard.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/options.h"

#define CX_SHARDS_MAX 1000000u

static enum cx_status shard_set(struct cx_shard *shard, const char *name, const char *index, uint64_t first,
                                const char *total, struct cx_error *error)
{
    uint64_t number = 0;
    uint64_t count = 0;
    enum cx_status status = cx_option_number(name, total, 1, CX_SHARDS_MAX, &count, error);
    if (status == CX_OK) {
        status = cx_option_number(name, index, first, first + count - 1, &number, error);
    }
    if (status == CX_OK) {
        shard->index = (uint32_t)(number - first);
        shard->total = (uint32_t)count;
    }
    return status;
}

enum cx_status cx_shard_parse(const char *text, struct cx_shard *shard, struct cx_error *error)
{
    *shard = (struct cx_shard){0};
    const char *slash = strchr(text, '/');
    if (strcmp(text, "none") == 0) {
        return CX_OK;
    }
    char *index = slash != NULL ? strndup(text, (size_t)(slash - text)) : NULL;
    if (index == NULL) {
        return cx_error_set(error, CX_ERR_USAGE, "--shard %s: expected I/N, such as 3/8, or none", text);
    }
    enum cx_status status = shard_set(shard, "--shard", index, 1, slash + 1, error);
    free(index);
    return status;
}

static const char *variable(const char *name)
{
    const char *text = getenv(name);
    return text != NULL && text[0] != '\0' ? text : NULL;
}

// Bazel and GoogleTest: the runner wants to know that the shards do not all play everything.
static enum cx_status shard_of_test(struct cx_shard *shard, const char *index_name, const char *total_name,
                                    const char *file_name, struct cx_error *error)
{
    const char *index = variable(index_name);
    const char *total = variable(total_name);
    if (index == NULL || total == NULL || strcmp(total, "0") == 0) {
        return CX_OK;
    }
    enum cx_status status = shard_set(shard, index_name, index, 0, total, error);
    shard->source = index_name;
    const char *path = variable(file_name);
    int file = status == CX_OK && path != NULL ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666) : -1;
    if (status == CX_OK && path != NULL && file < 0) {
        return cx_error_system(error, "%s: cannot write %s", file_name, path);
    }
    if (file >= 0) {
        close(file);
    }
    return status;
}

// Kubernetes tells a pod its index, and not of how many.
static enum cx_status shard_of_job(struct cx_shard *shard, struct cx_error *error)
{
    static const char name[] = "JOB_COMPLETION_INDEX";
    const char *index = variable(name);
    const char *total = variable("CONSTRICTOR_SHARDS");
    if (index == NULL) {
        return CX_OK;
    }
    if (total == NULL) {
        return cx_error_set(error, CX_ERR_USAGE,
                            "%s is set: set CONSTRICTOR_SHARDS to the job's completions, or give --shard I/N or none",
                            name);
    }
    shard->source = name;
    return shard_set(shard, name, index, 0, total, error);
}

// The tasks of an array are MIN, MIN + STEP, ...; a list with gaps has no arithmetic.
static enum cx_status shard_of_slurm(struct cx_shard *shard, struct cx_error *error)
{
    static const char name[] = "SLURM_ARRAY_TASK_ID";
    const char *id = variable(name);
    const char *texts[] = {variable("SLURM_ARRAY_TASK_COUNT"), variable("SLURM_ARRAY_TASK_MIN"),
                           variable("SLURM_ARRAY_TASK_MAX"), variable("SLURM_ARRAY_TASK_STEP")};
    uint64_t number = 0;
    uint64_t numbers[4] = {1, 0, 0, 1}; // count, min, max, step
    if (id == NULL) {
        return CX_OK;
    }
    enum cx_status status = cx_option_number(name, id, 0, UINT32_MAX, &number, error);
    for (size_t i = 0; i < 4 && status == CX_OK; i++) {
        if (texts[i] != NULL) {
            status = cx_option_number(name, texts[i], i == 0 || i == 3, UINT32_MAX, &numbers[i], error);
        } else if (i != 3) {
            status = cx_error_set(error, CX_ERR_USAGE,
                                  "%s is set, but not %s_COUNT, _MIN and _MAX: give --shard I/N or none", name,
                                  "SLURM_ARRAY_TASK");
        }
    }
    if (status != CX_OK) {
        return status;
    }
    uint64_t count = numbers[0], min = numbers[1], max = numbers[2], step = numbers[3];
    if (number < min || number > max || (number - min) % step != 0 || (max - min) / step + 1 != count) {
        return cx_error_set(error, CX_ERR_USAGE,
                            "%s: the tasks of this array are not MIN, MIN + STEP, ... MAX: give --shard I/N or none",
                            name);
    }
    if (count > CX_SHARDS_MAX) {
        return cx_error_set(error, CX_ERR_USAGE, "%s: at most %u shards", name, CX_SHARDS_MAX);
    }
    *shard = (struct cx_shard){(uint32_t)((number - min) / step), (uint32_t)count, name};
    return CX_OK;
}

enum cx_status cx_shard_environment(struct cx_shard *shard, struct cx_error *error)
{
    *shard = (struct cx_shard){0};
    enum cx_status status =
        shard_of_test(shard, "TEST_SHARD_INDEX", "TEST_TOTAL_SHARDS", "TEST_SHARD_STATUS_FILE", error);
    if (status == CX_OK && shard->total == 0) {
        status = shard_of_test(shard, "GTEST_SHARD_INDEX", "GTEST_TOTAL_SHARDS", "GTEST_SHARD_STATUS_FILE", error);
    }
    if (status == CX_OK && shard->total == 0) {
        status = shard_of_job(shard, error);
    }
    return status == CX_OK && shard->total == 0 ? shard_of_slurm(shard, error) : status;
}

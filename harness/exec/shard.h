// SPDX-License-Identifier: Apache-2.0
//
// shard: which part of a campaign this process is to play. Shards share nothing but the command line: a shard is a pure
// function of campaign seed, index and total. docs/shards.md.
#ifndef CX_EXEC_SHARD_H
#define CX_EXEC_SHARD_H

#include <stdint.h>

#include "harness/status.h"

// Zeroed memory: not divided.
struct cx_shard {
    uint32_t index;     // from 0
    uint32_t total;     // 0: the campaign is not divided
    const char *source; // static; the variable that said so, NULL: the command line
};

// "3/8": the third of eight; "none": not divided, whatever the environment says.
enum cx_status cx_shard_parse(const char *text, struct cx_shard *shard, struct cx_error *error);

// What the environment says: Bazel's and GoogleTest's variables, those of an Indexed Job of Kubernetes, or of a Slurm
// array, in this order, for the innermost one divides the work. The file by which a test runner learns that sharding
// is understood is touched.
enum cx_status cx_shard_environment(struct cx_shard *shard, struct cx_error *error);

#endif

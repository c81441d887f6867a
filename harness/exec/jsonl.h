// SPDX-License-Identifier: Apache-2.0
//
// jsonl: the lines of `--json`, one object each.
//
//     {"type": "start", ...}     once for every target: what runs, on what
//     {"type": "finding", ...}   once for every new signature, when its replays are done
//     {"type": "scenario", ...}  once for every scenario on every target: totals
//     {"type": "end", ...}       the last line; a file without it belongs to a command that did not end
//
// Numbers of 64 bits are texts ("0x..."), for JSON's numbers are no integers. Finding objects hold nothing that depends
// on time, on --jobs or on the machine's speed: the same command writes the same ones again. `known` is the issue of
// the known defect that explains a finding, or empty; `regressed` the same where that was said to be fixed. `unseen` of
// a scenario lists the known defects that should have come and did not.
#ifndef CX_EXEC_JSONL_H
#define CX_EXEC_JSONL_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "harness/detect/signature.h"
#include "harness/finding.h"
#include "harness/status.h"

// Zeroed memory is valid and writes nowhere.
struct cx_jsonl {
    FILE *file;
    const char *path; // borrowed
    int failed;
};

// Create the file. The reason of a failure names it.
enum cx_status cx_jsonl_open(struct cx_jsonl *jsonl, const char *path, struct cx_error *error);

// Write one object and drop the reference to it. A failure is kept for cx_jsonl_close().
void cx_jsonl_write(struct cx_jsonl *jsonl, json_t *object);

// CX_ERR_SYSTEM if any line is missing so far.
enum cx_status cx_jsonl_status(const struct cx_jsonl *jsonl, struct cx_error *error);
// The same, in the end.
enum cx_status cx_jsonl_close(struct cx_jsonl *jsonl, struct cx_error *error);

// A number of 64 bits as "0x...". A new reference.
json_t *cx_jsonl_hex(uint64_t number);

// What a program printed, whatever bytes it is made of. A new reference.
json_t *cx_jsonl_text(const char *bytes);

// The stacks that belong to a symptom, symbolised, as a list of {thread, role, ..., frames}. A new reference.
json_t *cx_jsonl_stacks(const struct cx_result *result, const struct cx_resolver *resolver, enum cx_outcome kind,
                        uint32_t race);

#endif

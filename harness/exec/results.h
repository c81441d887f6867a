// SPDX-License-Identifier: Apache-2.0
//
// results: where what a campaign finds goes for machines: the lines of `--json` and the store. Both take the same
// objects, which exec/jsonl.h describes.
#ifndef CX_EXEC_RESULTS_H
#define CX_EXEC_RESULTS_H

#include "harness/exec/jsonl.h"
#include "harness/store/store.h"

// Zeroed memory is valid and writes nowhere.
struct cx_results {
    struct cx_jsonl jsonl;
    struct cx_store store;
    uint64_t progress_ns; // when the store was last told how far a scenario is
};

// `json_path` and `store_path` may be NULL; borrowed. Whatever is open is closed again on a failure.
enum cx_status cx_results_open(struct cx_results *results, const char *json_path, const char *store_path,
                               const struct cx_store_session *session, struct cx_error *error);

// Write one object and drop the reference to it. `schedule_path`: the file of a finding, or NULL.
void cx_results_write(struct cx_results *results, json_t *object, const char *schedule_path);

// True once a second: the store may then be told how far a scenario is, by cx_results_progress().
int cx_results_progress_due(const struct cx_results *results);
// A scenario's totals so far, for the store alone; drops the reference.
void cx_results_progress(struct cx_results *results, json_t *object);

// CX_ERR_SYSTEM if something could not be written to either, so far.
enum cx_status cx_results_status(const struct cx_results *results, struct cx_error *error);

// Close both. CX_ERR_SYSTEM if anything is missing in either.
enum cx_status cx_results_close(struct cx_results *results, struct cx_error *error);

#endif

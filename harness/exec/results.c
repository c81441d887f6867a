// SPDX-License-Identifier: Apache-2.0
//
// results: see results.h.
#include "harness/exec/results.h"

#include <string.h>

#include "harness/exec/clock.h"

enum cx_status cx_results_open(struct cx_results *results, const char *json_path, const char *store_path,
                               const struct cx_store_session *session, struct cx_error *error)
{
    struct cx_error ignored;
    memset(results, 0, sizeof(*results));
    enum cx_status status = json_path != NULL ? cx_jsonl_open(&results->jsonl, json_path, error) : CX_OK;
    if (status == CX_OK && store_path != NULL) {
        status = cx_store_open(&results->store, store_path, CX_STORE_WRITE, error);
    }
    if (status != CX_OK) {
        cx_jsonl_close(&results->jsonl, &ignored);
        return status;
    }
    cx_store_begin(&results->store, session);
    results->progress_ns = cx_clock_ns();
    return CX_OK;
}

void cx_results_write(struct cx_results *results, json_t *object, const char *schedule_path)
{
    cx_store_event(&results->store, object, schedule_path);
    cx_jsonl_write(&results->jsonl, object);
}

int cx_results_progress_due(const struct cx_results *results)
{
    return results->store.database != NULL && cx_clock_ns() - results->progress_ns >= CX_NS_PER_S;
}

void cx_results_progress(struct cx_results *results, json_t *object)
{
    results->progress_ns = cx_clock_ns();
    cx_store_event(&results->store, object, NULL);
    json_decref(object);
}

enum cx_status cx_results_status(const struct cx_results *results, struct cx_error *error)
{
    if (results->store.failed) {
        return cx_error_set(error, CX_ERR_SYSTEM, "%s", results->store.error.text);
    }
    return cx_jsonl_status(&results->jsonl, error);
}

enum cx_status cx_results_close(struct cx_results *results, struct cx_error *error)
{
    struct cx_error second;
    enum cx_status lines = cx_jsonl_close(&results->jsonl, error);
    enum cx_status store = cx_store_close(&results->store, lines == CX_OK ? error : &second);
    return lines != CX_OK ? lines : store;
}

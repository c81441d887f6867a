// SPDX-License-Identifier: Apache-2.0
//
// store: the SQLite file that a campaign leaves: what ran, on what, and everything about its findings.
//
// reports/schema.sql is its form. What goes in are the objects of `--json` (exec/jsonl.h), taken apart by SQL
// statements, so that no fact has two ways out of the command. Write-ahead log, one transaction for each call: a
// command that is killed leaves a store that opens clean, and at most a second of totals is lost.
//
// A failure to write is kept: later calls do nothing, what was written before stays valid, and cx_store_close() says
// what happened. All calls come from one thread; other processes may write to the same file.
#ifndef CX_STORE_STORE_H
#define CX_STORE_STORE_H

#include <jansson.h>
#include <sqlite3.h>
#include <stdint.h>

#include "harness/status.h"

#define CX_STORE_SCHEMA_VERSION 3
#define CX_STORE_NAME "results.db" // in the folder of `run --out`
#define CX_STORE_ID_BYTES 33       // 32 hexadecimal digits

// Zeroed memory is valid and writes nowhere.
struct cx_store {
    sqlite3 *database; // owned; NULL: closed
    const char *path;  // borrowed
    char session[CX_STORE_ID_BYTES];
    char campaign[CX_STORE_ID_BYTES]; // that units belong to
    int copied;                       // it is a copy in memory, of a store of an older form
    int failed;
    struct cx_error error; // of the first failure
};

// One execution of the command.
struct cx_store_session {
    const char *command; // its words, as for a shell
    const char *version;
    uint64_t seed;
    uint32_t jobs;
    const char *campaign; // of which this is a shard, 32 hexadecimal digits; NULL: a campaign of its own
    uint32_t shard_index; // from 0
    uint32_t shard_total; // 0: no shard
};

enum cx_store_mode {
    CX_STORE_READ,  // it must exist
    CX_STORE_WRITE, // it is made if it does not exist
};

// Open the file. CX_ERR_ENVIRONMENT or CX_ERR_FORMAT with a reason that names it; the store is closed then.
enum cx_status cx_store_open(struct cx_store *store, const char *path, enum cx_store_mode mode, struct cx_error *error);

// Begin a session: everything that follows belongs to it.
void cx_store_begin(struct cx_store *store, const struct cx_store_session *session);

// Go on with a session of this store, which is a campaign of its own.
void cx_store_go_on(struct cx_store *store, const char *session);

// Take one object of `--json`, or of a soak; borrowed. Without a "unit" it is of unit 0. Types that the store has no
// place for are ignored. `schedule_path`: the file that goes with a finding, or NULL.
void cx_store_event(struct cx_store *store, const json_t *object, const char *schedule_path);

// What is known of a unit already. `key` has target, build_id, scenario, strategy, unit, and "runs": how many it has in
// all. Its verdict, if all of it has been played and the harness did not fail; else an empty text.
void cx_store_unit_verdict(struct cx_store *store, const json_t *key, char *verdict, size_t verdict_bytes);
// 1 if another unit of the campaign has shown the same signature, and tells at least as much (the view `ranked`): then
// what is kept of this one needs no stacks and no schedule. `finding` has target, build_id, scenario, id, status, run,
// unit.
int cx_store_outdone(struct cx_store *store, const json_t *finding);
// A shard's part of a scenario: {units, runs, runs_failing, choices, signatures: [{id, signature, known,
// unexpected, count}]}. `key` has target, build_id, scenario, strategy, and those units count of which (unit + offset)
// % total is index. A new reference; NULL on a failure.
json_t *cx_store_part(struct cx_store *store, const json_t *key);

// A sentence for each campaign in shards that is not complete, with the shards of which no session came to its end. A
// new reference; NULL on a failure.
json_t *cx_store_shards_open(struct cx_store *store);

// The lighter shrunk schedule, explanation or the like of a finding is kept.
void cx_store_artifact(struct cx_store *store, const char *target, const char *scenario, const char *id,
                       const char *kind, uint64_t weight, const char *content);

// Close it. CX_ERR_SYSTEM if something could not be written; the reason names the file. A closed store is CX_OK.
enum cx_status cx_store_close(struct cx_store *store, struct cx_error *error);

// Take all that the other stores hold into `store`, in one transaction. The result does not depend on order, and not on
// how often a store is named. On a failure `store` is as it was.
enum cx_status cx_store_merge(struct cx_store *store, const char *path, struct cx_error *error);

// The number that a query gives first, -1 if it gives none.
int64_t cx_store_number(struct cx_store *store, const char *sql);
// Run statements that give nothing back; 0, or -1 with the reason kept.
int cx_store_execute(struct cx_store *store, const char *sql);
// Commit, or roll back if anything has failed since "BEGIN IMMEDIATE".
void cx_store_transaction_end(struct cx_store *store);

#endif

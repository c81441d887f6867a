// SPDX-License-Identifier: Apache-2.0
//
// merge: see cx_store_merge() in store.h.
//
// Rows are united by their keys. Where both stores have a row, each group of columns that belong together is taken
// from one of the two: the one that counts more, or tells more, and at last the one of the later session id. That is a
// maximum of a total order, so that merging is idempotent, commutative and associative.
#include "harness/store/store.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/store/form.h"

// One statement for each table, children after parents.
static const char *const unions[] = {
    "INSERT INTO target SELECT * FROM other.target WHERE true ON CONFLICT DO NOTHING",
    "INSERT INTO session SELECT * FROM other.session WHERE true ON CONFLICT DO UPDATE SET "
    "  seen_ms = excluded.seen_ms, exit_code = excluded.exit_code WHERE excluded.seen_ms > seen_ms",
    "INSERT INTO exploration SELECT * FROM other.exploration WHERE true ON CONFLICT DO UPDATE SET "
    "  session = excluded.session, verdict = excluded.verdict, runs = excluded.runs, "
    "  runs_failing = excluded.runs_failing, runs_error = excluded.runs_error, replays = excluded.replays, "
    "  choices = excluded.choices, steps = excluded.steps, interleavings = excluded.interleavings, "
    "  threads_max = excluded.threads_max, cpu_ms = excluded.cpu_ms, wall_ms = excluded.wall_ms "
    "  WHERE (excluded.runs, coalesce(excluded.verdict <> 'error', false), excluded.verdict IS NOT NULL, "
    "    excluded.session) > (runs, coalesce(verdict <> 'error', false), verdict IS NOT NULL, session)",
    // A unit that was played twice, first in part: what it was seen as, and how often, may come from different times. A
    // soak confirms later what it could not at first.
    "INSERT INTO sighting SELECT * FROM other.sighting WHERE true ON CONFLICT DO UPDATE SET "
    "  session = excluded.session, kind = excluded.kind, status = excluded.status, expected = excluded.expected, "
    "  strategy = excluded.strategy, run = excluded.run, seed = excluded.seed, confirmed = excluded.confirmed, "
    "  replays = excluded.replays, details = excluded.details, schedule = excluded.schedule "
    "  WHERE (excluded.schedule IS NOT NULL, excluded.status = 'confirmed', excluded.session) "
    "    > (schedule IS NOT NULL, status = 'confirmed', session)",
    "UPDATE sighting SET count = max(sighting.count, o.count), first_ms = min(sighting.first_ms, o.first_ms), "
    "  last_ms = max(sighting.last_ms, o.last_ms) FROM other.sighting AS o WHERE sighting.campaign = o.campaign "
    "  AND sighting.target = o.target AND sighting.build_id = o.build_id AND sighting.scenario = o.scenario "
    "  AND sighting.unit = o.unit AND sighting.id = o.id",
    "INSERT INTO soak SELECT * FROM other.soak WHERE true ON CONFLICT DO UPDATE SET "
    "  units_max = excluded.units_max, time_max_ms = excluded.time_max_ms, spent_ms = excluded.spent_ms, "
    "  invalid = excluded.invalid "
    "  WHERE (excluded.spent_ms, excluded.invalid IS NOT NULL) > (spent_ms, invalid IS NOT NULL)",
    "INSERT INTO soak_unit SELECT * FROM other.soak_unit WHERE true ON CONFLICT DO NOTHING",
    "INSERT INTO soak_canary SELECT * FROM other.soak_canary WHERE true ON CONFLICT DO NOTHING",
    "INSERT INTO artifact SELECT * FROM other.artifact WHERE true ON CONFLICT DO UPDATE SET "
    "  weight = excluded.weight, content = excluded.content "
    "  WHERE (excluded.weight, excluded.content) < (weight, content)",
};

static int same_file(const char *left, const char *right)
{
    struct stat first, second;
    return stat(left, &first) == 0 && stat(right, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

// The file itself; or what was made of it in memory, because it is of an older form.
static int attach(struct cx_store *store, const char *path, const struct cx_store *other)
{
    char *sql = sqlite3_mprintf("ATTACH %Q AS other", other->copied ? ":memory:" : path);
    int status = sql != NULL ? cx_store_execute(store, sql) : -1;
    sqlite3_free(sql);
    return status == 0 && other->copied ? cx_store_copy(store->database, "other", other->database) : status;
}

enum cx_status cx_store_merge(struct cx_store *store, const char *path, struct cx_error *error)
{
    struct cx_store other = {0};
    if (same_file(store->path, path)) {
        return CX_OK; // it has all of itself
    }
    // Whether it is a store at all, and one whose form is known.
    enum cx_status status = cx_store_open(&other, path, CX_STORE_READ, error);
    if (status != CX_OK) {
        return status;
    }
    int attached = attach(store, path, &other);
    cx_store_close(&other, error);
    if (attached == 0 && cx_store_execute(store, "BEGIN IMMEDIATE") == 0) {
        for (size_t i = 0; i < sizeof(unions) / sizeof(unions[0]) && !store->failed; i++) {
            cx_store_execute(store, unions[i]);
        }
        cx_store_transaction_end(store);
    }
    sqlite3_exec(store->database, "DETACH other", NULL, NULL, NULL);
    if (attached != 0 && !store->failed) {
        return cx_error_set(error, CX_ERR_ENVIRONMENT, "merging %s: %s", path, sqlite3_errmsg(store->database));
    }
    return store->failed ? cx_error_set(error, CX_ERR_SYSTEM, "merging %s: %s", path, store->error.text) : CX_OK;
}

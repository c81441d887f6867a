// SPDX-License-Identifier: Apache-2.0
//
// store: see store.h. Opening, closing and the writing of a session's rows.
#include "harness/store/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/exec/clock.h"
#include "harness/store/form.h"
#include "harness/trace/schedule.h"

#define CX_STORE_BUSY_MS 20000 // for another process that is writing
#define STATEMENTS_MAX 5       // for one object

static const char session_sql[] = "INSERT INTO session VALUES (:session, :campaign, :now, :now, NULL, :command, "
                                  "  :version, :seed, :jobs, :index, :total)";

static const char target_sql[] = "INSERT INTO target SELECT :event ->> 'target', :event ->> 'build_id', "
                                 "  :event ->> 'python', :event ->> 'gil', :event ->> 'tsan', :event ->> 'debug' "
                                 "WHERE true ON CONFLICT DO NOTHING";

static const char exploration_sql[] =
    "INSERT OR REPLACE INTO exploration SELECT :campaign, :event ->> 'target', :event ->> 'build_id', "
    "  :event ->> 'scenario', :event ->> 'strategy', coalesce(:event ->> 'unit', 0), :session, :event ->> 'verdict', "
    ":event ->> 'runs', "
    "  :event ->> 'runs_failing', :event ->> 'runs_error', :event ->> 'replays', :event ->> 'choices', "
    "  :event ->> 'steps', :event ->> 'interleavings_distinct', :event ->> 'threads_max', "
    "  CAST(1000 * (:event ->> 'cpu_s') AS INTEGER), CAST(1000 * (:event ->> 'wall_s') AS INTEGER)";

static const char counts_sql[] =
    "UPDATE sighting SET count = now.count, last_ms = CASE WHEN now.count > sighting.count THEN :now ELSE last_ms END "
    "FROM (SELECT value ->> 'id' AS id, value ->> 'count' AS count FROM json_each(:event, '$.signatures')) AS now "
    "WHERE sighting.id = now.id AND session = :session AND unit = coalesce(:event ->> 'unit', 0) "
    "  AND target = :event ->> 'target' "
    "  AND build_id = :event ->> 'build_id' AND scenario = :event ->> 'scenario'";

static const char sighting_sql[] =
    "INSERT OR REPLACE INTO sighting SELECT :campaign, :event ->> 'target', :event ->> 'build_id', "
    "  :event ->> 'scenario', coalesce(:event ->> 'unit', 0), :event ->> 'id', :session, :event ->> 'signature', "
    ":event ->> 'kind', :event ->> 'status', "
    "  :event ->> 'expected', :event ->> 'strategy', :event ->> 'run', :event ->> 'seed', 1, :event ->> 'confirmed', "
    "  :event ->> 'replays', :now, :now, json(:event), :schedule";

static const char soak_sql[] =
    "INSERT INTO soak SELECT :session, json(:event -> 'asked'), :event ->> 'units_max', :event ->> 'time_max_ms', "
    "  :event ->> 'spent_ms', :event ->> 'invalid' WHERE true ON CONFLICT DO UPDATE SET "
    "  units_max = excluded.units_max, time_max_ms = excluded.time_max_ms, spent_ms = excluded.spent_ms, "
    "  invalid = excluded.invalid";

static const char unit_sql[] =
    "INSERT INTO soak_unit SELECT :session, :event ->> 'number', :event ->> 'target', :event ->> 'scenario', "
    "  :event ->> 'strategy', :event ->> 'seed', :event ->> 'unit_runs', :event ->> 'fresh', :event ->> 'cost', "
    "  json(:event -> 'unit_counts')";

static const char canary_sql[] = "INSERT INTO soak_canary SELECT :session, :event ->> 'pass', :event ->> 'target', "
                                 "  :event ->> 'scenario', :now, :event ->> 'runs', :event ->> 'found'";

static const char spent_sql[] = "UPDATE soak SET spent_ms = :event ->> 'spent_ms' WHERE session = :session";
static const char go_on_sql[] = "UPDATE session SET seen_ms = :now, exit_code = NULL WHERE id = :session";
static const char seen_sql[] = "UPDATE session SET seen_ms = :now WHERE id = :session";
static const char end_sql[] = "UPDATE session SET seen_ms = :now, exit_code = :event ->> 'exit' WHERE id = :session";

static const char artifact_sql[] = "INSERT INTO artifact VALUES (:target, :scenario, :id, :kind, :weight, :content) "
                                   "ON CONFLICT DO UPDATE SET weight = excluded.weight, content = excluded.content "
                                   "WHERE (excluded.weight, excluded.content) < (weight, content)";

static void keep_failure(struct cx_store *store, const char *what)
{
    if (!store->failed) {
        store->failed = 1;
        cx_error_set(&store->error, CX_ERR_SYSTEM, "the store %s: %s: %s", store->path, what,
                     sqlite3_errmsg(store->database));
    }
}

int cx_store_execute(struct cx_store *store, const char *sql)
{
    if (store->failed || sqlite3_exec(store->database, sql, NULL, NULL, NULL) != SQLITE_OK) {
        keep_failure(store, "cannot be written");
        return -1;
    }
    return 0;
}

void cx_store_transaction_end(struct cx_store *store)
{
    if (!store->failed) {
        cx_store_execute(store, "COMMIT");
    }
    if (store->failed) { // some failures have rolled back already, and then this does nothing
        sqlite3_exec(store->database, "ROLLBACK", NULL, NULL, NULL);
    }
}

int64_t cx_store_number(struct cx_store *store, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t number = -1;
    if (sqlite3_prepare_v2(store->database, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        number = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    return number;
}

static enum cx_status open_checked(struct cx_store *store, enum cx_store_mode mode, struct cx_error *error)
{
    static const char synchronous[] = "PRAGMA synchronous = NORMAL";
    struct stat about;
    int fresh = stat(store->path, &about) != 0 || about.st_size == 0;
    int flags = mode == CX_STORE_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    if (sqlite3_open_v2(store->path, &store->database, flags, NULL) != SQLITE_OK) {
        return cx_error_set(error, CX_ERR_ENVIRONMENT, "cannot open the store %s: %s", store->path,
                            sqlite3_errmsg(store->database));
    }
    sqlite3_busy_timeout(store->database, CX_STORE_BUSY_MS);
    if (mode == CX_STORE_READ) {
        return cx_store_form(store, mode, error);
    }
    // A new file holds nothing that a power failure could take, and its making need not wait for the disk nine times; a
    // kill at any moment leaves it as well as ever. Two commands may make the same file at once: whoever comes second
    // waits here, and finds it made.
    static const char begin[] = "PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE";
    int begun = sqlite3_exec(store->database, fresh ? "PRAGMA synchronous = OFF" : synchronous, NULL, NULL, NULL);
    begun = begun == SQLITE_OK ? sqlite3_exec(store->database, begin, NULL, NULL, NULL) : begun;
    if (begun != SQLITE_OK) {
        enum cx_status status = begun == SQLITE_NOTADB ? CX_ERR_FORMAT : CX_ERR_ENVIRONMENT;
        return cx_error_set(error, status, "cannot write the store %s: %s", store->path,
                            sqlite3_errmsg(store->database));
    }
    enum cx_status status = cx_store_form(store, mode, error);
    sqlite3_exec(store->database, sqlite3_get_autocommit(store->database) ? "" : "ROLLBACK", NULL, NULL, NULL);
    static const char ready[] = "PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON";
    if (status == CX_OK && (sqlite3_exec(store->database, ready, NULL, NULL, NULL) != SQLITE_OK ||
                            sqlite3_exec(store->database, synchronous, NULL, NULL, NULL) != SQLITE_OK)) {
        status = cx_error_set(error, CX_ERR_ENVIRONMENT, "cannot write the store %s: %s", store->path,
                              sqlite3_errmsg(store->database));
    }
    return status;
}

enum cx_status cx_store_open(struct cx_store *store, const char *path, enum cx_store_mode mode, struct cx_error *error)
{
    memset(store, 0, sizeof(*store));
    store->path = path;
    enum cx_status status = CX_OK;
    if (mode == CX_STORE_READ && access(path, R_OK) != 0) {
        return cx_error_set(error, CX_ERR_ENVIRONMENT, "cannot read the store %s: %s", path, strerror(errno));
    }
    status = open_checked(store, mode, error);
    if (status != CX_OK) {
        sqlite3_close(store->database);
        store->database = NULL;
    }
    return status;
}

static void bind_text(sqlite3_stmt *statement, const char *name, const char *text)
{
    int index = sqlite3_bind_parameter_index(statement, name);
    if (index > 0 && text != NULL) {
        sqlite3_bind_text(statement, index, text, -1, SQLITE_TRANSIENT);
    }
}

static void bind_number(sqlite3_stmt *statement, const char *name, uint64_t number)
{
    int index = sqlite3_bind_parameter_index(statement, name);
    if (index > 0) {
        sqlite3_bind_int64(statement, index, (sqlite3_int64)number);
    }
}

static sqlite3_stmt *prepare(struct cx_store *store, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    if (store->failed) {
        return NULL;
    }
    if (sqlite3_prepare_v2(store->database, sql, -1, &statement, NULL) != SQLITE_OK) {
        keep_failure(store, "cannot be written");
        return NULL;
    }
    bind_text(statement, ":session", store->session);
    bind_text(statement, ":campaign", store->campaign);
    bind_number(statement, ":now", cx_clock_unix_ms());
    return statement;
}

static void step_once(struct cx_store *store, sqlite3_stmt *statement)
{
    if (statement != NULL && sqlite3_step(statement) != SQLITE_DONE) {
        keep_failure(store, "cannot be written");
    }
    sqlite3_finalize(statement);
}

void cx_store_begin(struct cx_store *store, const struct cx_store_session *session)
{
    if (store->database == NULL) {
        return;
    }
    unsigned char bytes[(CX_STORE_ID_BYTES - 1) / 2];
    sqlite3_randomness(sizeof(bytes), bytes);
    for (size_t i = 0; i < sizeof(bytes); i++) {
        snprintf(store->session + 2 * i, 3, "%02x", bytes[i]);
    }
    snprintf(store->campaign, sizeof(store->campaign), "%s",
             session->campaign != NULL ? session->campaign : store->session);
    sqlite3_stmt *statement = prepare(store, session_sql);
    if (statement != NULL) {
        char seed[20];
        snprintf(seed, sizeof(seed), "0x%016llx", (unsigned long long)session->seed);
        bind_text(statement, ":command", session->command);
        bind_text(statement, ":version", session->version);
        bind_text(statement, ":seed", seed);
        bind_number(statement, ":jobs", session->jobs);
        bind_number(statement, ":index", session->shard_index);
        bind_number(statement, ":total", session->shard_total);
    }
    step_once(store, statement);
}

void cx_store_go_on(struct cx_store *store, const char *session)
{
    if (session != store->session) {
        snprintf(store->session, sizeof(store->session), "%s", session);
    }
    snprintf(store->campaign, sizeof(store->campaign), "%s", store->session);
    step_once(store, prepare(store, go_on_sql));
}

static void event_statement(struct cx_store *store, const char *sql, const char *event, const char *schedule)
{
    sqlite3_stmt *statement = prepare(store, sql);
    if (statement != NULL) {
        bind_text(statement, ":event", event);
        bind_text(statement, ":schedule", schedule);
    }
    step_once(store, statement);
}

void cx_store_event(struct cx_store *store, const json_t *object, const char *schedule_path)
{
    // Which statements take an object of this type, in their order.
    static const struct {
        const char *type;
        const char *statements[STATEMENTS_MAX];
    } takers[] = {
        {"start", {target_sql, seen_sql}},
        {"scenario", {exploration_sql, counts_sql, seen_sql}},
        {"finding", {sighting_sql, seen_sql}},
        {"end", {end_sql}},
        {"soak", {soak_sql, seen_sql}},
        {"unit", {exploration_sql, counts_sql, unit_sql, spent_sql, seen_sql}},
        {"canary", {canary_sql, spent_sql, seen_sql}},
    };
    if (store->database == NULL || store->failed || object == NULL) {
        return;
    }
    const char *type = json_string_value(json_object_get(object, "type"));
    for (size_t i = 0; i < sizeof(takers) / sizeof(takers[0]); i++) {
        if (type == NULL || strcmp(takers[i].type, type) != 0) {
            continue;
        }
        char *event = json_dumps(object, JSON_COMPACT);
        char *schedule = NULL;
        size_t schedule_bytes = 0;
        if (schedule_path != NULL) {
            (void)cx_schedule_file(schedule_path, &schedule, &schedule_bytes, NULL); // it may be lost, which was said
        }
        if (event != NULL && cx_store_execute(store, "BEGIN IMMEDIATE") == 0) {
            for (size_t k = 0; k < STATEMENTS_MAX && takers[i].statements[k] != NULL; k++) {
                event_statement(store, takers[i].statements[k], event, schedule);
            }
            cx_store_transaction_end(store);
        }
        free(schedule);
        free(event);
        return;
    }
}

void cx_store_artifact(struct cx_store *store, const char *target, const char *scenario, const char *id,
                       const char *kind, uint64_t weight, const char *content)
{
    if (store->database == NULL || store->failed) {
        return;
    }
    sqlite3_stmt *statement = prepare(store, artifact_sql);
    if (statement != NULL) {
        bind_text(statement, ":target", target);
        bind_text(statement, ":scenario", scenario);
        bind_text(statement, ":id", id);
        bind_text(statement, ":kind", kind);
        bind_number(statement, ":weight", weight);
        bind_text(statement, ":content", content);
    }
    step_once(store, statement);
}

enum cx_status cx_store_close(struct cx_store *store, struct cx_error *error)
{
    if (store->database == NULL) {
        return CX_OK;
    }
    // A closed store is one file, readable where nothing can be written; refused while another process has it open.
    // After a checkpoint all is on the disk; one page is left to be written, with or without which the file is sound.
    if (sqlite3_exec(store->database, "PRAGMA wal_checkpoint(FULL)", NULL, NULL, NULL) == SQLITE_OK) {
        sqlite3_exec(store->database, "PRAGMA synchronous = OFF", NULL, NULL, NULL);
    }
    sqlite3_exec(store->database, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
    sqlite3_close(store->database);
    store->database = NULL;
    return store->failed ? cx_error_set(error, CX_ERR_SYSTEM, "%s", store->error.text) : CX_OK;
}

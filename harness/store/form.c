// SPDX-License-Identifier: Apache-2.0
//
// form: see form.h. reports/schema.sql is the form; reports/migrations/N.sql makes version N of version N - 1.
#include "harness/store/form.h"

#include <stdio.h>

#include "harness/store/schema.h"

#define CX_STORE_APPLICATION 0x63787374 // "cxst", so that another database is not taken for one of ours

// What leads to each version; a store begins with version 1.
static const char *const steps[CX_STORE_SCHEMA_VERSION + 1] = {[2] = cx_store_migration_2, [3] = cx_store_migration_3};

static enum cx_status numbers_set(struct cx_store *store, struct cx_error *error)
{
    char sql[100];
    snprintf(sql, sizeof(sql), "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT", CX_STORE_APPLICATION,
             CX_STORE_SCHEMA_VERSION);
    if (cx_store_execute(store, cx_store_schema) != 0 || cx_store_execute(store, sql) != 0) {
        return cx_error_set(error, CX_ERR_ENVIRONMENT, "%s", store->error.text);
    }
    return CX_OK;
}

// Views hold nothing, and would keep a table from being replaced.
static void views_drop(struct cx_store *store)
{
    sqlite3_stmt *statement = NULL;
    static const char sql[] = "SELECT group_concat('DROP VIEW ' || name, ';') FROM sqlite_schema WHERE type = 'view'";
    if (sqlite3_prepare_v2(store->database, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_type(statement, 0) == SQLITE_TEXT) {
        char *drops = sqlite3_mprintf("%s", sqlite3_column_text(statement, 0));
        sqlite3_finalize(statement);
        cx_store_execute(store, drops != NULL ? drops : "");
        sqlite3_free(drops);
        return;
    }
    sqlite3_finalize(statement);
}

// Within one transaction, so that a store is of the old form or of the new one, whatever happens.
static enum cx_status migrate(struct cx_store *store, int64_t version, struct cx_error *error)
{
    struct cx_error reason = {0};
    views_drop(store);
    for (int64_t next = version + 1; next <= CX_STORE_SCHEMA_VERSION; next++) {
        cx_store_execute(store, steps[next]);
    }
    if (!store->failed && cx_store_number(store, "SELECT count(*) FROM pragma_foreign_key_check") != 0) {
        cx_error_set(&reason, CX_ERR_FORMAT, "its tables contradict each other");
    } else if (!store->failed && numbers_set(store, &reason) == CX_OK) {
        return CX_OK;
    }
    return cx_error_set(error, CX_ERR_ENVIRONMENT,
                        "%s has schema version %lld and cannot be brought to version %d, so it stays as it is: %s",
                        store->path, (long long)version, CX_STORE_SCHEMA_VERSION,
                        store->failed ? sqlite3_errmsg(store->database) : reason.text);
}

// A store that is only read is not changed: a copy of it in memory is.
static enum cx_status copy_migrate(struct cx_store *store, int64_t version, struct cx_error *error)
{
    sqlite3 *file = store->database;
    sqlite3 *memory = NULL;
    if (sqlite3_open(":memory:", &memory) != SQLITE_OK || cx_store_copy(memory, "main", file) != 0) {
        cx_error_set(error, CX_ERR_ENVIRONMENT, "cannot read the store %s: %s", store->path, sqlite3_errmsg(memory));
        sqlite3_close(memory);
        return CX_ERR_ENVIRONMENT;
    }
    sqlite3_close(file);
    store->database = memory;
    store->copied = 1;
    return cx_store_execute(store, "BEGIN") == 0 ? migrate(store, version, error) : CX_ERR_ENVIRONMENT;
}

int cx_store_copy(sqlite3 *into, const char *schema, sqlite3 *from)
{
    sqlite3_backup *backup = sqlite3_backup_init(into, schema, from, "main");
    if (backup == NULL) {
        return -1;
    }
    (void)sqlite3_backup_step(backup, -1); // what went wrong is what the end says
    return sqlite3_backup_finish(backup) == SQLITE_OK ? 0 : -1;
}

enum cx_status cx_store_form(struct cx_store *store, enum cx_store_mode mode, struct cx_error *error)
{
    int64_t application = cx_store_number(store, "PRAGMA application_id");
    int64_t version = cx_store_number(store, "PRAGMA user_version");
    int64_t tables = cx_store_number(store, "SELECT count(*) FROM sqlite_schema");
    if (tables < 0) {
        int busy = sqlite3_errcode(store->database) == SQLITE_BUSY;
        return cx_error_set(error, busy ? CX_ERR_ENVIRONMENT : CX_ERR_FORMAT, "%s is no store of constrictor: %s",
                            store->path, sqlite3_errmsg(store->database));
    }
    if (tables == 0 && mode == CX_STORE_WRITE) {
        return numbers_set(store, error);
    }
    if (application != CX_STORE_APPLICATION) {
        return cx_error_set(error, CX_ERR_FORMAT, "%s is a database, but no store of constrictor", store->path);
    }
    if (version < 1 || version > CX_STORE_SCHEMA_VERSION) {
        return cx_error_set(error, CX_ERR_FORMAT,
                            "%s has schema version %lld, this constrictor reads up to %d: use the one that wrote it",
                            store->path, (long long)version, CX_STORE_SCHEMA_VERSION);
    }
    if (version == CX_STORE_SCHEMA_VERSION) {
        return CX_OK;
    }
    return mode == CX_STORE_WRITE ? migrate(store, version, error) : copy_migrate(store, version, error);
}

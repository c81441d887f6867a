// SPDX-License-Identifier: Apache-2.0
//
// test_migrate: a store that an older program wrote. tests/store/version1.db was made by the program of schema version
// 1: three scenarios of the plain target, 30 runs each, one of two findings shrunk and explained.
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/store/store.h"

#define VERSION1 CONSTRICTOR_SOURCE_DIR "/tests/store/version1.db"
#define CONTENT                                                                                                        \
    "SELECT group_concat(target || scenario || id || status || count || confirmed || sessions || length(schedule)) "   \
    "FROM (SELECT * FROM finding ORDER BY id) UNION ALL "                                                              \
    "SELECT group_concat(scenario || runs || runs_failing || steps) FROM total UNION ALL "                             \
    "SELECT group_concat(id || started_ms || command || exit_code) FROM session UNION ALL "                            \
    "SELECT group_concat(id || kind || weight || length(content)) FROM artifact"

static char folder[] = "/tmp/constrictor-migrate-XXXXXX";
static char path[100];

static int begin(void **unused)
{
    (void)unused;
    snprintf(folder, sizeof(folder), "/tmp/constrictor-migrate-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/old.db", folder);
    char bytes[4096];
    FILE *from = fopen(VERSION1, "re");
    FILE *into = fopen(path, "we");
    assert_non_null(from);
    assert_non_null(into);
    for (size_t got = 0; (got = fread(bytes, 1, sizeof(bytes), from)) > 0;) {
        assert_int_equal(fwrite(bytes, 1, got, into), got);
    }
    fclose(from);
    fclose(into);
    return 0;
}

static int end(void **unused)
{
    (void)unused;
    static const char *const names[] = {"old.db", "all.db", "new.db"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        unlink(path);
    }
    return rmdir(folder);
}

// All rows of the first column, in lines; the caller frees it.
static char *answer(sqlite3 *database, const char *sql)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&text, &bytes);
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK) {
        fail_msg("%s", sqlite3_errmsg(database));
    }
    while (sqlite3_step(statement) == SQLITE_ROW) {
        fprintf(stream, "%s\n", (const char *)sqlite3_column_text(statement, 0));
    }
    sqlite3_finalize(statement);
    fclose(stream);
    return text;
}

static char *answer_of_file(const char *name, const char *sql)
{
    sqlite3 *database = NULL;
    assert_int_equal(sqlite3_open_v2(name, &database, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    char *text = answer(database, sql);
    sqlite3_close(database);
    return text;
}

static void expect(const char *name, const char *sql, const char *wanted)
{
    char *text = answer_of_file(name, sql);
    assert_string_equal(text, wanted);
    free(text);
}

static void open_close(struct cx_store *store, const char *name)
{
    struct cx_error error = {0};
    if (cx_store_open(store, name, CX_STORE_WRITE, &error) != CX_OK || cx_store_close(store, &error) != CX_OK) {
        fail_msg("%s", error.text);
    }
}

static void execute(const char *sql)
{
    sqlite3 *database = NULL;
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
}

// What the tables and views are made with, without the spaces, comments and quotes in which a copied table may differ.
static char *form(const char *name)
{
    char *text = answer_of_file(name, "SELECT type || name || sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY 1");
    char *into = text;
    for (const char *at = text; *at != '\0'; at++) {
        if (at[0] == '-' && at[1] == '-') {
            at = strchr(at, '\n');
        } else if (strchr(" \n\"", *at) == NULL) {
            *into++ = *at;
        }
    }
    *into = '\0';
    return text;
}

static void test_an_old_store_gets_the_form_of_a_new_one(void **unused)
{
    (void)unused;
    char *before = answer_of_file(VERSION1, CONTENT);
    struct cx_store store;
    char fresh[100];
    snprintf(fresh, sizeof(fresh), "%s/new.db", folder);
    open_close(&store, path);
    open_close(&store, fresh);
    char *old_form = form(path);
    char *new_form = form(fresh);
    assert_string_equal(old_form, new_form);
    assert_non_null(strstr(new_form, "sighting"));
    expect(path, CONTENT, before);
    assert_non_null(strstr(before, "82577f1f4b6c"));
    expect(path, "PRAGMA user_version", "3\n");
    expect(path, "PRAGMA integrity_check", "ok\n");
    expect(path, "PRAGMA foreign_key_check", "");
    expect(path, "SELECT count(*) FROM session WHERE campaign = id AND shard_total = 0", "1\n");
    free(before);
    free(old_form);
    free(new_form);
}

static void test_an_old_store_that_is_read_stays_as_it_is(void **unused)
{
    (void)unused;
    struct cx_store store;
    struct cx_error error = {0};
    assert_int_equal(chmod(path, 0444), 0);
    assert_int_equal(cx_store_open(&store, path, CX_STORE_READ, &error), CX_OK);
    char *wanted = answer_of_file(VERSION1, CONTENT);
    char *got = answer(store.database, CONTENT);
    assert_string_equal(got, wanted);
    assert_int_equal(cx_store_close(&store, &error), CX_OK);
    expect(path, "PRAGMA user_version", "1\n");
    free(wanted);
    free(got);
}

static void test_an_old_store_can_be_merged(void **unused)
{
    (void)unused;
    struct cx_store store;
    struct cx_error error = {0};
    char all[100];
    snprintf(all, sizeof(all), "%s/all.db", folder);
    assert_int_equal(cx_store_open(&store, all, CX_STORE_WRITE, &error), CX_OK);
    for (int i = 0; i < 2; i++) { // the second time it has all of it
        if (cx_store_merge(&store, path, &error) != CX_OK) {
            fail_msg("%s", error.text);
        }
    }
    assert_int_equal(cx_store_close(&store, &error), CX_OK);
    char *wanted = answer_of_file(VERSION1, CONTENT);
    expect(all, CONTENT, wanted);
    expect(path, "PRAGMA user_version", "1\n");
    free(wanted);
}

// Everything that is in a file, row for row, and its version.
static char *dump(void)
{
    return answer_of_file(path, "SELECT json_array(type, name, sql) FROM sqlite_schema UNION ALL "
                                "SELECT json_array(id, seen_ms) FROM session UNION ALL "
                                "SELECT json_array(session, scenario, id, details, schedule) FROM sighting UNION ALL "
                                "SELECT json_array(session, scenario, runs) FROM exploration UNION ALL "
                                "SELECT user_version FROM pragma_user_version");
}

static void expect_failure(const char *said)
{
    char *before = dump();
    struct cx_store store;
    struct cx_error error = {0};
    for (enum cx_store_mode mode = CX_STORE_READ; mode <= CX_STORE_WRITE; mode++) {
        assert_int_not_equal(cx_store_open(&store, path, mode, &error), CX_OK);
        assert_non_null(strstr(error.text, path));
        assert_non_null(strstr(error.text, said));
        assert_null(strchr(error.text, '\n'));
        char *after = dump();
        assert_string_equal(after, before);
        free(after);
    }
    free(before);
}

static void test_a_step_that_fails_changes_nothing(void **unused)
{
    (void)unused;
    execute("CREATE TABLE new_sighting (x)"); // fails the last table of the step, when two are done
    expect_failure("stays as it is: table new_sighting already exists");
}

static void test_rows_without_their_session_are_not_taken_over(void **unused)
{
    (void)unused;
    execute("DELETE FROM session");
    expect_failure("its tables contradict each other");
}

static void test_a_newer_store_is_refused(void **unused)
{
    (void)unused;
    execute("PRAGMA user_version = 4");
    expect_failure("has schema version 4, this constrictor reads up to 3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_an_old_store_gets_the_form_of_a_new_one, begin, end),
        cmocka_unit_test_setup_teardown(test_an_old_store_that_is_read_stays_as_it_is, begin, end),
        cmocka_unit_test_setup_teardown(test_an_old_store_can_be_merged, begin, end),
        cmocka_unit_test_setup_teardown(test_a_step_that_fails_changes_nothing, begin, end),
        cmocka_unit_test_setup_teardown(test_rows_without_their_session_are_not_taken_over, begin, end),
        cmocka_unit_test_setup_teardown(test_a_newer_store_is_refused, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

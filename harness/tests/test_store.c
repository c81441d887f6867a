// SPDX-License-Identifier: Apache-2.0
//
// test_store: the store as other commands find it: after an end, after a kill, after a full disk, after merging.
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/prng.h"
#include "harness/store/store.h"

static const struct cx_store_session session = {
    .command = "constrictor run all", .version = "test", .seed = 7, .jobs = 2, .shard_total = 0};

static char folder[64];

static const char *path_of(const char *name)
{
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static void event(struct cx_store *store, const char *schedule_path, json_t *object)
{
    assert_non_null(object);
    cx_store_event(store, object, schedule_path);
    json_decref(object);
}

static void event_start(struct cx_store *store)
{
    event(store, NULL,
          json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:b}", "type", "start", "target", "T", "build_id", "B", "python",
                    "3.14", "gil", 0, "tsan", 0, "debug", 1));
}

static void event_finding(struct cx_store *store, const char *id, const char *status, int run, const char *schedule)
{
    event(store, schedule,
          json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:i, s:s, s:i, s:i}", "type", "finding",
                    "target", "T", "build_id", "B", "scenario", "a/b", "id", id, "signature", "crash \"x\" [1]", "kind",
                    "crash", "status", status, "expected", 0, "strategy", "pct", "run", run, "seed", "0x1", "confirmed",
                    3, "replays", 3));
}

static void event_totals(struct cx_store *store, int runs, const char *verdict, const char *id, int count)
{
    event(store, NULL,
          json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:f, s:f, s:[{s:s, s:i}]}",
                    "type", "scenario", "target", "T", "build_id", "B", "scenario", "a/b", "strategy", "pct", "verdict",
                    verdict, "runs", runs, "runs_failing", count, "runs_error", 0, "replays", 3, "choices", 9, "steps",
                    10, "interleavings_distinct", 4, "threads_max", 3, "cpu_s", 1.5, "wall_s", 2.0, "signatures", "id",
                    id, "count", count));
}

// All that a query gives, as one text that the caller frees.
static char *query(const char *path, const char *sql)
{
    struct cx_store store;
    struct cx_error error = {0};
    char *text = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&text, &bytes);
    sqlite3_stmt *statement = NULL;
    if (cx_store_open(&store, path, CX_STORE_READ, &error) != CX_OK) {
        fail_msg("%s", error.text);
    }
    assert_int_equal(sqlite3_prepare_v2(store.database, sql, -1, &statement, NULL), SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(statement); i++) {
            const unsigned char *value = sqlite3_column_text(statement, i);
            fprintf(stream, "%s%s", value != NULL ? (const char *)value : "null",
                    i + 1 < sqlite3_column_count(statement) ? "|" : "\n");
        }
    }
    sqlite3_finalize(statement);
    assert_int_equal(cx_store_close(&store, &error), CX_OK);
    fclose(stream);
    return text;
}

static void expect_query(const char *path, const char *sql, const char *wanted)
{
    char *text = query(path, sql);
    assert_string_equal(text, wanted);
    free(text);
}

static void store_with(const char *path, const char *id, const char *status, int run, int count)
{
    struct cx_store store;
    struct cx_error error = {0};
    assert_int_equal(cx_store_open(&store, path, CX_STORE_WRITE, &error), CX_OK);
    cx_store_begin(&store, &session);
    event_start(&store);
    event_finding(&store, id, status, run, NULL);
    event_totals(&store, 100 * count, "findings", id, count);
    cx_store_artifact(&store, "T", "a/b", id, "shrunk", (uint64_t)run, "schedule");
    event(&store, NULL, json_pack("{s:s, s:i}", "type", "end", "exit", 1));
    assert_int_equal(cx_store_close(&store, &error), CX_OK);
}

static void test_what_goes_in_can_be_asked_for(void **unused)
{
    (void)unused;
    const char *path = path_of("plain.db");
    const char *schedule = path_of("one.cxs");
    FILE *file = fopen(schedule, "we");
    fputs("a schedule\n", file);
    fclose(file);
    struct cx_store store;
    struct cx_error error = {0};
    assert_int_equal(cx_store_open(&store, path, CX_STORE_WRITE, &error), CX_OK);
    cx_store_begin(&store, &session);
    event_start(&store);
    event_finding(&store, "0123456789ab", "confirmed", 5, schedule);
    event_totals(&store, 40, NULL, "0123456789ab", 2);
    event_totals(&store, 100, "findings", "0123456789ab", 9);
    event(&store, NULL, json_pack("{s:s}", "type", "of another version"));
    event(&store, NULL, json_pack("{s:s, s:i}", "type", "end", "exit", 1));
    assert_int_equal(cx_store_close(&store, &error), CX_OK);
    expect_query(path, "SELECT command, seed, exit_code FROM session", "constrictor run all|0x0000000000000007|1\n");
    expect_query(path, "SELECT runs, runs_failing, verdict, cpu_ms FROM exploration", "100|9|findings|1500\n");
    expect_query(path, "SELECT id, signature, run, count, schedule, details ->> 'kind' FROM finding",
                 "0123456789ab|crash \"x\" [1]|5|9|a schedule\n|crash\n");
    assert_int_not_equal(access(path_of("plain.db-wal"), F_OK), 0); // one file, for read-only media
}

static void test_a_killed_writer_leaves_a_valid_store(void **unused)
{
    (void)unused;
    const char *path = path_of("killed.db");
    struct cx_prng prng = {.state = 1};
    uint64_t told = 0; // findings that writers said were in
    for (int round = 0; round < 40; round++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0) {
            struct cx_store store;
            struct cx_error error;
            if (cx_store_open(&store, path, CX_STORE_WRITE, &error) != CX_OK) {
                _exit(1);
            }
            cx_store_begin(&store, &session);
            event_start(&store);
            for (int i = 0;; i++) {
                char id[16];
                snprintf(id, sizeof(id), "%012x", i);
                event_finding(&store, id, "confirmed", i, NULL);
                if (write(ends[1], "f", 1) != 1) {
                    _exit(1);
                }
            }
        }
        close(ends[1]);
        // The kill comes after a number of findings, and so at any place of the next one.
        uint64_t wanted = cx_prng_below(&prng, 20);
        char byte;
        for (uint64_t i = 0; i < wanted; i++) {
            assert_int_equal(read(ends[0], &byte, 1), 1);
        }
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        told += wanted;
        close(ends[0]);
        expect_query(path, "PRAGMA integrity_check", "ok\n");
    }
    char sql[100];
    snprintf(sql, sizeof(sql), "SELECT count(*) >= %llu FROM sighting", (unsigned long long)told);
    expect_query(path, sql, "1\n");
    assert_true(told > 100);
}

static void test_a_full_disk_is_said_and_loses_nothing(void **unused)
{
    (void)unused;
    const char *path = path_of("full.db");
    store_with(path, "aaaaaaaaaaaa", "confirmed", 1, 1);
    pid_t child = fork();
    if (child == 0) {
        struct cx_store store;
        struct cx_error error = {0};
        struct rlimit limit = {64 << 10, 64 << 10};
        signal(SIGXFSZ, SIG_IGN);
        if (setrlimit(RLIMIT_FSIZE, &limit) != 0 || cx_store_open(&store, path, CX_STORE_WRITE, &error) != CX_OK) {
            _exit(10);
        }
        cx_store_begin(&store, &session);
        event_start(&store);
        for (int i = 0; i < 1000 && !store.failed; i++) {
            char id[16];
            snprintf(id, sizeof(id), "%012x", i);
            event_finding(&store, id, "confirmed", i, path); // the store itself, as a schedule of some kB
        }
        enum cx_status status = cx_store_close(&store, &error);
        _exit(status == CX_ERR_SYSTEM && strstr(error.text, path) != NULL ? 0 : 11);
    }
    int status = 0;
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    expect_query(path, "PRAGMA integrity_check", "ok\n");
    expect_query(path, "SELECT count(*) FROM finding WHERE id = 'aaaaaaaaaaaa'", "1\n");
}

static void test_what_is_no_store_is_refused(void **unused)
{
    (void)unused;
    struct cx_store store;
    struct cx_error error = {0};
    const char *path = path_of("text.db");
    FILE *file = fopen(path, "we");
    for (int i = 0; i < 100; i++) {
        fputs("this is a text, and not a database of any kind\n", file);
    }
    fclose(file);
    assert_int_equal(cx_store_open(&store, path, CX_STORE_READ, &error), CX_ERR_FORMAT);
    assert_non_null(strstr(error.text, path));
    assert_int_equal(cx_store_open(&store, path, CX_STORE_WRITE, &error), CX_ERR_FORMAT);
    assert_int_equal(cx_store_open(&store, path_of("missing.db"), CX_STORE_READ, &error), CX_ERR_ENVIRONMENT);
    path = path_of("other.db");
    sqlite3 *database = NULL;
    sqlite3_open(path, &database);
    assert_int_equal(sqlite3_exec(database, "CREATE TABLE t (x)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
    assert_int_equal(cx_store_open(&store, path, CX_STORE_WRITE, &error), CX_ERR_FORMAT);
    path = path_of("newer.db");
    store_with(path, "aaaaaaaaaaaa", "confirmed", 1, 1);
    sqlite3_open(path, &database);
    assert_int_equal(sqlite3_exec(database, "PRAGMA user_version = 999", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
    assert_int_equal(cx_store_open(&store, path, CX_STORE_READ, &error), CX_ERR_FORMAT);
    assert_non_null(strstr(error.text, "999"));
}

// Everything that a store says, in an order that does not depend on how it came to be.
static char *everything(const char *path)
{
    return query(path, "SELECT json_array(id, seen_ms, exit_code) FROM session "
                       "UNION ALL SELECT json_array(session, target, scenario, runs, verdict) FROM exploration "
                       "UNION ALL SELECT json_array(session, scenario, id, status, count, last_ms) FROM sighting "
                       "UNION ALL SELECT json_array(target, scenario, id, kind, weight, content) FROM artifact "
                       "UNION ALL SELECT json_array(id, status, run, count, sessions) FROM finding "
                       "UNION ALL SELECT json_array(name, build_id) FROM target ORDER BY 1");
}

static void merge(const char *out, const char *const *names, size_t count)
{
    struct cx_store store;
    struct cx_error error = {0};
    assert_int_equal(cx_store_open(&store, out, CX_STORE_WRITE, &error), CX_OK);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(cx_store_merge(&store, path_of(names[i]), &error), CX_OK);
    }
    assert_int_equal(cx_store_close(&store, &error), CX_OK);
}

static void test_merging_knows_no_order(void **unused)
{
    (void)unused;
    static const char *const names[] = {"m0.db", "m1.db", "m2.db", "m0.db"};
    store_with(path_of("m0.db"), "aaaaaaaaaaaa", "diverged", 3, 1);
    store_with(path_of("m1.db"), "aaaaaaaaaaaa", "confirmed", 70, 4);
    store_with(path_of("m2.db"), "bbbbbbbbbbbb", "confirmed", 2, 2);
    merge(path_of("forth.db"), names, 3);
    char *forth = everything(path_of("forth.db"));
    merge(path_of("back.db"), (const char *const[]){"m2.db", "m0.db", "m1.db"}, 3);
    char *back = everything(path_of("back.db"));
    assert_string_equal(forth, back);
    merge(path_of("forth.db"), names, 4); // all of it a second time, and itself once
    merge(path_of("forth.db"), (const char *const[]){"forth.db", "back.db"}, 2);
    char *again = everything(path_of("forth.db"));
    assert_string_equal(forth, again);
    // A confirmed sighting says more than an earlier one that diverged; counts add up.
    expect_query(path_of("forth.db"), "SELECT status, run, count, sessions FROM finding WHERE id = 'aaaaaaaaaaaa'",
                 "confirmed|70|5|2\n");
    expect_query(path_of("forth.db"), "SELECT weight FROM artifact WHERE id = 'aaaaaaaaaaaa'", "3\n");
    free(forth);
    free(back);
    free(again);
}

static void test_the_newer_version_of_a_session_wins(void **unused)
{
    (void)unused;
    // One session, copied when it had 100 runs and when it had ended.
    const char *path = path_of("growing.db");
    struct cx_store store;
    struct cx_error error = {0};
    assert_int_equal(cx_store_open(&store, path, CX_STORE_WRITE, &error), CX_OK);
    cx_store_begin(&store, &session);
    event_start(&store);
    event_finding(&store, "aaaaaaaaaaaa", "confirmed", 1, NULL);
    event_totals(&store, 100, NULL, "aaaaaaaaaaaa", 4);
    char *copy = sqlite3_mprintf("VACUUM INTO %Q", path_of("early.db"));
    assert_int_equal(cx_store_execute(&store, copy), 0);
    sqlite3_free(copy);
    event_totals(&store, 250, "findings", "aaaaaaaaaaaa", 11);
    assert_int_equal(cx_store_close(&store, &error), CX_OK);
    merge(path_of("newer_first.db"), (const char *const[]){"growing.db", "early.db"}, 2);
    merge(path_of("newer_last.db"), (const char *const[]){"early.db", "growing.db"}, 2);
    for (int i = 0; i < 2; i++) {
        const char *merged = path_of(i == 0 ? "newer_first.db" : "newer_last.db");
        expect_query(merged, "SELECT runs, verdict FROM exploration", "250|findings\n");
        expect_query(merged, "SELECT count FROM finding", "11\n");
    }
}

static void event_unit(struct cx_store *store, int number, int runs, int count)
{
    event(store, NULL,
          json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:f, s:f, s:i, "
                    "s:i, s:i, s:i, s:{s:i}, s:[{s:s, s:i}]}",
                    "type", "unit", "number", number, "target", "T", "build_id", "B", "scenario", "a/b", "strategy",
                    "pct", "seed", "0x1", "verdict", "findings", "runs", runs, "runs_failing", count, "runs_error", 0,
                    "replays", 3, "choices", 9, "steps", 10, "interleavings_distinct", 4, "threads_max", 3, "cpu_s",
                    1.5, "wall_s", 2.0, "unit_runs", 100, "fresh", number == 0, "cost", 70, "spent_ms",
                    1000 * (number + 1), "unit_counts", "aaaaaaaaaaaa", 2, "signatures", "id", "aaaaaaaaaaaa", "count",
                    count));
}

static void event_soak(struct cx_store *store, int spent_ms, const char *invalid)
{
    event(store, NULL,
          json_pack("{s:s, s:{s:i}, s:i, s:i, s:i, s:s?}", "type", "soak", "asked", "runs", 100, "units_max", 0,
                    "time_max_ms", 0, "spent_ms", spent_ms, "invalid", invalid));
}

static void test_a_soak_goes_on_in_its_session(void **unused)
{
    (void)unused;
    const char *path = path_of("soak.db");
    struct cx_store store;
    struct cx_error error = {0};
    assert_int_equal(cx_store_open(&store, path, CX_STORE_WRITE, &error), CX_OK);
    cx_store_begin(&store, &session);
    event_start(&store);
    event_soak(&store, 0, NULL);
    event(&store, NULL,
          json_pack("{s:s, s:i, s:s, s:s, s:i, s:b, s:i}", "type", "canary", "pass", 0, "target", "T", "scenario",
                    "canary/crash", "runs", 3, "found", 1, "spent_ms", 5));
    event_finding(&store, "aaaaaaaaaaaa", "diverged", 1, NULL);
    event_unit(&store, 0, 100, 2);
    event(&store, NULL, json_pack("{s:s, s:i}", "type", "end", "exit", 130));
    assert_int_equal(cx_store_close(&store, &error), CX_OK);
    char *id = query(path, "SELECT session FROM soak");
    id[strcspn(id, "\n")] = '\0';
    merge(path_of("soak_early.db"), (const char *const[]){"soak.db"}, 1);
    assert_int_equal(cx_store_open(&store, path_of("soak.db"), CX_STORE_WRITE, &error), CX_OK);
    cx_store_go_on(&store, id);
    expect_query(path_of("soak.db"), "SELECT exit_code FROM session", "null\n");
    event_finding(&store, "aaaaaaaaaaaa", "confirmed", 7, NULL);
    event_unit(&store, 1, 200, 4);
    event_soak(&store, 2500, "canary/crash on T");
    event(&store, NULL, json_pack("{s:s, s:i}", "type", "end", "exit", 5));
    assert_int_equal(cx_store_close(&store, &error), CX_OK);
    free(id);
    merge(path_of("soak_last.db"), (const char *const[]){"soak_early.db", "soak.db"}, 2);
    merge(path_of("soak_first.db"), (const char *const[]){"soak.db", "soak_early.db"}, 2);
    static const char *const names[] = {"soak.db", "soak_last.db", "soak_first.db"};
    for (int i = 0; i < 3; i++) {
        const char *merged = path_of(names[i]);
        expect_query(merged, "SELECT exit_code, spent_ms, invalid FROM session JOIN soak ON session = id",
                     "5|2500|canary/crash on T\n");
        expect_query(merged, "SELECT number, fresh, counts FROM soak_unit ORDER BY number",
                     "0|1|{\"aaaaaaaaaaaa\":2}\n1|0|{\"aaaaaaaaaaaa\":2}\n");
        expect_query(merged, "SELECT runs, count FROM exploration JOIN sighting USING (session)", "200|4\n");
        expect_query(merged, "SELECT status, run FROM sighting", "confirmed|7\n");
        expect_query(merged, "SELECT pass, scenario, found FROM soak_canary", "0|canary/crash|1\n");
    }
}

static void test_a_store_that_cannot_be_taken_changes_nothing(void **unused)
{
    (void)unused;
    store_with(path_of("kept.db"), "aaaaaaaaaaaa", "confirmed", 1, 1);
    FILE *file = fopen(path_of("broken.db"), "we");
    fputs("SQLite format 3", file);
    fclose(file);
    char *before = everything(path_of("kept.db"));
    struct cx_store store;
    struct cx_error error = {0};
    assert_int_equal(cx_store_open(&store, path_of("kept.db"), CX_STORE_WRITE, &error), CX_OK);
    assert_int_not_equal(cx_store_merge(&store, path_of("broken.db"), &error), CX_OK);
    assert_non_null(strstr(error.text, "broken.db"));
    assert_int_equal(cx_store_close(&store, &error), CX_OK);
    char *after = everything(path_of("kept.db"));
    assert_string_equal(before, after);
    free(before);
    free(after);
}

static int folder_make(void **unused)
{
    (void)unused;
    snprintf(folder, sizeof(folder), "/tmp/constrictor-store-XXXXXX");
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int folder_remove(void **unused)
{
    (void)unused;
    char command[100];
    snprintf(command, sizeof(command), "%s", folder);
    pid_t child = fork();
    if (child == 0) {
        execlp("rm", "rm", "-rf", "--", command, (char *)NULL);
        _exit(127);
    }
    waitpid(child, NULL, 0);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_goes_in_can_be_asked_for),
        cmocka_unit_test(test_a_killed_writer_leaves_a_valid_store),
        cmocka_unit_test(test_a_full_disk_is_said_and_loses_nothing),
        cmocka_unit_test(test_what_is_no_store_is_refused),
        cmocka_unit_test(test_merging_knows_no_order),
        cmocka_unit_test(test_the_newer_version_of_a_session_wins),
        cmocka_unit_test(test_a_soak_goes_on_in_its_session),
        cmocka_unit_test(test_a_store_that_cannot_be_taken_changes_nothing),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}

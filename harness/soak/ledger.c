// SPDX-License-Identifier: Apache-2.0
//
// ledger: see ledger.h.
#include "harness/soak/ledger.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "harness/exec/clock.h"

#define KEY_BYTES 300

static const char soak_sql[] =
    "SELECT json_object('session', session, 'asked', json(asked), 'units_max', units_max, 'time_max_ms', time_max_ms, "
    "  'spent_ms', spent_ms, 'invalid', invalid, "
    "  'passes', (SELECT coalesce(max(pass) + 1, 0) FROM soak_canary AS c WHERE c.session = soak.session), "
    "  'canary_ms', (SELECT coalesce(max(at_ms), 0) FROM soak_canary AS c WHERE c.session = soak.session)) FROM soak";

static const char sums_sql[] =
    "SELECT json_object('key', target || char(9) || scenario || char(9) || strategy, 'totals', json_object("
    "  'verdict', verdict, 'runs', runs, 'runs_failing', runs_failing, 'runs_error', runs_error, 'replays', replays, "
    "  'choices', choices, 'steps', steps, 'interleavings_distinct', interleavings, 'threads_max', threads_max, "
    "  'cpu_s', cpu_ms / 1000.0, 'wall_s', wall_ms / 1000.0)) FROM exploration WHERE session = :session";

static const char signatures_sql[] =
    "WITH seen AS (SELECT target, scenario, key AS id, sum(value) AS count FROM soak_unit, json_each(counts) "
    "  WHERE session = :session GROUP BY 1, 2, 3) "
    "SELECT json_object('key', target || char(9) || scenario || char(9) || id, 'count', seen.count, "
    "  'confirmed', status = 'confirmed', 'unexpected', NOT expected AND coalesce(details ->> 'known', '') = '') "
    "FROM seen JOIN sighting USING (target, scenario, id) WHERE session = :session";

static const char units_sql[] = "SELECT json_object('number', number, 'target', target, 'scenario', scenario, "
                                "  'strategy', strategy, 'fresh', fresh, 'cost', cost) FROM soak_unit "
                                "WHERE session = :session ORDER BY number";

typedef enum cx_status taker(void *context, const json_t *row, struct cx_error *error);

// Every row of a query is one JSON text.
static enum cx_status rows_take(const struct cx_store *store, const char *sql, taker *take, void *context,
                                struct cx_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum cx_status status = CX_OK;
    int step = sqlite3_prepare_v2(store->database, sql, -1, &statement, NULL);
    if (step == SQLITE_OK) {
        // The query for the session itself has no such parameter, and 0 is none.
        sqlite3_bind_text(statement, sqlite3_bind_parameter_index(statement, ":session"), store->session, -1,
                          SQLITE_STATIC);
        step = SQLITE_ROW;
    }
    while (step == SQLITE_ROW && status == CX_OK) {
        step = sqlite3_step(statement);
        if (step == SQLITE_ROW) {
            json_t *row = json_loads((const char *)sqlite3_column_text(statement, 0), 0, NULL);
            status = take(context, row, error);
            json_decref(row);
        }
    }
    if (status == CX_OK && step != SQLITE_DONE) {
        status = cx_error_set(error, CX_ERR_SYSTEM, "cannot read the store %s: %s", store->path,
                              sqlite3_errmsg(store->database));
    }
    sqlite3_finalize(statement);
    return status;
}

static uint64_t number_of(const json_t *object, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(object, name));
}

static enum cx_status soak_take(void *context, const json_t *row, struct cx_error *error)
{
    struct cx_ledger *ledger = context;
    if (ledger->asked != NULL) {
        return cx_error_set(error, CX_ERR_USAGE,
                            "%s holds several soaks, as a merge makes it: none can be gone on with",
                            ledger->store->path);
    }
    const char *invalid = json_string_value(json_object_get(row, "invalid"));
    snprintf(ledger->store->session, sizeof(ledger->store->session), "%s",
             json_string_value(json_object_get(row, "session")));
    snprintf(ledger->invalid, sizeof(ledger->invalid), "%s", invalid != NULL ? invalid : "");
    ledger->asked = json_incref(json_object_get(row, "asked"));
    ledger->units_max = number_of(row, "units_max");
    ledger->time_max_ms = number_of(row, "time_max_ms");
    ledger->spent_ms = number_of(row, "spent_ms");
    ledger->passes = number_of(row, "passes");
    ledger->canary_ms = number_of(row, "canary_ms");
    return CX_OK;
}

static enum cx_status sum_take(void *context, const json_t *row, struct cx_error *error)
{
    struct cx_ledger *ledger = context;
    (void)error;
    json_object_set(ledger->sums, json_string_value(json_object_get(row, "key")), json_object_get(row, "totals"));
    return CX_OK;
}

static enum cx_status signature_take(void *context, const json_t *row, struct cx_error *error)
{
    struct cx_ledger *ledger = context;
    (void)error;
    json_object_set_new(ledger->signatures, json_string_value(json_object_get(row, "key")),
                        json_pack("{s:I, s:b, s:b}", "count", (json_int_t)number_of(row, "count"), "confirmed",
                                  number_of(row, "confirmed") != 0, "unexpected", number_of(row, "unexpected") != 0));
    return CX_OK;
}

enum cx_status cx_ledger_find(struct cx_ledger *ledger, struct cx_store *store, int *found, struct cx_error *error)
{
    memset(ledger, 0, sizeof(*ledger));
    ledger->store = store;
    ledger->sums = json_object();
    ledger->signatures = json_object();
    enum cx_status status = rows_take(store, soak_sql, soak_take, ledger, error);
    *found = status == CX_OK && ledger->asked != NULL;
    if (*found) {
        status = rows_take(store, sums_sql, sum_take, ledger, error);
    }
    if (status == CX_OK && *found) {
        status = rows_take(store, signatures_sql, signature_take, ledger, error);
    }
    return status;
}

void cx_ledger_fini(struct cx_ledger *ledger)
{
    json_decref(ledger->asked);
    json_decref(ledger->sums);
    json_decref(ledger->signatures);
    memset(ledger, 0, sizeof(*ledger));
}

enum cx_status cx_ledger_units(struct cx_ledger *ledger, taker *unit, void *context, struct cx_error *error)
{
    return rows_take(ledger->store, units_sql, unit, context, error);
}

static void event(const struct cx_ledger *ledger, json_t *object)
{
    cx_store_event(ledger->store, object, NULL);
    json_decref(object);
}

void cx_ledger_keep(const struct cx_ledger *ledger, uint64_t spent_ms)
{
    event(ledger, json_pack("{s:s, s:O, s:I, s:I, s:I, s:s?}", "type", "soak", "asked", ledger->asked, "units_max",
                            (json_int_t)ledger->units_max, "time_max_ms", (json_int_t)ledger->time_max_ms, "spent_ms",
                            (json_int_t)spent_ms, "invalid", ledger->invalid[0] != '\0' ? ledger->invalid : NULL));
}

void cx_ledger_canary(const struct cx_ledger *ledger, const char *target, const struct cx_canary *canary,
                      uint64_t spent_ms)
{
    event(ledger, json_pack("{s:s, s:I, s:s, s:s, s:I, s:b, s:I}", "type", "canary", "pass", (json_int_t)ledger->passes,
                            "target", target, "scenario", canary->scenario, "runs", (json_int_t)canary->runs, "found",
                            canary->found, "spent_ms", (json_int_t)spent_ms));
}

// "pass" over "missing": what one unit has not shown another may. Of two the later one counts.
static int verdict_rank(const char *verdict)
{
    static const enum cx_verdict order[] = {CX_VERDICT_SKIPPED,     CX_VERDICT_NOTHING, CX_VERDICT_MISSING,
                                            CX_VERDICT_NOTHING_DUE, CX_VERDICT_PASS,    CX_VERDICT_KNOWN,
                                            CX_VERDICT_FINDINGS,    CX_VERDICT_ERROR};
    for (int i = 0; verdict != NULL && i < (int)(sizeof(order) / sizeof(order[0])); i++) {
        if (strcmp(verdict, cx_verdict_name(order[i])) == 0) {
            return i;
        }
    }
    return -1;
}

static const char *const sums[] = {"runs",    "runs_failing", "runs_error", "replays",
                                   "choices", "steps",        "cpu_s",      "wall_s"};
static const char *const maxima[] = {"interleavings_distinct", "threads_max"};

// Of a unit's totals what the next one of its kind is added to: this is kept for the whole soak, and for each scenario
// on each target under each strategy.
static json_t *totals_keep(const json_t *totals)
{
    json_t *kept = json_object();
    json_object_set(kept, "verdict", json_object_get(totals, "verdict"));
    for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++) {
        json_object_set(kept, sums[i], json_object_get(totals, sums[i]));
    }
    for (size_t i = 0; i < sizeof(maxima) / sizeof(maxima[0]); i++) {
        json_object_set(kept, maxima[i], json_object_get(totals, maxima[i]));
    }
    return kept;
}

// Make the totals of one unit those of all of its kind: what `before` holds is added.
static void totals_add(json_t *totals, const json_t *before)
{
    for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++) {
        json_t *value = json_object_get(totals, sums[i]);
        const json_t *old = json_object_get(before, sums[i]);
        if (json_is_integer(value)) {
            json_integer_set(value, json_integer_value(value) + json_integer_value(old));
        } else {
            json_real_set(value, json_real_value(value) + json_number_value(old));
        }
    }
    for (size_t i = 0; i < sizeof(maxima) / sizeof(maxima[0]); i++) {
        json_int_t old = json_integer_value(json_object_get(before, maxima[i]));
        if (old > json_integer_value(json_object_get(totals, maxima[i]))) {
            json_object_set_new(totals, maxima[i], json_integer(old));
        }
    }
    const char *verdict = json_string_value(json_object_get(before, "verdict"));
    if (verdict_rank(verdict) > verdict_rank(json_string_value(json_object_get(totals, "verdict")))) {
        json_object_set_new(totals, "verdict", json_string(verdict));
    }
}

static const char *key_of(char key[KEY_BYTES], const char *target, const char *scenario, const char *last)
{
    snprintf(key, KEY_BYTES, "%s\t%s\t%s", target, scenario, last);
    return key;
}

// What the unit's signatures count in it, and in all units: the store takes the latter. `fresh` are new ones.
static json_t *signatures_add(struct cx_ledger *ledger, struct cx_ledger_unit *unit, const struct cx_findings *findings,
                              json_t *unit_counts)
{
    json_t *list = json_array();
    for (size_t i = 0; i < findings->count; i++) {
        const struct cx_finding *finding = findings->list[i];
        const char *id = finding->signature.id;
        char key[KEY_BYTES];
        key_of(key, unit->target, unit->scenario, id);
        const json_t *before = json_object_get(ledger->signatures, key);
        json_int_t count = (json_int_t)finding->count + json_integer_value(json_object_get(before, "count"));
        int confirmed = finding->status == CX_FINDING_CONFIRMED || json_is_true(json_object_get(before, "confirmed"));
        unit->fresh += before == NULL;
        json_object_set_new(unit_counts, id, json_integer((json_int_t)finding->count));
        json_array_append_new(list, json_pack("{s:s, s:I}", "id", id, "count", count));
        json_object_set_new(ledger->signatures, key,
                            json_pack("{s:I, s:b, s:b}", "count", count, "confirmed", confirmed, "unexpected",
                                      cx_finding_unexpected(finding)));
    }
    return list;
}

void cx_ledger_unit(struct cx_ledger *ledger, struct cx_ledger_unit *unit, const struct cx_findings *findings,
                    json_t *totals)
{
    char key[KEY_BYTES], seed[20];
    json_t *unit_counts = json_object();
    snprintf(seed, sizeof(seed), "0x%016" PRIx64, unit->plan.seed);
    json_t *signatures = signatures_add(ledger, unit, findings, unit_counts);
    json_t *own = json_pack("{s:s, s:I, s:s, s:O, s:I, s:I, s:I, s:o, s:o}", "type", "unit", "number",
                            (json_int_t)unit->plan.number, "seed", seed, "unit_runs", json_object_get(totals, "runs"),
                            "fresh", (json_int_t)unit->fresh, "cost", (json_int_t)unit->cost, "spent_ms",
                            (json_int_t)unit->spent_ms, "unit_counts", unit_counts, "signatures", signatures);
    json_t *runs = json_deep_copy(json_object_get(own, "unit_runs")); // the original becomes a sum
    json_object_set_new(own, "unit_runs", runs);
    key_of(key, unit->target, unit->scenario, unit->strategy);
    totals_add(totals, json_object_get(ledger->sums, key));
    json_object_set_new(ledger->sums, key, totals_keep(totals));
    json_object_update(totals, own);
    event(ledger, totals);
    json_decref(own);
}

int cx_ledger_filed(const struct cx_ledger *ledger, const char *target, const char *scenario,
                    const struct cx_finding *finding)
{
    char key[KEY_BYTES];
    const json_t *before = json_object_get(ledger->signatures, key_of(key, target, scenario, finding->signature.id));
    int better = finding->status == CX_FINDING_CONFIRMED && !json_is_true(json_object_get(before, "confirmed"));
    return before != NULL && !better;
}

uint64_t cx_ledger_runs(const struct cx_ledger *ledger)
{
    uint64_t runs = 0;
    const char *key;
    json_t *totals;
    json_object_foreach(ledger->sums, key, totals)
    {
        runs += number_of(totals, "runs");
    }
    return runs;
}

uint64_t cx_ledger_unexpected(const struct cx_ledger *ledger)
{
    uint64_t count = 0;
    const char *key;
    json_t *signature;
    json_object_foreach(ledger->signatures, key, signature)
    {
        count += (uint64_t)json_is_true(json_object_get(signature, "unexpected"));
    }
    return count;
}

// SPDX-License-Identifier: Apache-2.0
//
// unit: what the store knows of a campaign in units; see store.h.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/store/store.h"

// The rows of one scenario on one target in this campaign, and the unit's place among shards.
#define CX_SAME                                                                                                        \
    "campaign = :campaign AND target = :key ->> 'target' AND build_id = :key ->> 'build_id' "                          \
    "AND scenario = :key ->> 'scenario' "
#define CX_OWN "AND (unit + :key ->> 'offset') % (:key ->> 'total') = :key ->> 'index' "

static const char verdict_sql[] = "SELECT verdict FROM exploration WHERE " CX_SAME "AND strategy = :key ->> 'strategy' "
                                  "AND unit = :key ->> 'unit' AND runs >= :key ->> 'runs' AND verdict <> 'error'";

static const char outdone_sql[] =
    "SELECT 1 FROM ranked WHERE " CX_SAME "AND id = :key ->> 'id' AND unit <> :key ->> 'unit' "
    "AND (weight, place, unit) < "
    "  (coalesce((SELECT weight FROM status_weight AS w WHERE w.status = :key ->> 'status'), 4), "
    "   coalesce(:key ->> 'run', -1), :key ->> 'unit')";

static const char part_sql[] =
    "SELECT json_object('units', count(*), 'runs', coalesce(sum(runs), 0), "
    "  'runs_failing', coalesce(sum(runs_failing), 0), 'choices', coalesce(sum(choices), 0), 'signatures', "
    "  (SELECT json_group_array(json_object('id', id, 'signature', signature, 'count', count, 'known', known, "
    "    'unexpected', unexpected)) FROM "
    "    (SELECT id, signature, sum(count) AS count, max(coalesce(details ->> 'known', '')) AS known, "
    "     max(NOT expected AND coalesce(details ->> 'known', '') = '') AS unexpected FROM sighting "
    "     WHERE " CX_SAME CX_OWN "GROUP BY id ORDER BY min(unit), id))) "
    "FROM exploration WHERE " CX_SAME CX_OWN "AND strategy = :key ->> 'strategy'";

static const char shards_sql[] =
    "SELECT json_group_array(text) FROM (SELECT printf('campaign %.12s: shard%s %s of %d %s not come to %s end', "
    "  campaign, iif(count(*) = 1, '', 's'), group_concat(shard_index + 1, ', '), shard_total, "
    "  iif(count(*) = 1, 'has', 'have'), iif(count(*) = 1, 'its', 'their')) AS text "
    "FROM shard_open GROUP BY campaign, shard_total ORDER BY campaign, shard_total)";

// The one text that a query gives, for the caller to free; NULL if it gives none.
static char *ask(struct cx_store *store, const char *sql, const json_t *key)
{
    sqlite3_stmt *statement = NULL;
    char *answer = NULL;
    char *text = key != NULL ? json_dumps(key, JSON_COMPACT) : NULL;
    if (store->database != NULL && text != NULL &&
        sqlite3_prepare_v2(store->database, sql, -1, &statement, NULL) == SQLITE_OK) {
        sqlite3_bind_text(statement, sqlite3_bind_parameter_index(statement, ":campaign"), store->campaign, -1,
                          SQLITE_STATIC);
        sqlite3_bind_text(statement, sqlite3_bind_parameter_index(statement, ":key"), text, -1, SQLITE_STATIC);
        if (sqlite3_step(statement) == SQLITE_ROW) {
            const char *found = (const char *)sqlite3_column_text(statement, 0);
            answer = strdup(found != NULL ? found : "");
        }
    }
    sqlite3_finalize(statement);
    free(text);
    return answer;
}

void cx_store_unit_verdict(struct cx_store *store, const json_t *key, char *verdict, size_t verdict_bytes)
{
    char *answer = ask(store, verdict_sql, key);
    snprintf(verdict, verdict_bytes, "%s", answer != NULL ? answer : "");
    free(answer);
}

int cx_store_outdone(struct cx_store *store, const json_t *finding)
{
    char *answer = ask(store, outdone_sql, finding);
    int outdone = answer != NULL;
    free(answer);
    return outdone;
}

static json_t *ask_json(struct cx_store *store, const char *sql, const json_t *key)
{
    char *answer = ask(store, sql, key);
    json_t *value = answer != NULL ? json_loads(answer, 0, NULL) : NULL;
    free(answer);
    return value;
}

json_t *cx_store_part(struct cx_store *store, const json_t *key)
{
    return ask_json(store, part_sql, key);
}

json_t *cx_store_shards_open(struct cx_store *store)
{
    json_t *none = json_object();
    json_t *open = ask_json(store, shards_sql, none);
    json_decref(none);
    return open;
}

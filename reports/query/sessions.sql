-- SPDX-License-Identifier: Apache-2.0
-- sessions: one object for each execution of the command, oldest first, with what it saw. `soak` of a soak alone.
SELECT json_object('id', id, 'started_ms', started_ms, 'seen_ms', seen_ms, 'exit_code', exit_code, 'command', command,
    'version', version, 'seed', seed, 'jobs', jobs, 'shard_index', shard_index, 'shard_total', shard_total,
    'runs', (SELECT coalesce(sum(runs), 0) FROM exploration WHERE exploration.session = session.id),
    'findings', (SELECT count(DISTINCT target || ' ' || scenario || ' ' || id) FROM sighting
        WHERE sighting.session = session.id),
    'unexpected', (SELECT count(DISTINCT target || ' ' || scenario || ' ' || id) FROM sighting
        WHERE sighting.session = session.id AND NOT expected AND coalesce(details ->> 'known', '') = ''),
    'soak', (SELECT json_object('spent_ms', spent_ms, 'invalid', invalid,
        'units', (SELECT count(*) FROM soak_unit WHERE soak_unit.session = session.id),
        'passes', (SELECT count(DISTINCT pass) FROM soak_canary WHERE soak_canary.session = session.id))
        FROM soak WHERE soak.session = session.id))
FROM session ORDER BY started_ms, id;

-- SPDX-License-Identifier: Apache-2.0
-- 3: from schema version 2. What a session saw is kept by campaign and unit; a session of old is a campaign of one unit.
-- The views are gone while this runs, and schema.sql makes them anew afterwards.

CREATE TABLE new_session (
    id TEXT PRIMARY KEY,
    campaign TEXT NOT NULL,
    started_ms INTEGER NOT NULL,
    seen_ms INTEGER NOT NULL,
    exit_code INTEGER,
    command TEXT NOT NULL,
    version TEXT NOT NULL,
    seed TEXT NOT NULL,
    jobs INTEGER NOT NULL,
    shard_index INTEGER NOT NULL,
    shard_total INTEGER NOT NULL
) STRICT;
INSERT INTO new_session SELECT id, id, started_ms, seen_ms, exit_code, command, version, seed, jobs, 0, 0
FROM session;
DROP TABLE session;
ALTER TABLE new_session RENAME TO session;

CREATE TABLE new_exploration (
    campaign TEXT NOT NULL,
    target TEXT NOT NULL,
    build_id TEXT NOT NULL,
    scenario TEXT NOT NULL,
    strategy TEXT NOT NULL,
    unit INTEGER NOT NULL,
    session TEXT NOT NULL REFERENCES session (id),
    verdict TEXT,
    runs INTEGER NOT NULL,
    runs_failing INTEGER NOT NULL,
    runs_error INTEGER NOT NULL,
    replays INTEGER NOT NULL,
    choices INTEGER NOT NULL,
    steps INTEGER NOT NULL,
    interleavings INTEGER NOT NULL,
    threads_max INTEGER NOT NULL,
    cpu_ms INTEGER NOT NULL,
    wall_ms INTEGER NOT NULL,
    PRIMARY KEY (campaign, target, build_id, scenario, strategy, unit),
    FOREIGN KEY (target, build_id) REFERENCES target (name, build_id)
) STRICT;
INSERT INTO new_exploration SELECT session, target, build_id, scenario, strategy, 0, session, verdict, runs, runs_failing, runs_error, replays,
    choices, steps, interleavings, threads_max, cpu_ms, wall_ms
FROM exploration;
DROP TABLE exploration;
ALTER TABLE new_exploration RENAME TO exploration;

CREATE TABLE new_sighting (
    campaign TEXT NOT NULL,
    target TEXT NOT NULL,
    build_id TEXT NOT NULL,
    scenario TEXT NOT NULL,
    unit INTEGER NOT NULL,
    id TEXT NOT NULL,
    session TEXT NOT NULL REFERENCES session (id),
    signature TEXT NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    expected INTEGER NOT NULL,
    strategy TEXT NOT NULL,
    run INTEGER,
    seed TEXT NOT NULL,
    count INTEGER NOT NULL,
    confirmed INTEGER NOT NULL,
    replays INTEGER NOT NULL,
    first_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    details TEXT NOT NULL,
    schedule TEXT,
    PRIMARY KEY (campaign, target, build_id, scenario, unit, id),
    FOREIGN KEY (target, build_id) REFERENCES target (name, build_id)
) STRICT;
INSERT INTO new_sighting SELECT session, target, build_id, scenario, 0, id, session, signature, kind, status, expected, strategy, run, seed,
    count, confirmed, replays, first_ms, last_ms, details, schedule
FROM sighting;
DROP TABLE sighting;
ALTER TABLE new_sighting RENAME TO sighting;

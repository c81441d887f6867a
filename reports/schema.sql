-- SPDX-License-Identifier: Apache-2.0
-- schema: the store, one file per campaign. The only source of its form: the command compiles this file in.
--
-- A session is one execution of the command. What it saw is kept by unit: a fixed number of runs that is the same
-- whoever plays it. The units of a campaign that is divided into shards belong to the campaign, so that one that is
-- played twice is one row; any other session is a campaign of its own, with a single unit, 0. No row says anything
-- about another one, so that stores are joined by uniting rows (harness/store/merge.c). A row that a session goes on
-- changing only grows: of two versions of it, the one with the larger counts is the newer. What holds over units is a
-- view.
--
-- A store of an older form is brought up to this one by the steps in reports/migrations; the form's number is
-- CX_STORE_SCHEMA_VERSION. "IF NOT EXISTS": after the steps, this file is run once more and makes the views anew.
--
-- Times are milliseconds since 1970. Numbers of 64 bits that are no counts (seeds) are texts, "0x" and 16 digits.

CREATE TABLE IF NOT EXISTS session (
    id TEXT PRIMARY KEY,        -- 32 hexadecimal digits
    campaign TEXT NOT NULL,     -- the same for all shards of one; its own id for a session that is no shard
    started_ms INTEGER NOT NULL,
    seen_ms INTEGER NOT NULL,   -- when it last wrote something
    exit_code INTEGER,          -- NULL: it has not ended, or was killed
    command TEXT NOT NULL,      -- words, as for a shell
    version TEXT NOT NULL,
    seed TEXT NOT NULL,
    jobs INTEGER NOT NULL,
    shard_index INTEGER NOT NULL, -- from 0
    shard_total INTEGER NOT NULL  -- 0: no shard
) STRICT;

CREATE TABLE IF NOT EXISTS target (
    name TEXT NOT NULL,
    build_id TEXT NOT NULL,
    python TEXT NOT NULL,
    gil INTEGER NOT NULL,
    tsan INTEGER NOT NULL,
    debug INTEGER NOT NULL,
    PRIMARY KEY (name, build_id)
) STRICT;

-- One unit of one scenario on one target: runs in aggregate. A soak is one unit here: of its own units the most
-- interleavings count, and the verdict that tells most.
CREATE TABLE IF NOT EXISTS exploration (
    campaign TEXT NOT NULL,
    target TEXT NOT NULL,
    build_id TEXT NOT NULL,
    scenario TEXT NOT NULL,
    strategy TEXT NOT NULL,
    unit INTEGER NOT NULL,
    session TEXT NOT NULL REFERENCES session (id), -- that played it last
    verdict TEXT,               -- NULL: it has not ended
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

-- One signature of one scenario on one target, as one unit showed it. Stacks, output and schedule are kept only where
-- no unit before told at least as much, for a signature that many units show would else fill the disk.
CREATE TABLE IF NOT EXISTS sighting (
    campaign TEXT NOT NULL,
    target TEXT NOT NULL,
    build_id TEXT NOT NULL,
    scenario TEXT NOT NULL,
    unit INTEGER NOT NULL,
    id TEXT NOT NULL,           -- of the signature: 12 hexadecimal digits
    session TEXT NOT NULL REFERENCES session (id), -- that played it last
    signature TEXT NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,       -- confirmed, diverged, native, ...
    expected INTEGER NOT NULL,
    strategy TEXT NOT NULL,
    run INTEGER,                -- the first that showed it; NULL: the run in the default order
    seed TEXT NOT NULL,
    count INTEGER NOT NULL,     -- runs that showed it
    confirmed INTEGER NOT NULL, -- replays with the same signature,
    replays INTEGER NOT NULL,   -- of so many
    first_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    details TEXT NOT NULL,      -- JSON: the finding's line of `run --json`, with its stacks
    schedule TEXT,              -- the schedule file; NULL: there is none
    PRIMARY KEY (campaign, target, build_id, scenario, unit, id),
    FOREIGN KEY (target, build_id) REFERENCES target (name, build_id)
) STRICT;

-- A soak is one session, however often it is stopped and gone on with.
CREATE TABLE IF NOT EXISTS soak (
    session TEXT PRIMARY KEY REFERENCES session (id),
    asked TEXT NOT NULL,          -- JSON: what makes it this soak and no other
    units_max INTEGER NOT NULL,   -- 0: no bound
    time_max_ms INTEGER NOT NULL, -- 0: no bound
    spent_ms INTEGER NOT NULL,    -- of that time
    invalid TEXT                  -- the canary that stayed away; NULL: the soak is valid
) STRICT;

-- A unit of a soak that is done.
CREATE TABLE IF NOT EXISTS soak_unit (
    session TEXT NOT NULL REFERENCES soak (session),
    number INTEGER NOT NULL,
    target TEXT NOT NULL,
    scenario TEXT NOT NULL,
    strategy TEXT NOT NULL,
    seed TEXT NOT NULL,
    runs INTEGER NOT NULL,
    fresh INTEGER NOT NULL,       -- signatures that no unit before it had shown
    cost INTEGER NOT NULL,        -- in points
    counts TEXT NOT NULL,         -- JSON: for each id of a signature the runs that showed it
    PRIMARY KEY (session, number)
) STRICT;

-- A canary of a soak that was asked.
CREATE TABLE IF NOT EXISTS soak_canary (
    session TEXT NOT NULL REFERENCES soak (session),
    pass INTEGER NOT NULL,        -- all canaries of one time have the same
    target TEXT NOT NULL,
    scenario TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    runs INTEGER NOT NULL,
    found INTEGER NOT NULL,
    PRIMARY KEY (session, pass, target, scenario)
) STRICT;

-- What was made of a finding afterwards.
CREATE TABLE IF NOT EXISTS artifact (
    target TEXT NOT NULL,
    scenario TEXT NOT NULL,
    id TEXT NOT NULL,           -- of the signature
    kind TEXT NOT NULL,         -- shrunk: a schedule file; explanation: the story as text; switches: the story as JSON
    weight INTEGER NOT NULL,    -- of two of a kind the lighter one counts: preemptions, then deviations
    content TEXT NOT NULL,
    PRIMARY KEY (target, scenario, id, kind)
) STRICT;

-- How much a sighting of this status tells, less is more; any other status: 4.
CREATE VIEW IF NOT EXISTS status_weight (status, weight) AS
VALUES ('confirmed', 0), ('native', 1), ('unreplayable', 2), ('unconfirmed', 3);

-- The order in which the first sighting counts begins with weight and place; what follows breaks every tie, so that the
-- order in which stores were joined does not show.
CREATE VIEW IF NOT EXISTS ranked AS
SELECT *, coalesce((SELECT weight FROM status_weight AS w WHERE w.status = sighting.status), 4) AS weight,
    coalesce(run, -1) AS place
FROM sighting;

-- A finding over all units: the sighting that tells most, and what they add up to.
CREATE VIEW IF NOT EXISTS finding AS
WITH one AS (
    SELECT *, row_number() OVER (PARTITION BY target, scenario, id
        ORDER BY weight, schedule IS NULL, place, strategy, seed, build_id, unit, campaign) AS rank
    FROM ranked
), every AS (
    SELECT target, scenario, id, sum(count) AS count, sum(confirmed) AS confirmed, sum(replays) AS replays,
        min(first_ms) AS first_ms, max(last_ms) AS last_ms, count(DISTINCT session) AS sessions
    FROM sighting GROUP BY target, scenario, id
)
SELECT one.target, one.build_id, one.scenario, one.id, one.signature, one.kind, one.status, one.expected, one.strategy,
    one.run, one.seed, one.session, every.count, every.confirmed, every.replays, every.first_ms, every.last_ms,
    every.sessions, one.details, one.schedule
FROM one JOIN every USING (target, scenario, id) WHERE one.rank = 1;

-- A scenario on a target over all units.
CREATE VIEW IF NOT EXISTS total AS
SELECT target, scenario, sum(runs) AS runs, sum(runs_failing) AS runs_failing, sum(runs_error) AS runs_error,
    sum(replays) AS replays, sum(steps) AS steps, sum(cpu_ms) AS cpu_ms, max(interleavings) AS interleavings,
    max(threads_max) AS threads_max, count(DISTINCT session) AS sessions, sum(verdict IS NULL) AS unfinished
FROM exploration GROUP BY target, scenario;

-- A shard that nobody has ended: of each campaign in shards, those of which no session came to its end.
CREATE VIEW IF NOT EXISTS shard_open AS
WITH RECURSIVE shard AS (
    SELECT DISTINCT campaign, shard_total, 0 AS shard_index FROM session
    WHERE shard_total > 0 AND campaign <> id
    UNION ALL
    SELECT campaign, shard_total, shard_index + 1 FROM shard WHERE shard_index + 1 < shard_total
)
SELECT campaign, shard_index, shard_total FROM shard
WHERE NOT EXISTS (SELECT 1 FROM session AS s WHERE s.campaign = shard.campaign AND s.shard_total = shard.shard_total
    AND s.shard_index = shard.shard_index AND s.exit_code IN (0, 1, 4));

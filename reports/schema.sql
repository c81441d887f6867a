-- SPDX-License-Identifier: Apache-2.0
-- schema: the store, one file per campaign. The only source of its form: the command compiles this file in.
--
-- Every row belongs to a session (one execution of the command) and says nothing about another one, so that stores
-- are joined by uniting rows (harness/store/merge.c). A row that a session goes on changing only grows: of two
-- versions of it, the one with the larger counts is the newer. What holds over sessions is a view.
--
-- Times are milliseconds since 1970. Numbers of 64 bits that are no counts (seeds) are texts, "0x" and 16 digits.

CREATE TABLE session (
    id TEXT PRIMARY KEY,        -- 32 hexadecimal digits
    started_ms INTEGER NOT NULL,
    seen_ms INTEGER NOT NULL,   -- when it last wrote something
    exit_code INTEGER,          -- NULL: it has not ended, or was killed
    command TEXT NOT NULL,      -- words, as for a shell
    version TEXT NOT NULL,
    seed TEXT NOT NULL,
    jobs INTEGER NOT NULL,
    shard_index INTEGER NOT NULL,
    shard_total INTEGER NOT NULL
) STRICT;

CREATE TABLE target (
    name TEXT NOT NULL,
    build_id TEXT NOT NULL,
    python TEXT NOT NULL,
    gil INTEGER NOT NULL,
    tsan INTEGER NOT NULL,
    debug INTEGER NOT NULL,
    PRIMARY KEY (name, build_id)
) STRICT;

-- One scenario on one target in one session: runs in aggregate. Of the units of a soak the most interleavings count,
-- and the verdict that tells most.
CREATE TABLE exploration (
    session TEXT NOT NULL REFERENCES session (id),
    target TEXT NOT NULL,
    build_id TEXT NOT NULL,
    scenario TEXT NOT NULL,
    strategy TEXT NOT NULL,
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
    PRIMARY KEY (session, target, build_id, scenario, strategy),
    FOREIGN KEY (target, build_id) REFERENCES target (name, build_id)
) STRICT;

-- One signature of one scenario on one target, as one session saw it.
CREATE TABLE sighting (
    session TEXT NOT NULL REFERENCES session (id),
    target TEXT NOT NULL,
    build_id TEXT NOT NULL,
    scenario TEXT NOT NULL,
    id TEXT NOT NULL,           -- of the signature: 12 hexadecimal digits
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
    PRIMARY KEY (session, target, build_id, scenario, id),
    FOREIGN KEY (target, build_id) REFERENCES target (name, build_id)
) STRICT;

-- A soak is one session, however often it is stopped and gone on with.
CREATE TABLE soak (
    session TEXT PRIMARY KEY REFERENCES session (id),
    asked TEXT NOT NULL,          -- JSON: what makes it this soak and no other
    units_max INTEGER NOT NULL,   -- 0: no bound
    time_max_ms INTEGER NOT NULL, -- 0: no bound
    spent_ms INTEGER NOT NULL,    -- of that time
    invalid TEXT                  -- the canary that stayed away; NULL: the soak is valid
) STRICT;

-- A unit of a soak that is done.
CREATE TABLE soak_unit (
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
CREATE TABLE soak_canary (
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
CREATE TABLE artifact (
    target TEXT NOT NULL,
    scenario TEXT NOT NULL,
    id TEXT NOT NULL,           -- of the signature
    kind TEXT NOT NULL,         -- shrunk: a schedule file; explanation: the story as text; switches: the story as JSON
    weight INTEGER NOT NULL,    -- of two of a kind the lighter one counts: preemptions, then deviations
    content TEXT NOT NULL,
    PRIMARY KEY (target, scenario, id, kind)
) STRICT;

-- A finding over all sessions: the sighting that tells most, and what the others add up to. `rank` breaks every tie,
-- so that the order in which stores were joined does not show.
CREATE VIEW finding AS
WITH ranked AS (
    SELECT *,
        row_number() OVER (PARTITION BY target, scenario, id ORDER BY
            CASE status WHEN 'confirmed' THEN 0 WHEN 'native' THEN 1 WHEN 'unreplayable' THEN 2 WHEN 'unconfirmed' THEN 3
                ELSE 4 END,
            schedule IS NULL, coalesce(run, -1), strategy, seed, build_id, session) AS rank,
        sum(count) OVER same AS count_all,
        sum(confirmed) OVER same AS confirmed_all,
        sum(replays) OVER same AS replays_all,
        min(first_ms) OVER same AS first_ms_all,
        max(last_ms) OVER same AS last_ms_all,
        count(*) OVER same AS sessions
    FROM sighting
    WINDOW same AS (PARTITION BY target, scenario, id)
)
SELECT target, build_id, scenario, id, signature, kind, status, expected, strategy, run, seed, session,
    count_all AS count, confirmed_all AS confirmed, replays_all AS replays, first_ms_all AS first_ms,
    last_ms_all AS last_ms, sessions, details, schedule
FROM ranked WHERE rank = 1;

-- A scenario on a target over all sessions.
CREATE VIEW total AS
SELECT target, scenario, sum(runs) AS runs, sum(runs_failing) AS runs_failing, sum(runs_error) AS runs_error,
    sum(replays) AS replays, sum(steps) AS steps, sum(cpu_ms) AS cpu_ms, max(interleavings) AS interleavings,
    max(threads_max) AS threads_max, count(DISTINCT session) AS sessions, sum(verdict IS NULL) AS unfinished
FROM exploration GROUP BY target, scenario;

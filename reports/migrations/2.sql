-- SPDX-License-Identifier: Apache-2.0
-- 2: from schema version 1. What a soak keeps.

CREATE TABLE soak (
    session TEXT PRIMARY KEY REFERENCES session (id),
    asked TEXT NOT NULL,
    units_max INTEGER NOT NULL,
    time_max_ms INTEGER NOT NULL,
    spent_ms INTEGER NOT NULL,
    invalid TEXT
) STRICT;

CREATE TABLE soak_unit (
    session TEXT NOT NULL REFERENCES soak (session),
    number INTEGER NOT NULL,
    target TEXT NOT NULL,
    scenario TEXT NOT NULL,
    strategy TEXT NOT NULL,
    seed TEXT NOT NULL,
    runs INTEGER NOT NULL,
    fresh INTEGER NOT NULL,
    cost INTEGER NOT NULL,
    counts TEXT NOT NULL,
    PRIMARY KEY (session, number)
) STRICT;

CREATE TABLE soak_canary (
    session TEXT NOT NULL REFERENCES soak (session),
    pass INTEGER NOT NULL,
    target TEXT NOT NULL,
    scenario TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    runs INTEGER NOT NULL,
    found INTEGER NOT NULL,
    PRIMARY KEY (session, pass, target, scenario)
) STRICT;

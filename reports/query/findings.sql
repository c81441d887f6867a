-- SPDX-License-Identifier: Apache-2.0
-- findings: one object for each finding over all sessions, unexpected ones first; what is large in it, and rarely
-- asked for, in columns of its own. `place` is the first frame in its stacks that is the program's.
SELECT json_patch(json_remove(details, '$.stacks'), json_object(
    'target', target, 'build_id', build_id, 'python', (SELECT python FROM target AS t WHERE t.name = finding.target
        AND t.build_id = finding.build_id),
    'scenario', scenario, 'id', id, 'signature', signature, 'kind', kind, 'status', status, 'strategy', strategy,
    'seed', seed, 'count', count, 'confirmed', confirmed, 'replays', replays, 'first_ms', first_ms, 'last_ms', last_ms,
    'sessions', sessions,
    'runs', (SELECT runs FROM total WHERE total.target = finding.target AND total.scenario = finding.scenario),
    'place', (SELECT json(frame.value) FROM json_each(details, '$.stacks') AS stack,
        json_each(stack.value, '$.frames') AS frame
        WHERE frame.value ->> 'program' AND coalesce(frame.value ->> 'file', '') <> '' LIMIT 1))),
    details -> 'stacks' AS stacks,
    CASE WHEN schedule IS NOT NULL THEN json_quote(schedule) END AS schedule_text,
    (SELECT json_quote(content) FROM artifact AS a WHERE a.target = finding.target
        AND a.scenario = finding.scenario AND a.id = finding.id AND a.kind = 'shrunk') AS shrunk_text,
    (SELECT json_quote(content) FROM artifact AS a WHERE a.target = finding.target
        AND a.scenario = finding.scenario AND a.id = finding.id AND a.kind = 'explanation') AS explanation,
    (SELECT json(content) FROM artifact AS a WHERE a.target = finding.target
        AND a.scenario = finding.scenario AND a.id = finding.id AND a.kind = 'switches') AS switches
FROM finding
ORDER BY expected OR coalesce(details ->> 'known', '') <> '', status NOT IN ('confirmed', 'native'), target, scenario, kind, id;

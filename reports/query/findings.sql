-- SPDX-License-Identifier: Apache-2.0
-- findings: one object for each finding over all sessions, unexpected ones first.
SELECT json_patch(json(details), json_object(
    'target', target, 'build_id', build_id, 'python', (SELECT python FROM target AS t WHERE t.name = finding.target
        AND t.build_id = finding.build_id),
    'scenario', scenario, 'id', id, 'signature', signature, 'kind', kind, 'status', status, 'strategy', strategy,
    'seed', seed, 'count', count, 'confirmed', confirmed, 'replays', replays, 'first_ms', first_ms, 'last_ms', last_ms,
    'sessions', sessions,
    'runs', (SELECT runs FROM total WHERE total.target = finding.target AND total.scenario = finding.scenario),
    'schedule_text', schedule,
    'shrunk_text', (SELECT content FROM artifact AS a WHERE a.target = finding.target
        AND a.scenario = finding.scenario AND a.id = finding.id AND a.kind = 'shrunk'),
    'explanation', (SELECT content FROM artifact AS a WHERE a.target = finding.target
        AND a.scenario = finding.scenario AND a.id = finding.id AND a.kind = 'explanation'),
    'switches', (SELECT json(content) FROM artifact AS a WHERE a.target = finding.target
        AND a.scenario = finding.scenario AND a.id = finding.id AND a.kind = 'switches')))
FROM finding
ORDER BY expected OR coalesce(details ->> 'known', '') <> '', status NOT IN ('confirmed', 'native'), target, scenario, kind, id;

-- SPDX-License-Identifier: Apache-2.0
-- cells: one object for each scenario on each target. Of several verdicts the worst one counts; but what is expected
-- of a scenario is missing only if it came in no unit of the campaign.
WITH judged AS (
    SELECT *, CASE verdict WHEN 'error' THEN 7 WHEN 'findings' THEN 6 WHEN 'missing' THEN
            CASE WHEN EXISTS (SELECT 1 FROM exploration AS e WHERE e.campaign = exploration.campaign
                AND e.target = exploration.target AND e.build_id = exploration.build_id
                AND e.scenario = exploration.scenario AND e.verdict IN ('pass', 'known')) THEN 2 ELSE 5 END
        WHEN 'nothing' THEN 4 WHEN 'known' THEN 3 WHEN 'pass' THEN 2 WHEN 'nothing-expected' THEN 2 WHEN 'skipped' THEN 1 ELSE 0 END AS weight
    FROM exploration
)
SELECT json_object('target', target, 'scenario', scenario, 'weight', max(weight),
    'verdict', CASE max(weight) WHEN 7 THEN 'error' WHEN 6 THEN 'findings' WHEN 5 THEN 'missing' WHEN 4 THEN 'nothing'
        WHEN 3 THEN 'known' WHEN 2 THEN 'pass' WHEN 1 THEN 'skipped' ELSE 'unfinished' END,
    'runs', sum(runs), 'runs_failing', sum(runs_failing), 'interleavings', max(interleavings),
    'strategies', group_concat(DISTINCT strategy), 'cpu_ms', sum(cpu_ms), 'sessions', count(DISTINCT session))
FROM judged GROUP BY target, scenario ORDER BY target, scenario;

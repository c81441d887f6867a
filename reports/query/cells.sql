-- SPDX-License-Identifier: Apache-2.0
-- cells: one object for each scenario on each target. Of several sessions' verdicts the worst one counts.
WITH judged AS (
    SELECT *, CASE verdict WHEN 'error' THEN 7 WHEN 'findings' THEN 6 WHEN 'missing' THEN 5 WHEN 'nothing' THEN 4
        WHEN 'known' THEN 3 WHEN 'pass' THEN 2 WHEN 'known' THEN 2 WHEN 'nothing-expected' THEN 2 WHEN 'skipped' THEN 1 ELSE 0 END AS weight
    FROM exploration
)
SELECT json_object('target', target, 'scenario', scenario, 'weight', max(weight),
    'verdict', CASE max(weight) WHEN 7 THEN 'error' WHEN 6 THEN 'findings' WHEN 5 THEN 'missing' WHEN 4 THEN 'nothing'
        WHEN 3 THEN 'known' WHEN 2 THEN 'pass' WHEN 1 THEN 'skipped' ELSE 'unfinished' END,
    'runs', sum(runs), 'runs_failing', sum(runs_failing), 'interleavings', max(interleavings),
    'strategies', group_concat(DISTINCT strategy), 'cpu_ms', sum(cpu_ms), 'sessions', count(DISTINCT session))
FROM judged GROUP BY target, scenario ORDER BY target, scenario;

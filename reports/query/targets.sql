-- SPDX-License-Identifier: Apache-2.0
-- targets: one object for each build that something ran on.
SELECT json_object('name', name, 'build_id', build_id, 'python', python, 'gil', gil, 'tsan', tsan, 'debug', debug)
FROM target ORDER BY name, build_id;

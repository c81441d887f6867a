#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kills: `run`, `merge` and `soak`, each killed many times at random moments; what they leave.

    tests/kills.py [--kills 200] [--target plain] [--build build/default]

The tests store.py and soak.py do the same a few times.
"""
import random

import command
import soak
import store


def main():
    parser = command.arguments(__doc__, "plain")
    parser.add_argument("--kills", type=int, default=200, help="of each command (default 200)")
    options = parser.parse_args()
    test = command.Test(options)
    test.need_runner()
    draw = random.Random(3)
    store.check_killed_runs(test, options.kills, draw)
    store.check_killed_merges(test, options.kills, draw)
    ended = test.command(*soak.asked(test, "--units", soak.UNITS))
    test.check(ended.status == 0, "a soak that nobody disturbs", ended)
    soak.check_killed(test, options.kills)
    test.end()


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""executor: workers of an executor look up a cache and fill it, in two steps; each asserts that it filled it alone.
`executor.py corrected` uses one step, dict.setdefault."""
import sys
from concurrent.futures import ThreadPoolExecutor

KEYS = 300
cache = {}


def fill(worker):
    filled = 0
    for key in range(KEYS):
        if "corrected" in sys.argv:
            filled += cache.setdefault(key, worker) == worker
        elif key not in cache:
            cache[key] = worker
            filled += 1
    return filled


with ThreadPoolExecutor(2) as executor:
    filled = sum(executor.map(fill, range(2)))
print("filled", filled)
if filled != KEYS:
    sys.exit(5)

# SPDX-License-Identifier: Apache-2.0
"""race: two threads add to a counter in two steps; main asserts that nothing was lost. `race.py corrected` takes a
lock around them."""
import contextlib
import sys
import threading

ROUNDS = 150
counter = 0
guard = threading.Lock() if "corrected" in sys.argv else contextlib.nullcontext()


def add():
    global counter
    for _ in range(ROUNDS):
        with guard:
            seen = counter
            counter = seen + 1


threads = [threading.Thread(target=add) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("counter", counter)
assert counter == 2 * ROUNDS

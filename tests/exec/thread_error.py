# SPDX-License-Identifier: Apache-2.0
"""thread_error: a thread that finds the list empty dies of an IndexError, which Python only prints."""
import threading

items = [1]


def take():
    items.pop()


threads = [threading.Thread(target=take) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

# SPDX-License-Identifier: Apache-2.0
"""The package's main: says what it was given; two threads."""
import sys
import threading

from . import helper

threads = [threading.Thread(target=helper.work, args=(name,)) for name in sys.argv[1:]]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sorted(helper.done), __name__)
sys.exit(7 if len(helper.done) != len(threads) or "fail" in helper.done else 0)

# SPDX-License-Identifier: Apache-2.0
"""extension: two threads in an extension module of our own, account.c. `extension.py WHAT [corrected]`, WHAT is deposit,
audit or visit."""
import sys
import threading

import account

ROUNDS = {"deposit": 300, "audit": 6, "visit": 50}[sys.argv[1]]
action = getattr(account, sys.argv[1])
corrected = "corrected" in sys.argv


def work():
    for _ in range(ROUNDS):
        action(corrected)


threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
if action is account.deposit:
    assert account.deposit(True) == 2 * ROUNDS + 1

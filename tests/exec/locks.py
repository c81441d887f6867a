# SPDX-License-Identifier: Apache-2.0
"""locks: two threads take two threading.Lock in opposite order. `locks.py corrected` takes them in the same one."""
import sys
import threading

ROUNDS = 100
a = threading.Lock()
b = threading.Lock()


def swap(first, second):
    for _ in range(ROUNDS):
        with first:
            with second:
                pass


def main():
    other = (a, b) if "corrected" in sys.argv else (b, a)
    threads = [threading.Thread(target=swap, args=locks) for locks in ((a, b), other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()

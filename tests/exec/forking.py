# SPDX-License-Identifier: Apache-2.0
"""forking: a process forks while a thread counts under a lock, and the child counts, too. The child does not have that
thread: where it held the lock, the child waits for ever. `forking.py corrected` takes the lock across the fork.
`forking.py pool` lets multiprocessing fork, and asks the child through its queue."""
import multiprocessing
import os
import sys
import threading
import warnings

lock = threading.Lock()
counter = 0
warnings.simplefilter("ignore")  # a fork beside threads is what this is about


def count():
    global counter
    for _ in range(20):
        with lock:
            counter += 1


def answer(queue):
    worker = threading.Thread(target=queue.put, args=(7,))
    worker.start()
    worker.join()


thread = threading.Thread(target=count)
if "pool" in sys.argv:
    fork = multiprocessing.get_context("fork")
    queue = fork.SimpleQueue()
    process = fork.Process(target=answer, args=(queue,))
    thread.start()
    process.start()
    assert queue.get() == 7
    process.join()
    assert process.exitcode == 0
else:
    if "corrected" in sys.argv:
        os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release)
    thread.start()
    child = os.fork()
    if child == 0:
        count()
        os._exit(4)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 4
thread.join()

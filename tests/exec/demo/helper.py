# SPDX-License-Identifier: Apache-2.0
"""What the threads of demo do."""
done = []


def work(name):
    done.append(name)

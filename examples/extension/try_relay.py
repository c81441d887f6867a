# SPDX-License-Identifier: Apache-2.0
"""try_relay: uses the module relay in the main interpreter and in a subinterpreter, and leaves while threads run.

    PYTHONPATH=<folder of relay.so> python3 try_relay.py

Prints the same lines in every run, but for their order at the end.
"""

import sys
import weakref

import _interpreters
import relay


def say(*words):
    """A line in one piece: other threads print, too."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


class Callback:
    def __call__(self, number):
        return [number, 1][1]


def joined():
    callback = Callback()
    gone = weakref.ref(callback)
    work = relay.Relay()
    work.run(callback, 1000, 4)
    del callback
    say("joined: sum", work.join(), "callback is", "kept" if gone() else "dropped")


def raising(number):
    raise ValueError(number)


def with_errors():
    seen = []
    sys.unraisablehook = lambda unraisable: seen.append(unraisable.exc_type)
    work = relay.Relay()
    work.run(raising, 10, 2)
    say("errors: sum", work.join(), "unraisable", len(seen), {kind.__name__ for kind in seen})
    sys.unraisablehook = sys.__unraisablehook__


def in_subinterpreter():
    """With a GIL of its own, where builds have one. It ends with threads running, too."""
    interpreter = _interpreters.create("isolated")
    failure = _interpreters.exec(interpreter, f"""if True:
        import sys
        sys.path[:] = {sys.path!r}
        import relay
        work = relay.Relay()
        work.run(lambda number: number, 100, 2)
        sys.stdout.write(f"subinterpreter: sum {{work.join()}}\\n")
        late = relay.Relay()
        late.run(lambda number: sys.stdout.write(f"subinterpreter: late call {{number}}\\n"), 2, 1)
        """)
    _interpreters.destroy(interpreter)
    say("subinterpreter: has ended, failure", failure)


joined()
with_errors()
in_subinterpreter()
last = relay.Relay()
last.run(lambda number: say("main: late call", number) or number, 3, 1)
say("main: the script ends")

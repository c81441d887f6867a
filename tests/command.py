# SPDX-License-Identifier: Apache-2.0
"""command: what the integration tests share. Runs the constrictor command, finds or builds a runner, counts checks.

A test is a program. It prints one line per check; its exit status is 0 when every check held and there was at least
one, 1 when one failed, 77 when its target is not on this machine. Nothing here sleeps or looks at a clock: a process
that never comes back is ctest's business (TIMEOUT).
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
SKIPPED = 77
EXIT_FINDINGS = 1
EXIT_USAGE = 2
EXIT_ENVIRONMENT = 3
EXIT_NOTHING = 4
EXIT_INVALID = 5


def arguments(doc, target):
    """The options of every test; a test on one target names its usual one."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/default")
    parser.add_argument("--target", default=target, required=target is None)
    parser.add_argument("--optional", action="store_true",
                        help="skip (exit 77) when the target is not in the cache; build its runner when it is")
    return parser


class Ended:
    """A command that has ended: status, out, err."""

    def __init__(self, line, completed):
        self.line = line
        self.status = completed.returncode
        self.out = completed.stdout
        self.err = completed.stderr

    def __str__(self):
        text = f"$ {self.line}\nexit status {self.status}\n{self.out[-3000:]}{self.err[-2000:]}"
        return "\n".join("    " + line for line in text.splitlines())


class Test:
    """One test: its build, its target, a folder of its own, and its checks."""

    def __init__(self, options):
        self.build = options.build.resolve()
        self.target = options.target
        self.optional = options.optional
        self.checks = 0
        self.failed = 0
        self.folder = tempfile.TemporaryDirectory(prefix="constrictor-test-")
        self.work = pathlib.Path(self.folder.name)
        # Nothing of another build; and who runs the tests in shards does not mean the campaigns in them.
        self.environment = {key: value for key, value in os.environ.items()
                            if not re.match("CONSTRICTOR_[RS]|SLURM_|G?TEST_.*SHARD|JOB_COMPLETION_INDEX", key)}

    def check(self, holds, what, detail=""):
        """Count one check; when it does not hold, say all there is to know."""
        self.checks += 1
        print(("ok - " if holds else "not ok - ") + what, flush=True)
        if not holds:
            self.failed += 1
            if str(detail):
                print(detail, flush=True)
        return holds

    def end(self):
        """The last line, and the exit status."""
        if self.checks == 0:
            print("not ok - nothing was checked")
            self.failed += 1
        print(f"{pathlib.Path(sys.argv[0]).name}: {self.failed} of {self.checks} checks failed")
        self.folder.cleanup()
        sys.exit(1 if self.failed else 0)

    def give_up(self, what, detail=""):
        """A check without which the others mean nothing has failed."""
        self.check(False, what, detail)
        self.end()

    def need_runner(self, target=None):
        """The runner of the target, built if it is only optional and its CPython is there."""
        target = target or self.target
        runner = self.build / "runners" / target / "runner"
        if self.optional and not target.startswith("plain"):
            listed = subprocess.run([ROOT / "tools/cpython-build", "--list"], capture_output=True, text=True, check=True)
            states = dict(line.split("\t") for line in listed.stdout.splitlines())
            if states.get(target) != "ready":
                # A runner that is still here would be an old one: it cannot be brought up to date.
                print(f"# skipped: {target} is {states.get(target)}; tools/cpython-build {target} builds it")
                self.folder.cleanup()
                sys.exit(SKIPPED)
            print(f"# building the runner of {target}, unless it is up to date", flush=True)
            built = subprocess.run([ROOT / "tools/runner-build", target, self.build], capture_output=True, text=True)
            if built.returncode != 0:
                self.give_up(f"the runner of {target} builds", built.stderr)
        if not runner.exists():
            self.give_up(f"there is a runner of {target}", f"    tools/runner-build {target} {self.build} builds it")

    def command(self, *words, folder=None):
        """Run `constrictor WORD...` in `folder`, by default the test's own."""
        line = " ".join(["constrictor", *map(str, words)])
        folder = folder or self.work
        folder.mkdir(exist_ok=True)
        completed = subprocess.run([self.build / "constrictor", *map(str, words)], cwd=folder, env=self.environment,
                                   capture_output=True, text=True, errors="replace")
        return Ended(line, completed)

    def fuzz(self, name, path, out):
        """The fuzz target fuzz_NAME with its engine, on one file; what it finds it files below `out`."""
        words = [str(self.build / f"fuzz/fuzz_{name}"), str(path)]
        environment = self.environment | {"CONSTRICTOR_FUZZ_TARGET": self.target, "CONSTRICTOR_FUZZ_OUT": str(out)}
        completed = subprocess.run(words, cwd=self.work, env=environment, capture_output=True, text=True,
                                   errors="replace")
        return Ended(" ".join(words), completed)

    def run(self, *words, folder=None, target=None):
        """`constrictor run WORD...`: how it ended, and what it wrote to --json as a Report."""
        folder = folder or self.work
        target = target or self.target
        ended = self.command("run", *words, "--target", target, "--json", "run.jsonl", "--out", "out", folder=folder)
        path = folder / "run.jsonl"
        report = Report(path.read_text() if path.exists() else "", folder)
        if not report.complete(ended.status):
            self.give_up(f"{ended.line}: --json begins with start and ends with end and the exit status", ended)
        return ended, report


class Report:
    """What `run` wrote: finding lines as they are, and the objects."""

    def __init__(self, text, folder):
        self.folder = folder
        self.objects = [json.loads(line) for line in text.splitlines()]
        self.finding_lines = [line for line in text.splitlines() if json.loads(line)["type"] == "finding"]
        self.findings = [item for item in self.objects if item["type"] == "finding"]
        self.scenarios = {item["scenario"]: item for item in self.objects if item["type"] == "scenario"}

    def complete(self, status):
        return (len(self.objects) >= 2 and self.objects[0]["type"] == "start" and self.objects[-1]["type"] == "end" and
                self.objects[-1]["exit"] == status)

    def signatures(self, scenario):
        return sorted({item["signature"] for item in self.findings if item["scenario"] == scenario})

    def schedule(self, finding):
        return self.folder / finding["schedule"]


def frames_of(stack):
    """The functions of a stack, innermost first."""
    return [frame["function"] for frame in stack["frames"]]


class Replayed:
    """What `replay` printed: the signatures and the step-log hash of its replays, and their count by its last lines."""

    def __init__(self, ended):
        played = re.findall(r"^replay \d+/\d+: (.*); (\d+) steps, step log ([0-9a-f]{16})$", ended.out, re.M)
        total = re.search(r"^(\d+)/(\d+) with the recorded signature, \d+ passed; step log (.*)$", ended.out, re.M)
        self.outcomes = {outcome for outcome, _, _ in played}
        self.logs = {(steps, log) for _, steps, log in played}
        self.same, self.played = (int(total[1]), int(total[2])) if total else (0, 0)
        self.differs = total is None or "DIFFERS" in total[3]

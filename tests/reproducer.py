#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""reproducer: programs of the fuzzer as C that links against libpython alone, compiled and played without control.

    tests/reproducer.py [--target 3.14.7-ft-debug] [--build build/default] [--optional]

Nothing of ours is in them, so that what they show is CPython's. A program that crashes whatever the schedule must fail
in every try, one of gh-124619 in some of many, and one that finalizes nothing in none.
"""
import json
import os
import re
import subprocess

import command

LATE_ATTACH = command.ROOT / "fuzz/regress/lifecycle/attach_while_finalizing"
PROGRAMS = """traced finalize
    tracemalloc:1 create
quiet return
    section-two:0 close section-two:1 close call instance:1
    gilstate section-two:1 save close close collect close
    enter-main append close gilstate create close destroy
    keep keep:1 enter-kept gilstate close enter-kept:1 close close-kept
forks return
    fork fork:1 call fork:2 fork:3 collect
"""


class Reproducer:
    def __init__(self, test):
        self.test = test
        folder = subprocess.run([command.ROOT / "tools/cpython-build", "--dir", test.target], check=True,
                                capture_output=True, text=True).stdout.strip()
        self.target = json.loads(open(os.path.join(folder, "target.json")).read())
        self.home = self.make_home()

    def make_home(self):
        """The folders of an installed CPython, as PYTHONHOME names them."""
        version = re.match(r"\d+\.\d+", self.target["version"]).group()
        name = f"python{version}" + ("t" if self.target["gil_disabled"] else "")
        library, binary = self.test.work / "home/lib", self.test.work / f"exec/lib/{name}/lib-dynload"
        library.mkdir(parents=True)
        binary.mkdir(parents=True)
        (library / name).symlink_to(self.target["stdlib"])
        return f"{self.test.work / 'home'}:{self.test.work / 'exec'}"

    def compile(self, path):
        program = self.test.work / f"{path.name}.program"
        source = self.test.work / f"{path.name}.c"
        printed = subprocess.run([self.test.build / "fuzz/lifecycle_print", "--c", path], capture_output=True,
                                 text=True)
        source.write_text(printed.stdout)
        includes = re.findall(r"#include (.*)", printed.stdout)
        self.test.check(printed.returncode == 0 and includes and all(name.startswith("<") for name in includes),
                        f"{path.name}: it includes what is installed alone", f"{includes}\n{printed.stderr}")
        built = subprocess.run(["cc", "-g", "-O1", "-Wall", "-Wextra", "-Werror",
                                *(f"-I{folder}" for folder in self.target["include_dirs"]), source,
                                command.ROOT / "tools/cpython/atomics_stub.c", self.target["libpython"],
                                *self.target["link_args"], "-lpthread", "-rdynamic", "-o", program],
                               capture_output=True, text=True)
        self.test.check(built.returncode == 0, f"{path.name}: it is compiled without a warning", built.stderr[-2000:])
        return program

    def failures(self, program, tries):
        """How many of these tries failed; -1: one came to no end, or there is no such answer."""
        ended = subprocess.run([program, str(tries)], capture_output=True, text=True, errors="replace",
                               env=os.environ | {"PYTHONHOME": self.home})
        found = re.search(rf"^(\d+) of {tries} tries failed, .*; 0 came to no end$", ended.stdout, re.M)
        return int(found[1]) if found else -1


def main():
    test = command.Test(command.arguments(__doc__, "3.14.7-ft-debug").parse_args())
    test.need_runner()
    reproducer = Reproducer(test)
    programs = test.work / "programs.txt"
    programs.write_text(PROGRAMS)
    subprocess.run([test.build / "fuzz/lifecycle_seeds", programs, test.work / "inputs"], check=True)
    for path, tries, least, most in ((test.work / "inputs/traced", 5, 5, 5), (test.work / "inputs/quiet", 10, 0, 0),
                                     (test.work / "inputs/forks", 10, 0, 0),
                                     (LATE_ATTACH, 150, 1, 150)):
        failed = reproducer.failures(reproducer.compile(path), tries)
        test.check(least <= failed <= most, f"{path.name}: {failed} of {tries} tries fail, {least} to {most} should")
    refused = subprocess.run([test.build / "fuzz/lifecycle_print", "--c", programs.with_name("nothing")],
                             capture_output=True, text=True)
    test.check(refused.returncode == 2 and refused.stdout == "", "a file that is not there is refused", refused.stderr)
    programs.write_text("wrong finalize\n    attach no-such-thing\n")
    refused = subprocess.run([test.build / "fuzz/lifecycle_seeds", programs, test.work / "inputs"], capture_output=True,
                             text=True)
    test.check(refused.returncode == 2 and 'programs.txt:2: no such operation, or one too many: "no-such-thing"' in
               refused.stderr, "lifecycle_seeds names the line that is wrong", refused.stderr)
    test.end()


if __name__ == "__main__":
    main()

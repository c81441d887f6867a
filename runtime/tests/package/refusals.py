#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""refusals: what `cmake -S runtime` says when the CPython that it is given is none, or too old. Needs no target.

Exit status: 0 each is refused with its one sentence, 1 something else happened.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

RUNTIME = pathlib.Path(__file__).resolve().parents[2]
HEADERS = ("Python.h", "pyconfig.h", "patchlevel.h")
SECONDS_MAX = 60


class Refusals(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="refusals-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name).resolve()

    def headers(self, minor, text="", names=HEADERS):
        """A folder that looks like the headers of CPython 3.minor."""
        include = self.folder / "include"
        include.mkdir()
        for name in names:
            (include / name).write_text(f"{text}\n#define PY_MAJOR_VERSION 3\n#define PY_MINOR_VERSION {minor}\n")
        return include

    def interpreter(self, script):
        path = self.folder / "python3"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    def configure(self, *options, env=None):
        """Exit status, and the lines of the output that are pyrt's own."""
        result = subprocess.run(["cmake", "-S", RUNTIME, "-B", self.folder / "build", *options], text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS_MAX,
                                env={**os.environ, **(env or {})})
        lines = [line.strip().removeprefix("-- ") for line in result.stdout.splitlines()]
        return result.returncode, [line for line in lines if line.startswith("pyrt")]

    def check_refused(self, sentence, *options, env=None):
        self.assertEqual(self.configure(*options, env=env), (1, [f"pyrt: {sentence}"]))

    def test_no_interpreter_on_the_path(self):
        # A PATH of links, with all that CMake needs and without python3.
        tools = self.folder / "bin"
        tools.mkdir()
        for folder in reversed(os.environ["PATH"].split(":")):
            for file in pathlib.Path(folder).glob("*") if folder else ():
                if not file.name.startswith("python"):
                    (tools / file.name).unlink(missing_ok=True)
                    (tools / file.name).symlink_to(file)
        self.check_refused("there is no python3: name an interpreter with -DPython3_EXECUTABLE=<file>, or headers with "
                           "-DPYRT_PYTHON_INCLUDE_DIR=<folders>", "-DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF",
                           env={"PATH": str(tools)})

    def test_an_interpreter_that_does_not_answer(self):
        python = self.interpreter("exit 1")
        self.check_refused(f"{python} does not say where its headers are: name them with "
                           "-DPYRT_PYTHON_INCLUDE_DIR=<folders>", f"-DPython3_EXECUTABLE={python}")

    def test_an_interpreter_of_an_old_version(self):
        include = self.headers(12)
        python = self.interpreter(f"echo '{include};{include}'; echo")
        self.check_refused(f"the headers in {include};{include} are those of CPython 3.12, and 3.13 is the oldest that "
                           "pyrt supports", f"-DPython3_EXECUTABLE={python}")

    def test_an_interpreter_in_a_prefix(self):
        self.headers(9)
        (self.folder / "bin").mkdir()
        self.interpreter(f"echo '{self.folder}/include'; echo").rename(self.folder / "bin" / "python3")
        self.check_refused(f"the headers in {self.folder}/include are those of CPython 3.9, and 3.13 is the oldest "
                           "that pyrt supports", f"-DPython3_ROOT_DIR={self.folder}")

    def test_headers_that_are_missing(self):
        self.check_refused(f"there is no Python.h in {self.folder}", f"-DPYRT_PYTHON_INCLUDE_DIR={self.folder}")

    def test_a_configuration_that_is_missing(self):
        include = self.headers(14, names=("Python.h", "patchlevel.h"))
        self.check_refused(f"there is no pyconfig.h in {include}", f"-DPYRT_PYTHON_INCLUDE_DIR={include}")

    def test_headers_without_a_version(self):
        include = self.headers("x")
        self.check_refused(f"{include}/patchlevel.h does not say which CPython it belongs to",
                           f"-DPYRT_PYTHON_INCLUDE_DIR={include}")

    def test_headers_that_do_not_compile(self):
        include = self.headers(14, text="#error no")
        status, lines = self.configure(f"-DPYRT_PYTHON_INCLUDE_DIR={include}")
        self.assertEqual(status, 1)
        self.assertRegex(lines[0], f"^pyrt: .* cannot compile the Python.h of {include}$")

    def test_locate_answers_for_a_real_interpreter(self):
        # Whichever version runs this test: it must name a folder with a pyconfig.h, and a libpython that exists if any.
        lines = subprocess.run([sys.executable, RUNTIME / "cmake" / "locate.py"], check=True, text=True,
                               stdout=subprocess.PIPE).stdout.splitlines()
        self.assertEqual(len(lines), 2)
        self.assertTrue(lines[0])
        self.assertTrue(all(pathlib.Path(item).is_absolute() for item in lines[0].split(";")))
        if lines[1]:
            self.assertTrue(pathlib.Path(lines[1].split(";")[0]).is_file())


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_style_tools: tools/format-check and tools/clang-tidy-check on a small made tree; skipped without clang."""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TIDY = "int cx_zero(int a)\n{\n    int b = 0;\n    return a / b;\n}\n"
CLEAN = "int cx_one(int a)\n{\n    return a;\n}\n"


class StyleToolsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        for name in (".clang-format", ".clang-tidy", "tools/format-check", "tools/clang-tidy-check"):
            (self.root / name).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, self.root / name)
        self.put("harness/clean.c", CLEAN)
        self.git("init", "-q")

    def git(self, *arguments):
        subprocess.run(["git", "-c", "user.name=test", "-c", "user.email=test@example.invalid", *arguments],
                       cwd=self.root, check=True, capture_output=True)

    def put(self, name, text):
        (self.root / name).parent.mkdir(exist_ok=True)
        (self.root / name).write_text(text)

    def run_tool(self, *command):
        return subprocess.run([self.root / command[0], *command[1:]], capture_output=True, text=True)

    def test_format_names_files_and_mends_them(self):
        self.put("harness/wide.c", "int  cx_x;\n")
        self.git("add", ".")
        result = self.run_tool("tools/format-check")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stdout, "harness/wide.c:1: not formatted (tools/format-check --fix formats in place)\n"
                                        "format-check: 2 files, 1 not formatted\n")
        self.assertEqual(self.run_tool("tools/format-check", "--fix").returncode, 0)
        self.assertEqual((self.root / "harness/wide.c").read_text(), "int cx_x;\n")
        self.assertEqual(self.run_tool("tools/format-check").returncode, 0)

    def test_format_without_a_file_is_an_error(self):
        result = self.run_tool("tools/format-check")
        self.assertEqual(result.returncode, 1)
        self.assertIn("no tracked C file found", result.stderr)

    def test_clang_tidy_finds_and_remembers_what_is_clean(self):
        self.put("harness/zero.c", TIDY)
        self.git("add", ".")
        self.git("commit", "-qm", "made")
        result = self.run_tool("tools/clang-tidy-check")
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("harness/zero.c:4:14: error: Division by zero", result.stdout)
        self.assertIn("2 files: 0 clean before, 2 looked at, 1 with findings, 0 left", result.stdout)
        self.put("harness/zero.c", CLEAN)
        result = self.run_tool("tools/clang-tidy-check")
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertIn("2 files: 1 clean before, 1 looked at, 0 with findings, 0 left", result.stdout)

    def test_clang_tidy_without_time_is_an_error(self):
        self.git("add", ".")
        self.git("commit", "-qm", "made")
        result = self.run_tool("tools/clang-tidy-check", "--seconds", "-1")
        self.assertEqual(result.returncode, 1)
        self.assertIn("no time for a single file", result.stderr)


if __name__ == "__main__":
    if not all(shutil.which(tool) for tool in ("clang-format-19", "clang-tidy-19")):
        print("skipped: there is no clang-format-19 or clang-tidy-19")
        sys.exit(77)
    unittest.main()

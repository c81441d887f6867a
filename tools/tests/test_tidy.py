#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_tidy: every rule of tools/tidy.py trips on a small made tree, and a tree in order passes.

Each case changes a few files of a tree that is in order, and names the lines that must be printed: no more, no less.
"""

import pathlib
import subprocess
import sys
import tempfile
import unittest

TIDY = pathlib.Path(__file__).resolve().parent.parent / "tidy.py"
SPDX = "// SPDX-License-Identifier: Apache-2.0\n"
HEAD = SPDX + "//\n// unit: a made file.\n"

# In pieces, so that tidy does not find them here.
LEFTOVER = "FIX" + "ME"
MACHINE_PATH = "/ho" + "me/someone/x"
REGISTRY = "py" + "pi.org"
ADDRESS = "https:" + "//mirror.example"
GUARD_ADVICE = ("(begin or end its comment with `under LOCK`, `atomic`, `const after init`, `owner thread only` or "
                "`scheduler token`)")

GOOD = {
    "harness/command.cmake": "# sources\nset(SOURCES a.c sched/b.c host/h.c)\n",
    "harness/a.c": HEAD + '#include "harness/a.h"\n\nint cx_a(void)\n{\n    return 1; // assert(0), time(NULL)\n}\n',
    "harness/a.h": HEAD + "#ifndef CX_A_H\n#define CX_A_H\nint cx_a(void);\n#endif\n",
    "harness/sched/b.c": HEAD + "struct shared {\n    int one; // atomic\n    int two; // scheduler token: more\n};\n",
    "harness/host/h.c": HEAD + "#include <Python.h>\n",
    "harness/command.h": HEAD + "#ifndef CX_COMMAND_H\n#define CX_COMMAND_H\n"
                                '#define CX_COMMAND_MAP(X) X("run", f, "s")\n#endif\n',
    "harness/cmd_run.c": HEAD + 'static const char *names[] = {"seed"};\n',
    "runtime/sources.cmake": "set(PYRT_SOURCES attach)\n",
    "runtime/src/attach.c": HEAD + "int pyrt_attach(void);\n",
    "scenarios/CMakeLists.txt": "set(SCENARIOS\n    gc/one\n)\n",
    "scenarios/gc/one.c": HEAD + "#include <Python.h>\n",
    "bootstrap": "#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\n# bootstrap: a made script.\n"
                 "case $1 in\n    test) : ;;\nesac\n",
    "cmake/more.cmake": "set(MORE cmd_run.c)\n",
    "README.md": "See `harness/a.c` and [a](harness/a.h).\n\n"
                 "```\n./bootstrap test\nconstrictor run gc/one --seed 1\n```\n",
}


class TidyTest(unittest.TestCase):
    maxDiff = None

    def run_tidy(self, changes):
        with tempfile.TemporaryDirectory() as root:
            for path, text in {**GOOD, **changes}.items():
                if text is not None:
                    file = pathlib.Path(root) / path
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_text(text)
            subprocess.run(["git", "init", "-q", root], check=True)
            result = subprocess.run([sys.executable, TIDY, root], capture_output=True, text=True)
        return result

    def check(self, changes, *expected):
        result = self.run_tidy(changes)
        lines = result.stdout.splitlines()
        self.assertEqual(lines[:-1], list(expected), result.stderr)
        self.assertEqual(result.returncode, 1 if expected else 0)
        self.assertRegex(lines[-1], r"^tidy: \d+ files \(\d+ of them C\), \d+ lines, \d+ rules: ")

    def test_good_tree_passes_and_says_how_much_was_read(self):
        result = self.run_tidy({})
        lines = sum(text.count("\n") for text in GOOD.values())
        self.assertEqual(result.stdout, f"tidy: 14 files (8 of them C), {lines} lines, 15 rules: no findings\n")
        self.assertEqual(result.returncode, 0)

    def test_no_c_file_is_an_error(self):
        result = self.run_tidy({path: None for path in GOOD if path.endswith((".c", ".h"))})
        self.assertEqual(result.returncode, 1)
        self.assertIn("no C file found", result.stderr)

    def test_no_checkout_is_an_error(self):
        with tempfile.TemporaryDirectory() as root:
            result = subprocess.run([sys.executable, TIDY, root + "/none"], capture_output=True, text=True)
        self.assertEqual(result.returncode, 1)
        self.assertIn("is no git checkout", result.stderr)

    def test_lengths(self):
        self.check({"harness/a.c": HEAD + "int x;\n" * 498},
                   "harness/a.c:501: 501 lines in a file, at most 500 (split it: one idea per file)")
        self.check({"harness/a.c": HEAD + "int x;\n" * 497})
        self.check({"harness/a.h": GOOD["harness/a.h"] + "// a line of text\n" * 144},
                   "harness/a.h:151: 151 lines in a header, at most 150 (split it by subject)")

    def test_function_length(self):
        body = "int cx_long(int a)\n{{\n{0}}}\n"
        self.check({"harness/a.c": HEAD + body.format("    a++;\n" * 68)})
        self.check({"harness/a.c": HEAD + body.format("    a++;\n" * 69)},
                   "harness/a.c:5: function cx_long has 71 lines, at most 70 "
                   "(take a step out into a function of its own)")

    def test_columns_and_blanks(self):
        self.check({"harness/a.c": HEAD + "// " + "x" * 118 + "\nint x; \nint y;"},
                   "harness/a.c:4: 121 columns, at most 120 (wrap it)",
                   "harness/a.c:5: blanks at the end of the line (remove them)",
                   "harness/a.c:6: no newline at the end of the file (add it)")
        self.check({"README.md": "| " + "x" * 130 + " |\n"})
        self.check({"bootstrap": GOOD["bootstrap"] + "echo '" + "x" * 130 + "'\n"})

    def test_opening(self):
        self.check({"harness/a.c": "int x;\n"},
                   "harness/a.c:1: the first line is not the SPDX line (// SPDX-License-Identifier: Apache-2.0)",
                   "harness/a.c:2: no opening comment "
                   "(say after the SPDX line what the file owns and what it does not)")
        self.check({"bootstrap": "#!/bin/sh\ncase $1 in\n    test) : ;;\nesac\n"},
                   "bootstrap:2: no SPDX line after #! (# SPDX-License-Identifier: Apache-2.0)")

    def test_include_guards(self):
        self.check({"harness/a.h": HEAD + "int cx_a(void);\n"},
                   "harness/a.h:1: no include guard of the form CX_..._H (#ifndef, #define, and #endif at the end)")
        self.check({"harness/b.h": GOOD["harness/a.h"]},
                   "harness/b.h:1: its include guard CX_A_H is also that of harness/a.h "
                   "(name it after folder and file)")
        self.check({"runtime/include/pyrt/a.h": GOOD["harness/a.h"]},
                   "runtime/include/pyrt/a.h:1: no include guard of the form PYRT_..._H "
                   "(#ifndef, #define, and #endif at the end)")

    def test_layers(self):
        self.check({"runtime/src/attach.c": HEAD + '#include "harness/a.h"\n'},
                   "runtime/src/attach.c:4: runtime/ must not include harness/a.h (arrows between layers go one way)")
        self.check({"harness/a.c": HEAD + "#include <Python.h>\n"},
                   "harness/a.c:4: Python.h here (only runtime, harness/host, scenarios, examples and fuzz see it)")
        listed = {"examples/one/CMakeLists.txt": "add_executable(one one.c)\n"}
        self.check({**listed, "examples/one/one.c": HEAD + "#include <Python.h>\n\n#include <pyrt/pyrt.h>\n"})
        self.check({**listed, "examples/one/one.c": HEAD + '#include "runtime/src/a.h"\n'},
                   "examples/one/one.c:4: examples/ must not include runtime/src/a.h "
                   "(arrows between layers go one way)")
        self.check({"scenarios/gc/one.c": HEAD + "#include <stdio.h>\n#include <Python.h>\n"},
                   "scenarios/gc/one.c:5: Python.h is not the first include (it sets feature macros)")
        self.check({"harness/a.c": HEAD + '#include "sched/b.c"\n'},
                   "harness/a.c:4: includes the source file sched/b.c (link it)")

    def test_banned_calls(self):
        body = "    assert(1);\n    real.sleep(1);\n    return rand();\n"
        self.check({"harness/a.c": HEAD + "int f(void)\n{\n" + body + "}\n"},
                   "harness/a.c:6: calls assert() (use CX_CHECK in scenarios, an error status elsewhere: "
                   "checks never vanish)",
                   "harness/a.c:8: calls rand() (use harness/prng.h, or cx_choose() in a scenario)")
        self.check({"harness/a.c": HEAD + "long f(void)\n{\n    return time(NULL);\n}\n"},
                   "harness/a.c:6: calls time() (use harness/exec/clock.h in the command, cx_now_ns() in a run)")
        self.check({"harness/interpose/time.c": HEAD + "unsigned sleep(unsigned s)\n{\n    return s;\n}\n",
                    "cmake/more.cmake": "set(MORE cmd_run.c interpose/time.c)\n"})

    def test_leftovers_and_suppressions(self):
        self.check({"harness/a.c": HEAD + f"// {LEFTOVER}: later\nint x; // NOLINT\n"},
                   f"harness/a.c:4: a leftover {LEFTOVER} (do it, or make it an issue)",
                   "harness/a.c:5: a suppression without check or reason (NOLINT(check): reason)")
        self.check({"harness/a.c": HEAD + "int x; // NOLINT(bugprone-x): because\n"})

    def test_orphans(self):
        orphan = "no CMake list names this file (list it, or remove it)"
        self.check({"harness/stray.c": HEAD + "int x;\n"}, f"harness/stray.c:1: {orphan}")
        self.check({"runtime/src/stray.c": HEAD + "int x;\n"}, f"runtime/src/stray.c:1: {orphan}")
        self.check({"scenarios/gc/stray.c": HEAD + "int x;\n"}, f"scenarios/gc/stray.c:1: {orphan}")
        self.check({"cmake/more.cmake": "set(MORE)  # cmd_run.c\n"}, f"harness/cmd_run.c:1: {orphan}")
        self.check({"examples/one/stray.c": HEAD + "int x;\n"}, f"examples/one/stray.c:1: {orphan}")
        self.check({"runtime/tests/some/made.cpp": HEAD + "int x;\n"}, f"runtime/tests/some/made.cpp:1: {orphan}")
        builds_it = '#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\n# build: builds it.\nc++ made.cpp\n'
        self.check({"runtime/tests/some/made.cpp": HEAD + "int x;\n", "runtime/tests/some/build": builds_it})

    def test_places(self):
        self.check({"README.md": f"{MACHINE_PATH}\n{REGISTRY}\n{ADDRESS}/x\n"},
                   f"README.md:1: an absolute path of some machine, {MACHINE_PATH[:7]}... (make it relative)",
                   "README.md:2: names a package registry (take the host from the machine's own configuration)",
                   "README.md:3: an address at mirror.example (no host but those in HOSTS of tools/tidy.py)")

    def test_guard_words(self):
        struct = HEAD + "struct s {{\n    int one; // atomic\n    {}\n}};\n"
        self.check({"harness/sched/b.c": struct.format("int two; // counter\n    int three;")},
                   f"harness/sched/b.c:6: a field of struct s without a guard word {GUARD_ADVICE}",
                   f"harness/sched/b.c:7: a field of struct s without a guard word {GUARD_ADVICE}")
        self.check({"harness/sched/b.c": struct.format("int two; // a number; under s.lock")})

    def test_shared_structs_must_exist_and_be_annotated(self):
        sched = HEAD + "#ifndef CX_SCHED_H\n#define CX_SCHED_H\nstruct cx_thread {\n    int x;\n};\n#endif\n"
        result = self.run_tidy({"harness/sched/sched.h": sched})
        self.assertIn(f"harness/sched/sched.h:7: a field of struct cx_thread without a guard word {GUARD_ADVICE}",
                      result.stdout)
        self.assertIn("harness/sched/sched.h:1: struct cx_sched is not here any more", result.stdout)
        self.assertIn("tools/tidy.py:1: the exception (header-length, harness/sched/sched.h) is no longer needed",
                      result.stdout)

    def test_document_commands(self):
        self.check({"README.md": "`constrictor fly` and `./bootstrap fly`, `constrictor run gc/two --speed`.\n"},
                   "README.md:1: `constrictor run` has no option --speed (see harness/cmd_run.c)",
                   "README.md:1: there is no `./bootstrap fly`",
                   "README.md:1: there is no `constrictor fly` (harness/command.h lists the verbs)",
                   "README.md:1: there is no scenario gc/two (scenarios/CMakeLists.txt lists them)")
        self.check({"README.md": "In prose constrictor finds things.\n"})

    def test_document_paths(self):
        self.check({"README.md": "See harness/none.c, harness/*.c and `docs/none.md`; [a](none.md).\n"},
                   "README.md:1: a link to none.md, which does not exist (mend it)",
                   "README.md:1: there is no docs/none.md (mend the document)",
                   "README.md:1: there is no harness/none.c (mend the document)")


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_api_reference: each thing that tools/api-reference asks of a comment is missed when it is not there.

Each case changes one text of headers that are in order, and names the findings: no more, no less.
"""

import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOL = pathlib.Path(__file__).resolve().parent.parent / "api-reference"

STATUS = """// SPDX-License-Identifier: Apache-2.0
//
// pyrt/status: codes.
#ifndef PYRT_STATUS_H
#define PYRT_STATUS_H

// The codes.
#define PYRT_STATUS_MAP(X)          \\
    X(PYRT_OK, 0, "ok", "done")     \\
    X(PYRT_GONE, -1, "gone",        \\
      "it has ended")

// What a call can answer.
#define PYRT_STATUS_ENUM(enumerator, value, name, sentence) enumerator = value,
enum pyrt_status { PYRT_STATUS_MAP(PYRT_STATUS_ENUM) };
#undef PYRT_STATUS_ENUM

#endif
"""
THING = """// SPDX-License-Identifier: Apache-2.0
//
// pyrt/thing: a thing. It has an example:
//
//     pyrt_thing_open(thing);
//
// * and a list.
#ifndef PYRT_THING_H
#define PYRT_THING_H

#include <stdint.h>

// The thing's own; leave it alone.
struct pyrt_thing {
    int live; // owner thread only
};

// Open `thing`.
// Requires: it is closed.
// Thread state: either. Blocks: no. May run Python: no.
// Pointers: `thing` stays the caller's.
// Returns: PYRT_OK; GONE: too late.
// Source: own.
enum pyrt_status pyrt_thing_open(struct pyrt_thing *thing);

// How many there are, and
// what the last one is called.
// Thread state: attached. Blocks: until one is there. May run Python: yes.
// Pointers: `thing` is borrowed.
// Units: things.
// Returns: the number.
// Source: PEP 788.
uint32_t pyrt_thing_count(const struct pyrt_thing *thing,
                          int all);

// Begin and open a block.
// Thread state: attached. Blocks: no. May run Python: no.
// Pointers: `thing` is stolen.
// Returns: nothing.
// Source: own.
#define PYRT_THING_BEGIN(thing) \\
    do {                        \\
    use(thing)
#define PYRT_THING_BEGIN_TWICE(thing) PYRT_THING_BEGIN(thing)

#if defined(ONE)
// How many.
#define PYRT_THINGS 1
#else
#define PYRT_THINGS 2
#endif

#endif
"""


class ApiReferenceTest(unittest.TestCase):
    maxDiff = None

    def run_tool(self, thing, *options, stale=False):
        with tempfile.TemporaryDirectory() as root:
            headers = pathlib.Path(root) / "runtime/include/pyrt"
            headers.mkdir(parents=True)
            (pathlib.Path(root) / "docs").mkdir()
            (headers / "status.h").write_text(STATUS)
            (headers / "thing.h").write_text(thing)
            subprocess.run([TOOL, root], stdout=subprocess.DEVNULL)
            document = pathlib.Path(root) / "docs/pyrt-api.md"
            self.document = document.read_text()
            if stale:
                document.write_text(self.document + "\n")
            result = subprocess.run([TOOL, *options, root], capture_output=True, text=True)
        *findings, total = result.stdout.splitlines()
        self.assertRegex(total, r"^api-reference: 2 headers, \d+ declarations: ")
        self.assertEqual(result.returncode, 1 if findings else 0)
        return findings

    def check(self, old, new, *wanted):
        self.assertIn(old, THING)
        findings = self.run_tool(THING.replace(old, new, 1), "--check")
        self.assertEqual([finding.split(": ", 1)[1] for finding in findings], list(wanted))

    def test_headers_in_order(self):
        self.assertEqual(self.run_tool(THING, "--check"), [])
        for text in ("## pyrt/thing.h\n\nA thing. It has", "```c\npyrt_thing_open(thing);\n```\n\n* and a list.",
                     "### `pyrt_thing_count`\n\n```c\nuint32_t pyrt_thing_count(const struct pyrt_thing *thing,\n  ",
                     "How many there are, and what the last one is called.\n\n* **Thread state:** attached.\n* **Bl",
                     "### `PYRT_THING_BEGIN`, `PYRT_THING_BEGIN_TWICE`\n\n```c\n#define PYRT_THING_BEGIN(thing)\n",
                     "```c\n#define PYRT_THINGS\n```\n\nHow many.\n", "| `PYRT_GONE` | -1 | gone | it has ended |",
                     "### `pyrt_status`\n"):
            self.assertIn(text, self.document)
        self.assertNotIn("PYRT_STATUS_ENUM(e", self.document)

    def test_a_document_that_is_not_up_to_date(self):
        self.assertEqual(self.run_tool(THING, "--check", stale=True),
                         ["docs/pyrt-api.md:1: is not what the headers say (run tools/api-reference)"])
        self.assertEqual(self.run_tool(THING, stale=True), [])

    def test_each_label(self):
        name = "pyrt_thing_count"
        self.check("// Units: things.\n", "", f"the comment of {name} lacks `Units:`")
        self.check("// Returns: the number.\n", "", f"the comment of {name} lacks `Returns:`")
        self.check("// Source: PEP 788.\n", "", f"the comment of {name} lacks `Source:`")
        self.check(" Blocks: until one is there.", "", f"the comment of {name} lacks `Blocks:`")
        self.check("Thread state: attached. Blocks: until", "Blocks: until",
                   f"the comment of {name} lacks `Thread state:`")
        self.check(" May run Python: yes.", "", f"the comment of {name} lacks `May run Python:`")
        self.check("Thread state: attached. Blocks: until", "Thread state: sure. Blocks: until",
                   f"`Thread state:` of {name} begins with none of: attached, detached, either")
        self.check("Source: PEP 788.", "Source: PEP 788",
                   f"`Source:` of {name} is no sentence (end it with a full stop)")

    def test_pointers(self):
        owners = "(Pointers: one of: the caller's, borrowed, stolen, filled in, the caller frees)"
        self.check("// Pointers: `thing` is borrowed.\n", "", f"who owns `thing` of pyrt_thing_count? {owners}")
        self.check("`thing` is borrowed.", "`thing` is nice.", f"who owns `thing` of pyrt_thing_count? {owners}")
        self.check("uint32_t pyrt_thing_count(", "uint32_t *pyrt_thing_count(",
                   f"who owns the result of pyrt_thing_count? {owners}")
        self.check("// Pointers: `thing` is stolen.\n", "", f"who owns `thing` of PYRT_THING_BEGIN? {owners}",
                   f"who owns `thing` of PYRT_THING_BEGIN_TWICE? {owners}")

    def test_codes(self):
        self.check("Returns: PYRT_OK; GONE: too late.", "Returns: GONE.",
                   "the codes of pyrt_thing_open (Returns: PYRT_OK, and each other code)")
        self.check("GONE: too late.", "LATE: too late.", "there is no status LATE (status.h lists them)")
        self.check("// Returns: nothing.", "// Returns: something.",
                   "PYRT_THING_BEGIN returns nothing (Returns: nothing, and what that means)",
                   "PYRT_THING_BEGIN_TWICE returns nothing (Returns: nothing, and what that means)")

    def test_what_has_no_comment(self):
        self.check("    int live; // owner thread only", "    int live;", "`int live;` of pyrt_thing has no comment")
        self.check("// The thing's own; leave it alone.\n", "",
                   "pyrt_thing has no comment (say what it is, right above it)")
        self.check("// How many.\n", "", "PYRT_THINGS has no comment (say what it is, right above it)",
                   "PYRT_THINGS has no comment (say what it is, right above it)")

    def test_no_headers_are_an_error(self):
        with tempfile.TemporaryDirectory() as root:
            result = subprocess.run([TOOL, "--check", root], capture_output=True, text=True)
        self.assertEqual(result.returncode, 1)
        self.assertIn("no status and no declaration", result.stderr)


if __name__ == "__main__":
    sys.exit(unittest.main())

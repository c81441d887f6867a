#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""package: pyrt built alone, installed, moved, found again, and used by the examples. One target, one compiler.

    runtime/tests/package/package.py --build BUILD_DIR --target TARGET [--compiler gcc|clang-19]

The targets have no program python: python.c, linked with a target's libpython.a, is one. A debug target's libpython.a
calls __tsan_atomic* functions, which tools/cpython/atomics_stub.c has: the embedder's link line gets it as an archive.
That is all that is special about a target; the examples see an ordinary CPython, by PYTHONHOME.

Exit status: 0 all held, 1 something did not, 3 the target is not in the cache.
"""

import argparse
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
HERE = ROOT / "runtime" / "tests" / "package"
STEP_SECONDS_MAX = 240
WARNINGS = ["-Wall", "-Wextra", "-Werror"]
CXX = {"gcc": "g++", "clang-19": "clang++-19"}

EMBEDDER_OUTPUT = """\
embedder: pyrt {pyrt}, CPython {python}
embedder: each of 4 sensors has called Python at least 1000 times
embedder: Python was finalized under their feet: well
embedder: sensor 0 has ended: {refusal}
embedder: sensor 1 has ended: {refusal}
embedder: sensor 2 has ended: {refusal}
embedder: sensor 3 has ended: {refusal}
embedder: every reference was dropped, or died with its interpreter: yes
"""
REFUSAL = "the interpreter is being finalized, or has been; it lets nobody in"
# Threads print the late lines: compared in sorted order.
RELAY_OUTPUT = """\
errors: sum 0 unraisable 20 {'ValueError'}
joined: sum 4000 callback is dropped
main: late call 0
main: late call 1
main: late call 2
main: the script ends
subinterpreter: has ended, failure None
subinterpreter: late call 0
subinterpreter: late call 1
subinterpreter: sum 9900
"""


class Failure(Exception):
    pass


def run(*command, env=None, **options):
    """The standard output of a command that must succeed."""
    result = subprocess.run([str(word) for word in command], text=True, timeout=STEP_SECONDS_MAX,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=os.environ | (env or {}), **options)
    if result.returncode != 0:
        raise Failure(f"exit status {result.returncode}: {shlex.join(map(str, command))}\n{result.stdout}")
    return result.stdout


def check(what, seen, wanted):
    if seen != wanted:
        raise Failure(f"{what}:\n--- wanted\n{wanted}\n--- seen\n{seen}")
    print(f"package: ok: {what}", flush=True)


class Package:
    def __init__(self, folder, target_dir, compiler):
        self.folder, self.compiler = folder, compiler
        target = json.loads((target_dir / "target.json").read_text())
        self.include_dirs = target["include_dirs"]
        self.python = re.match(r"\d+\.\d+", target["version"]).group()
        self.gil_disabled = target["gil_disabled"]
        self.prefix = folder / "prefix"
        self.link = [target["libpython"], str(self.atomics()), *target["link_args"]]
        self.env = {"PYTHONHOME": self.home(target), "PKG_CONFIG_PATH": str(self.prefix / "lib" / "pkgconfig")}

    def atomics(self):
        library = self.folder / "libatomics_stub.a"
        run(self.compiler, "-O1", "-c", ROOT / "tools/cpython/atomics_stub.c", "-o", self.folder / "stub.o")
        run("ar", "rcs", library, self.folder / "stub.o")
        return library

    def home(self, target):
        """The folders of an installed CPython, as PYTHONHOME names them."""
        name = f"python{self.python}" + ("t" if self.gil_disabled else "")
        stdlib, binary = self.folder / "home/lib", self.folder / f"exec/lib/{name}/lib-dynload"
        stdlib.mkdir(parents=True)
        binary.mkdir(parents=True)
        (stdlib / name).symlink_to(target["stdlib"])
        return f"{self.folder / 'home'}:{self.folder / 'exec'}"

    def configure(self, source, build, *options):
        return run("cmake", "-S", source, "-B", build, "-G", "Ninja", f"-DCMAKE_C_COMPILER={self.compiler}",
                   "-DCMAKE_COMPILE_WARNING_AS_ERROR=ON", "-DCMAKE_C_FLAGS=-Wall -Wextra",
                   "-DCMAKE_INSTALL_LIBDIR=lib", *options)

    def install(self):
        """Installed to one place and moved to another: nothing may remember the first."""
        build, first = self.folder / "build", self.folder / "first"
        self.configure(ROOT / "runtime", build, f"-DPYRT_PYTHON_INCLUDE_DIR={';'.join(self.include_dirs)}",
                       f"-DPYRT_PYTHON_LINK={';'.join(self.link)}", f"-DCMAKE_INSTALL_PREFIX={first}")
        run("cmake", "--build", build, "-j2")
        run("cmake", "--install", build)
        first.rename(self.prefix)
        shutil.rmtree(build)
        installed = sorted(path.name for path in (self.prefix / "include/pyrt").rglob("*.h"))
        check("headers", installed, sorted(path.name for path in (ROOT / "runtime/include/pyrt").rglob("*.h")))
        self.version = ".".join(re.findall(r"#define PYRT_VERSION_[MP]\w+ (\d+)",
                                           (self.prefix / "include/pyrt/version.h").read_text()))
        for name in ("pyrt", "pyrt-embed"):
            check(f"pkg-config --modversion {name}", run("pkg-config", "--modversion", name, env=self.env).strip(),
                  self.version)

    def example(self, name, product):
        """Build an example by its CMakeLists.txt and by the line in its opening comment; yield both products."""
        source = next((ROOT / "examples" / name).glob("*.c"))
        build = self.folder / name
        self.configure(source.parent, build, f"-DCMAKE_PREFIX_PATH={self.prefix}")
        run("cmake", "--build", build)
        yield "find_package", build / product
        line = re.search(r"^//     (cc .*)$", source.read_text(), re.M).group(1)
        by_hand = self.folder / f"{name}-pkg-config"
        by_hand.mkdir()
        shutil.copy(source, by_hand)
        run("bash", "-ec", line.replace("cc ", f"{self.compiler} ", 1), env=self.env, cwd=by_hand)
        yield "pkg-config", by_hand / product

    def embedder(self):
        wanted = EMBEDDER_OUTPUT.format(pyrt=self.version, python=self.python, refusal=REFUSAL)
        for way, program in self.example("embedder", "embedder"):
            check(f"embedder by {way}", run(program, env=self.env), wanted)

    def extension(self):
        python = self.folder / "python"
        run(self.compiler, *WARNINGS, *(f"-isystem{path}" for path in self.include_dirs), HERE / "python.c",
            "-Wl,--export-dynamic", *self.link, "-pthread", "-o", python)
        for way, module in self.example("extension", "relay.so"):
            output = run(python, ROOT / "examples/extension/try_relay.py",
                         env={**self.env, "PYTHONPATH": str(module.parent)})
            check(f"extension by {way}", "".join(sorted(output.splitlines(keepends=True))), RELAY_OUTPUT)
        exported = {line.split()[-1] for line in run("nm", "-D", "--defined-only", module).splitlines()}
        check("symbols that the extension exports", exported, {"PyInit_relay"})

    def headers(self):
        """Every header by itself, in C and in C++; then all in one C++ program, which runs."""
        flags = [*WARNINGS, "-Wpedantic", f"-I{self.prefix / 'include'}",
                 *(f"-isystem{path}" for path in self.include_dirs)]
        for header in sorted((self.prefix / "include/pyrt").glob("*.h")):
            for compiler, standard in ((self.compiler, "-std=c11"), (CXX[self.compiler], "-std=c++17")):
                language = "c" if standard == "-std=c11" else "c++"
                twice = f"#include <pyrt/{header.name}>\n" * 2
                run(compiler, standard, *flags, "-fsyntax-only", "-x", language, "-",
                    input=f"{twice}int main(void) {{ return 0; }}\n")
        print("package: ok: headers by themselves", flush=True)
        guide = re.search(r"^```c\n(.*?)^```", (ROOT / "docs/pyrt.md").read_text(), re.M | re.S).group(1)
        struct = "struct handler {\n    PyObject *callable;\n};\nstatic void on_event("
        run(self.compiler, "-std=c11", *flags, "-Wno-unused-function", "-fsyntax-only", "-x", "c", "-",
            input=guide.replace("static void on_event(", struct, 1))
        print("package: ok: the guide's ten lines", flush=True)
        program = self.folder / "headers"
        run(CXX[self.compiler], "-std=c++17", *flags, HERE / "headers.cpp", f"-L{self.prefix / 'lib'}", "-lpyrt",
            *self.link, "-pthread", "-o", program)
        check("headers in C++", run(program, env=self.env), f"headers: {self.version} ok\n")

    def refused(self, lines, *options):
        """What CMake says to a project that asks for something that is not there."""
        source = self.folder / "refused"
        shutil.rmtree(source, ignore_errors=True)
        source.mkdir()
        (source / "CMakeLists.txt").write_text(
            f"cmake_minimum_required(VERSION 3.25)\nproject(refused LANGUAGES C)\n{lines}\n")
        try:
            self.configure(source, source / "build", f"-DCMAKE_PREFIX_PATH={self.prefix}", *options)
        except Failure as failure:
            return " ".join(str(failure).split())
        raise Failure(f"accepted: {lines}")

    def refusals(self):
        major, minor, _ = map(int, self.version.split("."))
        old = self.folder / "old"
        old.mkdir()
        for name in ("Python.h", "pyconfig.h", "patchlevel.h"):
            (old / name).write_text("#define PY_MAJOR_VERSION 3\n#define PY_MINOR_VERSION 99\n")
        cases = [
            (f"find_package(pyrt {major}.{minor + 1} REQUIRED)", f"version: {self.version}", ()),
            ("find_package(pyrt REQUIRED)",
             f"this pyrt is for CPython {self.python}, and the headers in {old} are those of 3.99",
             (f"-DPYRT_PYTHON_INCLUDE_DIR={old}",)),
            ("find_package(pyrt REQUIRED)", "there is no Python.h in /nowhere",
             ("-DPYRT_PYTHON_INCLUDE_DIR=/nowhere",)),
            ("set(Python3_VERSION 3.99.1)\nfind_package(pyrt REQUIRED)",
             f"this pyrt is for CPython {self.python}, and find_package(Python3) has found 3.99.1", ()),
            ("find_package(pyrt REQUIRED COMPONENTS embed)", "component embed: this pyrt was built without a libpython",
             ("-DPYRT_PYTHON_LINK=",)),
        ]
        for lines, wanted, options in cases:
            said = self.refused(lines, *options)
            check(f"refused: {wanted}", wanted if wanted in said else said, wanted)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--target", required=True)
    parser.add_argument("--compiler", choices=CXX, default="gcc")
    options = parser.parse_args()
    found = subprocess.run([ROOT / "tools/cpython-build", "--dir", options.target], stdout=subprocess.PIPE, text=True)
    if found.returncode != 0:
        return 3
    with tempfile.TemporaryDirectory(prefix="package-", dir=options.build) as folder:
        try:
            package = Package(pathlib.Path(folder).resolve(), pathlib.Path(found.stdout.strip()), options.compiler)
            package.install()
            package.embedder()
            package.extension()
            package.headers()
            package.refusals()
        except (Failure, subprocess.TimeoutExpired) as failure:
            print(f"package: error: {failure}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

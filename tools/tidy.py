#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tidy: the style test. What the rules of this project can check by reading files, it checks here.

    tools/tidy.py [ROOT]        default: the tree that this file is in

Reads every file of the git checkout that is not ignored. One line per finding: `file:line: what is wrong (what to do)`.
Exit status: 0 nothing found, with one line that says how much was read; 1 findings, or no file at all.

A rule is a function that takes a Tree and yields (path, line, text); RULES at the end lists them. An exception stands
in EXCEPTIONS with its reason, and one that is no longer needed is a finding, too.
"""

import fnmatch
import pathlib
import re
import subprocess
import sys

SOURCES = (".c", ".cpp")

C_LINES_MAX = 500
HEADER_LINES_MAX = 150
FUNCTION_LINES_MAX = 70
LINE_CHARS_MAX = 120

# (rule, file): reason.
EXCEPTIONS = {
    ("header-length", "harness/exec/channel.h"): "one record that two programs share, with a comment on each field",
    ("header-length", "harness/sched/sched.h"): "the scheduler's interface with the fast path of a point inline",
}

# Where each call of the left is not wanted, and what to use there.
SLEEPING = "order comes from scheduler points (cx_point), waits from the caller's deadline"
RANDOM = "use harness/prng.h, or cx_choose() in a scenario"
CLOCK = "use harness/exec/clock.h in the command, cx_now_ns() in a run"
BANNED_CALLS = {
    "assert": "use CX_CHECK in scenarios, an error status elsewhere: checks never vanish",
    "usleep": SLEEPING, "sleep": SLEEPING, "nanosleep": SLEEPING, "clock_nanosleep": SLEEPING,
    "rand": RANDOM, "srand": RANDOM, "random": RANDOM, "srandom": RANDOM, "drand48": RANDOM,
    "time": CLOCK, "gettimeofday": CLOCK,
    "strcpy": "use snprintf", "strcat": "use snprintf", "sprintf": "use snprintf", "vsprintf": "use vsnprintf",
    "gets": "use getline", "system": "use harness/exec/spawn.h", "popen": "use harness/detect/pipe.h",
}
# Folders whose business a call is: (calls, file pattern).
CALLS_ALLOWED = [
    ({"usleep", "sleep", "nanosleep", "clock_nanosleep", "time", "gettimeofday"}, "harness/interpose/time.c"),
    ({"usleep", "sleep", "nanosleep", "clock_nanosleep", "time", "gettimeofday"}, "harness/tests/*sched_*.c"),
    ({"usleep", "sleep", "nanosleep", "clock_nanosleep", "time", "gettimeofday"}, "scenarios/plain/*.c"),
    ({"time", "gettimeofday"}, "harness/*clock.c"),
    ({"clock_nanosleep"}, "harness/interpose/c11.c"),
    # Programs as people write them.
    ({"assert", "usleep", "sleep", "nanosleep", "time"}, "tests/subject/*.c*"),
]

# Who may include Python.h, always first. scenarios/plain has no CPython.
PYTHON_FOLDERS = ("runtime/", "harness/host/", "scenarios/", "examples/", "fuzz/", "tools/cpython/", "tests/exec/")
PYTHON_FOLDERS_NOT = ("scenarios/plain/",)
# folder: what its files must not include.
LAYERS = {
    "runtime/": ("harness/", "scenarios/", "examples/", "fuzz/", "reports/"),
    "examples/": ("runtime/", "harness/", "scenarios/", "fuzz/", "reports/"),
    "harness/": ("scenarios/", "fuzz/", "reports/"),
    "reports/": ("pyrt/", "runtime/", "scenarios/", "fuzz/"),
    "scenarios/": ("fuzz/", "reports/", "harness/sched/", "harness/interpose/", "harness/exec/"),
}

GUARD_WORDS = r"(under [a-z_.>-]+|atomic|const after (init|begin|load)|owner thread only|scheduler token)"
# Structures that several threads share, whose every field must say what guards it.
SHARED_STRUCTS = {"harness/sched/sched.h": ("cx_thread", "cx_sched")}

# Scenarios that documents make up to show how one is added.
EXAMPLES = {"critical/nested_swap"}

# Hosts that addresses in the tree may name. Everything else may be somebody's mirror.
HOSTS = {"www.python.org", "www.apache.org", "127.0.0.1", "github.com", "docs.python.org", "docs.oasis-open.org",
         "peps.python.org", "www.w3.org"}

# Put together so that this file does not contain what it looks for.
LEFTOVERS = re.compile(r"\b(" + "|".join(("FIX" + "ME", "TO" + "DO", "X" + "XX")) + r")\b")
MACHINE_FOLDERS = "|".join(("ho" + "me", "wo" + "rk", "ro" + "ot", "Us" + "ers"))
ABSOLUTE_PATHS = re.compile(rf"(?<![\w.$}}~*])/({MACHINE_FOLDERS})/\w")
REGISTRIES = re.compile("|".join(re.escape(first + "." + last) for first, last in (
    ("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("deb.debian", "org"), ("crates", "io"),
    ("golang", "org"), ("docker", "io"), ("ghcr", "io"))))

COMMENT_OR_TEXT = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.S)
FENCE = re.compile(r"^```.*?^```", re.S | re.M)
CODE_SPAN = re.compile(r"`([^`\n]+)`")
FOLDERS = "runtime|harness|scenarios|examples|fuzz|reports|cmake|tools|docs|bench|deploy|\\.ci"
DOC_PATH = re.compile(rf"(?<![\w/.$-])(?:\./)?((?:{FOLDERS})/[\w./*-]*[\w*/])(?![\w<{{])")


def without_comments(text):
    """C text whose comments and literals are blanks, its lines where they were."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group())
    return COMMENT_OR_TEXT.sub(blank, text)


class Tree:
    """The files under a root, read once."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                                cwd=self.root, capture_output=True, check=True).stdout.decode().split("\0")
        self.texts = {}
        for path in sorted(set(listed)):
            file = self.root / path
            if path and file.is_file() and not file.is_symlink():
                content = file.read_bytes()
                if b"\0" not in content:
                    self.texts[path] = content.decode("utf-8", errors="replace")
        self.c = [path for path in self.texts if path.endswith((*SOURCES, ".h"))]
        self.code = {path: without_comments(self.texts[path]) for path in self.c}
        self.cmake = {path: re.sub(r"#[^\n]*", "", text) for path, text in self.texts.items()
                      if path.endswith(("CMakeLists.txt", ".cmake"))}
        self.docs = [path for path in self.texts if path.endswith(".md") and path != "CHANGELOG.md"]
        self.excused = set()

    def lines(self, path):
        return enumerate(self.texts[path].splitlines(), 1)

    def is_script(self, path):
        return self.texts[path].startswith("#!") or path.endswith((".sh", ".py"))

    def excuse(self, rule, path):
        """True, once asked for, if there is an exception."""
        if (rule, path) not in EXCEPTIONS:
            return False
        self.excused.add((rule, path))
        return True


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def check_lengths(tree):
    for path in tree.c:
        count = len(tree.texts[path].splitlines())
        if path.endswith(".h") and count > HEADER_LINES_MAX and not tree.excuse("header-length", path):
            yield path, count, f"{count} lines in a header, at most {HEADER_LINES_MAX} (split it by subject)"
        if path.endswith(SOURCES) and count > C_LINES_MAX and not tree.excuse("length", path):
            yield path, count, f"{count} lines in a file, at most {C_LINES_MAX} (split it: one idea per file)"


def check_functions(tree):
    for path in tree.c:
        start, previous, name = 0, "", ""
        for number, line in enumerate(tree.code[path].splitlines(), 1):
            if line.rstrip() == "{":
                start = number
                heads = re.findall(r"(\w+)\s*\(", previous)
                name = next((head for head in heads if head != "__attribute__"), "?")
            elif line.startswith("}") and start:
                count = number - start + 1
                if count > FUNCTION_LINES_MAX and not tree.excuse("function-length", path):
                    yield path, start, (f"function {name} has {count} lines, at most {FUNCTION_LINES_MAX} "
                                        "(take a step out into a function of its own)")
                start, previous = 0, ""
            elif not start:
                previous = line if re.match(r"\S", line) and "(" in line else previous


def check_columns(tree):
    for path in tree.texts:
        if not (path.endswith((*SOURCES, ".h", ".md", ".cmake", "CMakeLists.txt")) or tree.is_script(path)):
            continue
        shell = tree.is_script(path) and not tree.texts[path].startswith("#!/usr/bin/env python3")
        for number, line in tree.lines(path):
            if path.endswith(".md") and line.startswith("|"):
                continue  # a table's row cannot be wrapped
            # Nor can a message in a shell script: what counts there is the line around it.
            counted = re.sub(r"\"[^\"]*\"|'[^']*'", "", line) if shell else line
            if len(counted) > LINE_CHARS_MAX:
                yield path, number, f"{len(line)} columns, at most {LINE_CHARS_MAX} (wrap it)"


def check_blanks(tree):
    for path in tree.texts:
        if path.endswith(".cxs") or path.startswith(("fuzz/seeds/", "fuzz/regress/")):
            continue
        for number, line in tree.lines(path):
            if line != line.rstrip():
                yield path, number, "blanks at the end of the line (remove them)"
        if tree.texts[path] and not tree.texts[path].endswith("\n"):
            yield path, len(tree.texts[path].splitlines()), "no newline at the end of the file (add it)"


def check_openings(tree):
    for path in tree.texts:
        lines = tree.texts[path].splitlines()
        if path in tree.c:
            if not lines or lines[0] != "// SPDX-License-Identifier: Apache-2.0":
                yield path, 1, "the first line is not the SPDX line (// SPDX-License-Identifier: Apache-2.0)"
            prose = [line for line in lines[1:3] if re.match(r"// \S+ \S+ \S", line)]
            if not prose:
                yield path, 2, "no opening comment (say after the SPDX line what the file owns and what it does not)"
        elif tree.is_script(path):
            spdx = 1 if lines and lines[0].startswith("#!") else 0
            if len(lines) <= spdx + 1 or lines[spdx] != "# SPDX-License-Identifier: Apache-2.0":
                yield path, spdx + 1, "no SPDX line after #! (# SPDX-License-Identifier: Apache-2.0)"
            elif not re.match(r'("""|# )\S+', lines[spdx + 1]):
                yield path, spdx + 2, "no opening comment (say what it is for)"


def check_guards(tree):
    seen = {}
    for path in tree.c:
        if not path.endswith(".h"):
            continue
        prefix = "PYRT" if path.startswith("runtime/") else "CX"
        match = re.search(r"^#ifndef (\w+)\n#define (\w+)\n", tree.texts[path], re.M)
        guard = match.group(1) if match else ""
        if not match or guard != match.group(2) or not re.fullmatch(prefix + r"_[A-Z0-9_]*_?H_?", guard):
            yield path, 1, f"no include guard of the form {prefix}_..._H (#ifndef, #define, and #endif at the end)"
        elif guard in seen:
            yield path, 1, f"its include guard {guard} is also that of {seen[guard]} (name it after folder and file)"
        seen.setdefault(guard, path)


def check_layers(tree):
    for path in tree.c:
        position = 0
        for number, line in tree.lines(path):
            match = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
            if not match:
                continue
            position += 1
            target = match.group(1)
            for folder, banned in LAYERS.items():
                if path.startswith(folder) and target.startswith(banned):
                    yield path, number, f"{folder} must not include {target} (arrows between layers go one way)"
            if target.endswith(SOURCES):
                yield path, number, f"includes the source file {target} (link it)"
            if target == "Python.h":
                if not path.startswith(PYTHON_FOLDERS) or path.startswith(PYTHON_FOLDERS_NOT):
                    yield path, number, ("Python.h here (only runtime, harness/host, scenarios, examples and fuzz "
                                         "see it)")
                elif position != 1:
                    yield path, number, "Python.h is not the first include (it sets feature macros)"


def check_calls(tree):
    names = "|".join(BANNED_CALLS)
    # Not a member of a table of functions, and not a longer name.
    call = re.compile(rf"(?<![\w.>])({names})\s*\(")
    for path in tree.c:
        allowed = set().union(*(calls for calls, pattern in CALLS_ALLOWED if fnmatch.fnmatch(path, pattern)))
        for match in call.finditer(tree.code[path]):
            name = match.group(1)
            if name not in allowed and not tree.excuse("calls", path):
                yield path, line_of(tree.code[path], match.start()), f"calls {name}() ({BANNED_CALLS[name]})"


def check_leftovers(tree):
    for path in tree.texts:
        if path in tree.c or path in tree.cmake or tree.is_script(path):
            for number, line in tree.lines(path):
                match = LEFTOVERS.search(line)
                if match:
                    yield path, number, f"a leftover {match.group()} (do it, or make it an issue)"
        if path in tree.c:
            for number, line in tree.lines(path):
                if "NOLINT" in line and not re.search(r"NOLINT\w*\([\w.,-]+\): \w+", line):
                    yield path, number, "a suppression without check or reason (NOLINT(check): reason)"


def names_in_lists(path):
    """How a list may name this source file."""
    stem = pathlib.PurePosixPath(path).stem
    names = {path}
    if path.startswith("scenarios/"):
        return {path.removeprefix("scenarios/").removesuffix(".c")}
    if path.startswith("harness/") and "/tests/" not in path:
        return names | {path.removeprefix("harness/")}
    if path.startswith("runtime/src/"):
        return names | {stem}
    if path.startswith(("examples/", "reports/")):
        return names | {pathlib.PurePosixPath(path).name}
    if path.startswith("fuzz/"):
        names.add(path.removeprefix("fuzz/"))
    if "/tests/" in path or path.startswith(("bench/", "fuzz/")):
        names |= {path.removesuffix(".c"), stem + ".c"}
        names |= {stem, stem.removeprefix("test_"), stem.removeprefix("test_sched_")}
        names |= {"tests/" + stem + ".c", stem.removeprefix("fuzz_"), stem.removeprefix("bench_")}
    return names


def check_orphans(tree):
    words = set()
    for text in tree.cmake.values():
        for word in re.split(r"[\s()\"';]+", text):
            words.add(re.sub(r"^(\$\{\w+\})?/", "", word))
    scripts = {path: text for path, text in tree.texts.items() if tree.is_script(path)}
    makefiles = {path: text for path, text in tree.texts.items() if path.endswith("/Makefile")}
    for path in tree.c:
        if not path.endswith(SOURCES):
            continue
        folder, _, name = path.rpartition("/")
        stem = name.rpartition(".")[0]
        # A tool's, or a test's, that builds it by itself.
        near = path.split("/")[0] + "/" if path.startswith(("tools/", "tests/")) else f"{folder}/"
        built = any(script.startswith(near) and re.search(rf"\b{re.escape(stem)}\b", text)
                    for script, text in (scripts | makefiles).items())
        if not built and (path.startswith("tools/") or not names_in_lists(path) & words):
            yield path, 1, "no CMake list names this file (list it, or remove it)"


def check_places(tree):
    for path in tree.texts:
        for number, line in tree.lines(path):
            match = ABSOLUTE_PATHS.search(line)
            if match:
                yield path, number, f"an absolute path of some machine, {match.group()}... (make it relative)"
            match = REGISTRIES.search(line)
            if match:
                yield path, number, "names a package registry (take the host from the machine's own configuration)"
            for host in re.findall(r"\bhttps?://([\w.-]+)", line):
                if host not in HOSTS:
                    yield path, number, f"an address at {host} (no host but those in HOSTS of tools/tidy.py)"


def struct_bodies(text):
    """(name, line of the body's start, lines of the body) of every structure at file scope."""
    for match in re.finditer(r"^(?:static |typedef )*struct (?:(\w+) )?\{\n(.*?)^\}", text, re.M | re.S):
        yield match.group(1) or "?", line_of(text, match.start(2)), match.group(2).splitlines()


def check_fields(tree):
    """In a structure of which one field says what guards it, every field does."""
    # CPython's object header follows CPython's own rules.
    field = re.compile(r"^    (?!struct \{|union \{|\}|PyObject ob_base)[\w*].*;\s*(?://\s*(.*))?$")
    guard = re.compile(rf"^{GUARD_WORDS}\b|\b{GUARD_WORDS}[.)]?$")
    for path, names in SHARED_STRUCTS.items():
        found = {name for name, _, _ in struct_bodies(tree.texts.get(path, ""))}
        for name in names:
            if path in tree.texts and name not in found:
                yield path, 1, f"struct {name} is not here any more (mend SHARED_STRUCTS of tools/tidy.py)"
    for path in tree.c:
        for name, start, lines in struct_bodies(tree.texts[path]):
            fields = [(number, match.group(1) or "") for number, line in enumerate(lines, start)
                      if (match := field.match(line))]
            guarded = any(guard.search(comment) for _, comment in fields)
            if not guarded and name not in SHARED_STRUCTS.get(path, ()):
                continue
            for number, comment in fields:
                if not guard.search(comment):
                    yield path, number, (f"a field of struct {name} without a guard word (begin or end its comment "
                                         "with `under LOCK`, `atomic`, `const after init`, `owner thread only` or "
                                         "`scheduler token`)")


def code_in(text):
    """(position, code) of every fenced line and code span of a document."""
    fenced = []
    for fence in FENCE.finditer(text):
        fenced.append(fence.span())
        position = fence.start()
        for line in fence.group().splitlines(keepends=True):
            yield position, line
            position += len(line)
    for span in CODE_SPAN.finditer(text):
        if not any(start <= span.start() < end for start, end in fenced):
            yield span.start(1), span.group(1)


def fuzz_scenarios(tree):
    return set(re.findall(r"\bfuzz/[a-z_]+(?![.\w])", tree.texts.get("fuzz/targets.cmake", "")))


def check_doc_commands(tree):
    verbs = re.findall(r'\bX\("([\w+]+)"', tree.texts.get("harness/command.h", ""))
    scenarios = set(re.findall(r"^    ([a-z_]+/[a-z_0-9]+)$", tree.texts.get("scenarios/CMakeLists.txt", ""), re.M))
    scenarios |= fuzz_scenarios(tree)
    steps = re.findall(r"^\s+([a-z]+)\) ", tree.texts.get("bootstrap", ""), re.M)
    for path in tree.docs:
        text = tree.texts[path]
        for position, code in code_in(text):
            number = line_of(text, position)
            match = re.search(r"(?:^|[\s/])constrictor ([a-z+]+)(.*)", code)
            if match and verbs:
                verb, rest = match.groups()
                source = tree.texts.get(f"harness/cmd_{verb}.c") or tree.texts.get(f"reports/cmd_{verb}.c", "")
                if verb == "exec":
                    source += tree.texts["harness/cmd_run.c"]  # whose options it shares
                # What follows is the program's, or the compiler's.
                rest = "" if verb in ("cc", "c++") else rest.split(" -- ")[0]
                if verb not in verbs:
                    yield path, number, f"there is no `constrictor {verb}` (harness/command.h lists the verbs)"
                for option in re.findall(r"(?<!\S)--([a-z][a-z-]*)", rest) if source else ():
                    if f'"{option}"' not in source and option != "help":
                        yield path, number, f"`constrictor {verb}` has no option --{option} (see harness/cmd_{verb}.c)"
                for name in re.findall(r"(?<!\S)([a-z]+/[a-z_0-9]+)(?!\S)", rest) if scenarios else ():
                    if verb in ("run", "list") and name not in scenarios | EXAMPLES:
                        yield path, number, f"there is no scenario {name} (scenarios/CMakeLists.txt lists them)"
            match = re.search(r"\./bootstrap ([a-z]+)", code)
            if match and match.group(1) not in steps:
                yield path, number, f"there is no `./bootstrap {match.group(1)}`"


def check_doc_paths(tree):
    folders = {str(parent) for path in tree.texts for parent in pathlib.PurePosixPath(path).parents}
    for path in tree.docs:
        text = tree.texts[path]
        for match in DOC_PATH.finditer(text):
            name = match.group(1).rstrip("/.")
            if (tree.root / name).is_file() or name in folders:
                continue
            if any(fnmatch.fnmatch(known, name) for known in tree.texts):
                continue
            if name.removeprefix("scenarios/").removesuffix(".c") in EXAMPLES:
                continue
            if name in fuzz_scenarios(tree):
                continue
            yield path, line_of(text, match.start()), f"there is no {name} (mend the document)"
        for match in re.finditer(r"\]\((?!https?:|#)([^)#]+)", text):
            target = str(pathlib.PurePosixPath(path).parent / match.group(1)).rstrip("/")
            if target not in folders and not (tree.root / target).exists():  # a picture is no text
                yield path, line_of(text, match.start()), f"a link to {target}, which does not exist (mend it)"


def check_exceptions(tree):
    for rule, path in EXCEPTIONS:
        if path in tree.texts and (rule, path) not in tree.excused:
            yield "tools/tidy.py", 1, f"the exception ({rule}, {path}) is no longer needed (remove it)"


# check_exceptions comes last: it asks what the others excused.
RULES = [check_lengths, check_functions, check_columns, check_blanks, check_openings, check_guards, check_layers,
         check_calls, check_leftovers, check_orphans, check_places, check_fields, check_doc_commands, check_doc_paths,
         check_exceptions]


def main(arguments):
    if len(arguments) > 1 or (arguments and arguments[0].startswith("-")):
        print(__doc__, file=sys.stdout if arguments[0] in ("-h", "--help") else sys.stderr)
        return 0 if arguments[0] in ("-h", "--help") else 2
    root = arguments[0] if arguments else pathlib.Path(__file__).resolve().parent.parent
    try:
        tree = Tree(root)
    except (OSError, subprocess.CalledProcessError):
        print(f"tidy: error: {root} is no git checkout (run it in a clone)", file=sys.stderr)
        return 1
    if not tree.c:
        print(f"tidy: error: no C file found in {root} (nothing would have been checked)", file=sys.stderr)
        return 1
    findings = [finding for rule in RULES for finding in rule(tree)]
    for path, line, text in sorted(findings):
        print(f"{path}:{line}: {text}")
    total = sum(text.count("\n") for text in tree.texts.values())
    print(f"tidy: {len(tree.texts)} files ({len(tree.c)} of them C), {total} lines, {len(RULES)} rules: "
          f"{len(findings) or 'no'} finding{'' if len(findings) == 1 else 's'}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

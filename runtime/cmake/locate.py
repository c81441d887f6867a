# SPDX-License-Identifier: Apache-2.0
"""locate: print where the CPython that runs this has its headers, and what a program that embeds it links.

Two lines, each a list with semicolons, as CMake likes them: the folders of Python.h and pyconfig.h; libpython, and what
it needs, or nothing if this installation has no libpython. Works in CPython's own build folder, too.
"""

import os
import sysconfig


def library():
    """The file of libpython that exists, the shared one first."""
    shared = sysconfig.get_config_var("LDLIBRARY") or ""
    static = sysconfig.get_config_var("LIBRARY") or ""
    folders = [sysconfig.get_config_var(name) for name in ("LIBDIR", "LIBPL", "srcdir")]
    for name in (shared, static):
        for folder in folders:
            path = os.path.join(folder or "", name)
            if name and os.path.isfile(path):
                return path
    return ""


def link():
    path = library()
    if not path:
        return []
    needs = "" if path.endswith((".so", ".dylib")) else " ".join(
        sysconfig.get_config_var(name) or "" for name in ("LIBS", "SYSLIBS", "LIBM"))
    return [path, *dict.fromkeys(needs.split())]


def headers():
    config = os.path.dirname(sysconfig.get_config_h_filename())
    return dict.fromkeys([sysconfig.get_path("include"), sysconfig.get_path("platinclude"), config])


print(";".join(headers()))
print(";".join(link()))

// SPDX-License-Identifier: Apache-2.0
//
// pyrt/version: which pyrt this is, and for which CPython it was compiled.
//
// The numbers below are the only place where the version is written; the build reads them from here. The structures of
// these headers may change with the minor version, as long as the major one is 0; the layout of CPython's objects
// changes with its minor version and with the GIL. A program that gets headers and library from two places asks once:
//
//     if (!pyrt_version_matches(PYRT_VERSION, PYRT_PYTHON)) {
//         fprintf(stderr, "pyrt: headers %s, library %#x\n", PYRT_VERSION_TEXT, (unsigned)pyrt_version());
//         return 1;
//     }
#ifndef PYRT_VERSION_H
#define PYRT_VERSION_H

#include <Python.h>

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// The version. The major number changes with incompatible functions, the patch one with mere repairs.
#define PYRT_VERSION_MAJOR 0
#define PYRT_VERSION_MINOR 1
#define PYRT_VERSION_PATCH 0

// The version as one number that can be compared, 0xMMmmpp, and as text, "0.1.0".
#define PYRT_VERSION (PYRT_VERSION_MAJOR << 16 | PYRT_VERSION_MINOR << 8 | PYRT_VERSION_PATCH)
#define PYRT_VERSION_TEXT                                                                                              \
    Py_STRINGIFY(PYRT_VERSION_MAJOR) "." Py_STRINGIFY(PYRT_VERSION_MINOR) "." Py_STRINGIFY(PYRT_VERSION_PATCH)

// The CPython of the headers that are included: 0xMMmm0000, plus 1 if it has no GIL.
#ifdef Py_GIL_DISABLED
#define PYRT_PYTHON ((PY_VERSION_HEX & 0xFFFF0000) | 1)
#else
#define PYRT_PYTHON (PY_VERSION_HEX & 0xFFFF0000)
#endif

// PYRT_VERSION of the library that is linked.
// Thread state: either. Blocks: no. May run Python: no.
// Units: 0xMMmmpp, as PYRT_VERSION.
// Returns: the number; it cannot fail.
// Source: own.
uint32_t pyrt_version(void);

// True if code that was compiled with `version` of the headers, for CPython `python`, may call this library in this
// process: both have the same major and minor version of pyrt, the same CPython, and that is the CPython that runs.
// Whether the CPython that runs has a GIL cannot be asked without an interpreter, and is not.
// Thread state: either. Blocks: no. May run Python: no.
// Units: `version` as PYRT_VERSION, `python` as PYRT_PYTHON.
// Returns: 1 or 0.
// Source: own; `Py_Version`.
int pyrt_version_matches(uint32_t version, uint32_t python);

#ifdef __cplusplus
}
#endif

#endif

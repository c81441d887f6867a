// SPDX-License-Identifier: Apache-2.0
//
// script_python: a Python script, or a module, as the subject of a runner.
#ifndef CX_SCRIPT_PYTHON_H
#define CX_SCRIPT_PYTHON_H

#include <Python.h>

#include <limits.h>

#include "harness/exec/channel.h"

// As `python SCRIPT ARGUMENT...` or `python -m MODULE ARGUMENT...` would configure the interpreter.
PyStatus cx_script_configure(PyConfig *config, const struct cx_subject_info *subject);
// CPython's own tests, `-m test` and `-m unittest test.NAME`: the folder that holds them, "" for other subjects.
// `stdlib` is the target's standard library; tools/cpython-build --tests unpacks them beside it. Returns 0, or -1 with
// a line.
int cx_script_tests(const struct cx_subject_info *subject, const char *stdlib, char folder[PATH_MAX]);
// With the interpreter up: whatever exception ends a thread is to be told, and what takes long is done before the first
// fork. Returns 0, or -1 with a line.
int cx_script_prepare(const struct cx_subject_info *subject);

#endif

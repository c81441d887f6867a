// SPDX-License-Identifier: Apache-2.0
//
// version: what the library was compiled from, for callers that may have been compiled from something else.
#include <Python.h>

#include "pyrt/version.h"

uint32_t pyrt_version(void)
{
    return PYRT_VERSION;
}

int pyrt_version_matches(uint32_t version, uint32_t python)
{
    return version >> 8 == PYRT_VERSION >> 8 && python == PYRT_PYTHON && (Py_Version ^ PYRT_PYTHON) >> 16 == 0;
}

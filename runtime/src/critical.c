// SPDX-License-Identifier: Apache-2.0
//
// critical: what is wrong with a section that pyrt/detail/critical.h has refused.
#include <Python.h>

#include "pyrt/critical.h"

#include "thread.h"

static enum pyrt_status attached(void)
{
    return !PYRT_CRITICAL_CHECKED || PyThreadState_GetUnchecked() != NULL ? PYRT_OK : PYRT_NOT_ATTACHED;
}

enum pyrt_status pyrt__critical_refused(const struct pyrt_critical *section, const void *first, const void *second)
{
    if (section == NULL || first == NULL || second == NULL) {
        return PYRT_INVALID;
    }
    if (section->live != 0) {
        return PYRT_ALREADY_LIVE;
    }
    enum pyrt_status status = attached();
    return status == PYRT_OK ? PYRT_UNSUPPORTED : status;
}

enum pyrt_status pyrt__critical_end_refused(const struct pyrt_critical *section)
{
    if (section == NULL) {
        return PYRT_INVALID;
    }
    if (section->live == 0) {
        return PYRT_NOT_LIVE;
    }
    enum pyrt_status status = attached();
    if (status != PYRT_OK) {
        return status;
    }
    return pyrt__critical_here(section) ? PYRT_OUT_OF_ORDER : PYRT_WRONG_THREAD;
}

void pyrt__critical_die(enum pyrt_status status)
{
    pyrt__die("critical section", status);
}

// SPDX-License-Identifier: Apache-2.0
//
// hook: the empty default. It has a file of its own so that no caller is compiled in sight of it and inlines it.
#include "pyrt/hook.h"

__attribute__((weak)) void pyrt_hook_point(const char *name)
{
    (void)name;
}

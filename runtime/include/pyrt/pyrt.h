// SPDX-License-Identifier: Apache-2.0
//
// pyrt: everything of the runtime.
#ifndef PYRT_H
#define PYRT_H

#include <Python.h>

#include "pyrt/activate.h"
#include "pyrt/attach.h"
#include "pyrt/critical.h"
#include "pyrt/detach.h"
#include "pyrt/forbid.h"
#include "pyrt/guard.h"
#include "pyrt/hook.h"
#include "pyrt/interp.h"
#include "pyrt/pool.h"
#include "pyrt/status.h"
#include "pyrt/version.h"

#endif

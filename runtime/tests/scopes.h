// SPDX-License-Identifier: Apache-2.0
//
// scopes: one scope of any kind, for tests that treat all kinds alike.
#ifndef PYRT_TESTS_SCOPES_H
#define PYRT_TESTS_SCOPES_H

#include <Python.h>

#include "pyrt/pyrt.h"

enum scope_kind {
    SCOPE_TRY,
    SCOPE_ASSUME,
    SCOPE_UNCHECKED,
    SCOPE_DETACH,
    SCOPE_FORBID,
    SCOPE_ACTIVATE,
    SCOPE_KEPT,
    SCOPE_ENSURE,
    SCOPE_VIEW,
    SCOPE_KINDS
};

// What the beginnings need.
struct scope_of {
    struct pyrt_interp *interp;
    struct pyrt_tstate *kept;
    struct pyrt_guard *guard;
    struct pyrt_view *view;
};

struct scope {
    enum scope_kind kind;
    struct pyrt_attach attach;
    struct pyrt_detach detach;
    struct pyrt_forbid forbid;
    struct pyrt_activate activate;
    struct pyrt_ensure ensure;
};

enum pyrt_status scope_begin(struct scope *scope, const struct scope_of *of);
enum pyrt_status scope_end(struct scope *scope);

#endif

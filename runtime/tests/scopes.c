// SPDX-License-Identifier: Apache-2.0
//
// scopes: the beginning and the end of each kind.
#include <Python.h>

#include "scopes.h"

enum pyrt_status scope_begin(struct scope *scope, const struct scope_of *of)
{
    switch (scope->kind) {
    case SCOPE_TRY:
        return pyrt_attach_try(&scope->attach);
    case SCOPE_ASSUME:
        return pyrt_attach_assume(&scope->attach);
    case SCOPE_UNCHECKED:
        return pyrt_attach_unchecked(&scope->attach);
    case SCOPE_DETACH:
        return pyrt_detach_begin(&scope->detach);
    case SCOPE_FORBID:
        return pyrt_forbid_begin(&scope->forbid);
    case SCOPE_ACTIVATE:
        return pyrt_activate_begin(&scope->activate, of->interp);
    case SCOPE_KEPT:
        return pyrt_activate_begin_with(&scope->activate, of->kept);
    case SCOPE_ENSURE:
        return pyrt_ensure_begin(&scope->ensure, of->guard);
    default:
        return pyrt_ensure_begin_view(&scope->ensure, of->view);
    }
}

enum pyrt_status scope_end(struct scope *scope)
{
    switch (scope->kind) {
    case SCOPE_TRY:
    case SCOPE_ASSUME:
    case SCOPE_UNCHECKED:
        return pyrt_attach_release(&scope->attach);
    case SCOPE_DETACH:
        return pyrt_detach_end(&scope->detach);
    case SCOPE_FORBID:
        return pyrt_forbid_end(&scope->forbid);
    case SCOPE_ACTIVATE:
    case SCOPE_KEPT:
        return pyrt_activate_end(&scope->activate);
    default:
        return pyrt_ensure_end(&scope->ensure);
    }
}

// SPDX-License-Identifier: Apache-2.0
//
// preflight: see preflight.h.
#include "harness/exec/preflight.h"

#include <string.h>

static int name_has(const char *target, const char *word)
{
    const char *found = strstr(target, word);
    return found != NULL && (found[strlen(word)] == '\0' || found[strlen(word)] == '-');
}

enum cx_status cx_preflight(const struct cx_identity *identity, const char *target, int controlled,
                            struct cx_error *error)
{
    const enum cx_status refused = CX_ERR_ENVIRONMENT;
    if (strcmp(identity->target, target) != 0) {
        return cx_error_set(error, refused, "the runner of %s says that it is %s: build it again", target,
                            identity->target[0] != '\0' ? identity->target : "nameless");
    }
    if (identity->build_id[0] == '\0') {
        return cx_error_set(error, refused, "the runner of %s has no build id: schedules could not name it", target);
    }
    if (controlled && !identity->aslr_off) {
        return cx_error_set(error, refused,
                            "address randomisation could not be switched off here (personality(2) refused?): "
                            "no schedule would replay");
    }
    if (name_has(target, "-tsan") != (identity->tsan != 0)) {
        return cx_error_set(error, refused, "the runner of %s is linked %s ThreadSanitizer", target,
                            identity->tsan ? "with" : "without");
    }
    if (name_has(target, "-asan") != (identity->asan != 0)) {
        return cx_error_set(error, refused, "the runner of %s is linked %s AddressSanitizer", target,
                            identity->asan ? "with" : "without");
    }
    if (identity->python[0] == '\0') {
        return CX_OK;
    }
    if (name_has(target, "-ft") && identity->gil_build) {
        return cx_error_set(error, refused, "the runner of %s was compiled with the GIL", target);
    }
    if (name_has(target, "-gil") && !identity->gil_build) {
        return cx_error_set(error, refused, "the runner of %s was compiled without the GIL", target);
    }
    if ((identity->gil_on != 0) != (identity->gil_build != 0)) {
        return cx_error_set(error, refused, "the GIL of %s is %s after initialisation: its threads would %s race",
                            target, identity->gil_on ? "on" : "off", identity->gil_on ? "not" : "not only");
    }
    return CX_OK;
}

// SPDX-License-Identifier: Apache-2.0
//
// command: what every verb needs to fail in the same way.
#include "harness/command.h"

#include <stdio.h>
#include <stdlib.h>

enum cx_exit cx_command_fail(enum cx_status status, const struct cx_error *error)
{
    fflush(stdout);
    fprintf(stderr, "constrictor: %s\n", error->text[0] != '\0' ? error->text : cx_status_sentence(status));
    return cx_status_exit(status);
}

void cx_command_usage(const char *verb, const struct cx_error *error)
{
    fprintf(stderr, "constrictor %s: %s\n", verb, error->text);
    exit(CX_EXIT_USAGE);
}

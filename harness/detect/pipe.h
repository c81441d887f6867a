// SPDX-License-Identifier: Apache-2.0
//
// pipe: a helper program that answers one line to every line.
#ifndef CX_DETECT_PIPE_H
#define CX_DETECT_PIPE_H

#include "harness/status.h"

struct cx_pipe;

// Start the first of `programs` (NULL-terminated, looked up in PATH) that exists, with these arguments. The caller
// frees with cx_pipe_free(), which ends it; NULL is allowed there.
enum cx_status cx_pipe_new(struct cx_pipe **pipe, const char *const *programs, const char *const *arguments,
                           struct cx_error *error);
void cx_pipe_free(struct cx_pipe *pipe);

// Send a question, with its newline, and return the line that comes back. The caller frees it; NULL when the helper is
// gone. Blocks: yes.
char *cx_pipe_ask(struct cx_pipe *pipe, const char *question);

#endif

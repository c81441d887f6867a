// SPDX-License-Identifier: Apache-2.0
//
// subject: playing something that is no scenario: a program with its own main, or a Python script.
#ifndef CX_HOST_SUBJECT_H
#define CX_HOST_SUBJECT_H

#include "harness/exec/channel.h"

// Fill channel->scenarios with the one thing that this runner plays.
void cx_subject_describe(struct cx_channel *channel);

// The run ends when the process does, from exit() or by itself. Call in the child, before the subject runs.
void cx_subject_begin(void);

// What there is to say about the way in which the subject fails, as a part of the finding's signature. The first one
// counts.
void cx_subject_note(const char *text);

// End the run with this exit status: nothing but 0, with nothing noted, is a pass.
__attribute__((noreturn)) void cx_subject_end(int status);

#endif

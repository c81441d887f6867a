// SPDX-License-Identifier: Apache-2.0
//
// needed: which threads a schedule needs to show its finding.
//
// Each thread in turn is put off: it runs only when nothing else can. If the finding comes all the same, it is not
// needed, and stays put off while the next one is tried.
#ifndef CX_EXEC_NEEDED_H
#define CX_EXEC_NEEDED_H

#include "harness/exec/session.h"

struct cx_needed {
    uint32_t late[CX_LATE_MAX]; // threads that are not needed
    int ran[CX_LATE_MAX];       // 1: it did run in the end, when nothing else could
    uint32_t count;
    uint32_t tried; // threads, main not among them
};

// The last run of the session must be that of its schedule. Blocks: yes.
enum cx_status cx_needed_find(struct cx_session *session, struct cx_needed *needed, struct cx_error *error);

#endif

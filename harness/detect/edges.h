// SPDX-License-Identifier: Apache-2.0
//
// edges: see edges.c. Both do nothing where edges are not counted.
#ifndef CX_DETECT_EDGES_H
#define CX_DETECT_EDGES_H

#include "harness/exec/channel.h"

// At the start of a run: nothing was taken.
void cx_edges_begin(void);
// At its end: all that was taken.
void cx_edges_take(struct cx_channel *channel);

#endif

// SPDX-License-Identifier: Apache-2.0
//
// native: what the interposers tell whoever runs the actors (harness/host/play.c).
#ifndef CX_NATIVE_H
#define CX_NATIVE_H

// The calling thread is about to wait for ever in pause(2). Blocks: no.
void cx_actor_parks(void);

#endif

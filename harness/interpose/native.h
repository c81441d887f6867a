// SPDX-License-Identifier: Apache-2.0
//
// native: what is known about threads in a run without control.
#ifndef CX_NATIVE_H
#define CX_NATIVE_H

// The calling thread is about to wait for ever in pause(2). Counted if it is an actor of a native run. Blocks: no.
void cx_native_parked(void);

#endif

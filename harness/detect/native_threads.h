// SPDX-License-Identifier: Apache-2.0
//
// native_threads: reports of all threads of an uncontrolled run.
#ifndef CX_NATIVE_THREADS_H
#define CX_NATIVE_THREADS_H

// Append a report of every thread of this process to the result's threads. `context`: the ucontext_t of the calling
// thread's signal. Thread state: any, in a signal handler of a native run. Blocks: at most 0.2 s for each thread.
void cx_native_threads(void *context);

#endif

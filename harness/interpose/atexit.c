// SPDX-License-Identifier: Apache-2.0
//
// atexit: who gives libc functions for the end of the process or of a thread: such a run has no successor in its
// process (harness/sched/again.h). atexit() of libc, destructors of static and of thread_local objects come through
// here.
#include "harness/interpose/real.h"
#include "harness/sched/again.h"

int __cxa_atexit(void (*function)(void *), void *argument, void *file);
int __cxa_thread_atexit_impl(void (*function)(void *), void *argument, void *file);

int __cxa_atexit(void (*function)(void *), void *argument, void *file)
{
    int (*real)(void (*)(void *), void *, void *) = cx_real_libc("__cxa_atexit");
    cx_again_at_exit();
    return real(function, argument, file);
}

int __cxa_thread_atexit_impl(void (*function)(void *), void *argument, void *file)
{
    int (*real)(void (*)(void *), void *, void *) = cx_real_libc("__cxa_thread_atexit_impl");
    cx_again_at_exit();
    return real(function, argument, file);
}

// SPDX-License-Identifier: Apache-2.0
//
// family: processes that the program forks. A forked child is left alone, from its first instruction on, or followed
// (--forks follow): it is under control then.
//
// Such a run stays one sequence of steps. The child goes on with the token, as a thread with a name of its own, and its
// parent stands still in fork(), with all its threads, until the child has ended, becomes another program, or waits for
// something that only its parent can do. In the last two cases the child is left alone from there. What a child's
// thread does wrong is a finding of the run; with which status a child ends is its parent's affair.
//
// So parent and child are not interleaved with each other. What is explored is where every thread stands at the fork,
// and what the child then makes of the memory, and of the locks, that it has got.
#ifndef CX_FAMILY_H
#define CX_FAMILY_H

// Before any other fork handler is registered: register ours.
void cx_family_init(void);

// 1 in a process that was forked under control.
int cx_family_is_child(void);
// How many forks lie between the first process of the run and this one.
int cx_family_depth(void);
// 1 while this process stands still in fork(): another one answers for the run's real time.
int cx_family_waits(void);
// 1 in a forked process that has been left alone since.
int cx_family_parted(void);

// The forked process ends with this status, running nothing more; its parent goes on.
__attribute__((noreturn)) void cx_family_leave(int status);
// Nothing can run in this process before something comes from outside: if it was forked, its parent goes on, and it is
// left alone.
void cx_family_part(void);

// The calling process is about to become another program; it did not.
void cx_family_exec_begins(void);
void cx_family_exec_failed(void);

#endif

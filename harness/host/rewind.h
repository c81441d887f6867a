// SPDX-License-Identifier: Apache-2.0
//
// rewind: a process that goes back to what it was, as often as it likes: what fork does for a run, in the time of the
// pages that the run has written to. For runners with CPython, whose heap nobody can put back in another way.
//
// What is put back is all private memory, stack and registers included: addresses, allocators and the interpreter are
// bit for bit what they were. What the kernel keeps is not: whoever goes back has one thread, the files that it had,
// and no more. It takes Linux 6.7 (asynchronous write protection of userfaultfd, and a scan of the page map).
#ifndef CX_REWIND_H
#define CX_REWIND_H

// Remember this process as it is now. Returns 1; and 1 again each time that somebody goes back, with all as it was. 0:
// this machine cannot.
int cx_rewind_mark(void);

// Call `before`, put the memory back, call `after`, and return from cx_rewind_mark. What the two write to private
// memory is lost, or stays: they had better not. Where the run has changed what cannot be put back, `otherwise` is
// called in the place of `after`; it may not return.
__attribute__((noreturn)) void cx_rewind_back(void (*before)(void), void (*after)(void), void (*otherwise)(void));

#endif

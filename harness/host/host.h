// SPDX-License-Identifier: Apache-2.0
//
// host: what a runner runs its scenarios in. There are two hosts: CPython (host_python.c), and nothing at all
// (host_plain.c) for scenarios that are plain pthread programs. Exactly one is linked into a runner.
#ifndef CX_HOST_H
#define CX_HOST_H

#include <stddef.h>
#include <stdint.h>

#include "harness/exec/channel.h"

struct cx_thread;
struct cx_scenario;

// Bring the host up, single-threaded; ready to run the subject, if there is one. Returns 0, or -1 with one line on
// standard error.
int cx_host_start(const struct cx_subject_info *subject);
// In the child that plays it: run the subject that cx_host_start got, and return its exit status.
int cx_host_run_subject(void);
// Fill in what the host knows: python, gil_build, gil_on, debug.
void cx_host_identify(struct cx_identity *identity);
// True if this CPython is at least `version` ("3.14"); always true for NULL.
int cx_host_has_version(const char *version);

// Before the first fork(2): make the host ready to be forked, again and again. It is not used in this process any more.
void cx_host_before_fork(void);
// In each child, first of all.
void cx_host_after_fork_child(void);

// Detach the main thread if the host is still up, so that actors that need it can go on. Returns 1 if it did, for
// cx_host_attach. Thread state: attached, or the host is finalized.
int cx_host_detach(void);
void cx_host_attach(int detached);

// What the host knows about the wait of a thread, for reports: text, and the key of the thread that it waits for.
// Leaves both alone when it knows nothing. Takes no lock. Thread state: any; the run has ended.
void cx_host_describe_wait(struct cx_thread *thread, char *out, size_t out_bytes, uint32_t *holder_key);

#endif

// SPDX-License-Identifier: Apache-2.0
//
// host_plain: the host of runners without CPython. Nothing to start, nothing to stop.
#include "harness/host/census.h"
#include "harness/host/host.h"

#include <stdio.h>

int cx_host_start(const struct cx_subject_info *subject)
{
    if (subject->kind != CX_SUBJECT_NONE) {
        fprintf(stderr, "constrictor runner: this target has no Python\n");
        return -1;
    }
    return 0;
}

int cx_host_run_subject(void)
{
    return 3; // never: cx_host_start refused
}

void cx_host_identify(struct cx_identity *identity)
{
    (void)identity;
}

int cx_host_has_version(const char *version)
{
    (void)version;
    return 1;
}

void cx_host_before_fork(void)
{
}

void cx_host_after_fork_child(void)
{
}

int cx_host_detach(void)
{
    return 0;
}

void cx_host_attach(int detached)
{
    (void)detached;
}

int cx_host_census_begin(void)
{
    return -1;
}

int cx_host_census(struct cx_census *census)
{
    (void)census;
    return -1;
}

void cx_host_census_ask_where(void)
{
}

void cx_host_census_where(uint32_t entry, struct cx_stack *made)
{
    (void)entry;
    made->count = 0;
}

const char *const *cx_host_census_types(void)
{
    return NULL;
}

void cx_host_watch(void *object)
{
    (void)object;
}

void cx_host_watch_end(char *text, size_t text_bytes)
{
    (void)text_bytes;
    text[0] = '\0';
}

// SPDX-License-Identifier: Apache-2.0
//
// host_plain: the host of runners without CPython. Nothing to start, nothing to stop.
#include "harness/host/host.h"

int cx_host_start(void)
{
    return 0;
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

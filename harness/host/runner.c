// SPDX-License-Identifier: Apache-2.0
//
// runner: main of a runner. Brings its host up once and serves requests (serve.h).
#include "harness/host/host.h"
#include "harness/host/identity.h"
#include "harness/host/serve.h"
#include "harness/host/subject.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <unistd.h>

// Address-space randomisation is decided at exec: turn it off and start over, once.
static void without_aslr(char **argv)
{
    int persona = personality(0xffffffff);
    if (persona != -1 && (persona & ADDR_NO_RANDOMIZE) == 0 && getenv("CX_REEXEC") == NULL) {
        personality((unsigned long)persona | ADDR_NO_RANDOMIZE);
        setenv("CX_REEXEC", "1", 1);
        execv("/proc/self/exe", argv);
    }
}

int main(int argc, char **argv)
{
    (void)argc;
    without_aslr(argv);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGINT, SIG_IGN);
    struct cx_channel *channel = cx_serve_map();
    if (channel == NULL) {
        fprintf(stderr, "constrictor runner: start it through the constrictor command, which gives it its channel\n");
        return 3;
    }
    if (cx_host_start(&channel->subject) != 0) {
        return 3;
    }
    cx_identity_fill(&channel->identity);
    if (channel->subject.kind != CX_SUBJECT_NONE) {
        cx_subject_describe(channel);
    } else {
        cx_scenarios_describe(channel);
    }
    cx_serve(channel);
}

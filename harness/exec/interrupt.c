// SPDX-License-Identifier: Apache-2.0
//
// interrupt: see interrupt.h. The signals stay blocked except inside ppoll(2) and after the first one arrived.
#include "harness/exec/interrupt.h"

#include <string.h>
#include <unistd.h>

#include "harness/exec/clock.h"

static volatile sig_atomic_t interrupted;
static sigset_t wait_mask;
static uint64_t limit_ns = CX_NO_DEADLINE;

static void on_signal(int number)
{
    if (interrupted) {
        signal(number, SIG_DFL);
        raise(number);
        return;
    }
    interrupted = 1;
}

void cx_interrupt_init(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof(action));
    action.sa_handler = on_signal;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGINT);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, &wait_mask);
    sigdelset(&wait_mask, SIGINT);
    sigdelset(&wait_mask, SIGTERM);
}

void cx_interrupt_reset(void)
{
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static int asked_to_end(void)
{
    if (!interrupted) {
        sigset_t pending;
        sigemptyset(&pending);
        sigpending(&pending);
        return sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1;
    }
    return 1;
}

static int limit_passed(void)
{
    return limit_ns != CX_NO_DEADLINE && cx_clock_ns() >= limit_ns;
}

int cx_interrupted(void)
{
    return asked_to_end() || limit_passed();
}

void cx_interrupt_limit_set(uint64_t deadline_ns)
{
    limit_ns = deadline_ns;
}

uint64_t cx_interrupt_limit(void)
{
    return limit_ns;
}

int cx_interrupt_timed_out(void)
{
    return limit_passed() && !asked_to_end();
}

const sigset_t *cx_interrupt_wait_mask(void)
{
    return &wait_mask;
}

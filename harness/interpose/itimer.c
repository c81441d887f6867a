// SPDX-License-Identifier: Apache-2.0
//
// itimer: alarm and the real interval timer, in virtual time. A hidden thread sleeps until the timer is due and sends
// SIGALRM to the process; that it is late, as every sleeper may be, is a choice of the schedule. One timer at a time:
// setting it again sends the thread of the old one home.
#include "harness/interpose/interpose.h"
#include "harness/interpose/signals.h"
#include "harness/sched/futex.h"

#include <errno.h>
#include <stdint.h>
#include <sys/time.h>

#define NS_PER_S 1000000000ULL

static uint32_t timer_number; // scheduler token: of the timer that is set
static uint64_t due_ns;       // scheduler token: CX_NO_DEADLINE: none is
static uint64_t interval_ns;  // scheduler token
static int ever_set;          // scheduler token

static void *ring(void *argument)
{
    uint32_t number = (uint32_t)(uintptr_t)argument;
    while (timer_number == number) {
        cx_block(cx_self, CX_OP_SLEEP, &due_ns, due_ns, CX_CALLER);
        if (timer_number != number || cx_now_ns() < due_ns) {
            continue;
        }
        // The kernel would say SI_KERNEL, which nobody else can send.
        siginfo_t info = {.si_signo = SIGALRM, .si_code = SI_TIMER};
        due_ns = interval_ns > 0 ? due_ns + interval_ns : CX_NO_DEADLINE;
        timer_number += interval_ns == 0;
        cx_signal_send(cx_self, NULL, &info);
    }
    return NULL;
}

void cx_itimer_forked(void)
{
    timer_number++;
    due_ns = CX_NO_DEADLINE;
    interval_ns = 0;
}

static uint64_t left_ns(void)
{
    uint64_t now = cx_now_ns();
    return !ever_set || due_ns == CX_NO_DEADLINE ? 0 : (due_ns > now ? due_ns - now : 1000);
}

static int set(struct cx_thread *self, uint64_t first_ns, uint64_t every_ns, const void *caller)
{
    pthread_t handle;
    pthread_attr_t attributes;
    sigset_t all;
    sigset_t before;
    cx_step(self, CX_OP_SIGNAL, &due_ns, caller);
    timer_number++;
    due_ns = first_ns > 0 ? cx_now_ns() + first_ns : CX_NO_DEADLINE;
    interval_ns = every_ns;
    cx_wake_all(&due_ns, 0);
    ever_set = 1;
    if (first_ns == 0) {
        return 0;
    }
    sigfillset(&all);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    cx_signal_mask(SIG_SETMASK, &all, &before);
    int error = cx_thread_create(self, &handle, &attributes, ring, (void *)(uintptr_t)timer_number, "timer");
    cx_signal_mask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return error;
}

static uint64_t ns_of(const struct timeval *time)
{
    return (uint64_t)time->tv_sec * NS_PER_S + (uint64_t)time->tv_usec * 1000;
}

static struct timeval timeval_of(uint64_t ns)
{
    return (struct timeval){.tv_sec = (time_t)(ns / NS_PER_S), .tv_usec = (suseconds_t)(ns % NS_PER_S / 1000)};
}

static void read_timer(struct itimerval *out)
{
    out->it_value = timeval_of(left_ns());
    out->it_interval = timeval_of(ever_set ? interval_ns : 0);
}

int setitimer(__itimer_which_t which, const struct itimerval *restrict wanted, struct itimerval *restrict old)
{
    struct cx_thread *self = which == ITIMER_REAL ? (cx_self != NULL ? cx_self : cx_sched_begin_due()) : NULL;
    if (self == NULL) {
        if (cx_self != NULL) {
            cx_say_uncontrolled("a timer of processor time");
        }
        long result = cx_syscall3(SYS_setitimer, (long)which, (long)wanted, (long)old);
        errno = result < 0 ? (int)-result : errno;
        return result < 0 ? -1 : 0;
    }
    if (wanted->it_value.tv_usec < 0 || wanted->it_value.tv_usec > 999999 || wanted->it_interval.tv_usec < 0 ||
        wanted->it_interval.tv_usec > 999999 || wanted->it_value.tv_sec < 0 || wanted->it_interval.tv_sec < 0) {
        errno = EINVAL;
        return -1;
    }
    if (old != NULL) {
        read_timer(old);
    }
    int error = set(self, ns_of(&wanted->it_value), ns_of(&wanted->it_interval), CX_CALLER);
    errno = error != 0 ? error : errno;
    return error != 0 ? -1 : 0;
}

int getitimer(__itimer_which_t which, struct itimerval *out)
{
    if (which == ITIMER_REAL && cx_self != NULL) {
        read_timer(out);
        return 0;
    }
    long result = cx_syscall3(SYS_getitimer, (long)which, (long)out, 0);
    errno = result < 0 ? (int)-result : errno;
    return result < 0 ? -1 : 0;
}

unsigned alarm(unsigned seconds)
{
    struct itimerval wanted = {.it_value = {.tv_sec = seconds}};
    struct itimerval old = {0};
    setitimer(ITIMER_REAL, &wanted, &old);
    return (unsigned)old.it_value.tv_sec + (old.it_value.tv_usec > 0);
}

// SPDX-License-Identifier: Apache-2.0
//
// blocked: which system call a run was blocked in when its time was up. A signal that interrupts a blocking call leaves
// either the call to be made again, its number in the register, or -EINTR in its place; then the number stands in the
// instruction before.
#include "harness/detect/blocked.h"

#include "harness/interpose/interpose.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#define CODE_BYTES 7 // mov $NUMBER, %eax; syscall

static const struct {
    int number;
    const char *name;
} calls[] = {{SYS_read, "read"},
             {SYS_write, "write"},
             {SYS_readv, "readv"},
             {SYS_writev, "writev"},
             {SYS_poll, "poll"},
             {SYS_ppoll, "ppoll"},
             {SYS_pselect6, "pselect"},
             {SYS_epoll_wait, "epoll_wait"},
             {SYS_epoll_pwait, "epoll_pwait"},
             {SYS_connect, "connect"},
             {SYS_accept, "accept"},
             {SYS_accept4, "accept4"},
             {SYS_sendto, "send"},
             {SYS_sendmsg, "sendmsg"},
             {SYS_recvfrom, "recv"},
             {SYS_recvmsg, "recvmsg"},
             {SYS_wait4, "wait"},
             {SYS_waitid, "waitid"},
             {SYS_flock, "flock"},
             {SYS_fcntl, "fcntl"},
             {SYS_openat, "open"},
             {SYS_rt_sigtimedwait, "sigwait"},
             {SYS_futex, "a futex of its own (a lock that is no pthread lock)"}};

// The number that was loaded just before the call; -1 if it was loaded elsewhere.
static int number_before(const unsigned char code[CODE_BYTES])
{
    int number = -1;
    if (code[3] == 0x31 && code[4] == 0xc0) { // xor %eax, %eax
        return 0;
    }
    if (code[0] == 0xb8) { // mov $NUMBER, %eax
        memcpy(&number, code + 1, sizeof(number));
    }
    return number;
}

static int is_syscall(const unsigned char code[2])
{
    return code[0] == 0x0f && code[1] == 0x05;
}

void cx_say_blocked(const ucontext_t *where)
{
    const unsigned char *at = (const unsigned char *)(uintptr_t)where->uc_mcontext.gregs[REG_RIP];
    int number = (int)where->uc_mcontext.gregs[REG_RAX];
    if (number == -EINTR && is_syscall(at - 2)) {
        number = number_before(at - CODE_BYTES);
    } else if (!is_syscall(at)) {
        return;
    }
    char text[100];
    snprintf(text, sizeof(text), "blocked in system call %d", number);
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        if (calls[i].number == number) {
            snprintf(text, sizeof(text), "blocked in %s", calls[i].name);
        }
    }
    cx_say_uncontrolled(text);
}

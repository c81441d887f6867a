// SPDX-License-Identifier: Apache-2.0
//
// futex: raw system calls. They go past libc, so that no sanitizer sees them and errno stays the program's own.
#ifndef CX_FUTEX_H
#define CX_FUTEX_H

#include <linux/futex.h>
#include <stdint.h>
#include <sys/syscall.h>

#ifndef __x86_64__
#error "constrictor runs on x86-64 Linux only: cx_syscall below and the stack walker know no other machine"
#endif

static inline long cx_syscall6(long number, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static inline long cx_syscall3(long number, long a, long b, long c)
{
    return cx_syscall6(number, a, b, c, 0, 0, 0);
}

#endif

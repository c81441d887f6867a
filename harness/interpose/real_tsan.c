// SPDX-License-Identifier: Apache-2.0
//
// real_tsan: cx_real for ThreadSanitizer builds: its interceptors where it has them, libc's functions elsewhere.
#include "harness/interpose/real.h"

struct cx_real cx_real;

#define CX_DECLARE(result, name, parameters) extern result __interceptor_##name parameters;
CX_REAL_SANITIZED_MAP(CX_DECLARE)
#undef CX_DECLARE

extern void __tsan_acquire(void *address);
extern void __tsan_release(void *address);

extern void __tsan_func_entry(void *caller);
extern void __tsan_func_exit(void);

// Of the four accesses that it keeps for a word, ThreadSanitizer forgets the one that the number of events so far
// points at. Some events more, and another one goes: what one run cannot see, another can.
static void vary(uint64_t seed)
{
    for (uint64_t events = seed % 8; events > 0; events--) {
        __tsan_func_entry(__builtin_return_address(0));
        __tsan_func_exit();
    }
}

void cx_real_load(void)
{
    if (cx_real.loaded) {
        return;
    }
#define CX_LOAD(result, name, parameters) cx_real.name = __interceptor_##name;
    CX_REAL_SANITIZED_MAP(CX_LOAD)
#undef CX_LOAD
#define CX_LOAD(result, name, parameters) cx_real.name = (result(*) parameters)cx_real_libc(#name);
    CX_REAL_LIBC_MAP(CX_LOAD)
#undef CX_LOAD
    cx_real.acquire = __tsan_acquire;
    cx_real.release = __tsan_release;
    cx_real.vary = vary;
    cx_real.loaded = 1;
}

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
    cx_real.loaded = 1;
}

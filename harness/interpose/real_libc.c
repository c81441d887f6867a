// SPDX-License-Identifier: Apache-2.0
//
// real_libc: cx_real for builds without ThreadSanitizer: libc's functions, and where the program is linked with
// AddressSanitizer its interceptors: the shadow of a stack must be clean when another thread gets it.
#include "harness/interpose/real.h"

struct cx_real cx_real;

#define CX_DECLARE(result, name, parameters) extern __attribute__((weak)) result __interceptor_##name parameters;
CX_REAL_SANITIZED_MAP(CX_DECLARE)
#undef CX_DECLARE

static void nothing(void *address)
{
    (void)address;
}

static void nothing_varies(uint64_t seed)
{
    (void)seed;
}

void cx_real_load(void)
{
    if (cx_real.loaded) {
        return;
    }
#define CX_LOAD(result, name, parameters)                                                                              \
    cx_real.name = __interceptor_##name != NULL ? __interceptor_##name : (result(*) parameters)cx_real_libc(#name);
    CX_REAL_SANITIZED_MAP(CX_LOAD)
#undef CX_LOAD
#define CX_LOAD(result, name, parameters) cx_real.name = (result(*) parameters)cx_real_libc(#name);
    CX_REAL_LIBC_MAP(CX_LOAD)
#undef CX_LOAD
    cx_real.acquire = nothing;
    cx_real.release = nothing;
    cx_real.vary = nothing_varies;
    cx_real.loaded = 1;
}

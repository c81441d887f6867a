// SPDX-License-Identifier: Apache-2.0
//
// real_libc: cx_real for builds without ThreadSanitizer: libc's functions throughout.
#include "harness/interpose/real.h"

struct cx_real cx_real;

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
#define CX_LOAD(result, name, parameters) cx_real.name = (result(*) parameters)cx_real_libc(#name);
    CX_REAL_SANITIZED_MAP(CX_LOAD)
    CX_REAL_LIBC_MAP(CX_LOAD)
#undef CX_LOAD
    cx_real.acquire = nothing;
    cx_real.release = nothing;
    cx_real.vary = nothing_varies;
    cx_real.loaded = 1;
}

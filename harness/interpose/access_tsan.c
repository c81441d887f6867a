// SPDX-License-Identifier: Apache-2.0
//
// access_tsan: points before plain loads and stores in a ThreadSanitizer build. The linker redirects every call of an
// entry point to the wrapper of that name here (-Wl,--wrap, from the list in cmake/atomics.cmake). A wrapper passes the
// point and jumps on (musttail): ThreadSanitizer sees the program's own return address.
#include "harness/interpose/access.h"

#include <string.h>

#define CALLER __builtin_return_address(0)
#define TAIL __attribute__((musttail)) return

#define DEFINE_ACCESS(name, op, bytes)                                                                                 \
    void __real___tsan_##name(void *address);                                                                          \
    void __wrap___tsan_##name(void *address);                                                                          \
    void __wrap___tsan_##name(void *address)                                                                           \
    {                                                                                                                  \
        cx_access(address, bytes, op, CALLER);                                                                         \
        TAIL __real___tsan_##name(address);                                                                            \
    }

CX_ACCESS_MAP(DEFINE_ACCESS)

void __real___tsan_read_range(void *address, unsigned long bytes);
void __wrap___tsan_read_range(void *address, unsigned long bytes);
void __wrap___tsan_read_range(void *address, unsigned long bytes)
{
    cx_access(address, bytes, CX_OP_READ, CALLER);
    TAIL __real___tsan_read_range(address, bytes);
}

void __real___tsan_write_range(void *address, unsigned long bytes);
void __wrap___tsan_write_range(void *address, unsigned long bytes);
void __wrap___tsan_write_range(void *address, unsigned long bytes)
{
    cx_access(address, bytes, CX_OP_WRITE, CALLER);
    TAIL __real___tsan_write_range(address, bytes);
}

void __real___tsan_vptr_update(void **address, void *value);
void __wrap___tsan_vptr_update(void **address, void *value);
void __wrap___tsan_vptr_update(void **address, void *value)
{
    cx_access(address, sizeof(void *), CX_OP_WRITE, CALLER);
    TAIL __real___tsan_vptr_update(address, value);
}

void *__real___tsan_memcpy(void *to, const void *from, size_t bytes);
void *__wrap___tsan_memcpy(void *to, const void *from, size_t bytes);
void *__wrap___tsan_memcpy(void *to, const void *from, size_t bytes)
{
    cx_access(from, bytes, CX_OP_READ, CALLER);
    cx_access(to, bytes, CX_OP_WRITE, CALLER);
    TAIL __real___tsan_memcpy(to, from, bytes);
}

void *__real___tsan_memmove(void *to, const void *from, size_t bytes);
void *__wrap___tsan_memmove(void *to, const void *from, size_t bytes);
void *__wrap___tsan_memmove(void *to, const void *from, size_t bytes)
{
    cx_access(from, bytes, CX_OP_READ, CALLER);
    cx_access(to, bytes, CX_OP_WRITE, CALLER);
    TAIL __real___tsan_memmove(to, from, bytes);
}

void *__real___tsan_memset(void *to, int value, size_t bytes);
void *__wrap___tsan_memset(void *to, int value, size_t bytes);
void *__wrap___tsan_memset(void *to, int value, size_t bytes)
{
    cx_access(to, bytes, CX_OP_WRITE, CALLER);
    TAIL __real___tsan_memset(to, value, bytes);
}

// SPDX-License-Identifier: Apache-2.0
//
// access_own: our own implementation of the entry points that clang's -fsanitize=thread calls before plain loads and
// stores: a point, where the run asks for it, and nothing else. `constrictor cc --access` makes programs that call
// them. No detector.
#include "harness/interpose/access.h"

#include <string.h>

#define CALLER __builtin_return_address(0)

#define DEFINE_ACCESS(name, op, bytes)                                                                                 \
    void __tsan_##name(void *address);                                                                                 \
    void __tsan_##name(void *address)                                                                                  \
    {                                                                                                                  \
        cx_access(address, bytes, op, CALLER);                                                                         \
    }

CX_ACCESS_MAP(DEFINE_ACCESS)

void __tsan_read_range(void *address, unsigned long bytes);
void __tsan_read_range(void *address, unsigned long bytes)
{
    cx_access(address, bytes, CX_OP_READ, CALLER);
}

void __tsan_write_range(void *address, unsigned long bytes);
void __tsan_write_range(void *address, unsigned long bytes)
{
    cx_access(address, bytes, CX_OP_WRITE, CALLER);
}

void __tsan_vptr_update(void **address, void *value);
void __tsan_vptr_update(void **address, void *value)
{
    cx_access(address, sizeof(void *), CX_OP_WRITE, CALLER);
    (void)value;
}

void *__tsan_memcpy(void *to, const void *from, size_t bytes);
void *__tsan_memcpy(void *to, const void *from, size_t bytes)
{
    cx_access(from, bytes, CX_OP_READ, CALLER);
    cx_access(to, bytes, CX_OP_WRITE, CALLER);
    return memcpy(to, from, bytes);
}

void *__tsan_memmove(void *to, const void *from, size_t bytes);
void *__tsan_memmove(void *to, const void *from, size_t bytes)
{
    cx_access(from, bytes, CX_OP_READ, CALLER);
    cx_access(to, bytes, CX_OP_WRITE, CALLER);
    return memmove(to, from, bytes);
}

void *__tsan_memset(void *to, int value, size_t bytes);
void *__tsan_memset(void *to, int value, size_t bytes)
{
    cx_access(to, bytes, CX_OP_WRITE, CALLER);
    return memset(to, value, bytes);
}

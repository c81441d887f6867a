// SPDX-License-Identifier: Apache-2.0
//
// atomics_quiet: the entry points of atomics.c without a point, for objects whose atomics are noise. The build renames
// the references in such an object (cmake/runner/CMakeLists.txt): today that is mimalloc's.
#include <stdint.h>

#define DEFINE_RMW(bits, type, name, builtin)                                                                          \
    type __quiet___tsan_atomic##bits##_##name(volatile type *address, type value, int order);                          \
    type __quiet___tsan_atomic##bits##_##name(volatile type *address, type value, int order)                           \
    {                                                                                                                  \
        (void)order;                                                                                                   \
        return builtin(address, value, __ATOMIC_SEQ_CST);                                                              \
    }

#define DEFINE_CAS(bits, type, name)                                                                                   \
    int __quiet___tsan_atomic##bits##_##name(volatile type *address, type *expected, type desired, int order,          \
                                             int failure);                                                             \
    int __quiet___tsan_atomic##bits##_##name(volatile type *address, type *expected, type desired, int order,          \
                                             int failure)                                                              \
    {                                                                                                                  \
        (void)order;                                                                                                   \
        (void)failure;                                                                                                 \
        return __atomic_compare_exchange_n(address, expected, desired, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);         \
    }

#define DEFINE_ALL(bits, type)                                                                                         \
    type __quiet___tsan_atomic##bits##_load(const volatile type *address, int order);                                  \
    type __quiet___tsan_atomic##bits##_load(const volatile type *address, int order)                                   \
    {                                                                                                                  \
        (void)order;                                                                                                   \
        return __atomic_load_n(address, __ATOMIC_SEQ_CST);                                                             \
    }                                                                                                                  \
    void __quiet___tsan_atomic##bits##_store(volatile type *address, type value, int order);                           \
    void __quiet___tsan_atomic##bits##_store(volatile type *address, type value, int order)                            \
    {                                                                                                                  \
        if (order == __ATOMIC_SEQ_CST) {                                                                               \
            __atomic_store_n(address, value, __ATOMIC_SEQ_CST);                                                        \
        } else {                                                                                                       \
            __atomic_store_n(address, value, __ATOMIC_RELEASE);                                                        \
        }                                                                                                              \
    }                                                                                                                  \
    DEFINE_RMW(bits, type, exchange, __atomic_exchange_n)                                                              \
    DEFINE_RMW(bits, type, fetch_add, __atomic_fetch_add)                                                              \
    DEFINE_RMW(bits, type, fetch_sub, __atomic_fetch_sub)                                                              \
    DEFINE_RMW(bits, type, fetch_and, __atomic_fetch_and)                                                              \
    DEFINE_RMW(bits, type, fetch_or, __atomic_fetch_or)                                                                \
    DEFINE_RMW(bits, type, fetch_xor, __atomic_fetch_xor)                                                              \
    DEFINE_RMW(bits, type, fetch_nand, __atomic_fetch_nand)                                                            \
    DEFINE_CAS(bits, type, compare_exchange_strong)                                                                    \
    DEFINE_CAS(bits, type, compare_exchange_weak)                                                                      \
    type __quiet___tsan_atomic##bits##_compare_exchange_val(volatile type *address, type expected, type desired,       \
                                                            int order, int failure);                                   \
    type __quiet___tsan_atomic##bits##_compare_exchange_val(volatile type *address, type expected, type desired,       \
                                                            int order, int failure)                                    \
    {                                                                                                                  \
        (void)order;                                                                                                   \
        (void)failure;                                                                                                 \
        __atomic_compare_exchange_n(address, &expected, desired, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);               \
        return expected;                                                                                               \
    }

DEFINE_ALL(8, uint8_t)
DEFINE_ALL(16, uint16_t)
DEFINE_ALL(32, uint32_t)
DEFINE_ALL(64, uint64_t)

void __quiet___tsan_atomic_thread_fence(int order);
void __quiet___tsan_atomic_thread_fence(int order)
{
    (void)order;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

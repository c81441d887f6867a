// SPDX-License-Identifier: Apache-2.0
//
// atomics_tsan: points before atomic operations in a ThreadSanitizer build. The linker redirects every call of
// __tsan_atomicN_op to the wrapper of that name here (-Wl,--wrap, from the list in cmake/atomics.cmake); the wrapper
// passes a point and jumps on. It must be a jump (musttail), so that ThreadSanitizer sees the program's own return
// address and reports races at the right frame.
//
// Which operations are points is said in atomics.c.
#include "harness/sched/sched.h"

#include <stdint.h>

#define CALLER __builtin_return_address(0)
#define TAIL __attribute__((musttail)) return

static inline void look_or_step(const volatile void *address, enum cx_op op, int look, int is_point, const void *caller)
{
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        return;
    }
    if (look) {
        if (is_point) {
            cx_step_look(self, op, (const void *)address, caller);
        } else {
            cx_look(self, (const void *)address, caller);
        }
    } else if (is_point) {
        cx_step(self, op, (const void *)address, caller);
    } else {
        self->spin.both = CX_SPIN_RESET;
        if (__builtin_expect(cx_poll_watching, 0)) {
            cx_poll_store((const void *)address);
        }
    }
}

#define DEFINE_RMW(bits, type, name, changed)                                                                          \
    type __real___tsan_atomic##bits##_##name(volatile type *address, type value, int order);                           \
    type __wrap___tsan_atomic##bits##_##name(volatile type *address, type value, int order)                            \
    {                                                                                                                  \
        type old = __atomic_load_n(address, __ATOMIC_RELAXED);                                                         \
        look_or_step(address, CX_OP_RMW, (type)(changed) == old, 1, CALLER);                                           \
        TAIL __real___tsan_atomic##bits##_##name(address, value, order);                                               \
    }

#define DEFINE_CAS(bits, type, name)                                                                                   \
    int __real___tsan_atomic##bits##_##name(volatile type *address, type *expected, type desired, int order,           \
                                            int failure);                                                              \
    int __wrap___tsan_atomic##bits##_##name(volatile type *address, type *expected, type desired, int order,           \
                                            int failure)                                                               \
    {                                                                                                                  \
        type old = __atomic_load_n(address, __ATOMIC_RELAXED);                                                         \
        look_or_step(address, CX_OP_CAS, old != *expected || desired == old, 1, CALLER);                               \
        TAIL __real___tsan_atomic##bits##_##name(address, expected, desired, order, failure);                          \
    }

#define DEFINE_ALL(bits, type)                                                                                         \
    type __real___tsan_atomic##bits##_load(const volatile type *address, int order);                                   \
    type __wrap___tsan_atomic##bits##_load(const volatile type *address, int order)                                    \
    {                                                                                                                  \
        look_or_step(address, CX_OP_LOAD, 1, order != __ATOMIC_RELAXED, CALLER);                                       \
        TAIL __real___tsan_atomic##bits##_load(address, order);                                                        \
    }                                                                                                                  \
    void __real___tsan_atomic##bits##_store(volatile type *address, type value, int order);                            \
    void __wrap___tsan_atomic##bits##_store(volatile type *address, type value, int order)                             \
    {                                                                                                                  \
        look_or_step(address, CX_OP_STORE, 0, order != __ATOMIC_RELAXED, CALLER);                                      \
        TAIL __real___tsan_atomic##bits##_store(address, value, order);                                                \
    }                                                                                                                  \
    DEFINE_RMW(bits, type, exchange, value)                                                                            \
    DEFINE_RMW(bits, type, fetch_add, old + value)                                                                     \
    DEFINE_RMW(bits, type, fetch_sub, old - value)                                                                     \
    DEFINE_RMW(bits, type, fetch_and, old &value)                                                                      \
    DEFINE_RMW(bits, type, fetch_or, old | value)                                                                      \
    DEFINE_RMW(bits, type, fetch_xor, old ^ value)                                                                     \
    DEFINE_RMW(bits, type, fetch_nand, ~(old & value))                                                                 \
    DEFINE_CAS(bits, type, compare_exchange_strong)                                                                    \
    DEFINE_CAS(bits, type, compare_exchange_weak)                                                                      \
    type __real___tsan_atomic##bits##_compare_exchange_val(volatile type *address, type expected, type desired,        \
                                                           int order, int failure);                                    \
    type __wrap___tsan_atomic##bits##_compare_exchange_val(volatile type *address, type expected, type desired,        \
                                                           int order, int failure)                                     \
    {                                                                                                                  \
        type old = __atomic_load_n(address, __ATOMIC_RELAXED);                                                         \
        look_or_step(address, CX_OP_CAS, old != expected || desired == old, 1, CALLER);                                \
        TAIL __real___tsan_atomic##bits##_compare_exchange_val(address, expected, desired, order, failure);            \
    }

DEFINE_ALL(8, uint8_t)
DEFINE_ALL(16, uint16_t)
DEFINE_ALL(32, uint32_t)
DEFINE_ALL(64, uint64_t)

void __real___tsan_atomic_thread_fence(int order);
void __wrap___tsan_atomic_thread_fence(int order)
{
    look_or_step(NULL, CX_OP_FENCE, 1, 1, CALLER);
    TAIL __real___tsan_atomic_thread_fence(order);
}

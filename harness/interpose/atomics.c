// SPDX-License-Identifier: Apache-2.0
//
// atomics: our own implementation of the entry points that clang's -fsanitize=thread calls for atomic operations: the
// real operation, preceded by a point. No detector: this is the fast build.
//
// There is a point before and one after each: a thread that is stopped before its next operation has already done
// what lies between the two with plain memory, and bugs are there too.
//
// Relaxed loads and stores are no points (the owner's reference count, the eval breaker), only counted, so that a loop
// over them is seen to spin. A read-modify-write that will not change its word is a look, for the same reason: only
// one thread runs, so what will happen is known before it does.
//
// The 128-bit entry points are left out: nothing that we build uses them, and a program that did would not link.
#include "harness/sched/sched.h"

#include <stdint.h>

#define CALLER __builtin_return_address(0)

#define INLINE __attribute__((always_inline)) static inline

// Each of these is the point before an operation, and returns the thread that has to pass one after it, or NULL.

INLINE struct cx_thread *before_load(const volatile void *address, int order, const void *caller)
{
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        return NULL;
    }
    if (order == __ATOMIC_RELAXED || cx_atomics_quiet) {
        cx_look(self, (const void *)address, caller);
        return NULL;
    }
    cx_step_look(self, CX_OP_LOAD, (const void *)address, caller);
    return self;
}

// A store that is no point.
static inline void quiet_store(struct cx_thread *self, const volatile void *address)
{
    self->spin.both = CX_SPIN_RESET;
    if (__builtin_expect(cx_poll_watching, 0)) {
        cx_poll_store((const void *)address);
    }
}

INLINE struct cx_thread *before_store(const volatile void *address, int order, const void *caller)
{
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        return NULL;
    }
    if (order == __ATOMIC_RELAXED || cx_atomics_quiet) {
        quiet_store(self, address);
        return NULL;
    }
    cx_step(self, CX_OP_STORE, (const void *)address, caller);
    return self;
}

INLINE struct cx_thread *before_change(const volatile void *address, enum cx_op op, int changes, const void *caller)
{
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        return NULL;
    }
    if (__builtin_expect(cx_atomics_quiet, 0)) {
        if (changes) {
            quiet_store(self, address);
        } else {
            cx_look(self, (const void *)address, caller);
        }
        return NULL;
    }
    if (changes) {
        cx_step(self, op, (const void *)address, caller);
    } else {
        cx_step_look(self, op, (const void *)address, caller);
    }
    return self;
}

INLINE void after(struct cx_thread *self, const volatile void *address, const void *caller)
{
    if (self != NULL) {
        cx_step_after(self, (const void *)address, caller);
    }
}

#define DEFINE_RMW(bits, type, name, builtin, changed)                                                                 \
    type __tsan_atomic##bits##_##name(volatile type *address, type value, int order)                                   \
    {                                                                                                                  \
        (void)order;                                                                                                   \
        type old = __atomic_load_n(address, __ATOMIC_RELAXED);                                                         \
        struct cx_thread *self = before_change(address, CX_OP_RMW, (type)(changed) != old, CALLER);                    \
        old = builtin(address, value, __ATOMIC_SEQ_CST);                                                               \
        after(self, address, CALLER);                                                                                  \
        return old;                                                                                                    \
    }

#define DEFINE_CAS(bits, type, name)                                                                                   \
    int __tsan_atomic##bits##_##name(volatile type *address, type *expected, type desired, int order, int failure)     \
    {                                                                                                                  \
        (void)order;                                                                                                   \
        (void)failure;                                                                                                 \
        type old = __atomic_load_n(address, __ATOMIC_RELAXED);                                                         \
        struct cx_thread *self = before_change(address, CX_OP_CAS, old == *expected && desired != old, CALLER);        \
        int done = __atomic_compare_exchange_n(address, expected, desired, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);     \
        after(self, address, CALLER);                                                                                  \
        return done;                                                                                                   \
    }

#define DEFINE_ALL(bits, type)                                                                                         \
    type __tsan_atomic##bits##_load(const volatile type *address, int order)                                           \
    {                                                                                                                  \
        struct cx_thread *self = before_load(address, order, CALLER);                                                  \
        type value = __atomic_load_n(address, __ATOMIC_SEQ_CST);                                                       \
        after(self, address, CALLER);                                                                                  \
        return value;                                                                                                  \
    }                                                                                                                  \
    void __tsan_atomic##bits##_store(volatile type *address, type value, int order)                                    \
    {                                                                                                                  \
        struct cx_thread *self = before_store(address, order, CALLER);                                                 \
        /* x86: a release store is a plain one; the full fence is for a store that asked for it. */                    \
        if (order == __ATOMIC_SEQ_CST) {                                                                               \
            __atomic_store_n(address, value, __ATOMIC_SEQ_CST);                                                        \
        } else {                                                                                                       \
            __atomic_store_n(address, value, __ATOMIC_RELEASE);                                                        \
        }                                                                                                              \
        after(self, address, CALLER);                                                                                  \
    }                                                                                                                  \
    DEFINE_RMW(bits, type, exchange, __atomic_exchange_n, value)                                                       \
    DEFINE_RMW(bits, type, fetch_add, __atomic_fetch_add, old + value)                                                 \
    DEFINE_RMW(bits, type, fetch_sub, __atomic_fetch_sub, old - value)                                                 \
    DEFINE_RMW(bits, type, fetch_and, __atomic_fetch_and, old &value)                                                  \
    DEFINE_RMW(bits, type, fetch_or, __atomic_fetch_or, old | value)                                                   \
    DEFINE_RMW(bits, type, fetch_xor, __atomic_fetch_xor, old ^ value)                                                 \
    DEFINE_RMW(bits, type, fetch_nand, __atomic_fetch_nand, ~(old & value))                                            \
    DEFINE_CAS(bits, type, compare_exchange_strong)                                                                    \
    DEFINE_CAS(bits, type, compare_exchange_weak)                                                                      \
    type __tsan_atomic##bits##_compare_exchange_val(volatile type *address, type expected, type desired, int order,    \
                                                    int failure)                                                       \
    {                                                                                                                  \
        (void)order;                                                                                                   \
        (void)failure;                                                                                                 \
        type old = __atomic_load_n(address, __ATOMIC_RELAXED);                                                         \
        struct cx_thread *self = before_change(address, CX_OP_CAS, old == expected && desired != old, CALLER);         \
        __atomic_compare_exchange_n(address, &expected, desired, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);               \
        after(self, address, CALLER);                                                                                  \
        return expected;                                                                                               \
    }

DEFINE_ALL(8, uint8_t)
DEFINE_ALL(16, uint16_t)
DEFINE_ALL(32, uint32_t)
DEFINE_ALL(64, uint64_t)

void __tsan_atomic_thread_fence(int order)
{
    (void)order;
    struct cx_thread *self = cx_self;
    if (self != NULL && !cx_atomics_quiet) {
        cx_step_look(self, CX_OP_FENCE, NULL, CALLER);
    }
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void __tsan_atomic_signal_fence(int order)
{
    (void)order;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

void __tsan_init(void)
{
}

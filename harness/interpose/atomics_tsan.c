// SPDX-License-Identifier: Apache-2.0
//
// atomics_tsan: points before and after atomic operations in a ThreadSanitizer build. The linker redirects every call
// of __tsan_atomicN_op to the wrapper of that name here (-Wl,--wrap, from the list in cmake/atomics.cmake).
//
// ThreadSanitizer reports an access at the return address of its entry point. Where no point follows, the wrapper jumps
// on (musttail), and that address is the program's own. Where one follows, the wrapper must come back, and the address
// is the wrapper's: so it first pushes the program's return address on ThreadSanitizer's own call stack, as a called
// function does. The top frame of a report is then the wrapper's and the next one the program's; race_tsan.c takes the
// first away.
//
// Which operations are points is said in atomics.c.
#include "harness/interpose/wrappers.h"
#include "harness/sched/sched.h"

#include <stdint.h>

#define CALLER __builtin_return_address(0)
#define TAIL __attribute__((musttail)) return

extern void __tsan_func_entry(void *caller);
extern void __tsan_func_exit(void);

// Before an operation; the controlled thread that passes a point after it, or NULL.
static inline struct cx_thread *before(const volatile void *address, enum cx_op op, int look, int is_point,
                                       void *caller)
{
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        return NULL;
    }
    if (!is_point || cx_atomics_quiet) {
        if (look) {
            cx_look(self, (const void *)address, caller);
        } else {
            self->spin.both = CX_SPIN_RESET;
            if (__builtin_expect(cx_poll_watching, 0)) {
                cx_poll_store((const void *)address);
            }
        }
        return NULL;
    }
    if (look) {
        cx_step_look(self, op, (const void *)address, caller);
    } else {
        cx_step(self, op, (const void *)address, caller);
    }
    __tsan_func_entry(caller);
    return self;
}

static inline void after(struct cx_thread *self, const volatile void *address, const void *caller)
{
    __tsan_func_exit();
    cx_step_after(self, (const void *)address, caller);
}

#define DEFINE_RMW(bits, type, name, changed)                                                                          \
    type __real___tsan_atomic##bits##_##name(volatile type *address, type value, int order);                           \
    CX_WRAPPER type __wrap___tsan_atomic##bits##_##name(volatile type *address, type value, int order)                 \
    {                                                                                                                  \
        type old = __atomic_load_n(address, __ATOMIC_RELAXED);                                                         \
        struct cx_thread *self = before(address, CX_OP_RMW, (type)(changed) == old, 1, CALLER);                        \
        if (self == NULL) {                                                                                            \
            TAIL __real___tsan_atomic##bits##_##name(address, value, order);                                           \
        }                                                                                                              \
        old = __real___tsan_atomic##bits##_##name(address, value, order);                                              \
        after(self, address, CALLER);                                                                                  \
        return old;                                                                                                    \
    }

#define DEFINE_CAS(bits, type, name)                                                                                   \
    int __real___tsan_atomic##bits##_##name(volatile type *address, type *expected, type desired, int order,           \
                                            int failure);                                                              \
    CX_WRAPPER int __wrap___tsan_atomic##bits##_##name(volatile type *address, type *expected, type desired,           \
                                                       int order, int failure)                                         \
    {                                                                                                                  \
        type old = __atomic_load_n(address, __ATOMIC_RELAXED);                                                         \
        int look = old != *expected || desired == old;                                                                 \
        struct cx_thread *self = before(address, CX_OP_CAS, look, 1, CALLER);                                          \
        if (self == NULL) {                                                                                            \
            TAIL __real___tsan_atomic##bits##_##name(address, expected, desired, order, failure);                      \
        }                                                                                                              \
        int done = __real___tsan_atomic##bits##_##name(address, expected, desired, order, failure);                    \
        after(self, address, CALLER);                                                                                  \
        return done;                                                                                                   \
    }

#define DEFINE_ALL(bits, type)                                                                                         \
    type __real___tsan_atomic##bits##_load(const volatile type *address, int order);                                   \
    CX_WRAPPER type __wrap___tsan_atomic##bits##_load(const volatile type *address, int order)                         \
    {                                                                                                                  \
        struct cx_thread *self = before(address, CX_OP_LOAD, 1, order != __ATOMIC_RELAXED, CALLER);                    \
        if (self == NULL) {                                                                                            \
            TAIL __real___tsan_atomic##bits##_load(address, order);                                                    \
        }                                                                                                              \
        type value = __real___tsan_atomic##bits##_load(address, order);                                                \
        after(self, address, CALLER);                                                                                  \
        return value;                                                                                                  \
    }                                                                                                                  \
    void __real___tsan_atomic##bits##_store(volatile type *address, type value, int order);                            \
    CX_WRAPPER void __wrap___tsan_atomic##bits##_store(volatile type *address, type value, int order)                  \
    {                                                                                                                  \
        struct cx_thread *self = before(address, CX_OP_STORE, 0, order != __ATOMIC_RELAXED, CALLER);                   \
        if (self == NULL) {                                                                                            \
            TAIL __real___tsan_atomic##bits##_store(address, value, order);                                            \
        }                                                                                                              \
        __real___tsan_atomic##bits##_store(address, value, order);                                                     \
        after(self, address, CALLER);                                                                                  \
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
    CX_WRAPPER type __wrap___tsan_atomic##bits##_compare_exchange_val(volatile type *address, type expected,           \
                                                                      type desired, int order, int failure)            \
    {                                                                                                                  \
        type old = __atomic_load_n(address, __ATOMIC_RELAXED);                                                         \
        int look = old != expected || desired == old;                                                                  \
        struct cx_thread *self = before(address, CX_OP_CAS, look, 1, CALLER);                                          \
        if (self == NULL) {                                                                                            \
            TAIL __real___tsan_atomic##bits##_compare_exchange_val(address, expected, desired, order, failure);        \
        }                                                                                                              \
        old = __real___tsan_atomic##bits##_compare_exchange_val(address, expected, desired, order, failure);           \
        after(self, address, CALLER);                                                                                  \
        return old;                                                                                                    \
    }

DEFINE_ALL(8, uint8_t)
DEFINE_ALL(16, uint16_t)
DEFINE_ALL(32, uint32_t)
DEFINE_ALL(64, uint64_t)

void __real___tsan_atomic_thread_fence(int order);
void __wrap___tsan_atomic_thread_fence(int order)
{
    struct cx_thread *self = cx_self;
    if (self != NULL && !cx_atomics_quiet) {
        cx_step_look(self, CX_OP_FENCE, NULL, CALLER);
    }
    TAIL __real___tsan_atomic_thread_fence(order);
}

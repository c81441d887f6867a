// SPDX-License-Identifier: Apache-2.0
// atomics_stub: the __tsan_* entry points for programs that only have to run, not to be controlled.
//
// The debug targets are compiled with -fsanitize=thread, limited to atomics, and never linked with TSan: the runner
// brings its own runtime. CPython's build also links and runs bootstrap programs (_freeze_module, _bootstrap_python),
// and tools/cpython-build runs a small embedding program; these link this file. Every operation is the real one.
// The memory order that the caller passes is ignored: sequentially consistent is right for all of them.

typedef unsigned char atomic_8;
typedef unsigned short atomic_16;
typedef unsigned int atomic_32;
typedef unsigned long long atomic_64;

#define FETCH(bits, name, builtin)                                                                                     \
    atomic_##bits __tsan_atomic##bits##_##name(volatile atomic_##bits *object, atomic_##bits value, int order)         \
    {                                                                                                                  \
        (void)order;                                                                                                   \
        return builtin(object, value, __ATOMIC_SEQ_CST);                                                               \
    }

#define COMPARE_EXCHANGE(bits, name, weak)                                                                             \
    int __tsan_atomic##bits##_##name(volatile atomic_##bits *object, atomic_##bits *expected, atomic_##bits desired,   \
                                     int order, int failure_order)                                                     \
    {                                                                                                                  \
        (void)order;                                                                                                   \
        (void)failure_order;                                                                                           \
        return __atomic_compare_exchange_n(object, expected, desired, weak, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);       \
    }

#define ATOMICS(bits)                                                                                                  \
    atomic_##bits __tsan_atomic##bits##_load(const volatile atomic_##bits *object, int order)                          \
    {                                                                                                                  \
        (void)order;                                                                                                   \
        return __atomic_load_n(object, __ATOMIC_SEQ_CST);                                                              \
    }                                                                                                                  \
    void __tsan_atomic##bits##_store(volatile atomic_##bits *object, atomic_##bits value, int order)                   \
    {                                                                                                                  \
        (void)order;                                                                                                   \
        __atomic_store_n(object, value, __ATOMIC_SEQ_CST);                                                             \
    }                                                                                                                  \
    atomic_##bits __tsan_atomic##bits##_compare_exchange_val(volatile atomic_##bits *object, atomic_##bits expected,   \
                                                             atomic_##bits desired, int order, int failure_order)      \
    {                                                                                                                  \
        (void)order;                                                                                                   \
        (void)failure_order;                                                                                           \
        __atomic_compare_exchange_n(object, &expected, desired, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);                \
        return expected;                                                                                               \
    }                                                                                                                  \
    COMPARE_EXCHANGE(bits, compare_exchange_strong, 0)                                                                 \
    COMPARE_EXCHANGE(bits, compare_exchange_weak, 1)                                                                   \
    FETCH(bits, exchange, __atomic_exchange_n)                                                                         \
    FETCH(bits, fetch_add, __atomic_fetch_add)                                                                         \
    FETCH(bits, fetch_sub, __atomic_fetch_sub)                                                                         \
    FETCH(bits, fetch_and, __atomic_fetch_and)                                                                         \
    FETCH(bits, fetch_or, __atomic_fetch_or)                                                                           \
    FETCH(bits, fetch_xor, __atomic_fetch_xor)                                                                         \
    FETCH(bits, fetch_nand, __atomic_fetch_nand)

ATOMICS(8)
ATOMICS(16)
ATOMICS(32)
ATOMICS(64)

void __tsan_atomic_thread_fence(int order)
{
    (void)order;
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

void __tsan_func_entry(void *caller)
{
    (void)caller;
}

void __tsan_func_exit(void)
{
}

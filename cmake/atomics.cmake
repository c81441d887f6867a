# The entry points of -fsanitize=thread for atomic operations that harness/interpose/atomics_tsan.c wraps.
set(CONSTRICTOR_ATOMIC_OPERATIONS
    load store exchange fetch_add fetch_sub fetch_and fetch_or fetch_xor fetch_nand
    compare_exchange_strong compare_exchange_weak compare_exchange_val
)
set(CONSTRICTOR_ATOMIC_ENTRY_POINTS __tsan_atomic_thread_fence)
foreach(bits 8 16 32 64)
    foreach(operation IN LISTS CONSTRICTOR_ATOMIC_OPERATIONS)
        list(APPEND CONSTRICTOR_ATOMIC_ENTRY_POINTS __tsan_atomic${bits}_${operation})
    endforeach()
endforeach()

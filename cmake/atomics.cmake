# The entry points of -fsanitize=thread that harness/interpose/atomics_tsan.c and access_tsan.c wrap.
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
set(CONSTRICTOR_ACCESS_ENTRY_POINTS
    __tsan_read_range __tsan_write_range __tsan_vptr_read __tsan_vptr_update __tsan_memcpy __tsan_memmove __tsan_memset
)
foreach(access read write)
    foreach(bytes 1 2 4 8 16)
        list(APPEND CONSTRICTOR_ACCESS_ENTRY_POINTS __tsan_${access}${bytes})
    endforeach()
    foreach(bytes 2 4 8 16)
        list(APPEND CONSTRICTOR_ACCESS_ENTRY_POINTS __tsan_unaligned_${access}${bytes})
    endforeach()
endforeach()
set(CONSTRICTOR_ENTRY_POINTS ${CONSTRICTOR_ATOMIC_ENTRY_POINTS} ${CONSTRICTOR_ACCESS_ENTRY_POINTS})

# The one list of the corpus: bench/corpus/NAME.c, each compiled with and without its bug. A file on disk that is not
# named here, or a name here without a file, stops configuration.
#
# A file gives the scenarios of CONSTRICTOR_CORPUS_<file>, or one of its own name. Out: CONSTRICTOR_CORPUS_SOURCES,
# CONSTRICTOR_CORPUS_TABLE. Needs scenarios/CMakeLists.txt included before.
set(CONSTRICTOR_CORPUS
    aba_stack abba account attach_starved barrier_missing bounded_buffer check_then_act close_while_used cond_if
    double_checked five_preemptions flag_mutex free_list guard_retries handshake hash_bucket join_flag lazy_init
    lockfree_queue lookup_stale lost_update lost_wakeup notify_early once_only philosophers priority_wait
    publish_early reader_count refcount reorder ring_buffer rwlock_upgrade sem_misuse seqlock shutdown_flag
    stale_cache steal_queue stop_driver string_buffer ticket_lock token_ring two_stage version_check version_wraps
    walk_restarts wrong_lock
)
set(CONSTRICTOR_CORPUS_abba abba_2 abba_3)
set(CONSTRICTOR_CORPUS_lost_update lost_update lost_update_all)
set(CONSTRICTOR_CORPUS_philosophers philosophers_3 philosophers_5)
set(CONSTRICTOR_CORPUS_reorder reorder_3 reorder_5 reorder_10 reorder_20)
set(CONSTRICTOR_CORPUS_two_stage two_stage_2 two_stage_5 two_stage_10)
set(CONSTRICTOR_CORPUS_wrong_lock wrong_lock_2 wrong_lock_4)

constrictor_check_sorted(CONSTRICTOR_CORPUS)
file(GLOB _on_disk CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_LIST_DIR} ${CMAKE_CURRENT_LIST_DIR}/*.c)
list(TRANSFORM _on_disk REPLACE "\\.c$" "")
if(NOT "${_on_disk}" STREQUAL "${CONSTRICTOR_CORPUS}")
    message(FATAL_ERROR "bench/corpus/corpus.cmake lists other files than there are on disk")
endif()

set(_scenarios "")
foreach(_file IN LISTS CONSTRICTOR_CORPUS)
    if(NOT DEFINED CONSTRICTOR_CORPUS_${_file})
        set(CONSTRICTOR_CORPUS_${_file} ${_file})
    endif()
    foreach(_name IN LISTS CONSTRICTOR_CORPUS_${_file})
        list(APPEND _scenarios corpus/${_name} corpus/${_name}.fixed)
    endforeach()
endforeach()
set(CONSTRICTOR_CORPUS_SOURCES ${CONSTRICTOR_CORPUS})
list(TRANSFORM CONSTRICTOR_CORPUS_SOURCES PREPEND ${CMAKE_CURRENT_LIST_DIR}/)
list(TRANSFORM CONSTRICTOR_CORPUS_SOURCES APPEND .c)
set(CONSTRICTOR_CORPUS_TABLE ${CMAKE_CURRENT_BINARY_DIR}/corpus_scenario_table.c)
constrictor_write_table(${CMAKE_CURRENT_LIST_DIR}/../../scenarios ${CONSTRICTOR_CORPUS_TABLE} ${_scenarios})

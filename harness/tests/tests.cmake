# The one list of the harness's tests.
#
# CONSTRICTOR_COMMAND_TESTS: test_NAME.c, linked with the command's sources.
# CONSTRICTOR_SCHED_TESTS:   test_sched_NAME.c, linked with the scheduler and its interposers, no Python.
include(${CMAKE_CURRENT_LIST_DIR}/command_tests.cmake)
set(CONSTRICTOR_SCHED_TESTS
    atomics barrier_once_spin cancel clocks cond crash drift exhaustive mutex native outside poll race replay rwlock sem
    segments signal spin spurious strategy strategies thread thread_exit time window)

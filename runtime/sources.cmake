# The runtime's sources, for whoever compiles them with a target's flags. Sets PYRT_SOURCES and PYRT_INCLUDE_DIR.
set(PYRT_INCLUDE_DIR ${CMAKE_CURRENT_LIST_DIR}/include)
set(PYRT_SOURCES activate attach backend backend_gilstate backend_guard critical detach door forbid
                 guard guard_native guard_own hook interp pool queue record slot start status thread tstate version)
list(TRANSFORM PYRT_SOURCES PREPEND ${CMAKE_CURRENT_LIST_DIR}/src/)
list(TRANSFORM PYRT_SOURCES APPEND .c)

# Native tests: one program per name, made of tests/<name>.c, what they share, and PYRT_SOURCES. It is built next to
# each runner and run with the folder of the target's standard library.
set(PYRT_TESTS test_attach test_codes test_critical test_fork test_guard test_interp test_misuse test_model test_pool
               test_start test_stress)
set(PYRT_TEST_DIR ${CMAKE_CURRENT_LIST_DIR}/tests)

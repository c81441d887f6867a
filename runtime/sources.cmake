# The runtime's sources, for whoever compiles them with a target's flags. Sets PYRT_SOURCES and PYRT_INCLUDE_DIR.
set(PYRT_INCLUDE_DIR ${CMAKE_CURRENT_LIST_DIR}/include)
set(PYRT_SOURCES attach backend backend_gilstate backend_guard critical detach forbid hook pool status thread)
list(TRANSFORM PYRT_SOURCES PREPEND ${CMAKE_CURRENT_LIST_DIR}/src/)
list(TRANSFORM PYRT_SOURCES APPEND .c)

# Native tests: one program per name, made of tests/<name>.c and PYRT_SOURCES, run with the standard library's folder.
set(PYRT_TESTS test_codes)
set(PYRT_TEST_DIR ${CMAKE_CURRENT_LIST_DIR}/tests)

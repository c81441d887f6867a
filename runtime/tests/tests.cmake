# The runtime's native tests, for each target whose runner is built. include() this from the top.
include(${CMAKE_CURRENT_LIST_DIR}/../sources.cmake)
foreach(target IN LISTS CONSTRICTOR_TARGETS)
    foreach(name IN LISTS PYRT_TESTS)
        add_test(NAME runtime/${target}/${name}
            COMMAND ${CMAKE_CURRENT_LIST_DIR}/run ${CMAKE_BINARY_DIR} ${target} ${name})
        set_tests_properties(runtime/${target}/${name} PROPERTIES LABELS runtime TIMEOUT 300 SKIP_RETURN_CODE 77)
    endforeach()
endforeach()

# The package: what its build refuses.
add_test(NAME package/refusals COMMAND ${CMAKE_CURRENT_LIST_DIR}/package/refusals.py)
set_tests_properties(package/refusals PROPERTIES LABELS package TIMEOUT 300)

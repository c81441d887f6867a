# The runtime's native tests, for each target whose runner is built. include() this from the top.
include(${CMAKE_CURRENT_LIST_DIR}/../sources.cmake)
foreach(target IN LISTS CONSTRICTOR_TARGETS)
    foreach(name IN LISTS PYRT_TESTS)
        add_test(NAME runtime/${target}/${name}
            COMMAND ${CMAKE_CURRENT_LIST_DIR}/run ${CMAKE_BINARY_DIR} ${target} ${name})
        set_tests_properties(runtime/${target}/${name} PROPERTIES LABELS runtime TIMEOUT 300 SKIP_RETURN_CODE 77)
    endforeach()
endforeach()

# The package: built alone, installed, found by the examples, which are run. Sanitizers' targets are left out:
# everything that is linked with one must be compiled with it, which is no way to install a library.
add_test(NAME package/refusals COMMAND ${CMAKE_CURRENT_LIST_DIR}/package/refusals.py)
set_tests_properties(package/refusals PROPERTIES LABELS package TIMEOUT 300)
function(package_test target compiler)
    add_test(NAME package/${target}/${compiler}
        COMMAND ${CMAKE_CURRENT_LIST_DIR}/package/package.py --build ${CMAKE_BINARY_DIR}
                --target ${target} --compiler ${compiler})
    set_tests_properties(package/${target}/${compiler} PROPERTIES LABELS package TIMEOUT 600)
endfunction()
set(package_targets ${CONSTRICTOR_TARGETS})
list(FILTER package_targets EXCLUDE REGEX "-(tsan|asan)$")
foreach(target IN LISTS package_targets)
    package_test(${target} gcc)
endforeach()
if(package_targets)
    list(GET package_targets 0 target)
    package_test(${target} clang-19)
endif()

# Tests of the fuzz targets: seeds and crashes of the past, purely random bytes, and half a minute of an engine.
include(${CMAKE_CURRENT_LIST_DIR}/targets.cmake)
set(CONSTRICTOR_FUZZ_SECONDS 30 CACHE STRING "How long the test of a fuzz target lets its engine search")

add_custom_target(fuzzers ALL
    COMMAND ${CMAKE_SOURCE_DIR}/tools/fuzz-build ${CMAKE_BINARY_DIR}
    COMMENT "Fuzz targets"
    USES_TERMINAL VERBATIM)

foreach(name IN LISTS CONSTRICTOR_PARSER_FUZZERS)
    set(program ${CMAKE_BINARY_DIR}/fuzz/fuzz_${name})
    set(seeds ${CMAKE_CURRENT_LIST_DIR}/seeds/${name})
    file(GLOB files CONFIGURE_DEPENDS ${seeds}/* ${CMAKE_CURRENT_LIST_DIR}/regress/${name}/*)
    if(name STREQUAL "known_file")
        list(APPEND files ${CMAKE_SOURCE_DIR}/scenarios/known.json)
    endif()
    add_test(NAME fuzz/${name}/files COMMAND ${program}_plain ${files})
    add_test(NAME fuzz/${name}/random COMMAND ${program}_plain --random 20000)
    # What it finds on the way stays in the build folder; the crash itself is named in the output.
    set(corpus ${CMAKE_BINARY_DIR}/fuzz/corpus/${name})
    file(MAKE_DIRECTORY ${corpus})
    add_test(NAME fuzz/${name}/engine
             COMMAND ${program} -max_total_time=${CONSTRICTOR_FUZZ_SECONDS} -timeout=20 -max_len=8192
                     -dict=${CMAKE_CURRENT_LIST_DIR}/dict/${name}.dict -artifact_prefix=${corpus}- -print_final_stats=1
                     ${corpus} ${seeds})
    math(EXPR seconds_max "${CONSTRICTOR_FUZZ_SECONDS} + 120")
    set_tests_properties(fuzz/${name}/files fuzz/${name}/random PROPERTIES LABELS unit TIMEOUT 300)
    set_tests_properties(fuzz/${name}/engine PROPERTIES LABELS fuzz TIMEOUT ${seconds_max})
endforeach()

add_executable(test_lifecycle_input
    ${CMAKE_CURRENT_LIST_DIR}/tests/test_lifecycle_input.c ${CMAKE_CURRENT_LIST_DIR}/lifecycle_input.c
    ${CMAKE_CURRENT_LIST_DIR}/lifecycle_mutate.c ${CMAKE_CURRENT_LIST_DIR}/lifecycle_program.c
    ${CMAKE_CURRENT_LIST_DIR}/schedule_change.c ${CMAKE_CURRENT_LIST_DIR}/schedule_input.c)
target_compile_options(test_lifecycle_input PRIVATE ${CONSTRICTOR_WARNINGS})
target_link_libraries(test_lifecycle_input PRIVATE command cmocka)
add_test(NAME unit/lifecycle_input COMMAND test_lifecycle_input)
set_tests_properties(unit/lifecycle_input PROPERTIES LABELS unit TIMEOUT 300)
add_executable(test_schedule_input
    ${CMAKE_CURRENT_LIST_DIR}/tests/test_schedule_input.c ${CMAKE_CURRENT_LIST_DIR}/schedule_input.c
    ${CMAKE_CURRENT_LIST_DIR}/schedule_change.c ${CMAKE_CURRENT_LIST_DIR}/schedule_mutate.c
    ${CMAKE_CURRENT_LIST_DIR}/common/past.c)
target_compile_options(test_schedule_input PRIVATE ${CONSTRICTOR_WARNINGS})
target_link_libraries(test_schedule_input PRIVATE command cmocka)
add_test(NAME unit/schedule_input COMMAND test_schedule_input)
set_tests_properties(unit/schedule_input PROPERTIES LABELS unit TIMEOUT 300)
add_test(NAME fuzz/oss-fuzz COMMAND ${CMAKE_CURRENT_LIST_DIR}/tests/oss_fuzz.sh)
set_tests_properties(fuzz/oss-fuzz PROPERTIES LABELS fuzz TIMEOUT 600)

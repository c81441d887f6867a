# Runners: one per target, each built by tools/runner-build in a project of its own (cmake/runner says why).
# What programs are linked with, and a runner without CPython, are built always; its tests are the scheduler's.
foreach(target IN ITEMS subject plain plain-corpus plain-tsan LISTS CONSTRICTOR_TARGETS)
    add_custom_target(runner-${target} ALL
        COMMAND ${CMAKE_SOURCE_DIR}/tools/runner-build ${target} ${CMAKE_BINARY_DIR}
        COMMENT "Runner of ${target}"
        USES_TERMINAL VERBATIM)
endforeach()

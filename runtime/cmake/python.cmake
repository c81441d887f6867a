# Which CPython pyrt is compiled for. Used by its build, and by the installed package.
set(PYRT_PYTHON_VERSION_MIN 3.13)

# pyrt_python_check(DIRS VERSION WRONG): look at the headers in the folders that the variable DIRS lists. VERSION is set
# to their major.minor; WRONG to what is wrong with them, in one sentence, or to nothing.
function(pyrt_python_check dirs version wrong)
    set(${version} "" PARENT_SCOPE)
    set(${wrong} "" PARENT_SCOPE)
    foreach(name Python.h pyconfig.h patchlevel.h)
        unset(file)
        find_file(file ${name} PATHS ${${dirs}} NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH NO_CACHE)
        if(NOT file)
            set(${wrong} "there is no ${name} in ${${dirs}}" PARENT_SCOPE)
            return()
        endif()
    endforeach()
    file(STRINGS ${file} lines REGEX "^#define[ \t]+PY_(MAJOR|MINOR)_VERSION[ \t]")
    if(NOT "${lines}" MATCHES "MAJOR_VERSION[ \t]+([0-9]+).*MINOR_VERSION[ \t]+([0-9]+)")
        set(${wrong} "${file} does not say which CPython it belongs to" PARENT_SCOPE)
        return()
    endif()
    set(found ${CMAKE_MATCH_1}.${CMAKE_MATCH_2})
    if(found VERSION_LESS PYRT_PYTHON_VERSION_MIN)
        set(${wrong} "the headers in ${${dirs}} are those of CPython ${found}, and ${PYRT_PYTHON_VERSION_MIN} is the \
oldest that pyrt supports" PARENT_SCOPE)
    endif()
    set(${version} ${found} PARENT_SCOPE)
endfunction()

# Ask an interpreter where its headers and its libpython are. FindPython3 is no help here: that of CMake 3.25 knows no
# CPython after 3.12, and nothing of free-threaded ones.
function(pyrt_python_ask interpreter)
    execute_process(COMMAND ${interpreter} ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/locate.py
                    OUTPUT_VARIABLE answer RESULT_VARIABLE failed ERROR_QUIET)
    if(failed OR NOT answer MATCHES "^([^\n]+)\n([^\n]*)\n$")
        message(FATAL_ERROR " pyrt: ${interpreter} does not say where its headers are: name them with \
-DPYRT_PYTHON_INCLUDE_DIR=<folders>")
    endif()
    set(PYRT_PYTHON_INCLUDE_DIR "${CMAKE_MATCH_1}" PARENT_SCOPE)
    if(NOT PYRT_PYTHON_LINK)
        set(PYRT_PYTHON_LINK "${CMAKE_MATCH_2}" PARENT_SCOPE)
    endif()
endfunction()

# The build's CPython: PYRT_PYTHON_INCLUDE_DIR and PYRT_PYTHON_LINK if they are given, else that of the interpreter
# Python3_EXECUTABLE, else that of python3 in Python3_ROOT_DIR or on the PATH.
# Out: the two, PYRT_PYTHON_VERSION and PYRT_PYTHON_GIL_DISABLED. A macro, because they are the caller's.
macro(pyrt_python_find)
    set(PYRT_PYTHON_INCLUDE_DIR "" CACHE STRING "Folders of Python.h and pyconfig.h; empty: an interpreter is asked")
    set(PYRT_PYTHON_LINK "" CACHE STRING "What an embedder links: libpython, and what that needs; may be empty")
    if(NOT PYRT_PYTHON_INCLUDE_DIR)
        find_program(Python3_EXECUTABLE python3 HINTS ${Python3_ROOT_DIR} PATH_SUFFIXES bin)
        if(NOT Python3_EXECUTABLE)
            message(FATAL_ERROR " pyrt: there is no python3: name an interpreter with -DPython3_EXECUTABLE=<file>, or \
headers with -DPYRT_PYTHON_INCLUDE_DIR=<folders>")
        endif()
        pyrt_python_ask(${Python3_EXECUTABLE})
    endif()
    pyrt_python_check(PYRT_PYTHON_INCLUDE_DIR PYRT_PYTHON_VERSION pyrt_python_wrong)
    if(pyrt_python_wrong)
        message(FATAL_ERROR " pyrt: ${pyrt_python_wrong}")
    endif()
    # pyconfig.h may be one that includes another: ask the compiler.
    include(CheckSymbolExists)
    set(CMAKE_REQUIRED_INCLUDES ${PYRT_PYTHON_INCLUDE_DIR})
    set(CMAKE_REQUIRED_QUIET ON)
    check_symbol_exists(PY_VERSION_HEX Python.h PYRT_PYTHON_USABLE)
    if(NOT PYRT_PYTHON_USABLE)
        message(FATAL_ERROR " pyrt: ${CMAKE_C_COMPILER} cannot compile the Python.h of ${PYRT_PYTHON_INCLUDE_DIR}")
    endif()
    check_symbol_exists(Py_GIL_DISABLED Python.h PYRT_PYTHON_NO_GIL)
    set(PYRT_PYTHON_GIL_DISABLED 0)
    if(PYRT_PYTHON_NO_GIL)
        set(PYRT_PYTHON_GIL_DISABLED 1)
    endif()
    message(STATUS "pyrt ${PROJECT_VERSION} for CPython ${PYRT_PYTHON_VERSION}, GIL disabled: \
${PYRT_PYTHON_GIL_DISABLED}, headers: ${PYRT_PYTHON_INCLUDE_DIR}, embedders link: ${PYRT_PYTHON_LINK}")
endmacro()

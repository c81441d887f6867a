# The style tests: what can be checked of the rules without running the program. include() this after CTest.
# Labels: style for what takes a second, tidy for clang-tidy, which stops by itself after a minute.
add_test(NAME style/tidy COMMAND ${CMAKE_SOURCE_DIR}/tools/tidy.py)
add_test(NAME style/format COMMAND ${CMAKE_SOURCE_DIR}/tools/format-check)
add_test(NAME style/api-reference COMMAND ${CMAKE_SOURCE_DIR}/tools/api-reference --check)
set_tests_properties(style/tidy style/format style/api-reference PROPERTIES LABELS style TIMEOUT 180)
add_test(NAME style/clang-tidy
         COMMAND ${CMAKE_SOURCE_DIR}/tools/clang-tidy-check --seconds 60 --cache ${CMAKE_BINARY_DIR}/clang-tidy)
set_tests_properties(style/clang-tidy PROPERTIES LABELS tidy TIMEOUT 150)

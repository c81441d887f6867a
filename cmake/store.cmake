# reports/schema.sql as a C text: CONSTRICTOR_SCHEMA_SOURCE defines cx_store_schema of harness/store/schema.h.
set(_schema ${CMAKE_CURRENT_LIST_DIR}/../reports/schema.sql)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${_schema})
file(READ ${_schema} _text)
string(REPLACE "\\" "\\\\" _text "${_text}")
string(REPLACE "\"" "\\\"" _text "${_text}")
string(REPLACE "\n" "\\n\"\n    \"" _text "${_text}")
set(CONSTRICTOR_SCHEMA_SOURCE ${CMAKE_CURRENT_BINARY_DIR}/store_schema.c)
file(CONFIGURE OUTPUT ${CONSTRICTOR_SCHEMA_SOURCE}
     CONTENT "#include \"harness/store/schema.h\"\nconst char cx_store_schema[] =\n    \"@_text@\";\n" @ONLY)

# The SQL files and the page of reports/ as C texts, so that the command needs no file at run time.
#
# Out: CONSTRICTOR_TEXT_SOURCES  define what harness/store/schema.h declares, and cx_query_NAME (reports/query.h)
set(_reports ${CMAKE_CURRENT_LIST_DIR}/../reports)

# Append to CONSTRICTOR_TEXT_SOURCES a source file that defines `symbol`, declared in `header`, as the text of `path`.
function(constrictor_file_text symbol header path)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
    file(READ ${path} text)
    string(REPLACE "\\" "\\\\" text "${text}")
    string(REPLACE "\"" "\\\"" text "${text}")
    string(REPLACE "\n" "\\n\"\n    \"" text "${text}")
    set(source ${CMAKE_CURRENT_BINARY_DIR}/text/${symbol}.c)
    file(CONFIGURE OUTPUT ${source}
         CONTENT "#include \"@header@\"\nconst char @symbol@[] =\n    \"@text@\";\n" @ONLY)
    set(CONSTRICTOR_TEXT_SOURCES ${CONSTRICTOR_TEXT_SOURCES} ${source} PARENT_SCOPE)
endfunction()

constrictor_file_text(cx_store_schema harness/store/schema.h ${_reports}/schema.sql)
foreach(version IN ITEMS 2 3)
    constrictor_file_text(cx_store_migration_${version} harness/store/schema.h ${_reports}/migrations/${version}.sql)
endforeach()
foreach(name IN ITEMS cells findings sessions targets)
    constrictor_file_text(cx_query_${name} reports/query.h ${_reports}/query/${name}.sql)
endforeach()
constrictor_file_text(cx_report_template reports/query.h ${_reports}/template/report.html)

# What writes reports; it reads the store and nothing else.
set(CONSTRICTOR_REPORT_SOURCES annotations.c cmd_report.c html.c issue.c junit.c markdown.c perfetto.c
    report.c sarif.c)
list(TRANSFORM CONSTRICTOR_REPORT_SOURCES PREPEND ${_reports}/)

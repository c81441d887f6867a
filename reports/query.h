// SPDX-License-Identifier: Apache-2.0
//
// query: the files of reports/query, and the HTML page, as C texts; cmake/store.cmake makes them. Each row that a query
// gives is a JSON text.
#ifndef CX_REPORTS_QUERY_H
#define CX_REPORTS_QUERY_H

extern const char cx_query_cells[];
extern const char cx_query_findings[];
extern const char cx_query_sessions[];
extern const char cx_query_targets[];

// The page that reports/html.c fills in.
extern const char cx_report_template[];

#endif

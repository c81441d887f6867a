// SPDX-License-Identifier: Apache-2.0
//
// schema: the text of reports/schema.sql, which cmake/store.cmake makes a C text of.
#ifndef CX_STORE_SCHEMA_H
#define CX_STORE_SCHEMA_H

extern const char cx_store_schema[];

#endif

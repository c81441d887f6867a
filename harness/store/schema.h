// SPDX-License-Identifier: Apache-2.0
//
// schema: the texts of reports/schema.sql and reports/migrations, which cmake/store.cmake makes C texts of.
#ifndef CX_STORE_SCHEMA_H
#define CX_STORE_SCHEMA_H

extern const char cx_store_schema[];
extern const char cx_store_migration_2[];
extern const char cx_store_migration_3[];

#endif

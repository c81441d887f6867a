// SPDX-License-Identifier: Apache-2.0
//
// form: the form of a store's tables, made or brought up to date when the store is opened. For store.c and merge.c.
#ifndef CX_STORE_FORM_H
#define CX_STORE_FORM_H

#include "harness/store/store.h"

// An empty file becomes a store; one of an older form is brought up to this one, in memory if it is only read. To
// write, a transaction must have begun: it is committed, or still open after a failure, which changes nothing then.
enum cx_status cx_store_form(struct cx_store *store, enum cx_store_mode mode, struct cx_error *error);

// Copy all of a database into the one that `into` calls `schema`; 0 or -1.
int cx_store_copy(sqlite3 *into, const char *schema, sqlite3 *from);

#endif

// SPDX-License-Identifier: Apache-2.0
//
// places: where the functions, source files and objects of a program are in its address space, from the debugging
// information and the symbol tables of its files (elfutils).
#ifndef CX_DETECT_PLACES_H
#define CX_DETECT_PLACES_H

#include <stddef.h>

#include "harness/exec/channel.h"
#include "harness/names.h"
#include "harness/status.h"

#define CX_PLACE_NAME_BYTES 200

enum cx_place_kind {
    CX_PLACE_FUNCTION = 0, // its own code, and every copy that was inlined into other functions
    CX_PLACE_FILE,         // the end of a path, from a slash on: the code of its lines
    CX_PLACE_OBJECT,       // a variable with static storage
    CX_PLACE_SYMBOL,       // a function as it was compiled; not for cx_places_find()
};

// A growing list of ranges. Zeroed memory is a valid, empty list; free() its list.
struct cx_places {
    struct cx_range *list; // owned
    size_t count;
};

// Add the ranges of everything with this name, in no order, as addresses of the runner's process. None is no error:
// `known` then has what there is of that kind. Slow: seconds for a program with much debugging information.
enum cx_status cx_places_find(const struct cx_identity *identity, enum cx_place_kind kind, const char *name,
                              struct cx_places *places, struct cx_names *known, struct cx_error *error);

// Add the function, as it was compiled and with all that was inlined into it, whose code is at `pc`; `name` becomes
// that of its symbol. None is no error, and leaves the name empty. Quick.
enum cx_status cx_places_around(const struct cx_identity *identity, uint64_t pc, struct cx_places *places,
                                char name[CX_PLACE_NAME_BYTES], struct cx_error *error);
// Add the functions of this symbol, as they were compiled. None is no error. Quick.
enum cx_status cx_places_symbol(const struct cx_identity *identity, const char *name, struct cx_places *places,
                                struct cx_error *error);

enum cx_status cx_places_add(struct cx_places *places, uint64_t start, uint64_t end, struct cx_error *error);

#endif

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

enum cx_place_kind {
    CX_PLACE_FUNCTION = 0, // its own code, and every copy that was inlined into other functions
    CX_PLACE_FILE,         // the end of a path, from a slash on: the code of its lines
    CX_PLACE_OBJECT,       // a variable with static storage
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

enum cx_status cx_places_add(struct cx_places *places, uint64_t start, uint64_t end, struct cx_error *error);

#endif

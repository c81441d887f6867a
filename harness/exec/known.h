// SPDX-License-Identifier: Apache-2.0
//
// known: the defects that are known already, as data: scenarios/known.json.
//
// An entry has an id, the upstream issue ("unfiled" where there is none), what kind of thing it is, one sentence,
// patterns of signatures (extended regular expressions), and where it is expected: scenarios and targets, by shell
// patterns, with the share of runs that show it there at least, where that is known. A finding that an entry explains
// does not fail a run. One that shows itself in a version that an entry calls fixed does: it is a regression.
//
// An entry that can never fit anything is an error, so that the file does not rot: a pattern that does not parse, a
// target that nobody can build, a target that has the fix, a scenario that does not exist.
#ifndef CX_EXEC_KNOWN_H
#define CX_EXEC_KNOWN_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/exec/channel.h"
#include "harness/names.h"
#include "harness/status.h"

#define CX_KNOWN_NONE "none" // instead of a file: nothing is known
#define CX_KNOWN_TARGET_BYTES 96

enum cx_known_kind {
    CX_KNOWN_DEFECT = 0, // of CPython
    CX_KNOWN_MISUSE,     // the scenario does what the documentation forbids, and says so
    CX_KNOWN_DOCUMENTED, // behaviour that is documented
};

// Where a defect is expected.
struct cx_known_place {
    struct cx_names scenarios; // shell patterns
    struct cx_names targets;   // shell patterns of <version>-<build>
    double rate;               // share of runs that show it, at least; 0: too rare to be missed
};

struct cx_known_entry {
    const char *id;
    const char *issue;
    const char *what; // one sentence
    enum cx_known_kind kind;
    struct cx_names signatures;    // patterns; one of them must match
    struct cx_names unless;        // patterns; none of them may match
    struct cx_known_place *places; // owned; the first that fits counts
    size_t places_count;
    struct cx_names fixed_in; // the first fixed version of each branch
};

// Zeroed memory is valid: nothing is known. The texts of entries live as long as this.
struct cx_known {
    json_t *root;
    struct cx_known_entry *entries; // owned
    size_t count;
};

struct cx_known_match {
    const struct cx_known_entry *entry; // NULL: nothing explains it
    int regressed;                      // 1: the entry says that this version has the fix
};

// Read `path`, or where that is NULL known.json beside the command, or else in the sources' scenarios/.
enum cx_status cx_known_load(struct cx_known *known, const char *path, struct cx_error *error);
// The same from the bytes of such a file, any bytes; `targets` are those that somebody can build.
enum cx_status cx_known_parse(struct cx_known *known, const char *text, size_t text_bytes,
                              const struct cx_names *targets, struct cx_error *error);
void cx_known_fini(struct cx_known *known);

// What patterns of targets are matched with: <version>-<build>, also for a target from somebody's own tree.
void cx_known_target(const struct cx_identity *identity, const char *target, char name[CX_KNOWN_TARGET_BYTES]);

// Every scenario that an entry names for this target must be one that the target's runner has.
enum cx_status cx_known_check(const struct cx_known *known, const char *target,
                              const struct cx_scenario_info *scenarios, uint32_t count, struct cx_error *error);

// The entry that explains a signature of this scenario on this target; an expected one before a regressed one.
struct cx_known_match cx_known_find(const struct cx_known *known, const char *target, const char *scenario,
                                    const char *signature);

// The first place of an entry that has this scenario on this target, or NULL.
const struct cx_known_place *cx_known_place(const struct cx_known_entry *entry, const char *target,
                                            const char *scenario);

// 1 if a version (the head of a target's name) has the fix of an entry.
int cx_known_fixed(const struct cx_known_entry *entry, const char *target);

// 1 if so many runs without the defect are no luck any more: less than one in a thousand such campaigns has none.
int cx_known_missed(const struct cx_known_place *place, uint64_t runs);

// "defect", "misuse", "documented". Borrowed, static.
const char *cx_known_kind_name(enum cx_known_kind kind);

#endif

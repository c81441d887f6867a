// SPDX-License-Identifier: Apache-2.0
//
// aim: what directed runs aim at: the two accesses of a race, to be brought together and ordered
// (harness/sched/strategy_race.c), and points at the plain accesses of the functions around them.
#ifndef CX_EXEC_AIM_H
#define CX_EXEC_AIM_H

#include "harness/detect/signature.h"
#include "harness/exec/channel.h"
#include "harness/names.h"
#include "harness/status.h"

// Zeroed memory is valid to free.
struct cx_aim {
    struct cx_race_aim race;
    struct cx_points points; // of this race, and of those before it (cx_aim_join)
    struct cx_names words;   // owned; function:NAME for each, by the names of symbols
};

// From a race as a result has it, with both of its accesses. A stack without a function of the program has no points.
enum cx_status cx_aim_find(struct cx_aim *aim, const struct cx_race *race, const struct cx_resolver *resolver,
                           const struct cx_identity *identity, struct cx_error *error);
// Add the points of another one. CX_ERR_USAGE: more than a request can hold; nothing is changed then.
enum cx_status cx_aim_join(struct cx_aim *aim, const struct cx_aim *before, struct cx_error *error);
// The points of the same functions in another program, or another build.
enum cx_status cx_aim_elsewhere(struct cx_points *points, const struct cx_names *words,
                                const struct cx_identity *identity, struct cx_error *error);
void cx_aim_fini(struct cx_aim *aim);

#endif

// SPDX-License-Identifier: Apache-2.0
//
// judge: see judge.h.
#include "harness/gate/judge.h"

#include <stdlib.h>
#include <string.h>

static const char *const verdict_names[CX_GATE_VERDICTS] = {
    [CX_GATE_PASS] = "pass",
    [CX_GATE_UNCERTAIN] = "uncertain",
    [CX_GATE_STILL] = "still there",
    [CX_GATE_CHANGED] = "changed",
    [CX_GATE_FIXED] = "fixed",
    [CX_GATE_NEW] = "new",
    [CX_GATE_NOT_COMPARABLE] = "not comparable",
};

const char *cx_gate_verdict_name(enum cx_gate_verdict verdict)
{
    return verdict < CX_GATE_VERDICTS ? verdict_names[verdict] : "?";
}

enum cx_gate_verdict cx_gate_verdict_from_name(const char *name)
{
    unsigned verdict = 0;
    while (verdict < CX_GATE_VERDICTS && strcmp(verdict_names[verdict], name) != 0) {
        verdict++;
    }
    return (enum cx_gate_verdict)verdict;
}

void cx_gate_sights_fini(struct cx_gate_sights *sights)
{
    for (size_t i = 0; i < sights->count; i++) {
        free(sights->list[i].plan);
        cx_names_fini(&sights->list[i].aimed);
    }
    free(sights->list);
    memset(sights, 0, sizeof(*sights));
}

struct cx_gate_sight *cx_gate_sights_get(struct cx_gate_sights *sights, const struct cx_signature *signature)
{
    for (size_t i = 0; i < sights->count; i++) {
        if (strcmp(sights->list[i].signature.id, signature->id) == 0) {
            return &sights->list[i];
        }
    }
    struct cx_gate_sight *list = realloc(sights->list, (sights->count + 1) * sizeof(*list));
    if (list == NULL) {
        return NULL;
    }
    sights->list = list;
    struct cx_gate_sight *sight = &list[sights->count++];
    memset(sight, 0, sizeof(*sight));
    sight->signature = *signature;
    return sight;
}

int cx_gate_one_sided(const struct cx_gate_sight *sight, enum cx_gate_side *missing)
{
    *missing = sight->sides[CX_GATE_BASELINE].seen ? CX_GATE_CANDIDATE : CX_GATE_BASELINE;
    return sight->sides[CX_GATE_BASELINE].seen != sight->sides[CX_GATE_CANDIDATE].seen;
}

// 1 if the side where `sight` is missing shows the same known defect with another signature. Two findings of one kind
// that no known defect joins are two findings: one of them may be new.
static int shown_otherwise(const struct cx_gate_sights *sights, const struct cx_gate_sight *sight,
                           enum cx_gate_side missing)
{
    for (size_t i = 0; i < sights->count; i++) {
        const struct cx_gate_sight *other = &sights->list[i];
        int confirmed = other->sides[missing].seen && other->sides[missing].confirmed;
        if (other != sight && confirmed && sight->known[0] != '\0' && strcmp(sight->known, other->known) == 0) {
            return 1;
        }
    }
    return 0;
}

static enum cx_gate_verdict sight_judge(const struct cx_gate_sights *sights, const struct cx_gate_sight *sight)
{
    enum cx_gate_side missing;
    if (!cx_gate_one_sided(sight, &missing)) {
        return sight->sides[CX_GATE_BASELINE].seen ? CX_GATE_STILL : CX_GATE_PASS;
    }
    if (!sight->sides[!missing].confirmed) {
        return CX_GATE_UNCERTAIN;
    }
    if (shown_otherwise(sights, sight, missing)) {
        return CX_GATE_CHANGED;
    }
    if (missing == CX_GATE_CANDIDATE) {
        return CX_GATE_FIXED;
    }
    return sight->sides[CX_GATE_BASELINE].expected ? CX_GATE_STILL : CX_GATE_NEW;
}

enum cx_gate_verdict cx_gate_judge(struct cx_gate_sights *sights)
{
    enum cx_gate_verdict verdict = CX_GATE_PASS;
    for (size_t i = 0; i < sights->count; i++) {
        struct cx_gate_sight *sight = &sights->list[i];
        sight->verdict = sight_judge(sights, sight);
        verdict = sight->verdict > verdict ? sight->verdict : verdict;
    }
    return verdict;
}

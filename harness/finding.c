// SPDX-License-Identifier: Apache-2.0
//
// finding: see finding.h.
#include "harness/finding.h"

#include <stdlib.h>
#include <string.h>

void cx_findings_fini(struct cx_findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        free(findings->list[i]);
    }
    free(findings->list);
    memset(findings, 0, sizeof(*findings));
}

struct cx_finding *cx_findings_get(const struct cx_findings *findings, const char *id)
{
    for (size_t i = 0; i < findings->count; i++) {
        if (strcmp(findings->list[i]->signature.id, id) == 0) {
            return findings->list[i];
        }
    }
    return NULL;
}

struct cx_finding *cx_findings_add(struct cx_findings *findings, const struct cx_signature *signature)
{
    struct cx_finding **list = realloc(findings->list, (findings->count + 1) * sizeof(*list));
    struct cx_finding *finding = calloc(1, sizeof(*finding));
    if (list == NULL || finding == NULL) {
        abort(); // a finding that cannot be kept must not pass for none
    }
    finding->signature = *signature;
    findings->list = list;
    findings->list[findings->count++] = finding;
    return finding;
}

int cx_finding_unexpected(const struct cx_finding *finding)
{
    return !finding->expected && (finding->known == NULL || finding->regressed);
}

void cx_findings_drop(struct cx_findings *findings)
{
    free(findings->list[--findings->count]);
}

const char *cx_finding_status_name(enum cx_finding_status status)
{
    static const char *const names[] = {"new", "confirmed", "diverged", "native", "unreplayable", "unconfirmed"};
    return (unsigned)status < sizeof(names) / sizeof(names[0]) ? names[status] : "?";
}

// SPDX-License-Identifier: Apache-2.0
//
// engine_findings: see engine_findings.h.
#include "harness/exec/engine_findings.h"

#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/detect/render.h"
#include "harness/exec/session.h"
#include "harness/finding.h"
#include "harness/trace/format.h"

#define FRAMES_MAX 8
#define MISUSE_SUFFIX "_misuse"
#define SMALL_SUFFIX ".min" CX_SCHEDULE_SUFFIX

static int ends_with(const char *name, const char *suffix)
{
    size_t chars = strlen(name);
    size_t suffix_chars = strlen(suffix);
    return chars > suffix_chars && strcmp(name + chars - suffix_chars, suffix) == 0;
}

// A schedule file of this name and this age; a finding that comes again in another session is written again.
static int version_of(const char *folder, const char *name, char text[PATH_MAX + 60])
{
    struct stat info;
    if (!ends_with(name, CX_SCHEDULE_SUFFIX) || ends_with(name, SMALL_SUFFIX)) {
        return -1;
    }
    snprintf(text, PATH_MAX, "%s/%s", folder, name);
    if (stat(text, &info) != 0) {
        return -1;
    }
    size_t used = strlen(text);
    snprintf(text + used, PATH_MAX + 60 - used, " %" PRId64 ".%ld", (int64_t)info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
    return 0;
}

// Call `visitor` for every schedule file of the target.
static void files_visit(struct cx_engine_findings *findings,
                        void (*visitor)(struct cx_engine_findings *findings, const char *version))
{
    char folder[PATH_MAX - 300];
    struct dirent **entries = NULL;
    snprintf(folder, sizeof(folder), "%.3000s/%.200s", findings->options->out_dir, findings->options->target);
    int count = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char version[PATH_MAX + 60];
        if (version_of(folder, entries[i]->d_name, version) == 0) {
            visitor(findings, version);
        }
        free(entries[i]);
    }
    free(entries);
}

static void remember(struct cx_engine_findings *findings, const char *version)
{
    cx_names_append(&findings->before, version);
}

enum cx_status cx_engine_findings_begin(struct cx_engine_findings *findings, const struct cx_engine_options *options,
                                        struct cx_error *error)
{
    findings->options = options;
    files_visit(findings, remember);
    return cx_known_load(&findings->known, options->known_path, error);
}

void cx_engine_findings_end(struct cx_engine_findings *findings)
{
    cx_known_fini(&findings->known);
    cx_names_fini(&findings->before);
    cx_names_fini(&findings->told);
    cx_names_fini(&findings->unread);
}

static void finding_print(struct cx_engine_findings *findings, const struct cx_session *session, const char *path,
                          uint32_t same)
{
    const struct cx_schedule *schedule = &session->schedule;
    char target[CX_KNOWN_TARGET_BYTES];
    cx_known_target(&cx_worker_channel(session->worker)->identity, schedule->target, target);
    struct cx_known_match match = cx_known_find(&findings->known, target, schedule->scenario, schedule->signature);
    int misuse = ends_with(schedule->scenario, MISUSE_SUFFIX);
    int expected = misuse || (match.entry != NULL && !match.regressed);
    findings->unexpected += !expected;
    printf("\n%s: %s\n", misuse ? "misuse" : expected ? "known" : "FINDING", schedule->signature);
    if (match.entry != NULL) {
        printf("  %s%s: %s\n", match.regressed ? "it is back: " : "", match.entry->issue, match.entry->what);
    }
    printf("  %s on %s; replayed with the same signature %u of %d times\n", schedule->scenario, schedule->target, same,
           CX_CONFIRMATIONS);
    struct cx_render render = {.stream = stdout, .resolver = &session->resolver, .frames_max = FRAMES_MAX};
    if (same > 0 && session->symptoms.count > 0) {
        const struct cx_symptom *symptom = &session->symptoms.list[0];
        cx_render_symptom(&render, cx_worker_result(session->worker), symptom->kind, symptom->race, "    ");
    }
    printf("  again: constrictor replay %s\n", path);
    if (same > 0 && (match.entry == NULL || match.regressed)) {
        cx_names_append(&findings->unread, path);
    }
}

static void file_tell(struct cx_engine_findings *findings, const char *version)
{
    if (cx_names_have(&findings->before, version) || cx_names_have(&findings->told, version)) {
        return;
    }
    cx_names_append(&findings->told, version);
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%.*s", (int)(strrchr(version, ' ') - version), version);
    struct cx_session *session = calloc(1, sizeof(*session));
    struct cx_error error = {0};
    uint32_t same = 0;
    enum cx_status status = session != NULL ? cx_session_open(session, path, 0, &error) : CX_ERR_MEMORY;
    for (uint32_t i = 0; i < CX_CONFIRMATIONS && status == CX_OK; i++) {
        status = cx_session_play(session, session->schedule.deviations, session->schedule.deviations_count,
                                 CX_MODE_STRICT, &error);
        same += status == CX_OK && cx_session_same(session);
    }
    if (status == CX_OK) {
        finding_print(findings, session, path, same);
    } else {
        findings->unexpected++;
        printf("\nFINDING: %s cannot be replayed: %s\n", path, error.text);
    }
    if (session != NULL) {
        cx_session_close(session);
        free(session);
    }
}

void cx_engine_findings_tell(struct cx_engine_findings *findings)
{
    files_visit(findings, file_tell);
}

int cx_engine_log_line(const char *log, const char *text, char line[600])
{
    FILE *file = fopen(log, "re");
    char *each = NULL;
    size_t each_bytes = 0;
    int found = 0;
    while (file != NULL && getline(&each, &each_bytes, file) >= 0) {
        const char *at = strstr(each, text);
        if (at != NULL) {
            snprintf(line, 600, "%s", at + strlen(text));
            line[strcspn(line, "\n")] = '\0';
            found = 1;
        }
    }
    free(each);
    if (file != NULL) {
        fclose(file);
    }
    return found;
}

int cx_engine_findings_crash(struct cx_engine_findings *findings, const char *log)
{
    char summary[600], artifact[600];
    if (!cx_engine_log_line(log, "SUMMARY: ", summary)) {
        char reason[600] = "it ended without a word";
        (void)cx_engine_log_line(log, "fuzz: ", reason);
        fprintf(stderr, "constrictor: %s did not work: %s; see %s\n", findings->options->name, reason, log);
        return 1;
    }
    if (cx_names_have(&findings->told, summary)) {
        return 0;
    }
    cx_names_append(&findings->told, summary);
    findings->unexpected++;
    printf("\nFINDING: %s: %s\n", findings->options->name, summary);
    if (cx_engine_log_line(log, "Test unit written to ", artifact)) {
        printf("  input: %s\n", artifact);
    }
    printf("  stack: %s\n", log);
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
//
// targets: see targets.h.
#include "harness/exec/targets.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CX_TARGET_PLAIN "plain" // and "plain-tsan", "plain-corpus": runners without CPython, part of our own build

// The builds of issue and design; what each means is tools/cpython's business.
static const char *const builds[] = {"ft-debug", "gil-debug", "ft-tsan",    "gil-tsan",
                                     "ft-asan",  "gil-asan",  "ft-release", "gil-release"};

static int target_plain(const char *target)
{
    return strncmp(target, CX_TARGET_PLAIN, strlen(CX_TARGET_PLAIN)) == 0;
}

const char *cx_targets_build_dir(void)
{
    static char folder[PATH_MAX];
    if (folder[0] == '\0') {
        ssize_t chars = readlink("/proc/self/exe", folder, sizeof(folder) - 1);
        folder[chars > 0 ? chars : 0] = '\0';
        char *slash = strrchr(folder, '/');
        if (slash != NULL) {
            *slash = '\0';
        }
    }
    return folder;
}

const char *cx_targets_source_dir(void)
{
    const char *other = getenv("CONSTRICTOR_SOURCE_DIR");
    return other != NULL && other[0] != '\0' ? other : CONSTRICTOR_SOURCE_DIR;
}

static void runners_dir(char path[2 * PATH_MAX])
{
    const char *other = getenv("CONSTRICTOR_RUNNERS");
    if (other != NULL && other[0] != '\0') {
        snprintf(path, 2 * PATH_MAX, "%s", other);
    } else {
        snprintf(path, 2 * PATH_MAX, "%s/runners", cx_targets_build_dir());
    }
}

// <runners>/<target>/runner as an absolute path, if it can be executed.
static int runner_find(const char *target, char path[PATH_MAX])
{
    char folder[2 * PATH_MAX];
    char candidate[2 * PATH_MAX + 300];
    runners_dir(folder);
    snprintf(candidate, sizeof(candidate), "%s/%.200s/runner", folder, target);
    return access(candidate, X_OK) == 0 && realpath(candidate, path) != NULL ? 0 : -1;
}

const char *cx_targets_subject_file(const char *name)
{
    static char path[3 * PATH_MAX];
    char folder[2 * PATH_MAX];
    runners_dir(folder);
    snprintf(path, sizeof(path), "%s/subject/%.100s", folder, name);
    return path;
}

int cx_targets_cache_dir(const char *target, char path[PATH_MAX])
{
    const char *cache = getenv("CONSTRICTOR_CACHE");
    const char *xdg = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    int chars = -1;
    if (cache != NULL && cache[0] != '\0') {
        chars = snprintf(path, PATH_MAX, "%s/targets/%s", cache, target);
    } else if (xdg != NULL && xdg[0] != '\0') {
        chars = snprintf(path, PATH_MAX, "%s/constrictor/targets/%s", xdg, target);
    } else if (home != NULL && home[0] != '\0') {
        chars = snprintf(path, PATH_MAX, "%s/.cache/constrictor/targets/%s", home, target);
    }
    return chars > 0 && chars < PATH_MAX ? 0 : -1;
}

// Add the subfolders of `folder` that hold a file `member`.
static void folder_scan(const char *folder, const char *member, struct cx_names *names)
{
    DIR *directory = opendir(folder);
    if (directory == NULL) {
        return;
    }
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char path[3 * PATH_MAX];
        snprintf(path, sizeof(path), "%s/%s/%s", folder, entry->d_name, member);
        if (entry->d_name[0] != '.' && access(path, R_OK) == 0) {
            cx_names_add(names, entry->d_name);
        }
    }
    closedir(directory);
}

void cx_targets_built(struct cx_names *names)
{
    char folder[2 * PATH_MAX];
    char ignored[PATH_MAX];
    struct cx_names found = {0};
    runners_dir(folder);
    folder_scan(folder, "runner", &found);
    cx_names_sort(&found);
    for (size_t i = 0; i < found.count; i++) {
        if (!target_plain(found.list[i]) && runner_find(found.list[i], ignored) == 0) {
            cx_names_add(names, found.list[i]);
        }
    }
    for (size_t i = 0; i < found.count; i++) {
        if (target_plain(found.list[i]) && runner_find(found.list[i], ignored) == 0) {
            cx_names_add(names, found.list[i]);
        }
    }
    cx_names_fini(&found);
}

void cx_targets_cached(struct cx_names *names)
{
    char folder[PATH_MAX];
    if (cx_targets_cache_dir("", folder) == 0) {
        folder_scan(folder, "target.json", names);
    }
    cx_names_sort(names);
}

// The first words of the lock file's lines are versions; each can be built in every way.
static void lock_names(struct cx_names *names)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/tools/cpython.lock", cx_targets_source_dir());
    FILE *file = fopen(path, "re");
    char line[512];
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        char version[40];
        if (line[0] == '#' || sscanf(line, "%39s", version) != 1) {
            continue;
        }
        for (size_t i = 0; i < sizeof(builds) / sizeof(builds[0]); i++) {
            char name[80];
            snprintf(name, sizeof(name), "%s-%s", version, builds[i]);
            cx_names_add(names, name);
        }
    }
    if (file != NULL) {
        fclose(file);
    }
}

void cx_targets_known(struct cx_names *names)
{
    cx_targets_built(names);
    cx_targets_cached(names);
    lock_names(names);
    cx_names_add(names, CX_TARGET_PLAIN);
    cx_names_add(names, CX_TARGET_PLAIN "-tsan");
    cx_names_sort(names);
}

enum cx_status cx_targets_runner(const char *target, char path[PATH_MAX], struct cx_error *error)
{
    if (target[0] != '\0' && target[0] != '.' && strchr(target, '/') == NULL && runner_find(target, path) == 0) {
        return CX_OK;
    }
    struct cx_names known = {0};
    enum cx_status status = CX_OK;
    cx_targets_known(&known);
    if (cx_names_have(&known, target) && target_plain(target)) {
        status = cx_error_set(error, CX_ERR_ENVIRONMENT, "target %s has no runner here: `cmake --build %s` builds it",
                              target, cx_targets_build_dir());
    } else if (cx_names_have(&known, target)) {
        status = cx_error_set(error, CX_ERR_ENVIRONMENT,
                              "target %s is not built: `constrictor target add %s` builds it", target, target);
    } else {
        char nearest[300];
        cx_names_nearest(&known, target, nearest, sizeof(nearest));
        status = cx_error_set(error, CX_ERR_USAGE, "unknown target \"%s\"%s%s; `constrictor target list` shows all",
                              target, nearest[0] != '\0' ? ": nearest are " : "", nearest);
    }
    cx_names_fini(&known);
    return status;
}

// SPDX-License-Identifier: Apache-2.0
//
// targets: where the runners are, and which targets there could be.
//
// A target is built in two steps: tools/cpython-build makes CPython below the cache, with a target.json beside it, and
// tools/runner-build links a runner against that below this build's folder. Only the second is needed to run.
#ifndef CX_EXEC_TARGETS_H
#define CX_EXEC_TARGETS_H

#include <limits.h>

#include "harness/names.h"
#include "harness/status.h"

// The folder of this executable. Borrowed, static.
const char *cx_targets_build_dir(void);

// The folder of the sources, or of the folder that CONSTRICTOR_SOURCE_DIR names: where tools/ is. Borrowed, static.
const char *cx_targets_source_dir(void);

// The runner of a target. A name that could be a target but has no runner is CX_ERR_ENVIRONMENT, with the command that
// builds it; any other is CX_ERR_USAGE, with the nearest names.
enum cx_status cx_targets_runner(const char *target, char path[PATH_MAX], struct cx_error *error);

// A file that `constrictor cc` links into programs, or that is loaded before them. Borrowed, static.
const char *cx_targets_subject_file(const char *name);

// Names of the targets that have a runner, sorted, "plain" last.
void cx_targets_built(struct cx_names *names);

// Names of the targets whose CPython is in the cache.
void cx_targets_cached(struct cx_names *names);

// Names of all targets that are built, cached, or could be built from the versions in tools/cpython.lock.
void cx_targets_known(struct cx_names *names);

// <cache>/targets/<target>, whether it exists or not. Returns 0, or -1 if there is no place for a cache.
int cx_targets_cache_dir(const char *target, char path[PATH_MAX]);

#endif

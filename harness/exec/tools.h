// SPDX-License-Identifier: Apache-2.0
//
// tools: the scripts of tools/ that build targets and runners. What they print is for the user.
#ifndef CX_EXEC_TOOLS_H
#define CX_EXEC_TOOLS_H

#include "harness/status.h"

// Run tools/<tool> with these arguments (NULL ends them) and wait. Its exit code, or one of ours and the reason. A
// signal asked the user's whole process group, so it ends the tool, too. Blocks: yes.
enum cx_exit cx_tools_run(const char *tool, const char *const *arguments, struct cx_error *error);

// Build the target `name` and its runner, or find that they are up to date. `source` and `build`: an own tree and the
// way to build it; NULL for a release. Blocks: yes.
enum cx_exit cx_tools_target_add(const char *name, const char *source, const char *build, struct cx_error *error);

#endif

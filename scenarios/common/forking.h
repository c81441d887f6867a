// SPDX-License-Identifier: Apache-2.0
//
// forking: forks as the C API asks for them, for scenarios.
//
// The child goes on under control and is a part of the run, as with `--forks follow` (docs/subjects.md): a failed
// check, a crash or a deadlock in it is the run's; it ends by _exit(), until when the parent stands still in fork().
// Native runs leave it alone: its parent has to look at its status, in which a failed check shows, too, and it must not
// outlive its parent.
#ifndef CX_SCENARIOS_COMMON_FORKING_H
#define CX_SCENARIOS_COMMON_FORKING_H

// Fork, between PyOS_BeforeFork and its counterparts, and call `child` in the child, which ends when that returns. The
// parent fails, as by CX_CHECK, unless it ends well.
// Thread state: attached, in both. Blocks: yes.
void forking_run(void (*child)(void *memory), void *memory);

#endif

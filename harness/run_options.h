// SPDX-License-Identifier: Apache-2.0
//
// run_options: what the command lines of `constrictor run` and `constrictor exec` have in common. Both explore; they
// differ in what. Defined in cmd_run.c.
#ifndef CX_RUN_OPTIONS_H
#define CX_RUN_OPTIONS_H

#include <argp.h>

#include "harness/exec/campaign.h"
#include "harness/status.h"

// A parser for options alone, to be a child of the verb's own. Its input is a struct cx_campaign_options that began as
// a copy of the default one.
extern const struct argp cx_run_options_argp;
extern const struct cx_campaign_options cx_run_options_default;

// Which shard this is: --shard, or what the environment says. Whoever has not asked for one is told that this is one.
void cx_run_options_shard(const char *verb, struct cx_campaign_options *run);

// Check, explore, and free what both structures hold. `subject` is empty for scenarios.
enum cx_exit cx_run_options_play(const char *verb, struct cx_campaign_options *run, struct cx_subject *subject);

#endif

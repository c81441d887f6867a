// SPDX-License-Identifier: Apache-2.0
//
// canary: scenarios that must fail, played to see that failures are seen.
//
// A target's canaries are its scenarios in canary/; of a target without that folder, the first scenario that expects a
// crash, a deadlock and a race. Each is played until its first finding, and exhaustively where drawn runs do not show
// it: a canary that is found once is found by the same runs again.
#ifndef CX_EXEC_CANARY_H
#define CX_EXEC_CANARY_H

#include "harness/exec/campaign.h"

struct cx_canary {
    const char *scenario; // borrowed
    uint64_t runs;
    int found; // it showed what it must, and nothing else
};

// 1 if a scenario is there to be a canary, and is not to be played as a scenario.
int cx_canary_is(const char *scenario);

// Play all canaries of a crew's target. `told` hears of each when it is over, and stops by returning anything but
// CX_OK. `observer->finding` is not called. A target without a canary is CX_ERR_NOTHING; CX_ERR_RUNNER: a canary could
// not be played.
enum cx_status
cx_canaries_play(const struct cx_campaign *campaign, struct cx_crew *crew, const struct cx_explore_observer *observer,
                 enum cx_status (*told)(void *context, const struct cx_canary *canary, struct cx_error *error),
                 struct cx_error *error);

#endif

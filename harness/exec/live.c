// SPDX-License-Identifier: Apache-2.0
//
// live: see live.h.
#include "harness/exec/live.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "harness/exec/clock.h"

#define CX_LIVE_TERMINAL_NS (CX_NS_PER_S / 5)
#define CX_LIVE_PLAIN_NS (5 * CX_NS_PER_S)
#define CX_LIVE_PLAIN_LATER_NS (30 * CX_NS_PER_S) // after the first minute

void cx_live_init(struct cx_live *live)
{
    const char *terminal = getenv("TERM");
    live->enabled = 1;
    live->terminal = isatty(STDERR_FILENO) && terminal != NULL && strcmp(terminal, "dumb") != 0;
    live->start_ns = cx_clock_ns();
    live->last_ns = live->start_ns;
}

int cx_live_due(const struct cx_live *live)
{
    uint64_t plain_ns = cx_live_elapsed_ns(live) > 60 * CX_NS_PER_S ? CX_LIVE_PLAIN_LATER_NS : CX_LIVE_PLAIN_NS;
    uint64_t period_ns = live->terminal ? CX_LIVE_TERMINAL_NS : plain_ns;
    return live->enabled && cx_clock_ns() - live->last_ns >= period_ns;
}

void cx_live_show(struct cx_live *live, const char *text)
{
    if (!live->enabled) {
        return;
    }
    live->last_ns = cx_clock_ns();
    if (!live->terminal) {
        fprintf(stderr, "%s\n", text);
        return;
    }
    struct winsize size = {0};
    int columns = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
    fprintf(stderr, "\r\033[K%.*s", columns - 1, text);
    fflush(stderr);
    live->shown = 1;
}

void cx_live_clear(struct cx_live *live)
{
    if (live->shown) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
        live->shown = 0;
    }
}

uint64_t cx_live_elapsed_ns(const struct cx_live *live)
{
    return cx_clock_ns() - live->start_ns;
}

void cx_live_duration_text(uint64_t ns, char text[32])
{
    uint64_t seconds = (ns + CX_NS_PER_S / 2) / CX_NS_PER_S;
    if (seconds >= 3600) {
        snprintf(text, 32, "%" PRIu64 " h %" PRIu64 " min", seconds / 3600, seconds / 60 % 60);
    } else if (seconds >= 60) {
        snprintf(text, 32, "%" PRIu64 " min %" PRIu64 " s", seconds / 60, seconds % 60);
    } else {
        snprintf(text, 32, "%" PRIu64 " s", seconds);
    }
}

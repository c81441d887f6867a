// SPDX-License-Identifier: Apache-2.0
//
// live: how far a long command is. On a terminal one line that is rewritten in place, elsewhere a plain line every few
// seconds. Everything goes to standard error; standard output is for results.
#ifndef CX_EXEC_LIVE_H
#define CX_EXEC_LIVE_H

#include <stdint.h>

// Zeroed memory is valid and prints nothing; cx_live_init() finds out about the terminal.
struct cx_live {
    int enabled;
    int terminal;
    int shown; // a rewritable line is on the screen
    uint64_t start_ns;
    uint64_t last_ns;
};

void cx_live_init(struct cx_live *live);

// 1 when it is time for a new line. Then the caller makes one and hands it to cx_live_show().
int cx_live_due(const struct cx_live *live);

// Show a line, without a newline.
void cx_live_show(struct cx_live *live, const char *text);

// Take the rewritable line away before something else is printed.
void cx_live_clear(struct cx_live *live);

// Time since cx_live_init().
uint64_t cx_live_elapsed_ns(const struct cx_live *live);

// "41 s", "3 min 20 s".
void cx_live_duration_text(uint64_t ns, char text[32]);

#endif

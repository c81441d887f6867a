// SPDX-License-Identifier: Apache-2.0
//
// edges: how often each edge of the program under test was taken, in builds that count them. Linked into
// AddressSanitizer runners only, whose targets are compiled with -fsanitize=fuzzer-no-link. The counters are the
// program's own memory, so that each run, a fork, begins with clean ones; what they say goes to the command with the
// rest of the result, which a run that crashes writes, too.
#include "harness/detect/edges.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

void __sanitizer_cov_8bit_counters_init(uint8_t *first, uint8_t *end);

static struct {
    uint8_t *first;
    size_t count;
} edges; // const after constructors

// Called by a constructor of each file that is instrumented, each time with the counters of all.
void __sanitizer_cov_8bit_counters_init(uint8_t *first, uint8_t *end)
{
    edges.first = first;
    edges.count = (size_t)(end - first);
}

void cx_edges_begin(void)
{
    memset(edges.first, 0, edges.count);
}

void cx_edges_take(struct cx_channel *channel)
{
    size_t alone = edges.count < CX_EDGES_MAX ? edges.count : CX_EDGES_MAX;
    memcpy(channel->edges, edges.first, alone);
    for (size_t i = alone; i < edges.count; i++) {
        channel->edges[i % CX_EDGES_MAX] |= edges.first[i];
    }
}

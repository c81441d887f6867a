// SPDX-License-Identifier: Apache-2.0
//
// schedule_seeds: inputs of fuzz_schedule to begin with: FOLDER/NNN, one for each value of the byte that says which
// scenario, so that there are some of every scenario, with the strategies in turn.
//
//   schedule_seeds FOLDER
#include "fuzz/schedule_input.h"

#include <stdio.h>

#define SCENARIOS 256 // values of the byte
#define DEPTH 2       // change points

int main(int argc, char **argv)
{
    uint8_t data[1 + FUZZ_SCHEDULE_BYTES_MAX];
    char path[4096];
    for (unsigned i = 0; argc == 2 && i < SCENARIOS; i++) {
        const struct fuzz_schedule schedule = {.strategy = (uint8_t)(i % FUZZ_STRATEGIES), .depth = DEPTH, .seed = i};
        data[0] = (uint8_t)i;
        size_t size = 1 + fuzz_schedule_write(&schedule, data + 1);
        snprintf(path, sizeof(path), "%.4000s/%03u", argv[1], i);
        FILE *file = fopen(path, "wbe");
        int written = file != NULL && fwrite(data, 1, size, file) == size;
        int closed = file != NULL && fclose(file) == 0;
        if (!written || !closed) {
            fprintf(stderr, "schedule_seeds: %s cannot be written\n", path);
            return 2;
        }
    }
    return argc == 2 ? 0 : 2;
}

// SPDX-License-Identifier: Apache-2.0
//
// plain_main: a target without an engine: it plays files, so that seeds and old crashes are ordinary tests, and purely
// random bytes, which no engine has shaped.
//
//   fuzz_NAME_plain PATH...             every file, and every file in every folder
//   fuzz_NAME_plain --random N [SEED]   N inputs of 0 to 4096 random bytes, most of them short
//
// The last line says how many inputs were played; none is an error.
#include "fuzz/common/input.h"

#include "harness/prng.h"

#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define RANDOM_BYTES_MAX 4096

static uint64_t played;

static void bytes_play(const uint8_t *data, size_t size)
{
    // A copy of exactly this size: reading past its end is reading past the end of a block.
    uint8_t *copy = malloc(size > 0 ? size : 1);
    if (copy == NULL) {
        fuzz_broken("there is memory for the input", __FILE__, __LINE__);
    }
    memcpy(copy, data, size);
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    played++;
}

static int file_play(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;
    size_t size = 0;
    if (file == NULL) {
        fprintf(stderr, "fuzz: cannot read %s\n", path);
        return -1;
    }
    FILE *copy = open_memstream((char **)&data, &size);
    char part[4096];
    for (size_t got; copy != NULL && (got = fread(part, 1, sizeof(part), file)) > 0;) {
        fwrite(part, 1, got, copy);
    }
    fclose(file);
    if (copy == NULL || fclose(copy) != 0) {
        free(data);
        return -1;
    }
    fprintf(stderr, "fuzz: %s, %zu bytes\n", path, size);
    bytes_play(data, size);
    free(data);
    return 0;
}

static int path_play(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode)) {
        return file_play(path);
    }
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, NULL, alphasort);
    int failed = count < 0;
    for (int i = 0; i < count; i++) {
        char name[PATH_MAX];
        snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.') {
            failed |= file_play(name) != 0;
        }
        free(entries[i]);
    }
    free(entries);
    return failed ? -1 : 0;
}

static void random_play(uint64_t count, uint64_t seed)
{
    uint8_t data[RANDOM_BYTES_MAX];
    struct cx_prng prng = {seed};
    for (uint64_t i = 0; i < count; i++) {
        size_t bound = (size_t)1 << cx_prng_below(&prng, 13); // up to 4096: each length of bits as often
        size_t size = cx_prng_below(&prng, bound + 1);
        for (size_t k = 0; k < size; k++) {
            data[k] = (uint8_t)cx_prng_next(&prng);
        }
        bytes_play(data, size);
    }
}

int main(int argc, char **argv)
{
    int failed = 0;
    if (argc >= 3 && strcmp(argv[1], "--random") == 0) {
        random_play(strtoull(argv[2], NULL, 10), argc > 3 ? strtoull(argv[3], NULL, 10) : 1);
    } else {
        for (int i = 1; i < argc; i++) {
            failed |= path_play(argv[i]) != 0;
        }
    }
    printf("fuzz: %" PRIu64 " inputs\n", played);
    return failed || played == 0 ? 1 : 0;
}
